"""Which pictures `errlens atlas paste` draws."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from errlens.analysis.atlas.pasting.answers import NOISE, SUSPECT, Answers
from errlens.analysis.atlas.pasting.sentences import called
from errlens.analysis.atlas.pasting.tables import best_size
from errlens.analysis.atlas.pasting.testing import Verdict, controls_of
from errlens.analysis.statistics.intervals import wilson_interval
from errlens.atlas.pasting.asking import Patch
from errlens.atlas.pasting.patches import pasted
from errlens.atlas.pasting.pictures import picture_of
from errlens.commands.network.images import ModelAndImages
from errlens.commands.showing import first_rows
from errlens.data.photos.images import Unread
from errlens.figures.atlas.paste import (
    CROP_COLOUR,
    NOISE_COLOUR,
    SUSPECT_COLOUR,
    Curve,
    Photo,
    SuspectPanels,
    draw_pasting,
)
from errlens.figures.paper.letters import shown_name
from errlens.figures.paper.sheet import Pixels
from errlens.formats import counted, probability, share

EXAMPLES: Final = 3
_PATCHES: Final = 6  # drawn of a suspect: itself, its noise, and the first crops


def pasting_figure(
    subject: ModelAndImages,
    answers: Answers,
    patches: Sequence[Patch],
    tested: Sequence[Verdict],
    verdicts: pd.DataFrame,
) -> Figure:
    """Draw the curves of all suspects and their controls, with examples of each."""
    names = subject.classifier.classes.names
    several = len(answers.positions) > 1
    rows = []
    for verdict, row in zip(tested, first_rows(verdicts), strict=True):
        number = verdict.patch
        shown = [number, *controls_of(answers, number)]
        rows.append(
            SuspectPanels(
                heading=f"{row['suspect']}. {called(row)}: {row['verdict']} "
                f"(q {probability(row['q_value'])})",
                patches=[
                    Photo(_on_white(patches[at].image), _caption(patches[at]))
                    for at in shown[:_PATCHES]
                ],
                sizes=np.array(answers.sizes),
                curves=[_curve(answers, at) for at in shown],
                examples=list(_examples(subject, answers, patches[number], number)),
            )
        )
    to_class = shown_name(names[answers.to])
    places = "the mean of " + counted(len(answers.positions), "place") if several else "one place"
    return draw_pasting(
        rows,
        to_class=to_class,
        title=f"{shown_name(subject.name)}: patches pasted into "
        f"{counted(len(answers), 'photo')} of {verdicts['from_class'].iloc[0]}",
        legend=f"By the size of the patch, {places}; bands are 95 % intervals, of images. "
        "Photos: before, and after at the size at which it does most beyond the others.",
    )


def _curve(answers: Answers, number: int) -> Curve:
    n = len(answers)
    rate = answers.flipped[:, number].mean(axis=(0, 2))
    low, high = wilson_interval(rate * n, n)
    kind = answers.patches[number].kind
    colour = {SUSPECT: SUSPECT_COLOUR, NOISE: NOISE_COLOUR}.get(kind, CROP_COLOUR)
    return Curve(colour, rate, low, high, answers.to_after[:, number].mean(axis=(0, 2)))


def _examples(
    subject: ModelAndImages, answers: Answers, patch: Patch, number: int
) -> Iterator[tuple[Photo, Photo]]:
    """Yield the photos that the patch does most to, before and after."""
    names = subject.classifier.classes.names
    at = best_size(answers, number)
    after = answers.to_after[:, number, at]
    raised = after.max(axis=1) - answers.to_before
    order = np.lexsort((-raised, ~answers.flipped[:, number, at].any(axis=1)))
    for image in order[:EXAMPLES].tolist():
        file = subject.images[answers.at[image]]
        picture = picture_of(subject.classifier.preparation, file, max_mb=subject.max_mb)
        if isinstance(picture, Unread):
            continue
        place = int(after[image].argmax())
        changed = pasted(
            picture, patch.image, size=answers.sizes[at], position=answers.positions[place]
        )
        own, to = answers.own[image], answers.to
        yield (
            Photo(_rgb(picture), f"{share(answers.own_before[image])} {shown_name(names[own])}"),
            Photo(_rgb(changed), f"{share(after[image, place])} {shown_name(names[to])}"),
        )


def _caption(patch: Patch) -> str:
    kind = patch.facts.kind
    if kind == SUSPECT:
        return "the patch"
    return "its noise" if kind == NOISE else shown_name(str(patch.facts.class_name), longest=13)


def _on_white(patch: Image.Image) -> Pixels:
    white = Image.new("RGBA", patch.size, "white")
    return _rgb(Image.alpha_composite(white, patch))


def _rgb(picture: Image.Image) -> Pixels:
    return np.asarray(picture.convert("RGB"))
