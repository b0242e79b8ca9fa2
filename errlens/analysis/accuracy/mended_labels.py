"""Labels that a person has mended: a table of rows, or images, and their classes."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from errlens.classes.names import ClassNames
from errlens.classes.spelling import as_number
from errlens.errors import BadLabelFile, MissingInput, did_you_mean, nearest, some, which_of
from errlens.run.csv_tables import read_csv


def read_labels(path: Path, plan: pa.Table, classes: ClassNames) -> dict[int, int]:
    """Read a csv file with `row,label` or `sample_id,label`: the class of each row it names.

    Rows without a label are passed over.

    Args:
        path: The file; further columns do not matter.
        plan: The plan of the run, with its `sample_id`.
        classes: The classes of the run.

    Raises:
        MissingInput: There is no such file.
        BadLabelFile: A column is missing, or a row, an image or a label is none of the run's; or an
            image is given two labels.
    """
    if not path.is_file():
        raise MissingInput(path, what="table of labels")
    try:
        table = read_csv(path, text=("row", "sample_id", "label")).rename(columns=str.strip)
    except ValueError as error:
        raise BadLabelFile(f"{str(path)!r} is no csv file: {error}") from error
    key = next((name for name in ("row", "sample_id") if name in table), None)
    if key is None or "label" not in table:
        raise BadLabelFile(
            f"{str(path)!r} has no columns row,label or sample_id,label; it has "
            f"{some(list(table.columns))}"
        )
    table = table.dropna(subset=["label"])
    labels = _known_labels(path, table["label"].tolist(), classes)
    rows = _known_rows(path, table[key].tolist(), plan, by=key)
    mended: dict[int, int] = {}
    for row, label in zip(rows, labels, strict=True):
        if mended.setdefault(row, label) != label:
            raise BadLabelFile(
                f"{str(path)!r} gives row {row} two labels: {classes[mended[row]]!r} and "
                f"{classes[label]!r}"
            )
    return mended


def _known_labels(path: Path, labels: Sequence[str], classes: ClassNames) -> list[int]:
    meant = {label: classes.index(label) for label in labels}
    unknown = [label for label, index in meant.items() if index is None]
    if unknown:
        raise BadLabelFile(
            f"{str(path)!r} has labels that are no class of the run: {some(unknown)}",
            hint=which_of(unknown[0], classes.names),
        )
    return [index for label in labels if (index := meant[label]) is not None]


def _known_rows(path: Path, keys: Sequence[str], plan: pa.Table, *, by: str) -> list[int]:
    ids = plan["sample_id"].to_pylist()
    names = ids if by == "sample_id" else map(str, range(len(ids)))
    known = {name: row for row, name in enumerate(names)}
    if by == "row":  # a spreadsheet may have made 7.0 of it
        keys = [key if (number := as_number(str(key))) is None else str(number) for key in keys]
    unknown = [key for key in keys if key not in known]
    if unknown:
        near = nearest(str(unknown[0]), known) if by == "sample_id" else []
        raise BadLabelFile(
            f"{str(path)!r} names images that the run does not have: {by} {some(unknown)}",
            hint=did_you_mean(near, f"the last row of the run is {len(ids) - 1}"),
        )
    return [known[key] for key in keys]
