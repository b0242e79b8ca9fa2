"""How a table of predictions looks on the terminal."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from errlens.data.imported import ImportedPredictions
from errlens.data.labels import NO_LABEL
from errlens.data.naming import Spelling
from errlens.data.samples import Samples
from errlens.errors import some
from errlens.terminal import Screen, relative

_MOST_SHOWN: Final = 3  # names in a sentence
_DECIDE: Final = "if that is wrong, --classes FILE with the names of the classes decides"


def show_table(screen: Screen, table: ImportedPredictions, samples: Samples) -> None:
    """Say what the table holds."""
    n = len(samples)
    what = "the predicted class" if table.prob is None else "the probability of every class"
    screen.remark(
        f"found {what} of {n} image{'s' * (n != 1)}; {len(table.classes)} classes named by "
        f"{table.classes.source}"
    )
    show_spelling(screen, table.spelling)
    here = int(samples.frame["size_bytes"].notna().sum())
    screen.remark(f"{here} of the images lie in {relative(samples.root)}")
    unknown = int(table.unknown.sum())
    if unknown:
        screen.warn(f"{unknown} labels are none of the classes: not in the metrics")
    unlabelled = int((table.label == NO_LABEL).sum()) - unknown
    if unlabelled:
        screen.remark(f"{unlabelled} of them have no label: not in the metrics")
    _warn_of_repetitions(screen, table)


def show_spelling(screen: Screen, spelling: Spelling) -> None:
    """Say which names were taken for one another, and which were not though they look alike."""
    if spelling.labels:
        screen.remark(respelt_as_text(spelling.labels, what="label"))
    if spelling.preds:
        screen.remark(respelt_as_text(spelling.preds, what="predicted class"))
    if spelling.as_one:
        screen.warn(
            f"{_groups(spelling.as_one)}: taken for one class{' each' * (len(spelling.as_one) > 1)}"
            f"; {_DECIDE}"
        )
    letters = [names for names in spelling.apart if all(len(name) == 1 for name in names)]
    words = [names for names in spelling.apart if names not in letters]
    if letters:
        screen.remark(f"{_groups(letters)}: classes of their own, as they are spelt")
    if words:
        screen.warn(
            f"{_groups(words)}: classes of their own, since labels and predictions tell them "
            f"apart; {_DECIDE}"
        )


def _groups(groups: Sequence[Sequence[str]]) -> str:
    """Name groups of names.

    >>> _groups([["A", "a"], ["B", "b"], ["C", "c"], ["D", "d"]])
    "'A' and 'a', 'B' and 'b', 'C' and 'c' and 1 more"
    """
    shown = ", ".join(" and ".join(map(repr, names)) for names in groups[:_MOST_SHOWN])
    rest = len(groups) - _MOST_SHOWN
    return f"{shown} and {rest} more" if rest > 0 else shown


def respelt_as_text(count: Mapping[tuple[str, str], int], *, what: str) -> str:
    """Say how many names are spelt otherwise than their class, and how.

    >>> respelt_as_text({("Cat", "cat"): 3}, what="label")
    "3 labels are spelt otherwise than their class: 'Cat' is 'cat'"
    """
    total = sum(count.values())
    shown = ", ".join(
        f"{_told_apart(value, name)} is {name!r}" for value, name in [*count][:_MOST_SHOWN]
    )
    rest = f" and {len(count) - _MOST_SHOWN} more" if len(count) > _MOST_SHOWN else ""
    if total == 1:
        return f"1 {what} is spelt otherwise than its class: {shown}"
    plural = {"label": "labels"}.get(what, "predicted classes")
    return f"{total} {plural} are spelt otherwise than their class: {shown}{rest}"


def _told_apart(value: str, name: str) -> str:
    """Write a value so that it can be told from a name that may look the same."""
    return ascii(value) if unicodedata.normalize("NFC", value) == name else repr(value)


def _warn_of_repetitions(screen: Screen, table: ImportedPredictions) -> None:
    """Say which images stand in several rows: each row counts."""
    repeated = table.repetitions
    if not repeated.images:
        return
    rows = f"{repeated.rows} rows are about {repeated.images} image{'s' * (repeated.images != 1)}"
    screen.warn(f"{rows}, and each row counts: {some(repeated.paths, most=3)}")
    if repeated.contradicting:
        n = repeated.contradicting
        path, labels = repeated.contradiction
        screen.warn(
            f"{n} image{'s have' if n != 1 else ' has'} different labels in different rows, of "
            f"which at most one is right: {path!r} is {some(labels)}"
        )
