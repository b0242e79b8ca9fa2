"""What lies next to an error: among right images and among training images, and for which label."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.mistakes.neighbours import Features, Neighbour, nearest_of_each
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE, Columns

Among = Literal["right", "training"]
LABEL: Final = "label"
PREDICTION: Final = "prediction"
NEITHER: Final = "neither"
SAME_FILE: Final = "file"
SAME_FEATURES: Final = "features"
COPY: Final = 0.9999  # cosine from which on features cannot tell two images apart
_AT_ONCE: Final = 4096  # images whose features are widened to float64

# One row a neighbour; those among right images have a row of the run.
NEIGHBOUR_COLUMNS: Final[Columns] = {
    "row": WHOLE, "sample_id": TEXT, "path": TEXT, "label_name": TEXT, "pred_name": TEXT,
    "among": TEXT, "rank": WHOLE, "similarity": NUMBER, "neighbour_row": NUMBER,
    "neighbour_path": TEXT, "neighbour_label": TEXT, "argues_for": TEXT, "copy": TEXT,
}  # fmt: skip


class Others(NamedTuple):
    """Images that errors are held against: paths, names of labels, content hashes where known.

    `rows` are those of the run, None of training images.
    """

    among: Among
    paths: Sequence[str]
    labels: Sequence[str]
    content_hash: Sequence[bytes | None]
    rows: NDArray[np.int64] | None = None


def nearest_in_parts(
    queries: NDArray[np.floating], parts: Iterable[Features], *, most: int
) -> list[list[Neighbour]]:
    """Return the most similar images of each query, shape (q, d), by cosine; ties by row.

    Parts are looked at one after the other, so that many images need no more memory than few.

    >>> parts = [Features(np.array([7]), np.eye(2)[:1]), Features(np.array([3]), np.eye(2)[:1])]
    >>> nearest_in_parts(np.eye(2)[:1], parts, most=1)
    [[Neighbour(row=3, similarity=1.0)]]
    """
    nearest: list[list[Neighbour]] = [[] for _ in queries]
    for part in parts:
        of_part = nearest_of_each(queries, part, most=most)
        nearest = [
            sorted(known + new, key=lambda neighbour: (-neighbour.similarity, neighbour.row))[:most]
            for known, new in zip(nearest, of_part, strict=True)
        ]
    return nearest


def in_parts(rows: NDArray[np.int64], features: NDArray[np.floating]) -> Iterator[Features]:
    """Yield a few images at a time."""
    for start in range(0, len(rows), _AT_ONCE):
        yield Features(rows[start : start + _AT_ONCE], features[start : start + _AT_ONCE])


def neighbour_table(
    errors: pd.DataFrame, nearest: Sequence[Sequence[Neighbour]], others: Others
) -> pd.DataFrame:
    """Return the neighbours of errors as `NEIGHBOUR_COLUMNS` has them, error by error.

    Args:
        errors: A row an error, with the names of `NEIGHBOUR_COLUMNS` up to `pred_name`, and
            `content_hash`.
        nearest: Of each error; a row is a place in `others`.
        others: What they were sought among.
    """
    rows: list[dict[str, Any]] = []
    for error, neighbours in zip(errors.to_dict("records"), nearest, strict=True):
        named = {name: error[name] for name in list(NEIGHBOUR_COLUMNS)[:5]}
        for rank, (place, similarity) in enumerate(neighbours, start=1):
            label = others.labels[place]
            rows.append(
                {
                    **named,
                    "among": others.among,
                    "rank": rank,
                    "similarity": similarity,
                    "neighbour_row": np.nan if others.rows is None else others.rows[place],
                    "neighbour_path": others.paths[place],
                    "neighbour_label": label,
                    "argues_for": argues_for(label, error["label_name"], error["pred_name"]),
                    "copy": _copy(error["content_hash"], others.content_hash[place], similarity),
                }
            )
    table = pd.DataFrame(rows, columns=list(NEIGHBOUR_COLUMNS))
    for name, kind in NEIGHBOUR_COLUMNS.items():
        dtype: Any = {TEXT: "str", WHOLE: "int64"}.get(kind, "float64")
        table[name] = table[name].astype(dtype)
    return table


def argues_for(neighbour: str, label: str, pred: str) -> str:
    """Tell what the label of a neighbour speaks for: the label of an error, or its prediction.

    >>> argues_for("cat", "cat", "dog"), argues_for("dog", "cat", "dog"), argues_for("ox", "a", "b")
    ('label', 'prediction', 'neither')
    """
    return {label: LABEL, pred: PREDICTION}.get(neighbour, NEITHER)


def _copy(error: bytes | None, neighbour: bytes | None, similarity: float) -> str:
    """Tell whether two images, of which the content hashes are given, are one."""
    if error is not None and error == neighbour:
        return SAME_FILE
    return SAME_FEATURES if similarity >= COPY else ""


def standings(neighbours: pd.DataFrame) -> pd.DataFrame:
    """Return among what each error lies, a row an error: among right ones, among training images.

    `stands` is what most of its neighbours argue for, of equally many what the nearest of them
    does; `all_alike` says that all do, and `first` what the nearest does. Errors are in
    the order of the table.
    """
    error = ["among", "row"]
    n = neighbours.groupby([*error, "argues_for"], sort=False)["rank"].transform("size")
    of_each = neighbours.assign(n=n).groupby(error, sort=False)
    most = of_each["n"].transform("max")
    first = neighbours.drop_duplicates(error).set_index(error)
    table = pd.DataFrame(
        {
            "stands": neighbours[n == most].drop_duplicates(error).set_index(error)["argues_for"],
            "all_alike": of_each["n"].max() == of_each.size(),
            "first": first["argues_for"],
            "similarity": first["similarity"],
        }
    )
    return table.reindex(first.index).reset_index()
