"""What every value in a network depends on, from one run in which nothing is multiplied.

The network computes as ever, but with other arithmetic: a value is how far down the image what it
was made of lies, and whatever combines values gives the largest of them. A convolution is then the
maximum over its window, a sum the maximum of its terms, an activation does nothing. Views,
permutations and concatenations move these values where they move any. So it holds for every
architecture that is made of steps that are known, wherever its channels are, and whatever its
weights: it is the gradient box of the network with all weights positive.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten
from torch.utils.weak import WeakTensorKeyDictionary

from errlens.network.reach_rules import RULES, Step, UnknownStep, largest


class Reach(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Runs a network so that its values are the largest of those that they depend on.

    `of` gives them for a tensor of the network; None where it depends on no input.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._values: Any = WeakTensorKeyDictionary()
        self._seen_through: Any = WeakTensorKeyDictionary()  # what each view is a view of
        self._stale: Any = WeakTensorKeyDictionary()  # whose view was written to

    def watch(self, values: Tensor) -> Tensor:
        """Return a tensor to feed a network, which stands for these values."""
        return self._standing_for(values)

    def of(self, tensor: Tensor) -> Tensor | None:
        """Return the values that a tensor stands for."""
        found: Tensor | None = self._values.get(tensor)
        return found

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        flat, _ = tree_flatten((args, kwargs))
        depends = [
            self._values[each] for each in flat if isinstance(each, Tensor) and each in self._values
        ]
        if not depends:
            return func(*args, **kwargs)
        name = func.overloadpacket.__name__
        in_place = name.endswith("_") and not name.startswith("_")
        rule = RULES.get(name.rstrip("_") if in_place else name)
        stale = any(isinstance(each, Tensor) and each in self._stale for each in flat)
        if stale or (in_place and args[0] not in self._values):
            raise UnknownStep(f"{name} of what was written to in part")
        if rule is not None:
            result = rule(Step(self, args, kwargs, depends))
        elif torch.Tag.pointwise in func.tags:
            result = largest(depends)
        else:
            raise UnknownStep(name)
        if in_place:
            self._written_to(args[0], result.expand_as(args[0]))
            return args[0]
        whole = args[0] if func.is_view else None
        if isinstance(result, Tensor):
            return self._standing_for(result, whole)
        return type(result)(
            None if each is None else self._standing_for(each, whole) for each in result
        )

    def _standing_for(self, values: Tensor, whole: Tensor | None = None) -> Tensor:
        stand_in = torch.empty(values.shape)  # never written to, so that it takes no memory
        self._values[stand_in] = values
        if whole is not None:
            self._seen_through[stand_in] = whole
        return stand_in

    def _written_to(self, tensor: Tensor, values: Tensor) -> None:
        """Give a tensor other values; what it is a part of can no longer be known."""
        self._values[tensor] = values
        while (tensor := self._seen_through.get(tensor)) is not None:
            self._stale[tensor] = True


@contextmanager
def reach() -> Iterator[Reach]:
    """Run networks for what they depend on, for the length of the block."""
    with torch.no_grad(), Reach() as mode:
        yield mode
