"""What an icon is made to be: a picture that a layer answers in the direction of a cell.

S. Carter et al., "Activation Atlas", Distill (2019), with the true cosine, which does not depend on
how large activations are.
"""

from typing import Final, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

LEAST_COSINE: Final = 0.1  # so that gradients lead towards a cell from any side


class Wanted(NamedTuple):
    """What is wanted of n icons, both of shape (n, channels).

    `means` are the mean activations of their cells, and `directions` these after whitening, of
    length 1.
    """

    means: Tensor
    directions: Tensor

    def to(self, device: torch.device) -> "Wanted":
        """Return the same on a device."""
        return Wanted(self.means.to(device), self.directions.to(device))


def objective(activations: Tensor, wanted: Wanted, *, power: float) -> Tensor:
    """Return how well activations, shape (n, channels), are what is wanted; shape (n,).

    It is the product with the direction times a power of the cosine of the angle to the mean.
    """
    product = (activations * wanted.directions).sum(dim=1)
    cosine = cosine_similarity(activations, wanted.means).clamp(min=LEAST_COSINE)
    return product * cosine**power


def around_centre(maps: Tensor, *, reach: float) -> Tensor:
    """Return the mean of maps around their centre, shape (n, channels).

    Places weigh as a Gaussian of their distance from the centre, whose standard deviation is
    `reach` times the sides of the map; with 0 the centre alone counts.
    """
    if reach == 0:
        return at_centre(maps)
    rows, columns = (
        torch.exp(-0.5 * ((torch.arange(n, device=maps.device) - n // 2) / (reach * n)) ** 2)
        for n in maps.shape[2:]
    )
    weights = rows[:, None] * columns[None]
    return (maps * (weights / weights.sum())).sum(dim=(2, 3))


def at_centre(maps: Tensor) -> Tensor:
    """Return maps at their centre, shape (n, channels).

    Where a side is even it is the first place behind the middle.
    """
    return maps[:, :, maps.shape[2] // 2, maps.shape[3] // 2]
