"""Where the tokens of a transformer lie, if no attribute says so: by spots drawn into images.

A network whose tokens are as many as the cells of a grid, or a few more, is shown grey images with
a spot in one cell each. If every spot changes the token of its cell the most, in rows from the top,
the grid is known and how many tokens come before it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn

from errlens.model.layers.hooks import watched
from errlens.model.networks.user_code import user_code
from errlens.model.outputs.locating import floats_in

MOST_OTHERS: Final = 16  # tokens that stand for no place: of the class, registers
# Cells where spots are drawn, as shares of the rows and columns; no two the same way round.
SPOTS: Final = ((0.0, 0.0), (0.0, 0.99), (0.99, 0.0), (0.4, 0.8), (0.7, 0.3))

Size = tuple[int, int, int]  # channels, height, width


class Places(NamedTuple):
    """A grid of tokens that stand for places, and how many come before these."""

    grid: tuple[int, int]
    prefix: int


def count_tokens(
    module: nn.Module, size: Size, calls: Iterable[tuple[str, tuple[int, ...]]], *, images: int
) -> dict[int, Places]:
    """Return the places of tokens, by how many tokens there are; empty if none can be told.

    Args:
        module: The network, in evaluation mode.
        size: (channels, height, width) of its inputs.
        calls: Layers in the order in which they ran, and the shapes of what they put out.
        images: How many images it was given then.
    """
    calls = list(calls)
    first = {
        shape[1]: name
        for name, shape in reversed(calls)
        if len(shape) == 3 and shape[0] == images and shape[1] > 1
    }
    maps = {shape[2:] for _, shape in calls if len(shape) == 4 and shape[0] == images}
    grids = sorted(maps | _patch_grids(size), reverse=True)
    by_count = {}
    for tokens, name in first.items():
        for rows, columns in grids:
            if rows > 1 < columns and 0 <= tokens - rows * columns <= MOST_OTHERS:
                prefix = _prefix(module, size, name, (rows, columns), together=images > 1)
                if prefix is not None:
                    by_count[tokens] = Places((rows, columns), prefix)
                    break
    return by_count


def last_seen(
    module: nn.Module, size: Size, layers: Mapping[str, Places], *, images: int
) -> str | None:
    """Return the last of some layers all of whose places influence the outputs, if one does.

    Where the outputs depend on the class token alone, the other tokens of the last layers do not.
    """
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn((images, *size), generator=generator)
    image = like_weights(noise, module).requires_grad_()
    with torch.enable_grad(), _outputs_of(module, layers) as kept:
        with user_code("the forward of the model", images=images):
            output = module(image.clone())
        total = sum(
            (values * torch.rand(values.shape, generator=generator).to(values)).sum()
            for values in floats_in(output)
        )
        ran = {name: outputs[-1] for name, outputs in kept.items() if outputs[-1].requires_grad}
        if not (isinstance(total, Tensor) and total.requires_grad and ran):
            return None
        slopes = torch.autograd.grad(total, list(ran.values()), allow_unused=True)
    seen = [
        name
        for name, slope in zip(ran, slopes, strict=True)
        if slope is not None and _of_places(slope, layers[name]).abs().sum(dim=(0, 2)).gt(0).all()
    ]
    return seen[-1] if seen else None


def _patch_grids(size: Size) -> set[tuple[int, ...]]:
    """Return the grids of square patches that an image can be cut into."""
    _, height, width = size
    return {
        (height // side, width // side)
        for side in range(1, min(height, width) // 2 + 1)
        if height % side == 0 and width % side == 0
    }


def _prefix(
    module: nn.Module, size: Size, layer: str, grid: tuple[int, int], *, together: bool
) -> int | None:
    """Return how many tokens come before those of a grid; None if the tokens lie otherwise."""
    rows, columns = grid
    cells = [(int(down * rows), int(across * columns)) for down, across in SPOTS]
    images = like_weights(_spots(size, grid, cells), module)
    batches = [images] if together else [image.unsqueeze(0) for image in images]
    with torch.no_grad(), _outputs_of(module, [layer]) as kept:
        outputs = []
        for batch in batches:
            with user_code("the forward of the model", images=len(batch)):
                module(batch.clone())
            outputs.append(kept[layer][0])  # the first time that it runs
            kept.clear()
    plain, *spotted = torch.cat(outputs).float()
    if len(spotted) < len(cells):
        return None  # the first dimension is no image: there happened to be as many of something
    prefixes = {
        int((tokens - plain).abs().sum(dim=1).argmax()) - (row * columns + column)
        for tokens, (row, column) in zip(spotted, cells, strict=True)
    }
    prefix = prefixes.pop()
    fits = not prefixes and 0 <= prefix <= len(plain) - rows * columns
    return prefix if fits else None


def _spots(size: Size, grid: tuple[int, int], cells: Sequence[tuple[int, int]]) -> Tensor:
    """Return a plain image, then one with a spot in the middle of each cell."""
    channels, height, width = size
    images = torch.zeros(1 + len(cells), channels, height, width)
    generator = torch.Generator().manual_seed(0)
    for image, (row, column) in zip(images[1:], cells, strict=True):
        spot = image[:, _middle(row, height / grid[0]), _middle(column, width / grid[1])]
        spot.copy_(3 * torch.randn(spot.shape, generator=generator))
    return images


def _middle(cell: int, side: float) -> slice:
    """Return the middle half of a cell, a pixel at least.

    >>> _middle(2, 8.0)
    slice(18, 22, None)
    """
    start = int((cell + 0.25) * side)
    return slice(start, max(start + 1, int((cell + 0.75) * side)))


def _of_places(tokens: Tensor, places: Places) -> Tensor:
    rows, columns = places.grid
    return tokens[:, places.prefix : places.prefix + rows * columns]


def like_weights(images: Tensor, module: nn.Module) -> Tensor:
    """Return images with the type and on the device of the weights of a network."""
    real = (weight for weight in module.parameters() if weight.is_floating_point())
    return images.to(next(real, torch.zeros(())))


@contextmanager
def _outputs_of(module: nn.Module, layers: Iterable[str]) -> Iterator[dict[str, list[Tensor]]]:
    """Keep what some layers put out, in the order in which they first did."""
    kept: dict[str, list[Tensor]] = {}

    def keep(name: str, _layer: nn.Module, _inputs: object, output: Tensor) -> None:
        kept.setdefault(name, []).append(output)

    with watched(module, layers, keep):
        yield kept
