"""Read csv and parquet tables that list images and their labels."""

import csv
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from errlens.classes.headers import read_header, tidied_headers
from errlens.classes.spelling import as_number
from errlens.errors import BadManifest, UnfitOption, nearest, some

MANIFEST_SUFFIXES: Final = (".csv", ".tsv", ".parquet")


class Columns(NamedTuple):
    """What a manifest calls its columns."""

    path: str = "path"
    label: str = "label"
    split: str = "split"


class Manifest(NamedTuple):
    """The rows of a manifest: `frame` with path, label and split, `extra` with `row` and the rest.

    Labels and splits are text, or None where the manifest leaves them empty.
    """

    frame: pd.DataFrame
    extra: pd.DataFrame | None


def read_manifest(path: Path, columns: Columns, *, split: str | None = None) -> Manifest:
    """Read a manifest, or one split of it.

    The delimiter of a text file is found out from its header; the split column may be absent.

    Raises:
        BadManifest: It cannot be read, has no rows, or lacks a column or a path.
        UnfitOption: A split is asked for that it does not have.
    """
    table = _read_parquet(path) if path.suffix.lower() == ".parquet" else _read_text(path, columns)
    table.columns = tidied_headers([*table.columns], wanted=columns)
    _refuse_missing(path, list(table.columns), columns)
    if split is not None:
        splits = _as_text(table[columns.split]) if columns.split in table else None
        is_in = in_split(splits, split, column=columns.split, of=f"manifest {str(path)!r}")
        table = table[is_in].reset_index(drop=True)
    if table.empty:
        raise BadManifest(f"manifest {str(path)!r} has no rows")
    frame = pd.DataFrame(
        {
            "path": _as_text(table[columns.path]),
            "label": pd.Series(as_labels(_as_text(table[columns.label])), dtype="object"),
            "split": _as_text(table[columns.split]) if columns.split in table else None,
        }
    )
    nameless = frame.index[frame["path"].isna()]
    if len(nameless):
        raise BadManifest(
            f"manifest {str(path)!r} has rows without a path; the first is row {nameless[0]}"
        )
    rest = table.drop(columns=[*columns, "row"], errors="ignore")
    rest.insert(0, "row", range(len(rest)))
    return Manifest(frame, rest if rest.shape[1] > 1 else None)


def in_split(
    splits: Iterable[str | None] | None, split: str, *, column: str, of: str
) -> NDArray[np.bool_]:
    """Tell which rows of a table are in a split.

    Args:
        splits: The split of each row, None where the table has no such column.
        split: The one that is asked for.
        column: Where splits should be.
        of: What to call the table in a message.

    Raises:
        UnfitOption: There is no such column, or no such split.
    """
    if splits is None:
        raise UnfitOption(
            f"{of} has no column {column!r} to take the split {split!r} from",
            hint="name it with --split-column",
        )
    values = [*splits]
    if split not in values:
        known = sorted({value for value in values if value is not None})
        raise UnfitOption(f"{of} has no split {split!r}; it has {some(known)}")
    return np.array([value == split for value in values], bool)


def as_labels(values: Iterable[str | None]) -> list[str | None]:
    """Return labels as they are; whole numbers without what pandas makes of them beside gaps.

    That is `3.0` for 3, and `nan` where there is no number.

    >>> as_labels(["3.0", "nan", None, "12.0"]), as_labels(["3.0", "3.5", "NaN"])
    (['3', None, None, '12'], ['3.0', '3.5', 'NaN'])
    """
    labels = [*values]
    words = {label for label in labels if label is not None and as_number(label) is None}
    if any(word.strip().lower() != "nan" for word in words) or words >= {*labels} - {None}:
        return labels
    numbers = [None if label in words else label for label in labels]
    if all(number is None or number.strip().endswith(".0") for number in numbers):
        return [number and number.strip().removesuffix(".0") for number in numbers]
    return numbers


def _read_text(path: Path, columns: Columns) -> pd.DataFrame:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            header = read_header(lines, wanted=columns)
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # rows of another length
            return pd.read_csv(
                path,
                sep=header.delimiter,
                skiprows=header.lines - 1,
                dtype=str,
                index_col=False,  # pandas would take a longer row's first value for its name
                keep_default_na=False,  # a class may be called NA
                na_values=[""],
                encoding="utf-8-sig",
            )
    except pd.errors.ParserWarning as error:
        raise BadManifest(f"manifest {str(path)!r} has rows longer than its header") from error
    except pd.errors.EmptyDataError as error:
        raise BadManifest(f"manifest {str(path)!r} is empty") from error
    except (OSError, ValueError, csv.Error) as error:
        raise BadManifest(f"manifest {str(path)!r} cannot be read: {error}") from error


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        # Nullable dtypes: a missing number must not turn the others into fractions.
        return pd.read_parquet(path, dtype_backend="numpy_nullable").reset_index(drop=True)
    except (OSError, pa.ArrowException) as error:
        raise BadManifest(f"manifest {str(path)!r} cannot be read: {error}") from error


def _refuse_missing(path: Path, present: list[str], wanted: Columns) -> None:
    missing = [name for name in (wanted.path, wanted.label) if name not in present]
    if not missing:
        return
    near = [name for column in missing for name in nearest(column, map(str, present), most=1)]
    raise BadManifest(
        f"manifest {str(path)!r} has no column {some(missing)}; it has {some(present, most=10)}",
        hint="name them with --path-column and --label-column"
        + (f"; did you mean {', '.join(near)}?" if near else ""),
    )


def _as_text(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return every value as text, what is missing or empty as None."""
    empty = column.isna() | (column == "")
    values = [None if nothing else str(value) for value, nothing in zip(column, empty, strict=True)]
    return pd.Series(values, index=column.index, dtype="object")
