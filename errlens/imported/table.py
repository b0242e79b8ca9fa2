"""A table of predictions made elsewhere: its images, labels and predicted classes."""

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from errlens.choices import Repeated
from errlens.classes.names import ClassNames
from errlens.classes.spelling import tidied
from errlens.data.file_rows import PlaceOf, line_in_file
from errlens.data.manifests import Manifest, as_labels, in_split
from errlens.data.numbering import Numbering
from errlens.data.tables import blank_rows, is_text, read_table, texts
from errlens.errors import BadPredictions, UnfitOption, some
from errlens.formats import counted
from errlens.imported.columns import PredictionColumns
from errlens.imported.imported_predictions import ImportedPredictions
from errlens.imported.named_classes import no_labels
from errlens.imported.naming import Values, name_classes
from errlens.imported.one_an_image import one_row_an_image
from errlens.imported.probabilities import ClassColumns, named_columns, probability_columns
from errlens.imported.probability_values import most_probable
from errlens.imported.repetitions import find_repetitions
from errlens.imported.row_values import UsableRows, read_confidence, read_probabilities
from errlens.imported.two_classes import both_classes, likely_score

# How far a row of probabilities may be from a sum of one: digits, or float16, round.
TEXT_TOLERANCE: Final = 1e-2
BINARY_TOLERANCE: Final = 1e-3


class Wishes(NamedTuple):
    """What the user says about a table.

    `prob_prefix` stands before a class in the name of its column of probability; `prob_columns` are
    the columns of classes by class, where the user names them one by one. `logits` says that these
    are raw outputs. `numbering` says what labels and predicted classes are, where numbers
    could be both, and where these start. `allow_unknown` keeps rows whose label is none of the
    classes. `repeated` says what several rows about one image are. `allowed_bad` returns how many
    of n rows may be unusable.
    """

    prob_prefix: str | None = None
    prob_columns: Mapping[str, str] = {}
    logits: bool = False
    numbering: Numbering = Numbering()
    allow_unknown: bool = False
    repeated: Repeated = "count"
    allowed_bad: Callable[[int], int] = lambda _: 0


_NONE: Final = Wishes()


def read_predictions(
    path: Path,
    columns: PredictionColumns,
    *,
    split: str | None = None,
    given: ClassNames | None = None,
    wishes: Wishes = _NONE,
) -> ImportedPredictions:
    """Read the predictions of a csv or parquet table.

    Args:
        path: The table.
        columns: What it calls its columns.
        split: Keep only the rows of this split.
        given: The classes in output order; by default those of the columns of probability in
            their order, else those that labels and predictions say, sorted.
        wishes: What else the user says about it.

    Raises:
        MissingInput: There is no such table.
        BadPredictions: It cannot be read, lacks columns, its values contradict one another, or
            more rows than allowed cannot be used.
        UnknownLabels: A label is none of the classes, and that is not allowed.
        AmbiguousLabels: A label may mean several classes, or labels and predictions seem to count
            from different numbers.
        UnfitOption: A split or a prefix is asked for that it does not have, a column is to hold
            two things, or words are to be numbers.
    """
    columns.refuse_double_use()
    table, place_of, remarks = _read_rows(path, columns, split)
    place = columns.place(table.column_names)
    columns.refuse_absent(table.column_names)
    paths, labels = _paths(table, place, place_of), _names(table, columns.label)
    has_pred = _has_pred(table, columns, wishes)
    preds = _names(table, columns.pred) if has_pred else [None] * len(table)
    labels, more = _without_fillers(labels, preds, given, table.column_names)
    remarks += more
    held = _class_columns(table, columns, (labels, preds), given, wishes)

    known = _known_classes(held, {*labels, *preds} - {None}, given)
    naming = name_classes(labels, preds, known=known, numbering=wishes.numbering)
    label, unknown = naming.of_labels(labels, allow_unknown=wishes.allow_unknown)
    pred = naming.of_predictions(preds)
    strangers = {*unknown}

    rows = UsableRows(paths, wishes.allowed_bad(len(table)), place_of)
    prob = confidence = None
    if held.by_class:
        tolerance = TEXT_TOLERANCE if is_text(path) else BINARY_TOLERANCE
        prob, more = read_probabilities(
            table, held, naming.classes, rows, logits=wishes.logits, tolerance=tolerance
        )
        remarks += more
        rows.refuse_disagreement(prob, pred, naming.classes)
    else:
        confidence = read_confidence(table, columns.confidence, rows)
    naming.refuse_shift(labels, preds, label, pred if prob is None else most_probable(prob))

    used = {place, columns.label, columns.split, columns.pred, *held.by_class.values()}
    used |= set() if confidence is None else {columns.confidence}
    found = ImportedPredictions(
        manifest=Manifest(_frame(table, columns, paths, labels), _extra(table, used)),
        classes=naming.classes,
        label=label,
        unknown=np.array([text in strangers for text in labels], bool),
        pred=pred,
        confidence=confidence,
        prob=prob,
        problems=[rows.problems.get(row) for row in range(len(table))],
        spelling=naming.spelling(labels, preds),
        repetitions=find_repetitions(paths, label, labels),
        remarks=remarks,
    )
    return one_row_an_image(found, wishes.repeated)


def _read_rows(
    path: Path, columns: PredictionColumns, split: str | None
) -> tuple[pa.Table, PlaceOf, list[str]]:
    """Return the rows of a table, or of one split of it, and what is to be said of the others.

    In between: where each of them stands in the file.
    """
    if path.is_dir():
        raise BadPredictions(
            f"TABLE {str(path)!r} is a folder",
            hint="errlens analyze or errlens evaluate takes a folder of photos; a table of "
            "predictions is a csv, tsv or parquet file",
        )
    table = read_table(path, wanted=columns)
    blank = blank_rows(table)
    remarks = [f"{counted(len(blank), 'blank row')} passed over"] if len(blank) else []
    kept = np.setdiff1d(np.arange(len(table)), blank)
    if remarks:
        table = table.take(pa.array(kept))
    if split is not None:
        splits = texts(table, columns.split) if columns.split in table.column_names else None
        is_in = in_split(splits, split, column=columns.split, of="the table")
        kept, table = kept[is_in], table.filter(pa.array(is_in))
    return table, lambda row: line_in_file(path, int(kept[row]), wanted=columns), remarks


def _class_columns(
    table: pa.Table,
    columns: PredictionColumns,
    labels_and_preds: tuple[Values, Values],
    given: ClassNames | None,
    wishes: Wishes,
) -> ClassColumns:
    """Return the columns of probability; there must be some where no class is predicted."""
    labels, preds = labels_and_preds
    named = {name for name in (*labels, *preds) if name is not None}
    present, has_pred = table.column_names, _has_pred(table, columns, wishes)
    place = columns.place(present)
    if wishes.prob_columns:
        if wishes.prob_prefix is not None:
            raise UnfitOption("--prob-column and --prob-prefix both name columns of probability")
        return named_columns(
            wishes.prob_columns,
            present,
            reserved={place, columns.label, columns.split},
            named=named,
            given=given,
        )
    held = probability_columns(
        present,
        reserved={*columns, place},
        named=named,
        given=given,
        prefix=wishes.prob_prefix,
        needed=not has_pred,
    )
    if not (has_pred or held.by_class):
        error = columns.no_predictions(present, named)
        others = [name for name in present if name not in {place, columns.label, columns.split}]
        score = likely_score({name: texts(table, name) for name in others}, labels)
        if score and "did you mean" not in error.hint:  # the names of columns are better evidence
            error.hint = score.hint
        raise error
    score = None if held.by_class else likely_score({columns.pred: preds}, labels)
    if score and not {*preds} & {*labels}:
        raise BadPredictions(
            f"column {columns.pred!r} holds no classes, but numbers from 0 to 1", hint=score.hint
        )
    if wishes.logits and not held.by_class:
        raise UnfitOption("--logits: the table has predicted classes, and no raw outputs")
    return held


def _has_pred(table: pa.Table, columns: PredictionColumns, wishes: Wishes) -> bool:
    """Tell whether there is a column of predicted classes, and not of a probability."""
    return columns.pred in table.column_names and columns.pred not in wishes.prob_columns.values()


def _known_classes(
    held: ClassColumns, named: Collection[str], given: ClassNames | None
) -> ClassNames | None:
    """Return the classes that are known before labels and predictions are looked at, if any."""
    names = tuple(held.by_class)
    if len(names) == 1:
        return both_classes(names[0], held.by_class[names[0]], named=named, given=given)
    return given or (ClassNames(names, source="the columns of probability") if names else None)


def _frame(
    table: pa.Table, columns: PredictionColumns, paths: Iterable[str], labels: Values
) -> pd.DataFrame:
    frame = pd.DataFrame({"path": paths, "label": labels}, dtype="object")
    frame["split"] = texts(table, columns.split) if columns.split in table.column_names else None
    return frame


def _names(table: pa.Table, column: str) -> list[str | None]:
    """Return what a column calls classes; what is blank is missing."""
    return as_labels(value if value and tidied(value) else None for value in texts(table, column))


def _without_fillers(
    labels: Values, preds: Values, given: ClassNames | None, columns: Collection[str]
) -> tuple[list[str | None], list[str]]:
    """Return labels with None for what stands for none, and what is to be said of that."""
    named = [name for name in preds if name is not None] + [*(given.names if given else ())]
    fillers = no_labels(labels, named=named, columns=columns)
    if not fillers:
        return [*labels], []
    n = sum(label in fillers for label in labels)
    what = f"{counted(n, 'label')} {'is' if n == 1 else 'are'} {some(fillers)}"
    where = "a class is called so" if len(fillers) == 1 else "classes are called so"
    remark = f"{what}: taken for no label; where {where}, pass --classes FILE with the names of all"
    return [None if label in fillers else label for label in labels], [remark]


def _paths(table: pa.Table, column: str, place_of: PlaceOf) -> list[str]:
    values = texts(table, column)
    if None in values:
        raise BadPredictions(f"column {column!r} is empty in {place_of(values.index(None))}")
    return [value for value in values if value is not None]


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
