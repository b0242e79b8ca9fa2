"""Attribution methods: one public module each, called like the method.

A method is a module with

- `SUMMARY`, what it shows, for a list;
- `ADDS_UP`, whether the map of a difference of scores is the difference of their maps;
- `unsupported(network)`, the reason why it cannot explain a network, or None;
- `explain(network, images, targets, settings)`, the maps: see `Method`.

That the file exists is all it takes: help, validation and the tests of all methods follow from it.
"""

from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Protocol, cast

from errlens.attribution.methods._names import left_out, meant
from errlens.errors import UnfitOption, did_you_mean, nearest

if TYPE_CHECKING:
    from torch import Tensor

    from errlens.attribution.explained_model import ExplainedModel, Maps, MethodSettings
    from errlens.maps import Target


class Method(Protocol):
    """What a module of this package offers."""

    SUMMARY: str
    ADDS_UP: bool

    def unsupported(self, model: "ExplainedModel") -> str | None:
        """Return why the network cannot be explained by this method, or None."""

    def explain(
        self,
        model: "ExplainedModel",
        images: "Tensor",
        targets: Sequence[Sequence["Target"]],
        settings: "MethodSettings",
    ) -> "Maps":
        """Return a map for each target of each image.

        Args:
            model: The network, borrowed: in evaluation mode, its parameters without gradients.
            images: Inputs as the network takes them, float of shape (n, channels, height, width).
            targets: One list for each image, all of the same length t.
            settings: Options of all methods; each takes those it knows.
        """


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
    return cast("Method", import_module(f"{__name__}.{name.replace('-', '_')}"))
