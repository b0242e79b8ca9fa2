"""Which pictures `errlens network correspondence` draws."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.figure import Figure

from errlens.analysis.correspondence.changes import CHANNELS, PLACES, PartChanges
from errlens.attribution.masks import NOWHERE, Box
from errlens.commands.network.correspondence.options import CorrespondenceOptions
from errlens.commands.network.correspondence.result import CorrespondenceResult
from errlens.commands.network.images import ModelAndImages
from errlens.figures.network.correspondence.hidden_parts import Row, draw_hidden_parts
from errlens.figures.network.correspondence.likeness import Likeness, Panel, draw_likeness
from errlens.figures.paper.letters import shown_name
from errlens.figures.paper.sheet import Pixels
from errlens.formats import counted, probability
from errlens.network.correspondence.hiding import pictures_with_hidden

PHOTOS: Final = 8  # of the sheet
PARTS: Final = 6  # of the sheet
_HEADINGS: Final = {
    CHANNELS: "means of channels over all places",
    PLACES: "each channel at each place",
}


def likeness_figure(subject: ModelAndImages, result: CorrespondenceResult) -> Figure:
    """Draw the distances of all parts at all layers, against random regions."""
    rows = result.layers
    kinds = [kind for kind in _HEADINGS if (rows["units"] == kind).any()]
    parts = []
    for part in dict.fromkeys(rows["part"]):
        of_part = rows[rows["part"] == part]
        panels = []
        for kind in kinds:
            of_kind = of_part[of_part["units"] == kind]
            fields = zip(
                of_kind["layer"], of_kind["distance"], of_kind["random_mean"],
                of_kind["random_low"], of_kind["random_high"], of_kind["alike"], strict=True,
            )  # fmt: skip
            panels.append(Panel(_HEADINGS[kind], [Likeness(*each) for each in fields]))
        n = counted(int(of_part["n"].iloc[0]), "image")
        parts.append((f"{part}, {n}", panels))
    return draw_likeness(
        parts,
        title=f"{shown_name(subject.name)}: does hiding a part change features alike?",
        legend="Circles: the part hidden in all images; filled where more alike than by chance (q "
        "at most 0.05). Grey: as much hidden elsewhere, 95 % of draws of one region an image and "
        "their mean. At the right: part / mean of regions.",
    )


def hidden_parts_figure(
    options: CorrespondenceOptions, subject: ModelAndImages, result: CorrespondenceResult
) -> Figure | None:
    """Draw a few photos as they are, with each part hidden, and with a region hidden instead.

    Returns:
        None where no photo can be read any more.
    """
    parts = [part for part in result.changes.parts if len(part)][:PARTS]
    found: list[tuple[str, list[Pixels], list[str]]] = []
    for place in _chosen(parts):
        boxes, below = [NOWHERE], [""]
        for part in parts:
            for number in range(2):
                at = np.flatnonzero(part.at == place)
                boxes.append(Box(*part.boxes[at[0], number].tolist()) if len(at) else NOWHERE)
                below.append(probability(part.probability[at[0], 1 + number]) if len(at) else "")
                if len(at):
                    below[0] = probability(part.probability[at[0], 0])
        pictures = pictures_with_hidden(
            subject.classifier,
            subject.images[place],
            boxes,
            filling=options.value,
            seed=options.seed,
            max_mb=subject.max_mb,
        )
        if pictures is not None:
            found.append((subject.titles[place], pictures, below))
    if not found:
        return None
    names = ["as fed"]
    for part in parts:
        names += [f"{part.part} hidden", "as much elsewhere"]
    whose = "true class" if result.changes.labelled else "class predicted"
    return draw_hidden_parts(
        [
            Row(
                name,
                [pictures[at] if below[at] else None for _, pictures, below in found],
                [below[at] for _, _, below in found],
            )
            for at, name in enumerate(names)
        ],
        names=[title for title, _, _ in found],
        title=f"{shown_name(subject.name)}: what was hidden",
        legend=f"Below each: the probability of the {whose}. Of the regions hidden elsewhere, one "
        "is shown.",
    )


def _chosen(parts: Sequence[PartChanges]) -> list[int]:
    """Return the places of a few images, evenly over all that have a part."""
    places = np.unique(np.concatenate([part.at for part in parts]))
    few = np.linspace(0, len(places) - 1, min(PHOTOS, len(places))).round().astype(int)
    return [int(place) for place in places[few]]
