"""One run of a network, step by step: what each layer puts out, and which activation follows it.

The activation of a layer is the one that it ends with, as a normalization of timm does, or else the
first that is given what it puts out: as it is, normalized, or as part of a sum.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.autograd.graph import Node
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten
from torch.utils.weak import WeakTensorKeyDictionary

from errlens.model.layers.hooks import is_scripted
from errlens.network.steps import PASS_ON, SUMS, activation_name, in_words, multiply_adds, step_name


@dataclass(frozen=True, eq=False)
class Activation:
    """An activation that ran; copies of what it was given and of what came out, if asked for."""

    name: str
    before: Tensor | None
    after: Tensor | None
    inside: Sequence["Call"]  # that were running then


@dataclass(eq=False)
class Call:
    """One run of a layer, the first being number 1.

    Its activation is `of_sum` where that was given the sum of the output and something else.
    `used_by` is what first computed something else of it, `output` a copy, if asked for.
    """

    layer: str
    number: int = 0
    shape: tuple[int, ...] = ()
    made_by: Node | None = None
    output: Tensor | None = None
    activation: Activation | None = None
    of_sum: bool = False
    used_by: str | None = None

    @property
    def activation_name(self) -> str | None:
        """What people call the activation that follows; None if none does."""
        if self.activation is None:
            return None
        return self.activation.name + " of the sum" * self.of_sum


class Trace(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sees every step that torch makes, whatever code called it.

    `calls` are those that put out a tensor, by layer and in their order. Multiply-adds are counted
    where they happen: in the innermost layer that runs, "" being the network.
    """

    def __init__(self, keep: str | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls: dict[str, list[Call]] = {}
        self.multiply_adds: Counter[str] = Counter()
        self._keep = keep  # the one layer that is watched, if its values are copied
        self._running: list[Call] = []
        # Of which calls a tensor is still the output, and whether added to something.
        self._still: Any = WeakTensorKeyDictionary()
        self._activated: Any = WeakTensorKeyDictionary()  # the activation that put a tensor out

    def begin(self, name: str) -> None:
        """Note that a layer begins to run."""
        self._running.append(Call(name))

    def end(self, name: str, output: Any) -> None:
        """Note what a layer has put out."""
        while (call := self._running.pop()).layer != name:
            pass  # it failed, and the network went on
        if not isinstance(output, Tensor):
            return
        calls = self.calls.setdefault(name, [])
        calls.append(call)
        call.number, call.shape = len(calls), tuple(output.shape)
        call.made_by = output.grad_fn  # now, for what follows may work in place
        call.output = self._copy(output, self._keep is not None)
        ended = self._activated.get(output)
        if ended is not None and call in ended.inside:
            call.activation = ended
        self._still[output] = {**self._still.get(output, {}), call: False}

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        step, fed = step_name(func), self._fed_by(args)
        name = activation_name(step, args)
        wanted = bool(name) and self._keep is not None and bool(fed or self._running)
        before = self._copy(args[0], wanted) if name else None
        result = func(*args, **(kwargs or {}))
        first = result[0] if isinstance(result, list | tuple) and result else result
        if not isinstance(first, Tensor):
            return result
        innermost = self._running[-1].layer if self._running else ""
        self.multiply_adds[innermost] += multiply_adds(step, args, first)
        # Where it works in place, the tensor is another's output from now on.
        self._still.pop(first, None)
        self._activated.pop(first, None)
        if name:
            after = self._copy(first, wanted)
            self._activated[first] = Activation(name, before, after, (*self._running,))
            _follow(fed, self._activated[first], tuple(first.shape))
        elif step in PASS_ON | SUMS:
            self._still[first] = {call: summed or step in SUMS for call, summed in fed.items()}
        else:
            for call in fed:
                call.used_by = call.used_by or in_words(step)
        return result

    def _fed_by(self, args: Sequence[Any]) -> dict[Call, bool]:
        """Return the calls of which a step is given what they put out, and whether in a sum."""
        given = [each for each in tree_flatten(args)[0] if isinstance(each, Tensor)]
        return {
            call: summed for each in given for call, summed in self._still.get(each, {}).items()
        }

    @staticmethod
    def _copy(tensor: Any, wanted: bool) -> Tensor | None:  # noqa: FBT001
        return tensor.detach().clone() if wanted and isinstance(tensor, Tensor) else None


def _follow(fed: Mapping[Call, bool], activation: Activation, shape: tuple[int, ...]) -> None:
    """Note that an activation is given what calls have put out, laid out as they did."""
    for call, summed in fed.items():
        if call.activation is None and call.shape == shape:
            call.activation, call.of_sum = activation, summed


@contextmanager
def traced(module: nn.Module, keep: str | None = None) -> Iterator[Trace]:
    """Watch a network for the length of the block.

    Args:
        module: It is given back as it was, without a hook.
        keep: Watch this layer alone, and copy what it puts out, and what its activation is given
            and makes of it: layers that follow may work in place.
    """
    trace = Trace(keep)
    handles = []
    for name, layer in module.named_modules():
        if not name or is_scripted(layer) or keep not in (None, name):
            continue

        def begin(_layer: nn.Module, _inputs: Any, name: str = name) -> None:
            trace.begin(name)

        def end(_layer: nn.Module, _inputs: Any, output: Any, name: str = name) -> None:
            trace.end(name, output)

        handles += [layer.register_forward_pre_hook(begin), layer.register_forward_hook(end)]
    try:
        with trace:
            yield trace
    finally:
        for handle in handles:
            handle.remove()
