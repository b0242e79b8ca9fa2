"""Selectors as they are written: `errors`, `worst:20`, `Bengal~Egyptian_Mau`, ..."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import PurePath
from typing import Final, NamedTuple, get_args

from errlens.analysis.selection.readings import joined_readings
from errlens.choices import Verdict
from errlens.classes.names import ClassNames
from errlens.classes.spelling import folded
from errlens.errors import UnfitSelection, did_you_mean, nearest, shortened, which_of
from errlens.escapes import shell_line

# What may stand before a colon, and whether a number or the name of a class follows.
NUMBERED: Final = ("worst", "pairs", "group", "row", "finding")
_NAMED: Final = ("true", "pred", "correct")
_LIKE: Final = {"worst": 5}  # a number to begin with, where it is not the least
MOST_DIGITS: Final = 18
_ALONE: Final = ("errors", "exceptional", "marked")
_VERDICTS: Final = {folded(verdict): verdict for verdict in get_args(Verdict)}
_AGAINST: Final = ("fixed", "broken")  # the path of a run follows
_FREE: Final = ("path", "rows", *_AGAINST)  # what follows these may hold any letters
_GIVEN_IN_WORDS: Final = re.compile(r"(worst|pairs|group|row|finding) +(\d+)")  # as people say it
_PAIR_SIGNS: Final = {"~": "~", "/": "/", "->": "/", "\u2192": "/"}  # as written, and as printed
_PAIR_SIGN: Final = re.compile("|".join(map(re.escape, _PAIR_SIGNS)))
_MOST_READINGS: Final = 1000
_MOST_LETTERS: Final = 10_000  # of one term; a longer one means nothing
GRAMMAR: Final = (
    "errors, worst:N, A~B, A/B, pairs:N, group:N, true:A, pred:A, correct:A, exceptional, "
    "fixed:RUN, broken:RUN, finding:N, row:N, path:GLOB, rows:FILE, marked, marked:VERDICT"
)


class Term(NamedTuple):
    """One condition. `kind` is a word of the grammar, or `~` or `/` for two classes."""

    kind: str
    classes: tuple[int, ...] = ()
    number: int = 0
    glob: str = ""
    run: str = ""
    file: str = ""
    verdict: str = ""

    @property
    def free(self) -> str:
        """The part that may hold any letters."""
        return self.glob or self.run or self.file


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
        readings = [reading for reading in readings if _free_pluses(reading) == fewest]
    if len(readings) == 1:
        return readings[0]
    if readings:
        shown = "; or ".join(
            " and ".join(_shown(term, classes) for term in reading) for reading in readings
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
    unknown = next((name for name in names if classes.called(name) is None), None)
    if unknown is None:
        raise UnfitSelection(f"pair {text!r} cannot be read as two different classes")
    raise UnfitSelection(
        f"pair {text!r}: {unknown!r} names no class", hint=which_of(unknown, classes.names)
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
        readings = list(islice(ways, _MOST_READINGS + 1))
        if len(readings) > _MOST_READINGS:
            raise UnfitSelection(
                f"selector {shortened(text)!r} may mean more than {_MOST_READINGS} things"
            )
        if readings:
            return list(dict.fromkeys(readings))
    return []


def _terms(word: str, classes: ClassNames) -> Iterator[Term]:
    """Yield the ways to read a word as one term."""
    if len(word) > _MOST_LETTERS:
        return
    if word in _ALONE:
        yield Term(word)
    if said := _GIVEN_IN_WORDS.fullmatch(word):
        word = f"{said[1]}:{said[2]}"
    kind, _, rest = word.partition(":")
    if kind in NUMBERED:
        yield from _numbered_terms(kind, rest.strip())
    if kind in _NAMED and (index := classes.called(rest)) is not None:
        yield Term(kind, (index,))
    if kind == "marked" and folded(rest) in _VERDICTS:
        yield Term(kind, verdict=_VERDICTS[folded(rest)])
    if kind in _FREE and rest:
        glob, file = rest * (kind == "path"), rest * (kind == "rows")
        yield Term(kind, glob=glob, file=file, run=rest * (kind in _AGAINST))
    yield from _pair_terms(word, classes)


def _numbered_terms(kind: str, digits: str) -> Iterator[Term]:
    number = int(digits) if digits.isdecimal() and len(digits) <= MOST_DIGITS else -1
    if number >= (0 if kind == "row" else 1):
        yield Term(kind, number=number)


def _pair_terms(word: str, classes: ClassNames) -> Iterator[Term]:
    for at in range(len(word)):
        for sign, kind in _PAIR_SIGNS.items():
            if word.startswith(sign, at):
                names = word[:at], word[at + len(sign) :]
                a, b = (classes.called(name) for name in names)
                if a is not None and b is not None and a != b:
                    yield Term(kind, (a, b))


def _shown(term: Term, classes: ClassNames) -> str:
    """Write a term so that its names can be told apart."""
    names = [repr(classes[index]) for index in term.classes]
    if term.kind in "~/":
        return f" {term.kind} ".join(names)
    parts = (*names, term.number or "", term.verdict, term.free)
    return term.kind + "".join(f":{part}" for part in parts if part)


def _misread(text: str, classes: ClassNames) -> UnfitSelection:
    """Say what is wrong with a selector that has no reading."""
    word = next((word for word in text.split("+") if not [*_terms(word, classes)]), text)
    kind, colon, rest = word.partition(":")
    names = [rest] if kind in _NAMED else _PAIR_SIGN.split(word) if not colon else []
    unknown = [name for name in names if classes.called(name) is None]
    if len(names) > 1 and not unknown:
        return UnfitSelection(f"selector {text!r} cannot be read as two different classes")
    if kind in _NAMED and not rest:
        return UnfitSelection(
            f"selector {text!r}: {kind} takes the name of a class",
            hint=did_you_mean([_quoted(f"{kind}:{name}") for name in classes.names[:3]]),
        )
    if len(names) > 1 or kind in _NAMED:
        return UnfitSelection(
            f"selector {text!r}: {unknown[0]!r} names no class",
            hint=f"path:{word} selects the image of this path"
            if PurePath(word).suffix and "~" not in word
            else which_of(unknown[0], classes.names),
        )
    if kind in NUMBERED:
        least = 0 if kind == "row" else 1
        return UnfitSelection(
            f"selector {text!r}: {kind} takes a whole number from {least} on",
            hint=did_you_mean([f"{kind}:{_LIKE.get(kind, least)}"]),
        )
    if kind in _AGAINST:
        return UnfitSelection(f"selector {text!r}: {kind} takes the path of a run")
    if kind == "marked":
        return UnfitSelection(
            f"selector {text!r}: marked takes a verdict",
            hint=did_you_mean(
                [f"marked:{verdict.replace(' ', '-')}" for verdict in _verdicts_like(rest)]
            ),
        )
    if kind == "rows":
        return UnfitSelection(f"selector {text!r}: rows takes the path of a table like worst.csv")
    return UnfitSelection(
        f"selector {text!r} is no selector",
        hint=did_you_mean([*map(_quoted, _meant(word, classes))], f"there are {GRAMMAR}"),
    )


def _meant(word: str, classes: ClassNames) -> list[str]:
    """Return the selectors that a word may stand for that is none: of a class, or spelt alike."""
    kind, colon, rest = word.partition(":")
    index = classes.called(word)
    if index is not None:
        near = [classes[index]]
    elif colon:
        known = (*NUMBERED, *_NAMED, *_FREE)
        return [f"{kind}:{rest}" for kind in nearest(kind, known, most=1)]
    else:
        near = nearest(word, (*_ALONE, *classes.names), most=1)
    if {*near} <= {*_ALONE}:
        return near
    return [f"{kind}:{name}" for name in near for kind in ("true", "pred")]


def _verdicts_like(word: str) -> list[str]:
    return nearest(word, _VERDICTS.values()) or [*_VERDICTS.values()]


def _quoted(selector: str) -> str:
    return shell_line([selector])
