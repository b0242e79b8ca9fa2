"""The one way to say which images are meant: `errors`, `worst:20`, `Bengal~Egyptian_Mau`, ..."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import islice
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from errlens.analysis.comparison.matching import Changes
from errlens.analysis.selection.readings import joined_readings
from errlens.classes.names import ClassNames
from errlens.errors import UnfitSelection, did_you_mean, nearest, shortened

# What may stand before a colon, and whether a number or the name of a class follows.
NUMBERED: Final = ("worst", "pairs", "group", "row")
_NAMED: Final = ("true", "pred", "correct")
MOST_DIGITS: Final = 18
_ALONE: Final = ("errors", "exceptional")
_AGAINST: Final = ("fixed", "broken")  # the path of a run follows
_FREE: Final = ("path", *_AGAINST)  # what follows these may hold any letters
_MOST_READINGS: Final = 1000
_MOST_LETTERS: Final = 10_000  # of one term; a longer one means nothing
GRAMMAR: Final = (
    "errors, worst:N, A~B, A/B, pairs:N, group:N, true:A, pred:A, correct:A, exceptional, "
    "fixed:RUN, broken:RUN, row:N, path:GLOB"
)

Rows = NDArray[np.bool_]


class Term(NamedTuple):
    """One condition. `kind` is a word of the grammar, or `~` or `/` for two classes."""

    kind: str
    classes: tuple[int, ...] = ()
    number: int = 0
    glob: str = ""
    run: str = ""

    @property
    def free(self) -> str:
        """The part that may hold any letters."""
        return self.glob or self.run


@dataclass(frozen=True)
class Selectable:
    """What selections are made from.

    `table` has the columns `row` (0, 1, 2, ...), `path`, `label`, `pred`, `correct` and
    `confidence`. `ranking` holds the rows of all errors, the worst first; `exceptional` those of
    the exceptional ones, None where no superclasses are known. `pairs` and `groups` read the
    classes of pairs.csv and of groups.csv when they are asked for, `changes` what differs from the
    run at a path.
    """

    table: pa.Table
    classes: ClassNames
    ranking: NDArray[np.int64]
    exceptional: NDArray[np.int64] | None
    pairs: Callable[[], Sequence[tuple[int, int]]]
    groups: Callable[[], Sequence[Sequence[int]]]
    changes: Callable[[str], Changes]

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


def selected_rows(selectors: Sequence[str], among: Selectable) -> NDArray[np.int64]:
    """Return the rows that any of the selectors means: errors as they are ranked, then the others.

    A selector is one of `errors`, `worst:N`, `A~B` (taken for one another), `A/B` (A taken for B),
    `pairs:N` (the first N of pairs.csv), `group:N`, `true:A`, `pred:A`, `correct:A`, `exceptional`,
    `fixed:RUN` (wrong there, right here), `broken:RUN` (right there, wrong here), `row:N`,
    `path:GLOB`, or several joined by `+`: then all of them must hold, and `worst:N` are the worst
    of what the others leave.

    Raises:
        UnfitSelection: A selector is none of these, names no class, may be read in several ways or
            means no row, though there are errors.
    """
    chosen = np.zeros(len(among.table), bool)
    for selector in selectors:
        terms = parse_selector(selector, among.classes)
        rows = meant_rows(terms, among)
        if not rows.any() and not _may_be_none(terms, among):
            raise UnfitSelection(f"selector {selector!r} means no image of this run")
        chosen |= rows
    ranked = among.ranked(chosen)
    others = np.setdiff1d(np.flatnonzero(chosen), ranked)
    return np.concatenate([ranked, others]).astype(np.int64)


def _may_be_none(terms: Sequence[Term], among: Selectable) -> bool:
    """Tell whether it is good news that a selector means nothing: there are no such errors."""
    kinds = {term.kind for term in terms}
    none_crosses = among.exceptional is not None and not len(among.exceptional)
    nothing = not len(among.ranking) or (kinds == {"exceptional"} and none_crosses)
    nothing = nothing or "broken" in kinds
    return nothing and kinds <= {"errors", "worst", "exceptional", "broken"}


def pair_selector(a: str, b: str, classes: ClassNames, *, both_ways: bool = True) -> str | None:
    """Return the selector of two classes; None where their names leave more than one reading.

    Nor is there one for a name with a zero byte, which no command line can hold.

    >>> pair_selector("cat", "dog", ClassNames(("cat", "dog")))
    'cat~dog'
    """
    text = f"{a}~{b}" if both_ways else f"{a}/{b}"
    return text if "\0" not in text and len(_readings(text, classes)) == 1 else None


def run_selector(kind: str, path: str) -> str:
    """Return the selector `fixed` or `broken` of a run.

    >>> run_selector("broken", "runs/old"), run_selector("broken", "a+errors")
    ('broken:runs/old', 'broken:a+errors/')
    """
    return f"{kind}:{path}" + "/" * ("+" in path)


def parse_selector(text: str, classes: ClassNames) -> tuple[Term, ...]:
    """Return the terms of a selector.

    Separators may be part of the name of a class, where that leaves one reading. A plus belongs to
    a glob or the path of a run only where nothing else can be meant by it: the folder `a+errors` is
    written `a+errors/`.

    >>> [term.kind for term in parse_selector("cat~dog+worst:3", ClassNames(("cat", "dog")))]
    ['~', 'worst']

    Raises:
        UnfitSelection: There is no reading, or there are several.
    """
    readings = _readings(text, classes)
    if not readings:
        stripped = "+".join(piece.strip() for piece in text.split("+"))
        readings = _readings(stripped, classes)
    if len(readings) > 1:
        fewest = min(map(_free_pluses, readings))
        readings = [one for one in readings if _free_pluses(one) == fewest]
    if len(readings) == 1:
        return readings[0]
    if readings:
        shown = "; or ".join(
            " and ".join(_shown(term, classes) for term in one) for one in readings
        )
        raise UnfitSelection(f"selector {text!r} may mean several things: {shown}")
    raise _misread(text, classes)


def parse_pair(text: str, classes: ClassNames) -> tuple[int, int]:
    """Return the two classes of `A~B`.

    >>> parse_pair("cat~dog", ClassNames(("cat", "dog")))
    (0, 1)

    Raises:
        UnfitSelection: They are not two classes, or may be several twos.
    """
    readings = {term.classes: term for term in _pair_terms(text, classes) if term.kind == "~"}
    if len(readings) > 1:
        shown = "; or ".join(_shown(term, classes) for term in readings.values())
        raise UnfitSelection(f"pair {text!r} may mean several things: {shown}")
    if readings:
        ((a, b),) = readings
        return a, b
    if "~" not in text:
        raise UnfitSelection(f"pair {text!r} is not of the form A~B")
    names = text.split("~")
    unknown = next((name for name in names if classes.index(name) is None), None)
    if unknown is None:
        raise UnfitSelection(f"pair {text!r} cannot be read as two different classes")
    near = nearest(unknown, classes.names)
    raise UnfitSelection(
        f"pair {text!r}: {unknown!r} names no class",
        hint=did_you_mean(near),
    )


def _free_pluses(terms: Sequence[Term]) -> int:
    return sum(term.free.count("+") for term in terms)


def _readings(text: str, classes: ClassNames) -> list[tuple[Term, ...]]:
    """Return the ways to read a text as terms joined by plus signs, each once.

    A plus belongs to a glob or the path of a run only where there is no other reading.

    Raises:
        UnfitSelection: There are more than anybody means.
    """
    of_names = 1 + 2 * classes.most_pluses  # two names, as in A~B

    def reach(piece: str) -> int:
        return 1 if piece.partition(":")[0] in _FREE else of_names

    def farther(piece: str) -> int:
        return len(text) if piece.partition(":")[0] in _FREE else of_names

    for each in (reach, farther):
        ways = joined_readings(text, lambda word: _terms(word, classes), reach=each)
        found = list(islice(ways, _MOST_READINGS + 1))
        if len(found) > _MOST_READINGS:
            raise UnfitSelection(
                f"selector {shortened(text)!r} may mean more than {_MOST_READINGS} things"
            )
        if found:
            return list(dict.fromkeys(found))
    return []


def _terms(word: str, classes: ClassNames) -> Iterator[Term]:
    """Yield the ways to read a word as one term."""
    if len(word) > _MOST_LETTERS:
        return
    if word in _ALONE:
        yield Term(word)
    kind, _, rest = word.partition(":")
    index = classes.index(rest)
    number = int(rest) if rest.isdecimal() and len(rest) <= MOST_DIGITS else -1
    if kind in NUMBERED and number >= (0 if kind == "row" else 1):
        yield Term(kind, number=number)
    if kind in _NAMED and index is not None:
        yield Term(kind, (index,))
    if kind == "path" and rest:
        yield Term(kind, glob=rest)
    if kind in _AGAINST and rest:
        yield Term(kind, run=rest)
    yield from _pair_terms(word, classes)


def _pair_terms(word: str, classes: ClassNames) -> Iterator[Term]:
    for at, letter in enumerate(word):
        if letter in "~/":
            ends = classes.index(word[:at]), classes.index(word[at + 1 :])
            if ends[0] is not None and ends[1] is not None and ends[0] != ends[1]:
                yield Term(letter, (ends[0], ends[1]))


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


def _errors(term: Term, among: Selectable) -> Rows:
    del term
    return _mask(among.ranking, among)


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


def _group(term: Term, among: Selectable) -> Rows:
    return _within(among.group(term.number), among)


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
    paths = among.table["path"].to_pylist()
    return np.array([fnmatchcase(path, term.glob) for path in paths], bool)


def _changed(term: Term, among: Selectable) -> Rows:
    return _mask(getattr(among.changes(term.run), term.kind), among)


_RULES: Final[dict[str, Callable[[Term, Selectable], Rows]]] = {
    "errors": _errors,
    "exceptional": _exceptional,
    "~": _taken_for,
    "/": _taken_for,
    "true": _of_class,
    "pred": _of_class,
    "correct": _of_class,
    "pairs": _pairs,
    "group": _group,
    "row": _row,
    "path": _path,
    "fixed": _changed,
    "broken": _changed,
}


def _shown(term: Term, classes: ClassNames) -> str:
    """Write a term so that its names can be told apart."""
    names = [repr(classes[index]) for index in term.classes]
    if term.kind in "~/":
        return f" {term.kind} ".join(names)
    return term.kind + "".join(f":{one}" for one in (*names, term.number or "", term.free) if one)


def _misread(text: str, classes: ClassNames) -> UnfitSelection:
    """Say what is wrong with a selector that has no reading."""
    word = next((one for one in text.split("+") if not list(_terms(one, classes))), text)
    kind, colon, rest = word.partition(":")
    names = [rest] if kind in _NAMED else word.replace("~", "/").split("/") if not colon else []
    unknown = [name for name in names if classes.index(name) is None]
    if len(names) > 1 and not unknown:
        return UnfitSelection(f"selector {text!r} cannot be read as two different classes")
    if len(names) > 1 or kind in _NAMED:
        near = nearest(unknown[0], classes.names) if unknown else []
        return UnfitSelection(
            f"selector {text!r}: {unknown[0]!r} names no class",
            hint=did_you_mean(near),
        )
    if kind in NUMBERED:
        least = 0 if kind == "row" else 1
        return UnfitSelection(f"selector {text!r}: {kind} takes a whole number from {least} on")
    if kind in _AGAINST:
        return UnfitSelection(f"selector {text!r}: {kind} takes the path of a run")
    return UnfitSelection(f"selector {text!r} is no selector", hint=f"there are {GRAMMAR}")
