"""Options of `errlens network activations` that are written as texts, read and checked."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Final

from errlens.commands.network.activations.options import STRONGEST, ActivationsOptions
from errlens.data.photos.preprocess import Box
from errlens.errors import UnfitOption, shortened
from errlens.formats import counted

LARGEST_SIDE: Final = 4096  # pixels that an image is fed with
_SIDES: Final = re.compile(r"(\d{1,6})(?:\s*[xX]\s*(\d{1,6}))?")
_RANGE: Final = re.compile(r"(\d+)(?:-(\d+))?")


def asked_channels(options: ActivationsOptions, channels: int) -> list[int]:
    """Return the channels that were named, each once, of so many that there are.

    Raises:
        UnfitOption: That is no list of numbers, or there is no such channel.
    """
    named: list[int] = []
    for text in options.channel or ():
        for part in filter(None, map(str.strip, text.split(","))):
            named += _range(part, channels)
    return list(dict.fromkeys(named))


def how_many_strongest(options: ActivationsOptions) -> int:
    """Return how many of the strongest channels are shown beside those named."""
    return (0 if options.channel else STRONGEST) if options.strongest is None else options.strongest


def grid_for(options: ActivationsOptions, channels: int) -> tuple[int, int]:
    """Return rows and columns of the grid: as asked for, else about square and full if that can be.

    Raises:
        UnfitOption: It has not as many tiles as there are channels.
    """
    if options.grid is None:
        return square_grid(channels)
    match = _SIDES.fullmatch(options.grid.strip())
    if not match or not match[2] or not int(match[1]) * int(match[2]):
        raise UnfitOption(f"--grid {options.grid!r} is not of the form ROWSxCOLUMNS, like 6x8")
    grid = int(match[1]), int(match[2])
    if grid[0] * grid[1] < channels:
        fits = "{}x{}".format(*square_grid(channels))
        raise UnfitOption(
            f"--grid {options.grid} has {counted(grid[0] * grid[1], 'tile')} for "
            f"{counted(channels, 'channel')}",
            hint=f"--grid {fits}",
        )
    return min(grid[0], -(-channels // grid[1])), grid[1]


def square_grid(channels: int) -> tuple[int, int]:
    """Return rows and columns of a grid, with no place left over if it can be about square.

    >>> square_grid(64), square_grid(48), square_grid(47), square_grid(1)
    ((8, 8), (6, 8), (7, 7), (1, 1))
    """
    rows = next(n for n in range(int(channels**0.5), 0, -1) if channels % n == 0)
    if channels <= 2 * rows * rows:
        return rows, channels // rows
    columns = int((channels - 1) ** 0.5) + 1
    return -(-channels // columns), columns


def asked_size(options: ActivationsOptions) -> tuple[int, int] | None:
    """Return the height and width that images are to be fed with, if they were given.

    Raises:
        UnfitOption: They are no such numbers, or none a network could be fed with.
    """
    if options.input_size is None:
        return None
    match = _SIDES.fullmatch(options.input_size.strip())
    sides = [int(side) for side in match.groups() if side] if match else []
    if not sides or not all(1 <= side <= LARGEST_SIDE for side in sides):
        raise UnfitOption(
            f"--input-size {options.input_size!r} is neither N nor HxW, of 1 to {LARGEST_SIDE} "
            "pixels"
        )
    return sides[0], sides[-1]


def asked_boxes(options: ActivationsOptions, images: int) -> list[dict[str, Box]]:
    """Return the boxes on each image by name: left, top, right, bottom in pixels of the photo.

    Raises:
        UnfitOption: One is no box, or has no image.
    """
    boxes: list[dict[str, Box]] = [{} for _ in range(images)]
    for text in options.box or ():
        name, box = _box(text)
        free = next((of_image for of_image in boxes if name not in of_image), None)
        if free is None:
            raise UnfitOption(
                f"--box {name}=... is given more than {counted(images, 'time')}, once for each "
                "image"
            )
        free[name] = box
    return boxes


def check_boxes(boxes: Mapping[str, Box], seen: Box, size: Sequence[int], image: str) -> None:
    """Refuse boxes of which nothing is seen.

    Args:
        boxes: Those on an image.
        seen: Where in the photo the input lies.
        size: Width and height of the photo.
        image: What to call it.

    Raises:
        UnfitOption: There is such a box.
    """
    left, top, right, bottom = seen
    edges = max(left, 0), max(top, 0), min(right, size[0]), min(bottom, size[1])
    for name, box in boxes.items():
        if min(box[2], edges[2]) <= max(box[0], edges[0]) or min(box[3], edges[3]) <= max(
            box[1], edges[1]
        ):
            raise UnfitOption(
                f"--box {name} lies where the network sees nothing of {image}: it sees x "
                f"{edges[0]:.0f} to {edges[2]:.0f} and y {edges[1]:.0f} to {edges[3]:.0f} of "
                f"{size[0]} x {size[1]} pixels"
            )


def _range(part: str, channels: int) -> range:
    match = _RANGE.fullmatch(part)
    if not match:
        raise UnfitOption(
            f"--channel {part!r} is neither a number nor a range like 0-7: channels count from 0"
        )
    first, last = int(match[1]), int(match[2] or match[1])
    if last < first or last >= channels:
        wrong = first if last < first else last
        raise UnfitOption(
            f"--channel {part}: the layer has {counted(channels, 'channel')}, 0 to {channels - 1}"
            if wrong >= channels
            else f"--channel {part}: a range goes up"
        )
    return range(first, last + 1)


def _box(text: str) -> tuple[str, Box]:
    name, _, numbers = text.rpartition("=")
    try:
        x, y, width, height = map(float, numbers.split(","))
    except ValueError:
        x = y = width = height = 0.0
    if not (name.strip() and 0 < width < math.inf and 0 < height < math.inf and x + y < math.inf):
        raise UnfitOption(
            f"--box {shortened(text)!r} is not of the form NAME=X,Y,W,H, with a width and a height "
            "above 0"
        )
    return name.strip(), (x, y, x + width, y + height)
