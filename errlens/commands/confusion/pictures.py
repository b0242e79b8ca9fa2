"""Which pictures of a confusion matrix to draw, and of which classes."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from errlens.analysis.confusion.groups import names_of
from errlens.analysis.confusion.matrix import ConfusionMatrix
from errlens.analysis.confusion.order import cell_values, superclass_stretches
from errlens.analysis.confusion.pairs import LIKELY, MUTUAL, ONE_WAY, marked_cells
from errlens.analysis.confusion.soft import mean_covered, soft_matrix
from errlens.analysis.confusion.tables import ConfusionTables
from errlens.choices import Normalization
from errlens.figures.matrix import marks
from errlens.figures.matrix.groups import Group, draw_groups
from errlens.figures.matrix.marks import Mark
from errlens.figures.matrix.matrix import draw_matrix
from errlens.figures.matrix.overview import draw_overview
from errlens.figures.matrix.spans import Span
from errlens.formats import count, counted, share
from errlens.run.file_names import file_name

MOST_ANNOTATED: Final = 60  # classes whose cells hold numbers: beyond, groups have pictures too
MOST_NAMED: Final = 200
MOST_DRAWN: Final = 4_000
GROUPS_A_PAGE: Final = 24
LARGEST_GROUP: Final = 40  # classes

_UNITS: Final[dict[Normalization, str]] = {
    "none": "images",
    "true": "share of the true class",
    "pred": "share of the predicted class",
}

_KINDS: Final = {MUTUAL: marks.MUTUAL, LIKELY: marks.LIKELY, ONE_WAY: marks.ONE_WAY}


def draw_figures(
    matrix: ConfusionMatrix,
    tables: ConfusionTables,
    order: NDArray[np.intp],
    *,
    normalize: Normalization,
    by_superclass: bool,
) -> Iterator[tuple[str, Figure]]:
    """Yield the pictures with their file names: of all classes, of groups, of superclasses."""
    seen = _worth_drawing(matrix, order)
    if len(seen) <= MOST_DRAWN:
        title = _title(matrix, seen)
        yield "matrix.png", _draw(matrix, seen, tables, title=title, normalize=normalize)
    if len(seen) > MOST_ANNOTATED:
        yield from _draw_pages(matrix, tables)
    names = matrix.superclasses.names if matrix.superclasses else ()
    if tables.superclasses is not None and 1 < len(names) <= MOST_NAMED:
        yield "superclasses.png", _draw_superclasses(tables.superclasses, names)
    for index, name in enumerate(names if by_superclass else ()):
        members = seen[matrix.parents[seen] == index]
        if 1 < len(members) <= MOST_DRAWN:
            file = f"matrix-{index + 1}-{file_name(name)}.png"
            yield file, _draw(matrix, members, tables, title=name, normalize=normalize)
    if tables.soft is not None and len(seen) <= MOST_NAMED:
        yield "soft.png", _draw_belief(matrix, tables.soft, seen)


def _worth_drawing(matrix: ConfusionMatrix, order: NDArray[np.intp]) -> NDArray[np.intp]:
    """Leave out classes without an image, true or predicted, where the picture is large anyway."""
    if len(order) <= MOST_ANNOTATED:
        return order
    seen = (matrix.n + matrix.n_predicted)[order] > 0
    return order[seen]


def _draw(
    matrix: ConfusionMatrix,
    classes: NDArray[np.intp],
    tables: ConfusionTables,
    *,
    title: str,
    normalize: Normalization,
) -> Figure:
    """Draw some classes as large as their number allows."""
    spans = _spans(matrix, classes)
    if len(classes) > MOST_NAMED:
        return draw_overview(matrix.among(classes), title=title, spans=spans)
    return draw_matrix(
        cell_values(matrix, classes, normalize=normalize),
        _names(matrix, classes),
        title=title,
        unit=_UNITS[normalize],
        spans=spans,
        marks=marks_among(_names(matrix, classes), tables),
    )


def _draw_pages(matrix: ConfusionMatrix, tables: ConfusionTables) -> Iterator[tuple[str, Figure]]:
    """Yield pages of groups, each group with its numbers."""
    place = {name: index for index, name in enumerate(matrix.classes.names)}
    groups = [
        Group(
            f"group {number}",
            tuple(names),
            matrix.among(np.array([place[name] for name in names])),
            marks_among(names, tables),
        )
        for number, names in enumerate(names_of(tables.groups), start=1)
        if len(names) <= LARGEST_GROUP
    ]
    pages = [groups[at : at + GROUPS_A_PAGE] for at in range(0, len(groups), GROUPS_A_PAGE)]
    for number, page in enumerate(pages, start=1):
        of = f", page {number} of {len(pages)}" if len(pages) > 1 else ""
        title = f"classes that are mixed up among themselves{of}"
        yield f"groups-{number:02d}.png", draw_groups(page, title=title)


def _draw_superclasses(table: pd.DataFrame, names: tuple[str, ...]) -> Figure:
    counts = table["count"].to_numpy().reshape(len(names), len(names))
    known = counts.sum(axis=1, keepdims=True) > 0
    values = np.where(known, counts, np.nan).astype(float)
    return draw_matrix(values, list(names), title="superclasses", unit="images")


def _draw_belief(matrix: ConfusionMatrix, soft: pd.DataFrame, classes: NDArray[np.intp]) -> Figure:
    belief = soft_matrix(soft, len(matrix.classes))[classes][:, classes].toarray()
    belief[matrix.n[classes] == 0] = np.nan
    covered = mean_covered(soft)
    kept = f" ({share(covered)} is kept)" if covered < 1 - 1e-4 else ""
    return draw_matrix(
        belief,
        _names(matrix, classes),
        title=f"what the model believes{kept}",
        unit="mean probability",
        spans=_spans(matrix, classes),
    )


def _title(matrix: ConfusionMatrix, seen: NDArray[np.intp]) -> str:
    k, drawn = len(matrix.classes), len(seen)
    classes = counted(k, "class")
    if drawn < k:
        classes = f"{count(drawn)} of {classes}"
    return f"{classes}, {counted(matrix.total, 'image')}, {count(matrix.n_errors)} wrong"


def _spans(matrix: ConfusionMatrix, classes: NDArray[np.intp]) -> list[Span]:
    stretches = superclass_stretches(matrix, classes)
    return [Span(*stretch) for stretch in stretches] if len(stretches) > 1 else []


def marks_among(names: Sequence[str], tables: ConfusionTables) -> list[Mark]:
    """Return what there is evidence of among some classes, in their order."""
    place = {name: index for index, name in enumerate(names)}
    return [
        Mark(_KINDS[status], place[true], place[pred])
        for status, true, pred in marked_cells(tables.pairs, tables.absorbed)
        if true in place and pred in place
    ]


def _names(matrix: ConfusionMatrix, classes: NDArray[np.intp]) -> list[str]:
    return [matrix.classes[index] for index in classes]
