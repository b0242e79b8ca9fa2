"""Which pictures `errlens network activations` draws."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from errlens.commands.network.activations.options import ActivationsOptions
from errlens.commands.network.activations.study import OUTPUT, Study, Tensor
from errlens.commands.network.images import ModelAndImages
from errlens.data.photos.preprocess import Box
from errlens.figures.maps.overlay import overlay, placed
from errlens.figures.network.channel_grid import Block, draw_channel_grid
from errlens.figures.network.channel_panels import Band, Picture, Row, draw_panels
from errlens.figures.network.shades import Scale, shaded
from errlens.figures.paper.sheet import Pixels
from errlens.formats import counted, probability, significant

SIDE: Final = 224  # pixels of the longest side of a picture
FILTER: Final = 112  # pixels that a filter takes at most
ACROSS: Final = 6  # channels beside the image; more follow below
ALPHA: Final = 0.75  # opacity of full colour over a photo
LINE: Final = 2  # pixels of the line of a box
# Okabe and Ito's colours for boxes, with their names.
BOX_COLOURS: Final = {
    "orange": (230, 159, 0), "sky blue": (86, 180, 233), "green": (0, 158, 115),
    "yellow": (240, 228, 66), "vermilion": (213, 94, 0), "purple": (204, 121, 167),
}  # fmt: skip
MEANING: Final = {
    False: "Black is the lowest value, white the highest",
    True: "Blue is below zero, red above",
}
OF_SCALE: Final = {
    "tensor": "of all channels together",
    "channel": "of each channel on its own",
    "shared": "of all channels together",
}


def grid_figure(found: Study, options: ActivationsOptions, subject: ModelAndImages) -> Figure:
    """Return the picture of all channels."""
    blocks = [Block(_block_title(found, tensor), tensor.shares) for tensor in found.tensors]
    return draw_channel_grid(
        blocks,
        grid=found.grid,
        tile=options.tile,
        title=_title(found, subject),
        subtitle="The number of a channel: that at its left and that above it, added. "
        + _meaning(found, options),
        scale=_shared_scale(found, options),
        signed=options.signed,
    )


def channels_figure(found: Study, options: ActivationsOptions, subject: ModelAndImages) -> Figure:
    """Return the picture of single channels: beside each image, and over each photo."""
    parts = [found.chosen[at : at + ACROSS] for at in range(0, len(found.chosen), ACROSS)]
    bands = [
        Band(
            ["image", *(_channel_title(found, channel) for channel in part)],
            [
                *(_map_row(found, tensor, part, options) for tensor in found.tensors),
                *(
                    _photo_row(found, tensor, part, options)
                    for tensor in found.tensors
                    if tensor.photo.shown is not None
                ),
                *_filter_rows(found, part),
            ],
        )
        for part in parts
    ]
    over = "red above zero, blue below" if _has_negative(found) else "the stronger, the more purple"
    return draw_panels(
        bands,
        title=_title(found, subject),
        subtitle=f"{_meaning(found, options)}. Over the photo: {over}.",
        scale=_shared_scale(found, options),
    )


def _title(found: Study, subject: ModelAndImages) -> str:
    channels, rows, columns = found.shape
    name = subject.classifier.network.name
    return f"{found.layer.name} of {name}: {counted(channels, 'channel')} of {rows} x {columns}"


def _meaning(found: Study, options: ActivationsOptions) -> str:
    together = ", in all pictures alike" if found.scale == "shared" and found.tensors[1:] else ""
    return f"{MEANING[options.signed]}, {OF_SCALE[found.scale]}{together}"


def _shared_scale(found: Study, options: ActivationsOptions) -> Scale | None:
    """Return the scale of everything, where there is one."""
    ends = np.concatenate([tensor.ends for tensor in found.tensors])
    if (ends != ends[0]).any():
        return None
    return Scale(float(ends[0, 0]), float(ends[0, 1]), options.signed)


def _block_title(found: Study, tensor: Tensor) -> str:
    """Say what a tensor is of and, where it alone has a scale, which."""
    title = _of(found, tensor)
    if found.scale != "tensor" or not found.tensors[1:]:
        return title
    low, high = map(float, tensor.ends[0])
    return f"{title}\n{significant(low)} to {significant(high)}"


def _of(found: Study, tensor: Tensor) -> str:
    """Say which photo, what it is taken for, and which side of the activation."""
    name, chance = found.predicted[tensor.image]
    stage = tensor.numbers.stage
    side = "" if stage == OUTPUT else f", {stage} {found.output.activation}"
    return f"{tensor.photo.title}, taken for {name} (p {probability(chance)}){side}"


def _channel_title(found: Study, channel: int) -> str:
    rank = int(np.flatnonzero(found.ranking == channel)[0]) + 1
    words = "the strongest" if rank == 1 else f"no. {rank} of {len(found.ranking)}"
    return f"channel {channel}, {words}"


def _filter_rows(found: Study, part: Sequence[int]) -> list[Row]:
    """Return the row of filters of a first layer."""
    if found.filters is None or found.preferred is None:
        return []
    high, wide = found.filters.shape[2:]
    pictures = [
        Picture(_filter_picture(found.filters[channel]), _prefers(found.preferred.iloc[channel]))
        for channel in part
    ]
    return [
        Row(f"its filter, {high} x {wide} pixels, and what it prefers", [Picture(None), *pictures])
    ]


def _filter_picture(weights: NDArray[np.float64]) -> Pixels:
    """Return a filter as an image: grey is zero."""
    weights = np.repeat(weights, 3, axis=0) if len(weights) == 1 else weights
    most = float(np.abs(weights).max()) or 1.0
    pixels = np.rint(127.5 + 127.5 * weights / most).astype(np.uint8).transpose(1, 2, 0)
    times = max(1, FILTER // max(pixels.shape[:2]))
    return np.ascontiguousarray(pixels.repeat(times, axis=0).repeat(times, axis=1))


def _prefers(row: pd.Series) -> str:
    parts = [f"even {row['colour']}" if pd.notna(row["colour"]) else "", row["edge"]]
    return "\n".join(str(part) for part in parts if pd.notna(part) and part) or "no colour, no edge"


def _map_row(found: Study, tensor: Tensor, part: Sequence[int], options: ActivationsOptions) -> Row:
    """Return the image as fed, and beside it channels of the same size."""
    image = _to_size(tensor.photo.picture)
    shares = tensor.shares
    maps = [
        Picture(
            shaded(
                placed(
                    shares[channel].astype(np.float32), image.shape[:2], None, options.upsampling
                )[2].clip(0, 1),
                signed=options.signed,
            ),
            _value(found, tensor, channel),
        )
        for channel in part
    ]
    return Row(f"{_of(found, tensor)}, as fed", [Picture(image), *maps])


def _photo_row(
    found: Study, tensor: Tensor, part: Sequence[int], options: ActivationsOptions
) -> Row:
    """Return the photo with its boxes, and channels over it."""
    photo = tensor.photo
    assert photo.shown is not None  # noqa: S101 - for the type checker
    boxes = found.boxes_on[tensor.image]
    pixels, share = _small(photo.shown.image)
    box: Box = tuple(share * edge for edge in photo.shown.box)  # type: ignore[assignment]
    scale = share * photo.shown.image.width / photo.size[0]
    drawn = [
        Picture(
            _with_boxes(
                overlay(
                    pixels,
                    tensor.numbers.maps[channel],
                    scale=float(np.abs(tensor.ends[channel]).max()) or 1.0,
                    alpha=ALPHA,
                    signed=_has_negative(found),
                    upsampling=options.upsampling,
                    box=box,
                ),
                boxes,
                scale,
            ),
            _box_words(found, tensor, channel),
        )
        for channel in part
    ]
    names = "\n".join(
        f"{colour}: {name}" for name, colour in zip(boxes, _colours(boxes), strict=True)
    )
    return Row(
        f"{_of(found, tensor)}, on the photo",
        [Picture(_with_boxes(pixels, boxes, scale), names), *drawn],
    )


def _value(found: Study, tensor: Tensor, channel: int) -> str:
    table = found.channels
    of_image = (table["image"] == tensor.numbers.image) & (table["stage"] == tensor.numbers.stage)
    row = table[of_image & (table["channel"] == channel)].iloc[0]
    low, high = map(float, tensor.ends[channel])
    own = f"; scale {significant(low)} to {significant(high)}" if found.scale == "channel" else ""
    at = "" if row["max"] == row["min"] else f" at row {row['row']}, column {row['column']}"
    most = "max" if row["value"] == row["max"] else "min"
    return f"{most} {significant(float(row['value']))}{at}{own}"


def _box_words(found: Study, tensor: Tensor, channel: int) -> str:
    table = found.boxes
    if not len(table):
        return ""
    here = (table["image"] == tensor.numbers.image) & (table["stage"] == tensor.numbers.stage)
    return "\n".join(
        f"{row['box']}: mean {significant(row['inside'])} inside, "
        f"{significant(row['outside'])} outside"
        for row in table[here & (table["channel"] == channel)].to_dict("records")
    )


def _has_negative(found: Study) -> bool:
    return any(bool((tensor.numbers.maps < 0).any()) for tensor in found.tensors)


def _colours(boxes: Mapping[str, Box]) -> list[str]:
    names = list(BOX_COLOURS)
    return [names[at % len(names)] for at in range(len(boxes))]


def _with_boxes(pixels: Pixels, boxes: Mapping[str, Box], scale: float) -> Pixels:
    """Return a picture with boxes on it, each in its colour between two dark lines."""
    if not boxes:
        return pixels
    picture = Image.fromarray(pixels)
    draw = ImageDraw.Draw(picture)
    for box, colour in zip(boxes.values(), _colours(boxes), strict=True):
        left, top, right, bottom = (round(scale * edge) for edge in box)
        right, bottom = max(right, left + 2 * LINE), max(bottom, top + 2 * LINE)
        draw.rectangle(
            (left - 1, top - 1, right + 1, bottom + 1), outline=(0, 0, 0), width=LINE + 2
        )
        draw.rectangle((left, top, right, bottom), outline=BOX_COLOURS[colour], width=LINE)
    return np.array(picture)


def _to_size(pixels: Pixels) -> Pixels:
    """Return a picture of at most `SIDE` pixels; a small one in whole multiples."""
    longest = max(pixels.shape[:2])
    if longest > SIDE:
        return _small(Image.fromarray(pixels))[0]
    times = max(1, SIDE // longest)
    return pixels.repeat(times, axis=0).repeat(times, axis=1)


def _small(image: Image.Image) -> tuple[Pixels, float]:
    """Return a photo with `SIDE` pixels on its longest side, and by how much it changed."""
    share = SIDE / max(image.size)
    size = (max(1, round(image.width * share)), max(1, round(image.height * share)))
    how = Image.Resampling.LANCZOS if share < 1 else Image.Resampling.BOX
    return np.array(image.resize(size, how)), share
