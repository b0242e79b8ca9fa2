"""Predictions made elsewhere: what a table says about which images and classes."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from errlens.classes import ClassNames
from errlens.data.labels import NO_LABEL, LabelKind, match_names, match_numbers
from errlens.data.manifests import Manifest, without_points
from errlens.data.probabilities import (
    PREFIXES,
    probability_columns,
    refuse_disagreement,
    refuse_improper,
)
from errlens.data.tables import is_text, numbers, read_table, texts
from errlens.errors import BadPredictions, UnfitOption, UnknownLabels, nearest, some

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

    `label` and `pred` are class indices, `NO_LABEL` where the table leaves them empty;
    `unknown` marks labels that are none of the classes. `prob` has a column for each class.
    """

    manifest: Manifest
    classes: ClassNames
    label: NDArray[np.int32]
    unknown: NDArray[np.bool_]
    pred: NDArray[np.int32]
    confidence: NDArray[np.float64] | None
    prob: NDArray[np.float64] | None


def read_predictions(
    path: Path,
    columns: PredictionColumns,
    *,
    split: str | None = None,
    given: ClassNames | None = None,
    prob_prefix: str | None = None,
    labels: LabelKind | None = None,
    allow_unknown: bool = False,
) -> ImportedPredictions:
    """Read the predictions of a csv or parquet table.

    Args:
        path: The table.
        columns: What it calls its columns.
        split: Keep only the rows of this split.
        given: The classes in output order; by default those of the columns of probability in
            their order, else all labels and predicted classes, sorted.
        prob_prefix: What stands before a class in the name of its column of probability.
        labels: What labels and predicted classes are, where numbers could be both.
        allow_unknown: Keep rows whose label is none of the classes.

    Raises:
        MissingInput: There is no such table.
        BadPredictions: It cannot be read, lacks columns, or its values contradict one another.
        UnknownLabels: A label is none of the classes, and `allow_unknown` is off.
        UnfitOption: A split or a prefix is asked for that it does not have, or a column is to hold
            two things.
    """
    _refuse_double_use(columns)
    table = read_table(path, wanted=columns)
    table = _only_split(table, columns.split, split)
    place = _place_column(table, columns)
    paths = _paths(table, place)

    label_text = without_points(texts(table, columns.label))
    has_pred = columns.pred in table.column_names
    pred_text = without_points(texts(table, columns.pred)) if has_pred else [None] * len(table)
    held = probability_columns(
        table.column_names,
        reserved={*columns, place},
        said=_distinct(label_text) | _distinct(pred_text),
        given=given,
        prefix=prob_prefix,
        needed=not has_pred,
    )
    _refuse_no_predictions(table, columns, found=has_pred or bool(held))

    classes = given or _classes(held, label_text, pred_text, labels)
    label, unknown = class_indices(label_text, classes, kind=labels)
    if unknown and not allow_unknown:
        of = len(_distinct(label_text))
        raise UnknownLabels(unknown, classes.names, of=of, source=classes.source)
    pred = _pred_indices(pred_text, classes, labels)
    prob = _probabilities(table, list(held.values()), paths, text=is_text(path)) if held else None
    if prob is not None:
        refuse_disagreement(prob, pred, paths, classes=classes)
    confidence = None if held else _confidence(table, columns.confidence)

    used = {place, columns.label, columns.split, columns.pred, *held.values()}
    used |= set() if confidence is None else {columns.confidence}
    frame = pd.DataFrame({"path": paths, "label": label_text}, dtype="object")
    frame["split"] = texts(table, columns.split) if columns.split in table.column_names else None
    is_unknown = np.array([text in set(unknown) for text in label_text], bool)
    return ImportedPredictions(
        Manifest(frame, _extra(table, used)), classes, label, is_unknown, pred, confidence, prob
    )


def class_indices(
    values: Sequence[str | None], classes: ClassNames, *, kind: LabelKind | None = None
) -> tuple[NDArray[np.int32], list[str]]:
    """Return the class each value stands for, and the values that stand for none, sorted.

    Values are names if all of them are names of classes, else integers are indices; `kind` says
    otherwise. What is None, or stands for no class, gets `NO_LABEL`.

    >>> class_indices(["dog", None, "cow"], ClassNames(("cat", "dog")))
    (array([ 1, -1, -1], dtype=int32), ['cow'])
    >>> class_indices(["1", "0"], ClassNames(("cat", "dog")))
    (array([1, 0], dtype=int32), [])
    """
    distinct = sorted(_distinct(values))
    if kind is None:
        numbers = all(map(str.isdecimal, distinct)) and classes.unknown(distinct)
        kind = "indices" if numbers else "names"
    match = match_names if kind == "names" else match_numbers
    found = {value: index for value, index in match(distinct, classes).items() if index is not None}
    unknown = [value for value in distinct if value not in found]
    indices = [NO_LABEL if value is None else found.get(value, NO_LABEL) for value in values]
    return np.array(indices, np.int32), unknown


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


def _only_split(table: pa.Table, column: str, split: str | None) -> pa.Table:
    if split is None:
        return table
    if column not in table.column_names:
        raise UnfitOption(
            f"the table has no column {column!r} to take the split {split!r} from",
            hint="name it with --split-column",
        )
    values = texts(table, column)
    if split not in values:
        raise UnfitOption(
            f"the table has no split {split!r}; it has {some(sorted(_distinct(values)))}"
        )
    return table.filter(pa.array([value == split for value in values]))


def _place_column(table: pa.Table, columns: PredictionColumns) -> str:
    """Return the column that says which image a row is about, once the label is there too."""
    found = table.column_names
    places = [name for name in (columns.path, columns.id) if name in found]
    if not places:
        raise _no_column((columns.path, columns.id), found, "--path-column or --id-column")
    if columns.label not in found:
        raise _no_column((columns.label,), found, "--label-column")
    return places[0]


def _refuse_no_predictions(table: pa.Table, columns: PredictionColumns, *, found: bool) -> None:
    if found:
        return
    prefixes = " or ".join(f"{prefix}CLASS" for prefix in PREFIXES)
    raise _no_column(
        (columns.pred,),
        table.column_names,
        "--pred-column, or the columns of probability with --prob-prefix or --classes",
        more=f", and no columns of probability called {prefixes}",
    )


def _no_column(
    wanted: Sequence[str], found: Sequence[str], option: str, *, more: str = ""
) -> BadPredictions:
    near = [
        name
        for one in wanted
        for name in nearest(one, found, most=1) or [name for name in found if one in name][:1]
    ]
    return BadPredictions(
        f"the table has no column {' or '.join(map(repr, wanted))}{more}; it has "
        f"{some(found, most=10)}",
        hint=f"name it with {option}" + (f"; did you mean {', '.join(near)}?" if near else ""),
    )


def _paths(table: pa.Table, column: str) -> list[str]:
    values = texts(table, column)
    if None in values:
        raise BadPredictions(f"column {column!r} is empty in row {values.index(None)}")
    return [value for value in values if value is not None]


def _classes(
    held: dict[str, str],
    label: Sequence[str | None],
    pred: Sequence[str | None],
    kind: LabelKind | None,
) -> ClassNames:
    """Return the classes of a table that was given none."""
    if held:
        return ClassNames(tuple(held), source="the columns of probability")
    source = "the labels and predictions"
    labels, preds = _distinct(label), _distinct(pred)
    said = labels | preds
    if not said:
        raise BadPredictions("the table holds neither a label nor a predicted class")
    numbered = [all(map(str.isdecimal, values)) for values in (labels, preds) if values]
    if len(set(numbered)) > 1:
        raise BadPredictions(
            f"labels ({some(sorted(labels), most=3)}) and predictions "
            f"({some(sorted(preds), most=3)}) do not name the same classes",
            hint="pass --classes FILE with the class names in output order",
        )
    if not all(numbered):
        return ClassNames(tuple(sorted(said)), source=source)
    if kind == "indices":
        return ClassNames(tuple(map(str, range(1 + max(map(int, said))))), source=source)
    return ClassNames(tuple(sorted(said, key=lambda name: (int(name), name))), source=source)


def _pred_indices(
    pred: Sequence[str | None], classes: ClassNames, kind: LabelKind | None
) -> NDArray[np.int32]:
    indices, unknown = class_indices(pred, classes, kind=kind)
    if unknown:
        near = nearest(unknown[0], classes.names)
        raise BadPredictions(
            f"predicted classes that are none of the {len(classes)} class names from "
            f"{classes.source}: {some(unknown)}",
            hint=f"did you mean {', '.join(near)}?" if near else "pass --classes FILE",
        )
    return indices


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
