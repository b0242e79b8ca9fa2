"""What a layer makes of the photos asked for, in numbers."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.commands.network.activations.asked import (
    asked_boxes,
    asked_channels,
    check_boxes,
    grid_for,
    how_many_strongest,
)
from errlens.commands.network.activations.options import ActivationsOptions
from errlens.commands.network.activations.photos import Seen
from errlens.commands.network.images import ModelAndImages
from errlens.data.photos.preprocess import Box
from errlens.errors import UnfitLayer, UnfitOption
from errlens.model.layers.places import SpatialLayer, find_layer
from errlens.network.activations import channels
from errlens.network.activations.boxes import box_table, joined
from errlens.network.activations.channels import channel_table, strongest
from errlens.network.activations.first_layer import filter_table, first_filters, of_photos
from errlens.network.activations.scales import ScaleKind, as_shares, scale_ends
from errlens.network.capture import LayerOutput, capture_layer, find_layer_or_name_one
from errlens.network.receptive_field import ReceptiveField, receptive_fields

OUTPUT: Final = "output"


class Tensor(NamedTuple):
    """What one photo is to the layer: numbers, and the ends of their scale.

    `image` is the number of the photo, from 0. `numbers` have maps of shape (channels, rows,
    columns); `ends` are the lowest and the highest value of the scale of each channel, shape
    (channels, 2).
    """

    image: int
    photo: Seen
    numbers: channels.Seen
    ends: NDArray[np.float64]

    @property
    def shares(self) -> NDArray[np.float64]:
        """The activations from 0 to 1."""
        return as_shares(self.numbers.maps, self.ends)


class Study(NamedTuple):
    """A layer, its activations and their numbers.

    `tensors` are of each photo those of each stage. `chosen` are the channels shown one by one, of
    `ranking`, all of them, the strongest first. `filters`, shape (channels, 3, height, width), are
    those of a first layer. `predicted` says of each photo what it is taken for.
    """

    layer: SpatialLayer
    output: LayerOutput
    tensors: Sequence[Tensor]
    scale: ScaleKind
    grid: tuple[int, int]
    ranking: NDArray[np.int64]
    chosen: Sequence[int]
    channels: pd.DataFrame
    boxes_on: Sequence[Mapping[str, Box]]
    boxes: pd.DataFrame
    filters: NDArray[np.float64] | None
    preferred: pd.DataFrame | None
    predicted: Sequence[tuple[str, float]]
    receptive_field: ReceptiveField | None  # None where it cannot be told

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of the image as fed, in pixels."""
        height, width = self.tensors[0].photo.tensor.shape[2:]
        return height, width

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, rows and columns."""
        n, rows, columns = self.tensors[0].numbers.maps.shape
        return n, rows, columns


def study(options: ActivationsOptions, subject: ModelAndImages, photos: Sequence[Seen]) -> Study:
    """Run the network and measure what the layer puts out.

    Raises:
        UnfitLayer, NoSpatialLayer: The layer has no places, or lacks the activation asked for.
        UnfitOption: A channel, a call or a box is not there, or the grid has too few tiles.
    """
    boxes_on = _boxes(options, photos)
    module = subject.classifier.network.module
    size = _size(photos[0])
    layer = (
        find_layer_or_name_one(module, size, options.layer)
        if options.layer
        else find_layer(module, size)
    )
    outputs = [capture_layer(module, photo.tensor, layer, call=options.call) for photo in photos]
    seen = [
        (image, photo, one)
        for image, (photo, output) in enumerate(zip(photos, outputs, strict=True))
        for one in _numbers(photo, output, options)
    ]
    maps = [one.maps for _, _, one in seen]
    n = len(maps[0])
    grid, named = grid_for(options, n), asked_channels(options, n)
    ranking = strongest(maps, signed=options.signed)
    chosen = [*named, *ranking[: how_many_strongest(options)].tolist()]
    kind: ScaleKind = options.scale or ("shared" if len(seen) > 1 else "tensor")
    ends = scale_ends(maps, kind, signed=options.signed)
    filters = _filters(subject, size, layer)
    return Study(
        layer=layer,
        output=outputs[0],
        tensors=[Tensor(*one, end) for one, end in zip(seen, ends, strict=True)],
        scale=kind,
        grid=grid,
        ranking=ranking,
        chosen=list(dict.fromkeys(chosen)),
        channels=channel_table([one for _, _, one in seen], signed=options.signed),
        boxes_on=boxes_on,
        boxes=joined(
            [box_table(one, boxes) for image, _, one in seen if (boxes := boxes_on[image])]
        ),
        filters=filters,
        preferred=None if filters is None else filter_table(filters),
        predicted=[_predicted(subject, output) for output in outputs],
        receptive_field=receptive_fields(module, size).fields.get(layer.name),
    )


def _size(photo: Seen) -> tuple[int, int, int]:
    _, channels, height, width = photo.tensor.shape
    return channels, height, width


def _boxes(options: ActivationsOptions, photos: Sequence[Seen]) -> list[dict[str, Box]]:
    boxes_on = asked_boxes(options, len(photos))
    for photo, boxes in zip(photos, boxes_on, strict=True):
        if boxes and photo.box is None:
            raise UnfitOption("--box: what a transform of one's own crops is not known")
        if photo.box is not None:
            check_boxes(boxes, photo.box, photo.size, photo.name)
    return boxes_on


def _numbers(photo: Seen, output: LayerOutput, options: ActivationsOptions) -> list[channels.Seen]:
    """Return the stages of one photo that were asked for."""
    wanted = {"both": ("before", "after"), None: (OUTPUT,)}.get(
        options.activation, (options.activation,)
    )
    if options.activation and output.activation is None:
        raise UnfitLayer(
            output.why_none, hint="without --activation, what the layer itself puts out is shown"
        )
    stages = {OUTPUT: output.output, "before": output.before, "after": output.after}
    return [
        channels.Seen(photo.name, str(stage), tensor[0].float().cpu().numpy(), photo.box)
        for stage in wanted
        if (tensor := stages[str(stage)]) is not None
    ]


def _filters(
    subject: ModelAndImages, size: tuple[int, int, int], layer: SpatialLayer
) -> NDArray[np.float64] | None:
    """Return the filters of a first layer, red first."""
    filters = first_filters(subject.classifier.network.module, size, layer)
    return None if filters is None else of_photos(filters, subject.classifier.preparation)


def _predicted(subject: ModelAndImages, output: LayerOutput) -> tuple[str, float]:
    """Return the class that a photo is taken for, and its probability."""
    classifier = subject.classifier
    logits = classifier.reading.logits(output.returned, 1).float().cpu()
    at = int(classifier.reading.ranked(logits)[0].argmax())
    return classifier.classes[at], float(logits.softmax(dim=1)[0, at])
