"""Which picture `errlens network occlusion` draws of an image."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.figure import Figure

from errlens.analysis.occlusion.occluded import Occluded
from errlens.analysis.occlusion.sentences import Described, evidence_words
from errlens.attribution.masks import mask_side
from errlens.classes.names import NO_CLASS
from errlens.commands.network.occlusion.study import Study
from errlens.figures.network.occlusion.figure import (
    NOT_FINITE,
    OTHERS,
    LabelMap,
    OcclusionFigure,
    Tiles,
    ValueMap,
    draw_occlusion,
)
from errlens.figures.paper.distinct import DISTINCT
from errlens.figures.paper.letters import shown_name
from errlens.formats import count, probability, share, significant
from errlens.model.asking.hiding import AskedImage
from errlens.network.occlusion.sweeping import SweptImage
from errlens.network.units.crops import WHOLE
from errlens.network.units.patches import Patch

_MARKED: Final = "The line on the bar: without a square."


def occlusion_figure(
    image: Described,
    swept: SweptImage,
    study: Study,
    *,
    number: int,
    file: AskedImage,
    title: str,
    label: str | None,
) -> Figure:
    """Draw what becomes of an image under the square.

    Args:
        image: What was measured.
        swept: The photo, and where its object is.
        study: What the map answers to.
        number: Of the image.
        file: That of the image.
        title: What to call it.
        label: Its true class, if that is known.
    """
    occluded, settings = image.occluded, study.settings
    own = study.own.get(number)
    lowest = occluded.lowest(occluded.probability)
    edges = occluded.boxes[lowest.row, lowest.column].tolist()
    side = mask_side(occluded.size[1], settings)
    blank = "" if occluded.finite.all() else " White: outputs are not finite."
    rows, columns = occluded.pred.shape
    taken = shown_name(image.names[occluded.pred_unoccluded])
    as_it_is = f"predicted {taken}, {probability(occluded.confidence)}"
    truth = "" if label is None else f"{shown_name(label)}, "
    followed = shown_name(image.names[occluded.followed])
    which = f"channel {image.channel} of {shown_name(image.layer)}"
    return draw_occlusion(
        OcclusionFigure(
            heading=f"(a) where {followed} is least probable",
            detail=f"{count(side)} pixels a side, {settings.fill}; "
            f"{count(rows)} x {count(columns)} positions",
            photo=swept.covered,
            square=edges,
            activity=ValueMap(
                f"(b) activity of {which}",
                _MARKED + _crop_words(own),
                occluded.activity,
                occluded.activity_unoccluded,
                significant,
            ),
            tiles=_tiles(study, own, file, image.channel),
            probability=ValueMap(
                f"(d) probability of {followed}",
                _MARKED + blank,
                occluded.probability,
                occluded.probability_unoccluded,
                significant,
            ),
            labels=_labels(occluded, image.names, blank.strip()),
            notes=evidence_words(image),
            object=swept.object,
            crop=None if own is None or own.crop == WHOLE else own.box,
        ),
        title=title,
        subtitle=f"{truth}{as_it_is}. Colours stand where the middle of the square is."
        + (" Lined: the object." if swept.object is not None else ""),
    )


def _crop_words(own: Patch | None) -> str:
    return " Dashed: what (c) shows." if own is not None and own.crop != WHOLE else ""


def _tiles(study: Study, own: Patch | None, file: AskedImage, channel: int) -> Tiles:
    """Return what the strongest unit sees here, and what its channel sees elsewhere."""
    shown = [
        elsewhere
        for elsewhere in study.others.get(channel, ())
        if not _is_same(elsewhere.file, file)
    ]
    patches = [each for each in (own, *(elsewhere.patch for elsewhere in shown)) if each]
    pictures = [
        patch.photo if patch.projection is None else patch.projection for patch in patches[:4]
    ]
    names = [elsewhere.name for elsewhere in shown[:3]]
    heading = (
        f"(c) {study.projection} projection of its strongest unit"
        if study.projection
        else "(c) what its strongest unit sees"
    )
    detail = f"Framed: in this image; then in {_listed(names)}." if names else "In this image."
    return Tiles(heading, detail, pictures)


def _is_same(first: AskedImage, second: AskedImage) -> bool:
    if first.content_hash is not None and first.content_hash == second.content_hash:
        return True
    return first.path.resolve() == second.path.resolve()


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _labels(occluded: Occluded, names: Sequence[str], blank: str) -> LabelMap:
    """Return the classes by position, those that win most often with a colour of their own."""
    winners = occluded.winners()
    shown, rest = winners[: len(DISTINCT)], winners[len(DISTINCT) :]
    places = {NO_CLASS: NOT_FINITE, **{index: at for at, (index, _) in enumerate(shown)}}
    at = np.array([places.get(index, OTHERS) for index in occluded.pred.ravel().tolist()], np.int64)
    others = sum(n for _, n in rest)
    return LabelMap(
        "(e) most probable label",
        blank,
        at.reshape(occluded.pred.shape),
        [f"{shown_name(names[index])}: {share(n / occluded.n)}" for index, n in shown],
        f"{count(len(rest))} other classes: {share(others / occluded.n)}" if rest else "",
    )
