"""Which picture `errlens network invariance` draws."""

import numpy as np
from matplotlib.figure import Figure

from errlens.commands.network.images import ModelAndImages
from errlens.commands.network.invariance.result import InvarianceResult
from errlens.data.photos.transforms import Transform
from errlens.figures.network.transforms.invariance import (
    MOST_LINES,
    TransformCurves,
    draw_invariance,
)
from errlens.figures.paper.letters import shown_name
from errlens.formats import counted


def curves_figure(subject: ModelAndImages, result: InvarianceResult) -> Figure:
    """Draw distances and probabilities against the size of each transform."""
    answers = result.answers
    rows = []
    for transform in result.transforms:
        at = answers.of(transform.name)
        distances = [answers.euclidean[:, at, number] for number in range(len(answers.layers))]
        rows.append(
            TransformCurves(
                transform.scale,
                np.array(transform.sizes),
                _natural(transform),
                [*distances, answers.probability[:, at]],
            )
        )
    whose = "true class" if answers.labelled else "class predicted"
    several = len(answers) > MOST_LINES
    how = "Mean, with a standard deviation to either side" if several else "A line an image"
    return draw_invariance(
        rows,
        heads=[
            *(f"distance at {shown_name(layer)}" for layer in answers.layers),
            f"probability of the {whose}",
        ],
        images=[shown_name(subject.names[place]) for place in answers.at],
        title=f"{shown_name(subject.name)}: {counted(len(answers), 'image')}, transformed",
        legend=f"{how}. Distances are Euclidean, from the features of the image as it is. "
        "Grey: sizes that ordinary photos have.",
    )


def _natural(transform: Transform) -> list[tuple[float, float]]:
    """Return the ranges of natural sizes, within the sizes that are drawn."""
    low, high = transform.sizes[0], transform.sizes[-1]
    ends = {transform.identity} | ({low, high} if transform.turns else set())
    ranges = ((end - transform.natural, end + transform.natural) for end in sorted(ends))
    return [(max(start, low), min(end, high)) for start, end in ranges]
