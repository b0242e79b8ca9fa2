"""What is said where names are spelt in more than one way."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from errlens.commands.showing import first_few
from errlens.formats import counted
from errlens.imported.naming import Spelling
from errlens.terminal import Screen

_MOST_SHOWN: Final = 3  # names in a sentence
_DECIDE: Final = "if that is wrong, --classes FILE says which names are classes"


def show_spelling(screen: Screen, spelling: Spelling) -> None:
    """Say which spellings were taken for one class, and which were not though they look alike."""
    if spelling.labels:
        screen.remark(respelt_as_text(spelling.labels, what="label"))
    if spelling.preds:
        screen.remark(respelt_as_text(spelling.preds, what="prediction"))
    if spelling.as_one:
        each = " each" if len(spelling.as_one) > 1 else ""
        screen.warn(f"{_groups(spelling.as_one)} are taken for one class{each}; {_DECIDE}")
    letters = [names for names in spelling.apart if all(len(name) == 1 for name in names)]
    words = [names for names in spelling.apart if names not in letters]
    if letters:
        screen.remark(f"{_groups(letters)}: classes of their own, for they are spelt differently")
    if words:
        screen.warn(
            f"{_groups(words)}: classes of their own, since labels and predictions tell them "
            f"apart; {_DECIDE}"
        )


def _groups(groups: Sequence[Sequence[str]]) -> str:
    """Write groups of names, the first few.

    >>> _groups([["A", "a"], ["B", "b"], ["C", "c"], ["D", "d"]])
    "'A' and 'a', 'B' and 'b', 'C' and 'c' and 1 more"
    """
    return first_few([" and ".join(map(repr, names)) for names in groups], _MOST_SHOWN)


def respelt_as_text(spellings: Mapping[tuple[str, str], int], *, what: str) -> str:
    """Say how many labels or predictions are spelt otherwise than their class, and how.

    >>> respelt_as_text({("Cat", "cat"): 3}, what="label")
    "3 labels are spelt otherwise than their class: 'Cat' is 'cat'"
    """
    total = sum(spellings.values())
    verb, their = ("is", "its") if total == 1 else ("are", "their")
    pairs = [f"{_told_apart(value, name)} is {name!r}" for value, name in spellings]
    return (
        f"{counted(total, what)} {verb} spelt otherwise than {their} class: "
        f"{first_few(pairs, _MOST_SHOWN)}"
    )


def _told_apart(value: str, name: str) -> str:
    """Write a value so that it can be told from a name that may look the same."""
    return ascii(value) if unicodedata.normalize("NFC", value) == name else repr(value)
