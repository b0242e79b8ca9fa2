"""A table of predictions made elsewhere: its images, labels and predicted classes."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from errlens.classes.names import ClassNames
from errlens.classes.spelling import tidied
from errlens.data.manifests import Manifest, as_labels, in_split
from errlens.data.numbering import Numbering
from errlens.data.tables import is_text, numbers, read_table, texts
from errlens.errors import BadPredictions, UnfitOption, nearest, some
from errlens.imported.naming import Spelling, name_classes
from errlens.imported.probabilities import (
    PREFIXES,
    most_probable,
    probability_columns,
    refuse_disagreement,
    refuse_improper,
)
from errlens.imported.repetitions import Repetitions, find_repetitions

# How far a row of probabilities may be from a sum of one: digits, or float16, round.
TEXT_TOLERANCE: Final = 1e-2
BINARY_TOLERANCE: Final = 1e-3


class PredictionColumns(NamedTuple):
    """What a table of predictions calls its columns; `path` gives way to `id` where it lacks."""

    path: str = "path"
    id: str = "id"
    label: str = "label"
    pred: str = "pred"
    confidence: str = "confidence"
    split: str = "split"


class ImportedPredictions(NamedTuple):
    """What a table says, one entry a row.

    `label` and `pred` are class indices, `NO_CLASS` where the table leaves them empty;
    `unknown` marks labels that are none of the classes. `prob` has a column for each class.
    `spelling` says what names were reconciled, `repetitions` which images are in several rows.
    """

    manifest: Manifest
    classes: ClassNames
    label: NDArray[np.int32]
    unknown: NDArray[np.bool_]
    pred: NDArray[np.int32]
    confidence: NDArray[np.float64] | None
    prob: NDArray[np.float64] | None
    spelling: Spelling
    repetitions: Repetitions


def read_predictions(
    path: Path,
    columns: PredictionColumns,
    *,
    split: str | None = None,
    given: ClassNames | None = None,
    prob_prefix: str | None = None,
    numbering: Numbering | None = None,
    allow_unknown: bool = False,
) -> ImportedPredictions:
    """Read the predictions of a csv or parquet table.

    Args:
        path: The table.
        columns: What it calls its columns.
        split: Keep only the rows of this split.
        given: The classes in output order; by default those of the columns of probability in
            their order, else those that labels and predictions say, sorted.
        prob_prefix: What stands before a class in the name of its column of probability.
        numbering: What labels and predicted classes are, where numbers could be both, and where
            these start.
        allow_unknown: Keep rows whose label is none of the classes.

    Raises:
        MissingInput: There is no such table.
        BadPredictions: It cannot be read, lacks columns, or its values contradict one another.
        UnknownLabels: A label is none of the classes, and `allow_unknown` is off.
        AmbiguousLabels: A label may mean several classes, or labels and predictions seem to count
            from different numbers.
        UnfitOption: A split or a prefix is asked for that it does not have, a column is to hold
            two things, or words are to be numbers.
    """
    _refuse_double_use(columns)
    table = read_table(path, wanted=columns)
    if split is not None:
        splits = texts(table, columns.split) if columns.split in table.column_names else None
        is_in = in_split(splits, split, column=columns.split, of="the table")
        table = table.filter(pa.array(is_in))
    place = _place_column(table, columns)
    paths = _paths(table, place)

    label_text = _names(table, columns.label)
    has_pred = columns.pred in table.column_names
    pred_text = _names(table, columns.pred) if has_pred else [None] * len(table)
    held = probability_columns(
        table.column_names,
        reserved={*columns, place},
        named=_distinct(label_text) | _distinct(pred_text),
        given=given,
        prefix=prob_prefix,
        needed=not has_pred,
    )
    _refuse_no_predictions(table, columns, known=has_pred or bool(held))

    named = ClassNames(tuple(held), source="the columns of probability") if held else None
    naming = name_classes(
        label_text, pred_text, known=given or named, numbering=numbering or Numbering()
    )
    label, unknown = naming.of_labels(label_text, allow_unknown=allow_unknown)
    pred = naming.of_predictions(pred_text)
    prob = _probabilities(table, list(held.values()), paths, text=is_text(path)) if held else None
    if prob is not None:
        refuse_disagreement(prob, pred, paths, classes=naming.classes)
    predicted = pred if prob is None else most_probable(prob)
    naming.refuse_shift(label_text, pred_text, label, predicted)
    confidence = None if held else _confidence(table, columns.confidence)

    used = {place, columns.label, columns.split, columns.pred, *held.values()}
    used |= set() if confidence is None else {columns.confidence}
    frame = pd.DataFrame({"path": paths, "label": label_text}, dtype="object")
    frame["split"] = texts(table, columns.split) if columns.split in table.column_names else None
    is_unknown = np.array([text in set(unknown) for text in label_text], bool)
    return ImportedPredictions(
        Manifest(frame, _extra(table, used)),
        naming.classes,
        label,
        is_unknown,
        pred,
        confidence,
        prob,
        naming.spelling(label_text, pred_text),
        find_repetitions(paths, label, label_text),
    )


def _refuse_double_use(columns: PredictionColumns) -> None:
    """Raise an error where one column is to be two; only an id may be the path as well."""
    places = {name: column for name, column in columns._asdict().items() if name != "id"}
    for name, column in places.items():
        twins = [other for other in places if places[other] == column]
        if len(twins) > 1:
            raise UnfitOption(
                f"{' and '.join(f'--{twin}-column' for twin in twins)} all name {column!r}",
                hint=f"which column holds the {name}?",
            )


def _names(table: pa.Table, column: str) -> list[str | None]:
    """Return what a column calls classes; what is blank is missing."""
    return as_labels(value if value and tidied(value) else None for value in texts(table, column))


def _place_column(table: pa.Table, columns: PredictionColumns) -> str:
    """Return the column that says which image a row is about, once the label is there too."""
    present = table.column_names
    places = [name for name in (columns.path, columns.id) if name in present]
    if not places:
        raise _no_column((columns.path, columns.id), present, "--path-column or --id-column")
    if columns.label not in present:
        raise _no_column((columns.label,), present, "--label-column")
    return places[0]


def _refuse_no_predictions(table: pa.Table, columns: PredictionColumns, *, known: bool) -> None:
    if known:
        return
    prefixes = " or ".join(f"{prefix}CLASS" for prefix in PREFIXES)
    raise _no_column(
        (columns.pred,),
        table.column_names,
        "--pred-column, or the columns of probability with --prob-prefix or --classes",
        more=f", and no columns of probability called {prefixes}",
    )


def _no_column(
    wanted: Sequence[str], present: Sequence[str], option: str, *, more: str = ""
) -> BadPredictions:
    near = [
        name
        for column in wanted
        for name in nearest(column, present, most=1)
        or [name for name in present if column in name][:1]
    ]
    return BadPredictions(
        f"the table has no column {' or '.join(map(repr, wanted))}{more}; it has "
        f"{some(present, most=10)}",
        hint=f"name it with {option}" + (f"; did you mean {', '.join(near)}?" if near else ""),
    )


def _paths(table: pa.Table, column: str) -> list[str]:
    values = texts(table, column)
    if None in values:
        raise BadPredictions(f"column {column!r} is empty in row {values.index(None)}")
    return [value for value in values if value is not None]


def _probabilities(
    table: pa.Table, columns: Sequence[str], paths: Sequence[str], *, text: bool
) -> NDArray[np.float64]:
    prob = numbers(table, columns)
    refuse_improper(prob, paths, tolerance=TEXT_TOLERANCE if text else BINARY_TOLERANCE)
    return prob


def _confidence(table: pa.Table, column: str) -> NDArray[np.float64] | None:
    """Return the confidences, NaN where there are none."""
    if column not in table.column_names:
        return None
    values = numbers(table, [column])[:, 0]
    bad = np.flatnonzero((values < 0) | (values > 1))
    if len(bad):
        raise BadPredictions(
            f"column {column!r} should hold probabilities, but row {bad[0]} holds "
            f"{values[bad[0]]:g}",
            hint="divide percentages by 100; --confidence-column names another column",
        )
    return values


def _extra(table: pa.Table, used: Collection[str]) -> pd.DataFrame | None:
    """Return the columns that nothing else was made of, numbered by row."""
    rest = [name for name in table.column_names if name not in {*used, "row"}]
    if not rest:
        return None
    frame: pd.DataFrame = table.select(rest).to_pandas(
        types_mapper=pd.ArrowDtype, ignore_metadata=True
    )
    frame.insert(0, "row", range(len(frame)))
    return frame


def _distinct(values: Iterable[Any]) -> set[str]:
    return {value for value in values if value is not None}
