"""A picture a little turned, enlarged and shifted, a new way at each step.

What survives that is seen in photos too; noise that excites one place alone does not.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from errlens.atlas.icons.recipe import Recipe


class View(NamedTuple):
    """By how much a picture is turned (degrees), enlarged, and shifted (shares of its sides)."""

    degrees: float = 0.0
    scale: float = 1.0
    across: float = 0.0
    down: float = 0.0


def drawn_views(recipe: Recipe) -> Iterator[View]:
    """Yield a view for each step; the same ones whatever cells there are."""
    generator = torch.Generator().manual_seed(recipe.seed)
    least, most = map(math.log, recipe.scales)
    for _ in range(recipe.steps):
        turn, scale, across, down = torch.rand(4, generator=generator).tolist()
        yield View(
            recipe.degrees * (2 * turn - 1),
            math.exp(least + (most - least) * scale),
            recipe.shift * (2 * across - 1),
            recipe.shift * (2 * down - 1),
        )


def viewed(pictures: Tensor, view: View) -> Tensor:
    """Return pictures of shape (n, channels, h, w) as a view shows them; 0 where they end."""
    height, width = pictures.shape[2:]
    angle = math.radians(view.degrees)
    cos, sin = math.cos(angle) / view.scale, math.sin(angle) / view.scale
    # The grid has sides of 2, whatever the shape of the picture.
    matrix = [
        [cos, -sin * height / width, -2 * view.across],
        [sin * width / height, cos, -2 * view.down],
    ]
    affine = torch.tensor(matrix, dtype=pictures.dtype, device=pictures.device)
    grid = affine_grid(
        affine.expand(len(pictures), 2, 3), list(pictures.shape), align_corners=False
    )
    return grid_sample(pictures, grid, padding_mode="zeros", align_corners=False)
