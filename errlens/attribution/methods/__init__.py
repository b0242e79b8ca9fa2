"""Attribution methods: one public module each, called like the method.

A method is a module with

- `SUMMARY`, what it shows, for a list, and `CARD`, what there is to know of it;
- `explain(model, images, targets, settings)`, the maps: see `Explain`;

and where they are other than usual

- `unsupported(model)`, the reason why it cannot explain a network, or None: by default, that its
  scores have no gradient;
- `ADDS_UP`, whether the map of a difference of scores is the difference of their maps: by default,
  it is;
- `HAS_FIT`, whether `Maps.r_squared` says how well each map fits: by default, it does not;
- `SLOW`, whether it takes thousands of passes, so that it is compared only where it is named;
- `CAVEAT`, what a reader must know of every map, and stands in the heading: by default, nothing.

That the file exists is all it takes: help, validation and the tests of all methods follow from it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Protocol

from errlens.attribution.card import Card
from errlens.attribution.methods._names import left_out, meant
from errlens.errors import UnfitOption, did_you_mean, nearest

if TYPE_CHECKING:
    from torch import Tensor

    from errlens.attribution.explained_model import ExplainedModel, Maps, MethodSettings, Targets


class Explain(Protocol):
    """How a method makes its maps."""

    def __call__(
        self,
        model: "ExplainedModel",
        images: "Tensor",
        targets: "Targets",
        settings: "MethodSettings",
    ) -> "Maps":
        """Return a map for each target of each image.

        Args:
            model: The network, borrowed: in evaluation mode, its parameters without gradients.
            images: Inputs as the network takes them, float of shape (n, channels, height, width).
            targets: One list for each image, all of the same length t.
            settings: Options of all methods; each takes those it knows.
        """


@dataclass(frozen=True, kw_only=True)
class Method:
    """What a module of this package offers, with what it leaves to the defaults."""

    name: str
    summary: str
    card: Card
    explain: Explain
    reason: Callable[["ExplainedModel"], str | None]
    adds_up: bool
    has_fit: bool
    slow: bool
    caveat: str | None

    def unsupported(self, model: "ExplainedModel") -> str | None:
        """Return why the network cannot be explained by this method, or None; it is asked once."""
        if self.name not in model.reasons:
            model.reasons[self.name] = self.reason(model)
        return model.reasons[self.name]


def method_names() -> list[str]:
    """List the methods by their file names, importing none of them.

    >>> "grad-cam" in method_names()
    True
    """
    names = (module.name for module in iter_modules(__path__))
    return sorted(name.replace("_", "-") for name in names if not name.startswith("_"))


def load_method(name: str) -> Method:
    """Return a method.

    Raises:
        UnfitOption: There is none of this name.
    """
    known = method_names()
    if name not in known:
        if excluded := left_out(name, known):
            why, instead = excluded
            raise UnfitOption(why, hint=f"pass --method {instead}")
        spelt = meant(name, known)
        near = [spelt] if spelt else nearest(name, known)
        raise UnfitOption(
            f"there is no method {name!r}",
            hint=did_you_mean(near, f"there are {', '.join(known)}"),
        )
    module = import_module(f"{__name__}.{name.replace('-', '_')}")
    return Method(
        name=name,
        summary=module.SUMMARY,
        card=module.CARD,
        explain=module.explain,
        reason=getattr(module, "unsupported", _no_gradient),
        adds_up=getattr(module, "ADDS_UP", True),
        has_fit=getattr(module, "HAS_FIT", False),
        slow=getattr(module, "SLOW", False),
        caveat=getattr(module, "CAVEAT", None),
    )


def _no_gradient(model: "ExplainedModel") -> str | None:
    return model.no_gradient
