"""What the strongest units see in their images: patches, and projections beside them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from errlens.attribution.explained_model import ExplainedModel
from errlens.attribution.photos import as_picture, in_colour
from errlens.data.photos.images import Unread, quiet_pillow
from errlens.data.photos.preprocess import Preprocessing
from errlens.model.asking.hiding import AskedImage, load_asked
from errlens.model.asking.threads import asking_threads
from errlens.model.classifier import Classifier, stack
from errlens.network.receptive_field import receptive_fields
from errlens.network.units.crops import BY_ENERGY, FIELD, WHOLE, PixelBox, cut, energy_box
from errlens.network.units.layers import UnitLayer
from errlens.network.units.projection import Project, projecting
from errlens.network.units.scores import Unit
from errlens.run.places import MAX_FILE_MB

MOST_SIDE: Final = 96  # pixels of what is kept of a patch
OUTSIDE: Final = 238  # the grey of what lies outside of an input
STRONG: Final = 0.995  # of the values of a projection: the others have full contrast

Pixels = NDArray[np.uint8]
FieldOf = Callable[[Unit], PixelBox | None]


class Patch(NamedTuple):
    """What a unit sees: `box` in pixels of the input, `crop` says by what it was chosen.

    `photo` and `projection` are pictures of it, uint8 of shape (h, w, 3) with a longest side of
    `MOST_SIDE` at most. `values` is the whole projection, float32 of shape (channels, height,
    width), where it is wanted.
    """

    unit: Unit
    box: PixelBox
    crop: str
    photo: Pixels
    projection: Pixels | None
    values: NDArray[np.float32] | None


def patches_of(  # noqa: PLR0913 - one name for each thing that can be chosen
    classifier: Classifier,
    layers: Sequence[UnitLayer],
    units: Mapping[int, Sequence[Unit]],
    images: Sequence[AskedImage],
    *,
    method: str | None,
    field_of: FieldOf,
    keep_values: bool = False,
    workers: int | None = None,
    threads: int = 1,
    max_mb: int = MAX_FILE_MB,
) -> Iterator[tuple[int, list[Patch]]]:
    """Yield images, by their numbers, with what their units see; each is decoded and run once.

    Args:
        classifier: The network.
        layers: Those that the units are of.
        units: What is looked at in each image, by its number.
        images: All images.
        method: How units are carried back to the pixels; None for not at all.
        field_of: The receptive field of a unit in pixels of the input; None where it is larger.
        keep_values: Keep projections as they are, too.
        workers: Threads, if not one for each core.
        threads: Threads of torch inside each of them.
        max_mb: Megabytes of a file above which it is not read.

    Raises:
        Unruled: A network computes what there is no rule for.
        UserCodeFailed, OutOfMemory: The network raised something.
    """

    def look(project: Project | None, number: int) -> tuple[int, list[Patch]]:
        loaded = load_asked(classifier.preparation, images[number], max_mb=max_mb)
        if isinstance(loaded, Unread):  # it was there a moment ago
            return number, []
        seen = _patches(
            classifier, loaded.value, units[number], project, field_of, keep_values=keep_values
        )
        return number, list(seen)

    projects = nullcontext() if method is None else projecting(classifier, layers, method)
    with (
        quiet_pillow(),
        projects as project,
        asking_threads(classifier, workers, threads=threads) as in_threads,
    ):
        yield from in_threads(partial(look, project), units)


def _patches(
    classifier: Classifier,
    value: Any,
    units: Sequence[Unit],
    project: Project | None,
    field_of: FieldOf,
    *,
    keep_values: bool,
) -> Iterator[Patch]:
    photo = as_picture(value, classifier)
    height, width = photo.shape[:2]
    projections: Sequence[Tensor | None] = [None] * len(units)
    if project is not None:
        image = stack([value], classifier.preparation, classifier.device)
        projections = list(project(image, units).detach().float().cpu())
    for unit, projection in zip(units, projections, strict=True):
        values = None if projection is None else projection.numpy()
        box, crop = field_of(unit), FIELD
        if box is None and values is not None:
            box, crop = energy_box(values), BY_ENERGY
        if box is None:
            box, crop = PixelBox(0, 0, height, width), WHOLE
        yield Patch(
            unit,
            box,
            crop,
            _small(cut(photo, box, OUTSIDE)),
            None if values is None else _small(shown_projection(values, box, classifier)),
            values if values is not None and keep_values else None,
        )


def shown_projection(values: NDArray[np.floating], box: PixelBox, classifier: Classifier) -> Pixels:
    """Return a box of a projection, shape (channels, height, width), as a picture.

    Zero is a middle grey. One with the colours of the input has its colours, one of a single
    channel is light where it speaks for the unit and dark where it speaks against it. Its contrast
    is its own.
    """
    used = classifier.preparation
    scales = np.ones(len(values))
    if isinstance(used, Preprocessing) and len(values) == len(used.std):
        scales = np.array(used.std)  # from units of the input to those of pixels
    seen = cut(np.moveaxis(values, 0, -1) * scales, box, np.nan)
    known = np.isfinite(seen)
    most = float(np.quantile(np.abs(seen[known]), STRONG)) if known.any() else 0.0
    most = most or float(np.abs(seen[known]).max(initial=0)) or 1.0
    pixels = np.full(seen.shape, OUTSIDE, np.uint8)
    pixels[known] = np.rint(127.5 + 127.5 * np.clip(seen[known] / most, -1, 1)).astype(np.uint8)
    return in_colour(pixels, classifier)


def _small(pixels: NDArray[Any]) -> Pixels:
    """Return a picture no larger than is kept."""
    image = Image.fromarray(np.ascontiguousarray(pixels))
    image.thumbnail((MOST_SIDE, MOST_SIDE), Image.Resampling.LANCZOS)
    return np.asarray(image)


def field_of(classifier: Classifier, layers: Sequence[UnitLayer]) -> FieldOf:
    """Return the function from units to their receptive fields."""
    model = ExplainedModel.of(classifier)
    _, height, width = model.size
    by_name = {layer.name: layer for layer in layers}
    fields = {
        name: field
        for name, field in receptive_fields(model.module, model.size).fields.items()
        if field.regular and not field.whole and field.size[0] < height and field.size[1] < width
    }

    def of(unit: Unit) -> PixelBox | None:
        field = fields.get(unit.layer)
        if field is None:
            return None
        row, column = divmod(unit.place, by_name[unit.layer].columns)
        return PixelBox(*field.box(row, column))

    return of
