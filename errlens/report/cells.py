"""What the script of the page draws: the confusion matrix, sparse, and the table of classes."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.accuracy.metrics import CLASS_COLUMNS
from errlens.analysis.confusion.matrix import ConfusionMatrix
from errlens.analysis.confusion.order import class_order
from errlens.analysis.confusion.pairs import marked_cells
from errlens.analysis.selection.picking import Selectable
from errlens.escapes import is_printable, printable
from errlens.formats import number, share, share_range
from errlens.report.parts import Part, records
from errlens.report.shots import Shots
from errlens.run.folder import RunFolder

PICTURED: Final = 200  # cells that have thumbnails
OF_A_CELL: Final = 6
MOST_CELLS: Final = 200_000  # more than anybody can tell apart on a screen
SERVED_CELLS: Final = 30_000  # of a page that is there in a second
MOST_MARKS: Final = 20_000
NAMES_BUDGET: Final = 3_000_000  # bytes of paths

Cells = NDArray[np.int64]  # true, predicted, count; shape (cells, 3)


def matrix_data(
    matrix: ConfusionMatrix,
    among: Selectable,
    shots: Shots,
    confusion: Part,
    *,
    served: bool = False,
) -> dict[str, Any]:
    """Return what the page draws and shows of the matrix, as plain values.

    `names` are as they are shown, `selectors` those by their index that are not called so. `cells`
    is flat: true class, predicted class and count of each kind of error, most frequent
    first. `images` holds, for as many of the first cells as there is room for, the rows that have
    thumbnails and the paths of the others. `marks` are cells that `confusion` has evidence of: what
    of, true and predicted class. A page that is `served` has fewer cells, and asks for images.
    """
    cells, n_cells = _strongest(matrix, most=SERVED_CELLS if served else MOST_CELLS)
    order = class_order(matrix, "superclass" if matrix.superclasses else "cluster")
    return {
        "names": [printable(name) for name in matrix.classes.names],
        "selectors": {
            str(index): name
            for index, name in enumerate(matrix.classes.names)
            if not is_printable(name)
        },
        "n": matrix.n.tolist(),
        "right": matrix.counts.diagonal().tolist(),
        "order": order.tolist(),
        "cells": cells.ravel().tolist(),
        "n_cells": n_cells,
        "images": [] if served else _images(cells, among, shots),
        "marks": _marks(matrix, confusion),
    }


def _strongest(matrix: ConfusionMatrix, *, most: int) -> tuple[Cells, int]:
    """Return the most frequent errors, ties in the order of the classes, and how many there are."""
    errors = matrix.errors.tocoo()
    order = np.lexsort((errors.col, errors.row, -errors.data))
    cells = np.stack([errors.row, errors.col, errors.data], axis=1).astype(np.int64)[order]
    return cells[:most], len(cells)


def _marks(matrix: ConfusionMatrix, confusion: Part) -> list[tuple[str, int, int]]:
    if not confusion.tables:
        return []
    place = {name: index for index, name in enumerate(matrix.classes.names)}
    marks = marked_cells(confusion.tables["pairs"], confusion.tables["absorbed"])
    return [(kind, place[true], place[pred]) for kind, true, pred in marks[:MOST_MARKS]]


def _images(cells: Cells, among: Selectable, shots: Shots) -> list[list[Any]]:
    """Return [rows with a thumbnail, paths of the others] of the first cells."""
    classes = len(among.classes)
    ranking = among.ranking
    key = among.column("label")[ranking] * classes + among.column("pred")[ranking]
    order = np.argsort(key, kind="stable")  # inside a cell the ranking stays
    rows, key = ranking[order], key[order]
    wanted = cells[:, 0] * classes + cells[:, 1]
    starts, stops = np.searchsorted(key, wanted, "left"), np.searchsorted(key, wanted, "right")
    paths = among.table["path"]
    images: list[list[Any]] = []
    left = NAMES_BUDGET
    for place, (start, stop) in enumerate(zip(starts.tolist(), stops.tolist(), strict=True)):
        shown = rows[start : min(stop, start + OF_A_CELL)] if place < PICTURED else rows[:0]
        named = [
            printable(path) for path in paths.take(rows[start + len(shown) : stop]).to_pylist()
        ]
        left -= sum(len(path.encode()) + 4 for path in named) + 8
        if left < 0:
            break
        images.append([shots.want(shown), named])
    return images


def class_data(run: RunFolder) -> dict[str, Any]:
    """Return classes.csv column by column, in output order: to sort by, and `texts` to be shown."""
    rows = records(run.read_classes(CLASS_COLUMNS))
    columns: dict[str, Any] = {
        name: [row.get(name) for row in rows] for name in ("n", "recall", "precision", "f1")
    }
    columns["texts"] = {
        "recall": [_rate(row, "recall") for row in rows],
        "precision": [_rate(row, "precision") for row in rows],
        "f1": [number(row.get("f1")) for row in rows],
    }
    parents = [row.get("superclass") for row in rows]
    if any(parents):
        columns["superclass"] = [parent and printable(parent) for parent in parents]
    return columns


def _rate(row: Mapping[str, Any], name: str) -> str:
    """Write a rate of a class, with its interval where there are any images."""
    reach = share_range(row.get(f"{name}_low"), row.get(f"{name}_high"))
    return share(row.get(name)) + (f"  ({reach.removesuffix(' %')})" if reach else "")
