"""The rows of a run that a selector means."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from errlens.analysis.selection.parsing import Term, parse_selector
from errlens.analysis.selection.written_tables import ROW_COLUMNS, read_written_table
from errlens.classes.names import ClassNames
from errlens.errors import UnfitSelection
from errlens.escapes import shell_line

Rows = NDArray[np.bool_]
_NONE_OF: Final = {
    "true": "no image has the label {}",
    "pred": "nothing was taken for {}",
    "correct": "no {} is right",
}


class ChangedRows(NamedTuple):
    """Rows of a run that are right there and wrong in an old one, and the other way round."""

    fixed: NDArray[np.int64]
    broken: NDArray[np.int64]


@dataclass(frozen=True)
class Selectable:
    """What selections are made from.

    `table` has the columns `row` (0, 1, 2, ...), `path`, `label`, `pred`, `correct` and
    `confidence`. `ranking` holds the rows of all errors, the worst first; `exceptional` those of
    the exceptional ones, None where no superclasses are known. `pairs` and `groups` read the
    classes of pairs.csv and of groups.csv when they are asked for, `changes` what differs from the
    run at a path, `findings` the rows of each finding, as they are ranked, `marks` the verdict of a
    person on each row that has one.
    """

    table: pa.Table
    classes: ClassNames
    ranking: NDArray[np.int64]
    exceptional: NDArray[np.int64] | None
    pairs: Callable[[], Sequence[tuple[int, int]]]
    groups: Callable[[], Sequence[Sequence[int]]]
    changes: Callable[[str], ChangedRows]
    findings: Callable[[], Sequence[Sequence[int]]]
    marks: Callable[[], Mapping[int, str]] = dict

    def column(self, name: str) -> NDArray[np.int64]:
        """Return class indices, or whether a row is correct; -1 where that is not known."""
        column = self.table[name].cast(pa.int64()) if name == "correct" else self.table[name]
        return np.asarray(column.fill_null(-1).to_numpy(), np.int64)

    def ranked(self, rows: Rows) -> NDArray[np.int64]:
        """Return the errors among some rows, the worst first."""
        return self.ranking[rows[self.ranking]]

    def surest_right(self, class_index: int) -> NDArray[np.int64]:
        """Return the images of a class that are right, the most confident first, then by row."""
        rows = np.flatnonzero((self.column("label") == class_index) & (self.column("correct") == 1))
        confidence = self.table["confidence"].fill_null(0).to_numpy()[rows]
        return rows[np.argsort(-confidence, kind="stable")]

    def group(self, number: int) -> Sequence[int]:
        """Return the classes of a group of groups.csv.

        Raises:
            UnfitSelection: There is no such group.
        """
        groups = self.groups()
        if number > len(groups):
            raise UnfitSelection(f"selector 'group:{number}': groups.csv holds {len(groups)}")
        return groups[number - 1]

    def finding(self, number: int) -> Sequence[int]:
        """Return the rows of a finding.

        Raises:
            UnfitSelection: There is no such finding, or it is about no images.
        """
        findings = self.findings()
        if number > len(findings):
            raise UnfitSelection(
                f"selector 'finding:{number}': of findings there are {len(findings)}",
                hint="findings.csv of errlens diagnose lists them",
            )
        if not len(findings[number - 1]):
            raise UnfitSelection(
                f"selector 'finding:{number}': it is about the run, not about some of its images"
            )
        return findings[number - 1]


def selected_rows(selectors: Sequence[str], among: Selectable) -> NDArray[np.int64]:
    """Return the rows that any of the selectors means: errors as they are ranked, then the others.

    A selector is one of `errors`, `worst:N`, `A~B` (taken for one another), `A/B` (A taken for B),
    `pairs:N` (the first N of pairs.csv), `group:N`, `true:A`, `pred:A`, `correct:A`, `exceptional`,
    `fixed:RUN` (wrong there, right here), `broken:RUN` (right there, wrong here), `finding:N`,
    `row:N`, `path:GLOB`, `rows:FILE` (those of a table like worst.csv), `marked` or
    `marked:VERDICT`, or several joined by `+`: then all of them must hold, and `worst:N` are the
    worst of what the others leave.

    Raises:
        UnfitSelection: A selector is none of these, names no class, may be read in several ways or
            means no row, though there are errors.
        InputError: A file has no table of images of this run.
    """
    chosen = np.zeros(len(among.table), bool)
    for selector in selectors:
        terms = parse_selector(selector, among.classes)
        rows = meant_rows(terms, among)
        if not rows.any() and not _may_be_none(terms, among):
            raise _no_image(selector, terms, among)
        chosen |= rows
    ranked = among.ranked(chosen)
    others = np.setdiff1d(np.flatnonzero(chosen), ranked)
    return np.concatenate([ranked, others]).astype(np.int64)


def _no_image(selector: str, terms: Sequence[Term], among: Selectable) -> UnfitSelection:
    """Say that a selector means nothing; of one about classes, which images there are none of."""
    first, *others = terms
    names = [repr(among.classes[index]) for index in first.classes]
    if others or not names:
        return UnfitSelection(f"selector {selector!r} means no image of this run")
    if first.kind in _NONE_OF:
        return UnfitSelection(f"selector {selector!r}: {_NONE_OF[first.kind].format(*names)}")
    errors = parse_selector("errors", among.classes)
    wrong = [
        f"true:{among.classes[index]}+errors"
        for index in first.classes
        if meant_rows((Term("true", (index,)), *errors), among).any()
    ]
    back = f", nor {names[1]} for {names[0]}" if first.kind == "~" else ""
    return UnfitSelection(
        f"selector {selector!r}: no {names[0]} was taken for {names[1]}{back}",
        hint=f"{' and '.join(shell_line([text]) for text in wrong)} select their errors"
        if wrong
        else "",
    )


def _may_be_none(terms: Sequence[Term], among: Selectable) -> bool:
    """Tell whether it is good news that a selector means nothing: there are no such errors."""
    kinds = {term.kind for term in terms}
    none_crosses = among.exceptional is not None and not len(among.exceptional)
    nothing = not len(among.ranking) or (kinds == {"exceptional"} and none_crosses)
    nothing = nothing or "broken" in kinds
    return nothing and kinds <= {"errors", "worst", "exceptional", "broken"}


def meant_rows(terms: Sequence[Term], among: Selectable) -> Rows:
    """Return the rows for which all terms hold."""
    rows = np.ones(len(among.table), bool)
    for term in terms:
        if term.kind != "worst":
            rows &= _RULES[term.kind](term, among)
    for term in terms:
        if term.kind == "worst":
            rows = _mask(among.ranked(rows)[: term.number], among)
    return rows


def _mask(rows: NDArray[np.int64], among: Selectable) -> Rows:
    mask = np.zeros(len(among.table), bool)
    mask[rows] = True
    return mask


def _exceptional(term: Term, among: Selectable) -> Rows:
    if among.exceptional is None:
        raise UnfitSelection(
            f"selector {term.kind!r}: the run knows no superclasses",
            hint="pass --superclasses FILE to errlens confusion, or evaluate with it",
        )
    return _mask(among.exceptional, among)


def _taken_for(term: Term, among: Selectable) -> Rows:
    a, b = term.classes
    label, pred = among.column("label"), among.column("pred")
    there = (label == a) & (pred == b)
    back = (label == b) & (pred == a)
    return np.asarray(there | back if term.kind == "~" else there)


def _of_class(term: Term, among: Selectable) -> Rows:
    column = "pred" if term.kind == "pred" else "label"
    rows = among.column(column) == term.classes[0]
    return np.asarray(rows & (among.column("correct") == 1) if term.kind == "correct" else rows)


def _pairs(term: Term, among: Selectable) -> Rows:
    rows = np.zeros(len(among.table), bool)
    for ends in among.pairs()[: term.number]:
        rows |= _within(ends, among)
    return rows


def _within(classes: Sequence[int], among: Selectable) -> Rows:
    """Return the errors among some classes."""
    inside = np.isin(among.column("label"), classes) & np.isin(among.column("pred"), classes)
    return np.asarray(inside & (among.column("correct") == 0))


def _row(term: Term, among: Selectable) -> Rows:
    if term.number >= len(among.table):
        raise UnfitSelection(
            f"selector 'row:{term.number}': the last row of the run is {len(among.table) - 1}"
        )
    return _mask(np.array([term.number]), among)


def _path(term: Term, among: Selectable) -> Rows:
    """Return the images with a path, or of which it is the end, or that a glob means."""
    table, text = among.table, term.glob
    names = [table[name] for name in ("path", "sample_id") if name in table.column_names]
    same: Rows = np.any([pc.equal(column, text).to_numpy() for column in names], axis=0)
    if same.any():  # a name may hold what means something in a glob
        return same
    paths = table["path"].to_pylist()
    found = np.array([fnmatchcase(path, text) for path in paths], bool)
    return found if found.any() else np.array([text.endswith(f"/{path}") for path in paths], bool)


def _marked(term: Term, among: Selectable) -> Rows:
    marks = among.marks()
    if not marks:
        raise UnfitSelection(
            f"selector {term.kind!r}: no image of the run is marked",
            hint="mark images in the page of errlens report, and save its marks.json in the folder "
            "of the run",
        )
    rows = [row for row, verdict in marks.items() if term.verdict in ("", verdict)]
    return _mask(np.array(rows, np.int64), among)


def _rows_of_file(term: Term, among: Selectable) -> Rows:
    table = read_written_table(Path(term.file), wanted=ROW_COLUMNS)
    return _mask(np.array(table.rows_of(among.table), np.int64), among)


_RULES: Final[dict[str, Callable[[Term, Selectable], Rows]]] = {
    "errors": lambda _, among: _mask(among.ranking, among),
    "exceptional": _exceptional,
    "~": _taken_for,
    "/": _taken_for,
    "true": _of_class,
    "pred": _of_class,
    "correct": _of_class,
    "pairs": _pairs,
    "group": lambda term, among: _within(among.group(term.number), among),
    "row": _row,
    "finding": lambda term, among: _mask(np.array(among.finding(term.number)), among),
    "path": _path,
    "rows": _rows_of_file,
    "marked": _marked,
    "fixed": lambda term, among: _mask(among.changes(term.run).fixed, among),
    "broken": lambda term, among: _mask(among.changes(term.run).broken, among),
}
