"""What `errlens network occlusion` looks at before the square moves: maps, and what they show."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from errlens.attribution.explained_model import ExplainedModel, MethodSettings
from errlens.attribution.masks import grid
from errlens.attribution.targets import Wanted
from errlens.commands.network.images import ModelAndImages
from errlens.commands.network.occlusion.options import OcclusionOptions
from errlens.commands.network.run_images import asked_images, facts_of
from errlens.data.objects.outlines import read_regions
from errlens.errors import NoImages
from errlens.formats import counted
from errlens.model.asking.hiding import AskedImage
from errlens.model.layers.places import find_layer
from errlens.network.capture import find_layer_or_name_one
from errlens.network.occlusion.strongest import (
    own_projections,
    strongest_units,
    units_elsewhere,
)
from errlens.network.occlusion.sweeping import Sweeping
from errlens.network.units.layers import UnitLayer, check_channels, unit_layers
from errlens.network.units.patches import Patch, field_of, patches_of
from errlens.network.units.projection import choose_projection, remark_of
from errlens.network.units.scores import Unit
from errlens.terminal import Screen


class Elsewhere(NamedTuple):
    """What a channel sees in another image of the run, by what to call that, and its file."""

    name: str
    file: AskedImage
    patch: Patch


class Study(NamedTuple):
    """What is known before the square moves.

    `seconds` is how long an input took of those that were looked at first. `own` is what the
    strongest unit of each image sees in it, by the number of the image, and `others` what those of
    the same channel see elsewhere, by the channel.
    """

    layer: UnitLayer
    projection: str | None
    remark: str | None
    settings: MethodSettings
    units: Mapping[int, Unit]
    own: Mapping[int, Patch]
    others: Mapping[int, Sequence[Elsewhere]]
    sweeping: Sweeping
    unread: Mapping[int, str]
    seconds: float


def studied(options: OcclusionOptions, subject: ModelAndImages, screen: Screen) -> Study:
    """Find the strongest unit of each image, what it sees there, and what it sees elsewhere.

    Raises:
        UnfitOption, UnfitLayer, NoSpatialLayer: An option does not fit the network.
        UnfitMethod: The projection asked for does not fit it.
        NoImages: No image can be read.
    """
    classifier = subject.classifier
    model = ExplainedModel.of(classifier)
    size = options.batch_size or classifier.good_batch_size
    settings = MethodSettings(
        mask=options.mask,
        stride=options.stride,
        fill=options.value,
        seed=options.seed,
        batch_size=size,
    )
    grid(model.size[1:], settings)  # refuses a square that does not fit, before long work
    name = options.layer or find_layer(model.module, model.size).name
    find_layer_or_name_one(model.module, model.size, name)
    (layer,) = unit_layers(model.module, model.size, [name])
    if options.channel is not None:
        check_channels(layer, [options.channel])
    method = options.projection
    projection = None if method == "none" else choose_projection(model, method)
    wanted = _wanted(options, subject)
    objects = _objects(options, subject)

    how = {"workers": options.workers, "threads": options.threads, "max_mb": subject.max_mb}
    start = time.perf_counter()
    with screen.progress("finding the strongest maps", total=len(subject.images)) as advance:
        strongest = strongest_units(
            classifier, layer, subject.images, channel=options.channel, advance=advance,
            batch_size=size, **how,
        )  # fmt: skip
    if not strongest.units:
        raise none_shown(subject, strongest.unread)
    seconds = (time.perf_counter() - start) / len(subject.images)
    others = _others(options, subject, layer, projection, strongest.units, screen, how)
    own, hidden = _own(subject, layer, projection, strongest.units, settings, screen, how)
    return Study(
        layer=layer,
        projection=projection,
        remark=projection and remark_of(classifier, layer, projection),
        settings=settings,
        units=strongest.units,
        own=own,
        others=others,
        sweeping=Sweeping(
            classifier=classifier,
            layer=layer,
            settings=settings,
            units=strongest.units,
            hidden=hidden,
            wanted=wanted,
            object_of=objects.get,
            max_mb=subject.max_mb,
        ),
        unread=strongest.unread,
        seconds=seconds,
    )


def none_shown(subject: ModelAndImages, unread: Mapping[Any, str]) -> NoImages:
    """Return the failure that no image could be looked at."""
    key, reason = next(iter(unread.items()))
    name = subject.names[key] if isinstance(key, int) else key
    return NoImages(
        f"none of {counted(len(subject.images), 'image')} can be shown: {name!r}: {reason}",
        hint="--data-root DIR says where the images of a run lie now" if subject.rows else "",
    )


def _wanted(options: OcclusionOptions, subject: ModelAndImages) -> Wanted | None:
    """Return the class that is followed; None for that of each image."""
    if options.target is None:
        return None
    return Wanted(subject.classifier.classes, [options.target], single=True)


def _objects(options: OcclusionOptions, subject: ModelAndImages) -> dict[int, NDArray[np.float32]]:
    """Return the shares of pixels on the object, by the number of the image, where known."""
    if options.masks is None:
        return {}
    root = Path()
    if subject.run is not None and subject.rows is not None:
        root = options.images_root(subject.run)
    paths = {
        number: image.path.relative_to(root).as_posix()
        for number, image in enumerate(subject.images)
    }
    regions = read_regions(
        options.masks,
        paths,
        subject.classifier.preparation,
        photos=root,
        max_mb=subject.max_mb,
    )
    return {number: known.object for number, known in regions.items() if known.object is not None}


def _others(
    options: OcclusionOptions,
    subject: ModelAndImages,
    layer: UnitLayer,
    projection: str | None,
    units: Mapping[int, Unit],
    screen: Screen,
    how: Mapping[str, Any],
) -> dict[int, list[Elsewhere]]:
    """Return what the channels of some units see in other images of the run, strongest first."""
    if subject.run is None or not options.others:
        return {}
    classifier = subject.classifier
    facts = facts_of(subject.run)
    asked = asked_images(facts, options, subject.run)
    channels = sorted({unit.channel for unit in units.values()})
    size = options.batch_size or classifier.good_batch_size
    with screen.progress("finding other images", total=len(asked)) as advance:
        elsewhere = units_elsewhere(
            classifier, layer, channels, asked, top=options.others + 1, advance=advance,
            batch_size=size, **how,
        )  # fmt: skip
    wanted: dict[int, list[Unit]] = {}
    for strongest in elsewhere.values():
        for number, unit in strongest:
            wanted.setdefault(number, []).append(unit)
    patches = {
        (number, patch.unit.channel): patch
        for number, of_image in patches_of(
            classifier, [layer], wanted, asked, method=projection,
            field_of=field_of(classifier, [layer]), **how,
        )
        for patch in of_image
    }  # fmt: skip
    return {
        channel: [
            Elsewhere(f"row {facts[number]['row']}", asked[number], patches[number, channel])
            for number, _ in strongest
            if (number, channel) in patches
        ]
        for channel, strongest in elsewhere.items()
    }


def _own(
    subject: ModelAndImages,
    layer: UnitLayer,
    projection: str | None,
    units: Mapping[int, Unit],
    settings: MethodSettings,
    screen: Screen,
    how: Mapping[str, Any],
) -> tuple[dict[int, Patch], dict[int, NDArray[np.float32] | None]]:
    """Return what each unit sees in its image, and how much of that each position hides."""
    own, hidden = {}, {}
    with screen.progress("projecting the strongest units", total=len(units)) as advance:
        for number, found in own_projections(
            subject.classifier, layer, units, subject.images, settings, method=projection, **how
        ):
            own[number], hidden[number] = found
            advance(1)
    return own, hidden
