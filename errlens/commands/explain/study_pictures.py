"""Pictures of what `errlens explain` asks of an image beyond its maps."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from errlens.attribution.cases import Explanation
from errlens.attribution.cover import Cover
from errlens.attribution.explained_model import MethodSettings
from errlens.attribution.masks import ChannelFall, Sweep
from errlens.commands.explain.pictures import Looks, file_and_row, title
from errlens.figures.maps.heatmaps import Panel, draw_heatmaps
from errlens.figures.maps.overlay import RED
from errlens.figures.maps.words import size
from errlens.figures.paper.distinct import DISTINCT, OTHER, Colour
from errlens.figures.paper.letters import shown_name
from errlens.figures.paper.sheet import Pixels
from errlens.formats import number, probability

FRAME: Final = 2  # pixels
WHITE: Final = (255, 255, 255)
COVERED: Final = 0.55  # how far a colour covers the photo


def cover_figure(explanation: Explanation, cover: Cover, hidden: Pixels) -> Figure:
    """Draw the part of an image that makes the network wrong, and the image without it."""
    assert explanation.image is not None  # noqa: S101 - a cover was found on it
    facts = explanation.case.facts
    wrong, right = shown_name(facts["pred_name"]), shown_name(facts["label_name"])
    seen = (("as fed", explanation.image, cover.before), ("without it", hidden, cover.after))
    panels = [
        Panel(
            heading,
            None,
            f"{wrong} {probability(p_wrong)}\n{right} {probability(p_right)}",
            _framed(image, cover),
        )
        for heading, image, (p_wrong, p_right) in seen
    ]
    return draw_heatmaps(
        None,
        panels,
        title=title(explanation.case),
        subtitle=f"{file_and_row(explanation.case)}\n"
        f"the smallest square found that makes it {right} when it is hidden",
        unit=None,
    )


def sweep_figure(
    explanation: Explanation, sweeps: Sequence[tuple[MethodSettings, Sweep]], looks: Looks
) -> Figure:
    """Draw occlusion with several masks and strides, all on one scale."""
    target = explanation.case.targets[-1]
    panels = []
    for settings, sweep in sweeps:
        drops = sweep.drops([target], probability=settings.probability)[0].float().cpu().numpy()
        heading = f"mask {settings.mask}, stride {settings.stride}"
        panels.append(Panel(heading, drops, size(drops)))
    settings, first = sweeps[0]
    return draw_heatmaps(
        explanation.image,
        panels,
        title=title(explanation.case),
        subtitle=f"{file_and_row(explanation.case)}\n"
        f"occlusion against {settings.fill}: {explanation.case.headings[-1]}",
        unit="probability" if settings.probability else first.reading.unit,
        **looks.shades(),
    )


def winners_figure(
    explanation: Explanation, sweep: Sweep, fall: ChannelFall, names: Sequence[str], layer: str
) -> Figure:
    """Draw which class wins under each mask, and the fall of the strongest feature map."""
    assert explanation.image is not None  # noqa: S101 - it was swept over
    predicted = sweep.predicted()
    common = np.argsort(-np.bincount(predicted.ravel()), kind="stable")
    wins = [int(index) for index in common if (predicted == index).any()]
    colours = dict(zip(wins, DISTINCT, strict=False))
    counted = {index: int((predicted == index).sum()) for index in wins}
    legend = tuple(
        (colour, f"{shown_name(names[index])}: {counted[index]}")
        for index, colour in colours.items()
    )
    others = sum(counted[index] for index in wins if index not in colours)
    legend += ((OTHER, f"other classes: {others}"),) if others else ()
    rows, columns = predicted.shape
    panels = [
        Panel("as fed", None),
        Panel(
            "predicted under each mask",
            None,
            f"{rows} x {columns}",
            _coloured(explanation.image, predicted, colours),
            legend=legend,
        ),
        Panel(
            "fall of the strongest feature map",
            fall.drops,
            f"channel {fall.channel} of {layer}: activations {number(fall.base)}",
        ),
    ]
    return draw_heatmaps(
        explanation.image,
        panels,
        title=title(explanation.case),
        subtitle=f"{file_and_row(explanation.case)}\nwhat occlusion changes",
        unit=None,
    )


def _framed(image: Pixels, cover: Cover) -> Pixels:
    """Return an image with a frame around what is covered."""
    framed = image.copy()
    top, left, bottom, right = cover.box
    for inset, colour in ((0, WHITE), (FRAME, RED)):
        outer = np.zeros(image.shape[:2], bool)
        outer[top + inset : bottom - inset, left + inset : right - inset] = True
        inner = np.zeros_like(outer)
        edge = inset + FRAME
        inner[top + edge : bottom - edge, left + edge : right - edge] = True
        framed[outer & ~inner] = colour
    return framed


def _coloured(image: Pixels, predicted: NDArray[np.int64], colours: Mapping[int, Colour]) -> Pixels:
    """Return an image in the colours of the classes that win, cell by cell."""
    cells = np.array([colours.get(index, OTHER) for index in predicted.ravel().tolist()], np.uint8)
    small = Image.fromarray(cells.reshape(*predicted.shape, 3))
    large = small.resize((image.shape[1], image.shape[0]), Image.Resampling.NEAREST)
    return np.asarray(Image.blend(Image.fromarray(image), large, COVERED))
