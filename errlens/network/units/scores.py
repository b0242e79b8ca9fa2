"""A network whose scores are what single units put out, so that methods explain units."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn

from errlens.errors import UnfitLayer
from errlens.network.units.layers import UnitLayer
from errlens.network.units.watching import watched_units


class Unit(NamedTuple):
    """A channel of a layer at one place of its map: row * columns + column."""

    layer: str
    channel: int
    place: int


class _AllReached(BaseException):
    """Ends the run of a network where nothing that is still to come is asked for."""


class UnitScores(nn.Module):
    """Returns what units put out, shape (n, units), in place of the scores of classes.

    The network runs as far as it is needed. Each thread may ask for units of its own.
    """

    def __init__(self, network: nn.Module, layers: Mapping[str, UnitLayer]) -> None:
        super().__init__()
        self.network = network
        self._layers = dict(layers)
        self._own = threading.local()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the layers for the length of the block; nothing can be asked for outside of it."""
        with watched_units(self.network, self._layers, self._keep):
            yield

    @contextmanager
    def asked_for(self, units: Sequence[Unit]) -> Iterator[None]:
        """Return these units from now on, in this thread, for the length of the block."""
        self._own.units = units
        try:
            yield
        finally:
            del self._own.units

    def forward(self, images: Tensor) -> Tensor:
        """Run images, shape (n, channels, height, width).

        Raises:
            UnfitLayer: A layer does not run.
        """
        units: Sequence[Unit] = self._own.units
        self._own.maps = {}
        self._own.left = {unit.layer: self._layers[unit.layer].calls for unit in units}
        try:
            self.network(images)
        except _AllReached:
            pass
        finally:
            maps: dict[str, Tensor] = self._own.maps
            del self._own.maps, self._own.left
        if absent := [unit.layer for unit in units if unit.layer not in maps]:
            raise UnfitLayer(f"layer {absent[0]!r} does not run")
        return torch.stack(
            [maps[layer][:, channel].flatten(1)[:, place] for layer, channel, place in units], dim=1
        )

    def _keep(self, name: str, maps: Tensor) -> None:
        left: dict[str, int] = self._own.left
        if name not in left:
            return
        left[name] -= 1
        self._own.maps[name] = maps.clone()  # layers that follow may work in place
        if all(calls <= 0 for calls in left.values()):
            raise _AllReached
