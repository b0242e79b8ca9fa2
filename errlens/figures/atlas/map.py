"""The map of an atlas: an icon for each cell, with what the cell speaks for."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from PIL import Image

from errlens.figures.atlas.captions import Caption, placed
from errlens.figures.paper.letters import shown_name
from errlens.figures.paper.places import Place
from errlens.figures.paper.sheet import (
    DIM,
    GAP,
    INK,
    LEAST_TITLE,
    PAD,
    SMALL,
    TEXT,
    Pixels,
    Sheet,
    Title,
    house_style,
    line_height,
    text_width,
    wrapped,
)

BETWEEN: Final = 4  # pixels between icons
SMALLEST: Final = 0.3  # of the side of a cell: that of an icon with hardly a point
FAINTEST: Final = 0.12  # opacity of what says nothing about a class
LABEL: Final = 6.5  # font size in points
LABEL_LINES: Final = 2
LEAST_LABELLED: Final = 80  # pixels of a cell's side: less leaves a name no room
# Okabe and Ito's vermilion and blue, which colour-blind readers can tell apart.
MARKED: Final = "#d55e00"
AGAINST: Final = (0, 114, 178)
_EDGE: Final = 3  # pixels of a frame


class MapCells(NamedTuple):
    """The m cells of a map, as they are drawn.

    Attributes:
        grid: Cells along each side of the map.
        places: Row and column of each cell, shape (m, 2).
        icons: What it shows, uint8 of shape (m, side, side, 3).
        labels: What stands on it: smaller icons are drawn at LEAST_LABELLED pixels, then.
        density: How many points it has, shape (m,): the area of the icon; without, all are as large
            as there is room.
        strength: How much it says for or against a class, shape (m,): the opacity of the icon, and
            a blue frame where it speaks against it; without, all are opaque.
        marks: What to write beside cells that are framed, by their numbers.
    """

    grid: int
    places: NDArray[np.integer]
    icons: NDArray[np.uint8]
    labels: Sequence[str] | None = None
    density: NDArray[np.integer] | None = None
    strength: NDArray[np.floating] | None = None
    marks: Sequence[tuple[int, str]] = ()


def draw_atlas(
    cells: MapCells, *, title: str, legend: str, ends: tuple[str, str] | None = None
) -> Figure:
    """Draw icons on a grid whose rows and columns are numbered.

    Args:
        cells: At least one.
        title: Long ones are wrapped.
        legend: How to read the map, below the title.
        ends: What the left and the right edge stand for, where across means something.
    """
    with house_style():
        side = max(cells.icons.shape[1], LEAST_LABELLED if cells.labels is not None else 1)
        step = side + BETWEEN
        numbers = text_width([str(cells.grid)], size=SMALL) + GAP // 2
        width = max(numbers + cells.grid * step, LEAST_TITLE)
        heading = Title(title, width)
        lines = wrapped(legend, width, size=TEXT)
        top = PAD + heading.height + line_height(TEXT) * len(lines) + GAP
        named = line_height(TEXT) if ends else 0
        origin = (PAD + numbers, top + named + line_height(SMALL))
        height = origin[1] + cells.grid * step + PAD
        sheet = Sheet(max(width, heading.width) + 2 * PAD, height)
        heading.draw(sheet)
        for number, line in enumerate(lines):
            y = PAD + heading.height + number * line_height(TEXT)
            sheet.text(PAD, y, line, size=TEXT, color=DIM)
        if ends:
            _name_ends(sheet, ends, (origin[0], top), cells.grid * step - BETWEEN)
        _number(sheet, cells.grid, origin, step)
        boxes = [_box(place, origin, step, side) for place in cells.places.tolist()]
        paper = sheet.blank()
        _paste(paper, cells, boxes)
        sheet.underlay(paper, boxes)
        if cells.labels is not None:
            for label, box in zip(cells.labels, boxes, strict=True):
                _label(sheet, label, box)
        _mark(sheet, cells, boxes, origin, step)
        return sheet.finished()


def _box(place: Sequence[int], origin: tuple[int, int], step: int, side: int) -> Place:
    left, top = origin[0] + place[1] * step, origin[1] + place[0] * step
    return left, top, left + side, top + side


def _name_ends(sheet: Sheet, ends: tuple[str, str], start: tuple[int, int], width: int) -> None:
    """Write what the left and the right edge stand for, with arrows, each in its half."""
    (x, y), room = start, width // 2 - GAP
    left = _that_fits(ends[0], "\N{LEFTWARDS ARROW} {}", room)
    right = _that_fits(ends[1], "{} \N{RIGHTWARDS ARROW}", room)
    sheet.text(x, y, left, size=TEXT, color=INK)
    sheet.text(x + width, y, right, size=TEXT, color=INK, ha="right")


def _that_fits(name: str, form: str, room: int) -> str:
    """Return a name in a form, without so much of its middle that it fits into so many pixels."""
    for longest in range(len(name), 0, -1):
        text = form.format(shown_name(name, longest=longest))
        if text_width([text], size=TEXT) <= room:
            break
    return text


def _number(sheet: Sheet, grid: int, origin: tuple[int, int], step: int) -> None:
    """Number rows and columns, as `--mark` names them."""
    left, top = origin
    for at in range(grid):
        middle = at * step + (step - BETWEEN) / 2
        sheet.text(
            left + middle, top - GAP / 4, str(at), size=SMALL, color=DIM, ha="center", va="bottom"
        )
        sheet.text(
            left - GAP / 2, top + middle, str(at), size=SMALL, color=DIM, ha="right", va="center"
        )


def _paste(paper: Pixels, cells: MapCells, boxes: Sequence[Place]) -> None:
    """Put icons on the paper, in their size and opacity."""
    shares = np.ones(len(boxes))
    if cells.density is not None:
        shares = np.sqrt(cells.density / cells.density.max()).clip(SMALLEST, 1)
    strength = None if cells.strength is None else relative_strength(cells.strength)
    for number, (left, top, right, bottom) in enumerate(boxes):
        side = max(1, round(float(shares[number]) * (right - left)))
        x, y = (left + right - side) // 2, (top + bottom - side) // 2
        icon = Image.fromarray(cells.icons[number]).resize((side, side), Image.Resampling.LANCZOS)
        pixels = np.asarray(icon, np.float64)
        if strength is not None:
            # The root, for otherwise one strong cell leaves nothing of all others to be seen.
            opacity = max(FAINTEST, abs(float(strength[number])) ** 0.5)
            pixels = 255 + opacity * (pixels - 255)
        spot = paper[y : y + side, x : x + side]
        spot[:] = np.rint(pixels)
        if strength is not None and strength[number] < 0:
            inner = spot[_EDGE:-_EDGE, _EDGE:-_EDGE].copy()
            spot[:] = AGAINST
            spot[_EDGE:-_EDGE, _EDGE:-_EDGE] = inner


def relative_strength(strength: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return what cells say for (above 0) or against a class, of the strongest of them.

    >>> relative_strength(np.array([2.0, -1.0, 0.0])).tolist()
    [1.0, -0.5, 0.0]
    """
    most = float(np.abs(strength).max(initial=0.0))
    return strength.astype(np.float64) / (most or 1.0)


def _label(sheet: Sheet, label: str, box: Place) -> None:
    """Write a name at the foot of an icon, with an outline that is seen on any."""
    left, _, right, bottom = box
    looks = {"ha": "center", "va": "bottom", "ma": "center", "linespacing": 0.95}
    sheet.text(
        (left + right) / 2, bottom - 2, "\n".join(label_lines(label, right - left)), size=LABEL,
        color="white", path_effects=[withStroke(linewidth=1.8, foreground="black")], **looks,
    )  # fmt: skip


def label_lines(name: str, width: int) -> list[str]:
    """Return a name in two lines at most, each no wider than so many pixels.

    A longer one loses its middle.
    """
    longest = len(name) + 1
    while True:
        lines = wrapped(shown_name(name, longest=longest), width, size=LABEL)
        if len(lines) <= LABEL_LINES or longest <= 3:
            return lines[:LABEL_LINES]
        longest = min(longest, len(name)) - 1


def _mark(
    sheet: Sheet, cells: MapCells, boxes: Sequence[Place], origin: tuple[int, int], step: int
) -> None:
    """Frame cells, and write beside each what was said of it."""
    around = (origin[0], origin[1], sheet.width - PAD, origin[1] + cells.grid * step)
    captions = placed([(boxes[number], text) for number, text in cells.marks], boxes, around)
    for (number, _), caption in zip(cells.marks, captions, strict=True):
        _frame(sheet, boxes[number])
        _write(sheet, caption)


def _frame(sheet: Sheet, box: Place) -> None:
    left, top, right, bottom = box
    looks: dict[str, Any] = {"fill": False, "edgecolor": MARKED, "linewidth": 2.2, "zorder": 4}
    sheet.margins.add_patch(Rectangle((left, top), right - left, bottom - top, **looks))


def _write(sheet: Sheet, caption: Caption) -> None:
    left, top, right, bottom = caption.box
    looks: dict[str, Any] = {
        "facecolor": "white",
        "edgecolor": MARKED,
        "linewidth": 1.0,
        "zorder": 5,
    }
    sheet.margins.add_patch(Rectangle((left, top), right - left, bottom - top, **looks))
    for number, line in enumerate(caption.lines):
        y = top + GAP // 4 + number * line_height(TEXT)
        sheet.text(left + GAP // 2, y, line, size=TEXT, color=INK, zorder=6)
