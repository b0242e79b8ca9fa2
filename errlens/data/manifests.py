"""Read csv and parquet tables that list images and their labels."""

import csv
import re
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from errlens.classes.headers import holds_predictions, read_header, tidied_headers
from errlens.classes.spelling import as_number
from errlens.data.file_rows import line_in_file
from errlens.data.photos.picture_kinds import is_picture_suffix, suffix_of
from errlens.errors import BadManifest, MissingInput, UnfitOption, nearest, some
from errlens.escapes import shell_line

MANIFEST_SUFFIXES: Final = (".csv", ".tsv", ".parquet")
_MINUS_ONE: Final = re.compile(r"\s*-1(\.0*)?\s*")
_CALLED_LABEL: Final = frozenset(
    {"labels", "class", "classes", "class_name", "class_id", "category", "target", "y", "gt",
     "species", "diagnosis", "ground_truth", "true_label", "label_name", "classname"},
)  # fmt: skip


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
        MissingInput: It is no file, but a pipe or a device.
        BadManifest: It cannot be read, has no rows, or lacks a column or a path.
        UnfitOption: A split is asked for that it does not have.
    """
    if not path.is_file():  # a pipe would be waited for
        raise MissingInput(path, what="manifest")
    table = _read_parquet(path) if path.suffix.lower() == ".parquet" else _read_text(path, columns)
    table.columns = tidied_headers([*table.columns], wanted=columns)
    _refuse_missing(path, table, columns)
    kept = np.arange(len(table))
    if split is not None:
        splits = _as_text(table[columns.split]) if columns.split in table else None
        is_in = in_split(splits, split, column=columns.split, of=f"manifest {str(path)!r}")
        kept, table = kept[is_in], table[is_in].reset_index(drop=True)
    if table.empty:
        raise BadManifest(f"manifest {str(path)!r} has no rows")
    frame = pd.DataFrame(
        {
            "path": _as_text(table[columns.path]),
            "label": pd.Series(
                _without_minus_one(as_labels(_as_text(table[columns.label]))), dtype="object"
            ),
            "split": _as_text(table[columns.split]) if columns.split in table else None,
        }
    )
    nameless = frame.index[frame["path"].isna()]
    if len(nameless):
        first = line_in_file(path, int(kept[nameless[0]]), wanted=columns)
        raise BadManifest(f"manifest {str(path)!r} has rows without a path; the first is {first}")
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
        encoding = isinstance(error, UnicodeDecodeError)
        raise BadManifest(
            f"manifest {str(path)!r} cannot be read: {error}",
            hint="save it as UTF-8; a spreadsheet calls that CSV UTF-8" if encoding else "",
        ) from error


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        # Nullable dtypes: a missing number must not turn the others into fractions.
        return pd.read_parquet(path, dtype_backend="numpy_nullable").reset_index(drop=True)
    except (OSError, pa.ArrowException) as error:
        raise BadManifest(f"manifest {str(path)!r} cannot be read: {error}") from error


def _without_minus_one(labels: Sequence[str | None]) -> list[str | None]:
    """Return labels that are numbers with None for -1, which stands for an image without a label.

    >>> _without_minus_one(["3", "-1", "0"]), _without_minus_one(["-1", "cat"])
    (['3', None, '0'], ['-1', 'cat'])
    """
    nothing = [label is not None and _MINUS_ONE.fullmatch(label) is not None for label in labels]
    others = [label for label, none in zip(labels, nothing, strict=True) if label and not none]
    if any(as_number(label) is None for label in others):
        return [*labels]
    return [None if none else label for label, none in zip(labels, nothing, strict=True)]


def _refuse_missing(path: Path, table: pd.DataFrame, wanted: Columns) -> None:
    present = list(map(str, table.columns))
    missing = [name for name in (wanted.path, wanted.label) if name not in present]
    if not missing:
        return
    if any(is_picture_suffix(suffix_of(name)) for name in present):
        raise BadManifest(
            f"manifest {str(path)!r} begins with a row, not with the names of its columns: "
            f"{some(present)}",
            hint=f"put a line above it: {wanted.path},{wanted.label}",
        )
    what = f"has no column {some(missing)}; it has {some(present, most=10)}"
    if holds_predictions(present):
        raise BadManifest(
            f"{str(path)!r} is no list of images, it seems, but predictions: it {what}",
            hint=f"{shell_line(['errlens', 'import', path])} takes them as they are",
        )
    raise BadManifest(f"manifest {str(path)!r} {what}", hint=_likely_columns(table, wanted))


def _likely_columns(table: pd.DataFrame, wanted: Columns) -> str:
    """Return the options that name the columns of paths and labels, as far as these can be told.

    Paths are known by what they end in; the label is what a column is usually called, or the only
    one that is left.
    """
    present = list(map(str, table.columns))
    options = {}
    if wanted.path not in present:
        paths = [name for name in present if _holds_paths(table[name])]
        options["--path-column"] = paths or nearest(wanted.path, present, most=1)
    if wanted.label not in present:
        taken = [wanted.path, wanted.split, *options.get("--path-column", [])]
        left = [name for name in present if name not in taken]
        usual = [name for name in left if name.casefold() in _CALLED_LABEL]
        alike = nearest(wanted.label, left, most=1)
        by_user = wanted.label != Columns().label
        options["--label-column"] = (
            (by_user and alike) or usual or (left if len(left) == 1 else alike)
        )
    if not all(options.values()):
        near = [name for names in options.values() for name in names]
        guess = f"; did you mean {', '.join(near)}?" if near else ""
        return f"name them with --path-column and --label-column{guess}"
    words = [word for option, names in options.items() for word in (option, names[0])]
    return f"add {shell_line(words)}"


def _holds_paths(column: "pd.Series[Any]") -> bool:
    values = [str(value) for value in column.dropna().head(20)]
    return bool(values) and all(is_picture_suffix(suffix_of(value.strip())) for value in values)


def _as_text(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return every value as text, what is missing or empty as None."""
    empty = column.isna() | (column == "")
    values = [None if nothing else str(value) for value, nothing in zip(column, empty, strict=True)]
    return pd.Series(values, index=column.index, dtype="object")
