"""The layers at which changes are compared: which by default, and how one is read."""

from collections.abc import Sequence
from math import prod
from typing import Any, Final, NamedTuple

from torch import Tensor, nn

from errlens.analysis.correspondence.changes import CHANNELS, PLACES
from errlens.errors import UnfitLayer
from errlens.model.layers.places import SpatialLayer
from errlens.model.layers.runs import run_layers
from errlens.network.invariance.layers import compared_layers as first_and_last
from errlens.network.probing.layers import PENULTIMATE, all_layers, probed_layers

_BETWEEN: Final = (1 / 3, 2 / 3)  # of the stages between the first and the last layer


class ComparedLayer(NamedTuple):
    """A layer whose features are compared; of `module`, what it puts out, or what it is `fed`.

    `shape` is that of its features of one image; `spatial` says where in them the places are, None
    of a vector.
    """

    name: str
    module: str
    spatial: SpatialLayer | None
    shape: tuple[int, ...]
    fed: bool = False

    @property
    def kinds(self) -> dict[str, int]:
        """How many units there are of each kind."""
        if self.spatial is None:
            return {CHANNELS: prod(self.shape)}
        total, (rows, columns) = prod(self.shape), self.spatial.grid
        if self.spatial.layout == "tokens":
            total = rows * columns * self.shape[-1]
        return {PLACES: total, CHANNELS: total // (rows * columns)}

    def features(self, inputs: tuple[Any, ...], output: Tensor) -> list[Tensor]:
        """Return the features of each kind, shape (n, units)."""
        seen = inputs[0] if self.fed else output
        if self.spatial is None:
            return [seen.flatten(1)]
        maps = self.spatial.as_maps(seen)
        return [maps.flatten(1), maps.float().mean(dim=(2, 3))]


def compared_layers(
    module: nn.Module,
    size: tuple[int, int, int],
    *,
    head: str | None,
    features: int = 0,
    names: Sequence[str] | None = None,
) -> list[ComparedLayer]:
    """Return layers by name, in the order in which they run.

    Without names, these are the first with weights and places, two of the stages between, the last
    with places, and what the last layer is fed.

    Args:
        module: The network; it is run on zeros and left as it was.
        size: (channels, height, width) of its inputs.
        head: The layer that gives the outputs, if one is known.
        features: How many values that is fed.
        names: Of layers, each counts once; "penultimate" is what the last layer is fed.

    Raises:
        UnfitLayer: There is no layer of a name, or it cannot be compared.
        NoSpatialLayer: The layers cannot be looked into.
    """
    wanted = [name for name in names or () if name != PENULTIMATE]
    with_last = PENULTIMATE in names if names else head is not None
    if with_last and head is None:
        raise UnfitLayer(
            f"{PENULTIMATE!r} is what the last linear layer is fed, and this network has none"
        )
    found = probed_layers(module, size, wanted if names else _default_names(module, size))
    run = run_layers(module, size)

    def shape_of(name: str) -> tuple[int, ...]:
        at = run.last(name)
        assert at is not None  # noqa: S101 - it was found in such a run
        return run.calls[at].shape[1:]

    layers = [
        ComparedLayer(layer.name, layer.name, layer.spatial, shape_of(layer.name))
        for layer in found
    ]
    if with_last and head is not None:
        layers.append(ComparedLayer(PENULTIMATE, head, None, (features,), fed=True))
    return layers


def _default_names(module: nn.Module, size: tuple[int, int, int]) -> list[str]:
    ends = [layer.name for layer in first_and_last(module, size)]
    run = run_layers(module, size)
    places = [run.last(name) or 0 for name in ends]
    between = [
        layer.name
        for layer in all_layers(module, size)
        if places[0] < (run.last(layer.name) or 0) < places[-1]
    ]
    middle = [between[int(share * len(between))] for share in _BETWEEN] if between else []
    return list(dict.fromkeys([ends[0], *middle, ends[-1]]))
