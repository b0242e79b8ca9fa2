"""How the network of a name is built."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Final

from torch import nn

from errlens.errors import UnfitModel, did_you_mean, nearest, shortened
from errlens.model.networks.parameters import accepted_parameters
from errlens.model.networks.user_code import user_code

# What a library raises when it is asked for a network that cannot be.
UNBUILDABLE: Final = (
    ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, RuntimeError,
    TypeError, ValueError,
)  # fmt: skip

_UNEXPECTED: Final = re.compile(r"unexpected keyword argument '(\w+)'")


@dataclass(frozen=True)
class Architecture:
    """How to build the network of a name.

    `create` builds it without weights, `fetch` with pretrained ones. `head` is the name of its
    classifier layer, beside which there may be `further_heads`; `data_config` is its preprocessing;
    both are None where only the built network tells. The user's factories (`by_user`) may load
    weights themselves.
    """

    name: str
    create: Callable[..., nn.Module]
    fetch: Callable[..., nn.Module]
    head: str | None = None
    data_config: Mapping[str, Any] | None = None
    further_heads: tuple[str, ...] = ()
    has_weights: bool = True
    by_user: bool = False
    takes_num_classes: bool = True

    def build(
        self,
        make: Callable[..., nn.Module],
        arguments: Mapping[str, Any],
        outputs: int | None = None,
    ) -> nn.Module:
        """Call `create` or `fetch`, with a number of outputs where that can be told.

        Raises:
            UnfitModel: The architecture does not take the arguments, or is no network.
        """
        given = dict(arguments)
        if outputs is not None and self.takes_num_classes:
            given["num_classes"] = outputs
        theirs = self.by_user or arguments  # else the number of outputs alone may be refused
        with user_code(f"the factory {self.name}") if self.by_user else nullcontext():
            module = self._made(make, given, refusable=arguments if theirs else given)
        if not isinstance(module, nn.Module):
            raise UnfitModel(f"{self.name} made a {type(module).__name__}, no torch.nn.Module")
        return module

    def _made(
        self,
        make: Callable[..., nn.Module],
        given: Mapping[str, Any],
        *,
        refusable: Mapping[str, Any],
    ) -> nn.Module:
        try:
            return make(**given)
        except TypeError as error:
            if not refusable:
                raise  # nothing of the user's was refused
            found = _UNEXPECTED.search(str(error))
            is_unknown = found is not None and found[1] in given
            refused = [found[1]] if found and is_unknown else [*refusable]
            raise UnfitModel(
                f"{self.name} does not take {', '.join(refused)}: {error}",
                hint=did_you_mean(self._near(refused) if is_unknown else [], "see --model-kwargs"),
            ) from error
        except (OSError, *UNBUILDABLE) as error:
            out_of_reach = isinstance(error, OSError) and make is self.fetch
            if self.by_user or not given or out_of_reach:
                raise  # the user's code, or a library's bug, or a hub
            shown = ", ".join(f"{name}={shortened(repr(value))}" for name, value in given.items())
            reason = shortened(f"{type(error).__name__}: {error}", most=300)
            raise UnfitModel(
                f"{self.name} cannot be built with {shown}: {reason}", hint="see --model-kwargs"
            ) from error

    def _near(self, refused: Sequence[str]) -> list[str]:
        """Return the parameters called like one that was refused."""
        if len(refused) != 1:
            return []
        try:
            takes = accepted_parameters(self.create, by_user=self.by_user)
        except Exception:  # noqa: BLE001 - a hint less is no failure
            return []
        return nearest(refused[0], takes.keys() - {*refused})
