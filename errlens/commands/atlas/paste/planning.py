"""Which images of a run are pasted into, and which crops of others they are compared with."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from errlens.analysis.atlas.pasting.answers import OTHER, PatchFacts
from errlens.atlas.pasting.asking import Patch
from errlens.atlas.pasting.patches import cut, outlined_as
from errlens.atlas.pasting.pictures import picture_of
from errlens.commands.atlas.paste.asked import asked_class, asked_origins
from errlens.commands.atlas.paste.options import PasteOptions
from errlens.commands.atlas.paste.suspects import Source, sources_of
from errlens.commands.network.images import ModelAndImages
from errlens.commands.network.run_images import Facts, asked_images, facts_of
from errlens.data.photos.images import Unread, quiet_pillow
from errlens.data.stratified import balanced_rows
from errlens.errors import NoImages, UnfitOption
from errlens.run.folder import RunFolder


class Plan(NamedTuple):
    """What is pasted, and into what.

    `origins` are the classes of the images pasted into, `from_class` what to call them. `images`
    are those, `crops` the images that others may be cut from, in the order in which they are taken.
    """

    to: int
    origins: Sequence[int]
    from_class: str
    sources: Sequence[Source]
    images: Sequence[Facts]
    crops: Sequence[Facts]
    known: Sequence[Facts]


def planned(options: PasteOptions, run: RunFolder) -> Plan:
    """Choose images and crops: right ones, or of no known class, and not those of suspects.

    Raises:
        UnfitOption: A class is not known, or none is named.
        NoImages: No image is left.
        NoResults: There are no suspects.
        NoModel: The predictions were made elsewhere.
    """
    run.require_model()  # before suspects are asked for, which no command could find
    classes = run.info.classes
    if options.to is None:
        raise UnfitOption("--to CLASS is missing: the class that the patch is suspected of raising")
    to = asked_class(options.to, classes, option="--to")
    origins = asked_origins(options.from_class, classes, to)
    every = len(origins) == len(classes) - 1 > 1
    from_class = "other classes" if every else " or ".join(classes[index] for index in origins)
    sources = sources_of(options, run, to)
    of_suspects = {source.row for source in sources}
    known = facts_of(run)
    right = [
        facts
        for facts in known
        if (facts["label"] is None or facts["correct"])
        and facts["pred"] != to
        and facts["row"] not in of_suspects
    ]
    asked = set(options.choose(run).rows.tolist()) if options.select else None
    images = [
        facts
        for facts in right
        if facts["pred"] in origins and (asked is None or facts["row"] in asked)
    ]
    crops = _crops(right, origins, seed=options.seed)
    kept = {facts["row"] for facts in crops[: options.controls]}
    # What crops are cut from is pasted into only where else little were left.
    others = [facts for facts in images if facts["row"] not in kept]
    images = others if 2 * len(others) >= len(images) else images
    if not images:
        raise NoImages(
            f"no image of {from_class} is right and can be pasted into",
            hint="--from all takes the right images of every other class"
            if len(origins) < len(classes) - 1
            else "",
        )
    if len(images) > options.limit:
        of_class = np.array([facts["pred"] for facts in images])
        drawn = balanced_rows(of_class, options.limit, seed=options.seed)
        images = [images[at] for at in drawn]
    return Plan(to, origins, from_class, sources, images, crops, known)


def crops_for(
    plan: Plan, subject: ModelAndImages, options: PasteOptions, like: Patch
) -> list[Patch]:
    """Cut controls out of images of other classes, of the size and outline of a suspect.

    Where in each image is drawn with the seed.
    """
    assert subject.run is not None  # noqa: S101 - a plan is made of a run
    random = np.random.default_rng(options.seed)
    files = asked_images(plan.crops, options, subject.run)
    names = subject.classifier.classes.names
    crops: list[Patch] = []
    with quiet_pillow():
        for facts, file in zip(plan.crops, files, strict=True):
            if len(crops) == options.controls:
                break
            picture = picture_of(subject.classifier.preparation, file, max_mb=subject.max_mb)
            if isinstance(picture, Unread):
                continue
            width, height = like.image.size
            larger = max(1.0, width / picture.width, height / picture.height)
            size = [max(1, int(side / larger)) for side in (width, height)]
            left, top = (
                int(random.integers(outer - inner + 1))
                for outer, inner in zip(picture.size, size, strict=True)
            )
            crop = cut(picture, (left, top, left + size[0], top + size[1]))
            crops.append(
                Patch(
                    PatchFacts(OTHER, 0, names[facts["pred"]], facts["row"]),
                    outlined_as(crop, like.image),
                )
            )
    return crops


def _crops(right: Sequence[Facts], origins: Sequence[int], *, seed: int) -> list[Facts]:
    """Return images to cut controls from, one of each class after the other.

    Images of the classes that are pasted into come last, unless these are all there are: a crop of
    a cat in a cat may speak for the cat.
    """
    random = np.random.default_rng(seed)
    shuffled = [right[at] for at in random.permutation(len(right))]
    every = {facts["pred"] for facts in right} <= set(origins)
    return [
        facts
        for _, facts in sorted(
            _numbered(shuffled),
            key=lambda pair: (not every and pair[1]["pred"] in origins, pair[0]),
        )
    ]


def _numbered(images: Sequence[Facts]) -> Iterator[tuple[int, Facts]]:
    """Yield images, each with how many of its class came before."""
    before: Counter[int] = Counter()
    for facts in images:
        yield before[facts["pred"]], facts
        before[facts["pred"]] += 1
