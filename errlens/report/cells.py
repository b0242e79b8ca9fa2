"""What the script of the page draws: the confusion matrix, sparse, and the table of classes."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.accuracy.metrics import CLASS_COLUMNS
from errlens.analysis.confusion.matrix import ConfusionMatrix, cell_table
from errlens.analysis.confusion.order import class_order
from errlens.analysis.confusion.pairs import marked_cells
from errlens.analysis.selection.picking import Selectable
from errlens.documents import parse_json
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
MOST_GROUPS: Final = 200  # to choose from
LISTED: Final = 20  # cells in the table for those who read rather than look

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

    `names` are as they are shown, `selectors` those by their index that are not called so.
    `parents` holds the superclass of each class by its place in `superclasses`, -1 for none;
    `groups` the classes of each group of groups.csv. `cells` is flat: true class, predicted class
    and count of each kind of error, most frequent first. `images` holds the rows of the worst
    images of each of the first cells. `marks` are cells that `confusion` has evidence of: what of,
    true and predicted class. A page that is `served` has fewer cells, and asks for images.
    """
    cells, n_cells = _strongest(matrix, most=SERVED_CELLS if served else MOST_CELLS)
    parents = matrix.superclasses
    order = class_order(matrix, "superclass" if parents else "cluster")
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
        "parents": matrix.parents.tolist(),
        "superclasses": [printable(name) for name in parents.names] if parents else [],
        "groups": _groups(matrix, confusion),
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


def strongest_cells(matrix: ConfusionMatrix) -> list[dict[str, Any]]:
    """Return the rows of cells.csv that the page lists."""
    return records(cell_table(matrix), LISTED)


def _groups(matrix: ConfusionMatrix, confusion: Part) -> list[dict[str, Any]]:
    """Return the groups of groups.csv with their classes by index."""
    return [
        {
            "group": row["group"],
            "classes": matrix.classes.indices(parse_json(row["classes"])).tolist(),
        }
        for row in confusion.first("groups", MOST_GROUPS)
    ]


def _marks(matrix: ConfusionMatrix, confusion: Part) -> list[tuple[str, int, int]]:
    if not confusion.tables:
        return []
    place = {name: index for index, name in enumerate(matrix.classes.names)}
    marks = marked_cells(confusion.tables["pairs"], confusion.tables["absorbed"])
    return [(kind, place[true], place[pred]) for kind, true, pred in marks[:MOST_MARKS]]


def _images(cells: Cells, among: Selectable, shots: Shots) -> list[list[int]]:
    """Return the rows of the worst images of the first cells."""
    classes = len(among.classes)
    ranking = among.ranking
    key = among.column("label")[ranking] * classes + among.column("pred")[ranking]
    order = np.argsort(key, kind="stable")  # inside a cell the ranking stays
    rows, key = ranking[order], key[order]
    first = cells[:PICTURED]
    wanted = first[:, 0] * classes + first[:, 1]
    starts, stops = np.searchsorted(key, wanted, "left"), np.searchsorted(key, wanted, "right")
    return [
        shots.want(rows[start : min(stop, start + OF_A_CELL)])
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)
    ]


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
