"""Sentences on what was looked for, the same on terminal, page and summary."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from errlens.analysis.findings.finding import Search
from errlens.formats import count

_NAMED: Final = 3  # searches of one kind that are named; of more it is said how many
_TOGETHER: Final = {
    "slice": "properties of images and columns of the manifest",
    "repair": "changes of the input",
    "place": "kinds of places",
}


def not_found(searches: Sequence[Search]) -> list[str]:
    """Say what was looked for without finding any, and what could not be looked for.

    A column without values among many that have some is not worth a word here.

    >>> not_found([Search("slice", "dark images"), Search("repair", "turns", absent="no model")])
    ['Looked for and not found: dark images.', 'Not looked for: turns (no model).']
    """
    by_kind: defaultdict[str, list[Search]] = defaultdict(list)
    for search in searches:
        by_kind[search.kind].append(search)
    looked, enough = [], []
    absent: defaultdict[str, list[str]] = defaultdict(list)
    for kind, those in by_kind.items():
        done = [search for search in those if not search.absent]
        if not done:
            absent[those[0].absent] += [search.what for search in those[:_NAMED]]
        elif vain := [search for search in done if not search.found]:
            looked.append(_told_together(kind, vain))
            enough += [search.enough for search in vain if search.enough]
    few = f", at this sample size ({count(max(enough))} images would do)" if enough else ""
    lines = [f"Looked for and not found{few}: {'; '.join(looked)}."] if looked else []
    if parts := dict.fromkeys(search.part for search in searches if search.part):
        lines.append(f"Asked about until time was up: {'; '.join(parts)}.")
    return lines + [
        f"Not looked for: {', '.join(dict.fromkeys(what))} ({why})." for why, what in absent.items()
    ]


def _told_together(kind: str, searches: Sequence[Search]) -> str:
    names = list(dict.fromkeys(search.what for search in searches))
    if kind in _TOGETHER and len(names) > _NAMED:
        return f"{count(len(names))} {_TOGETHER[kind]}"
    return ", ".join(names)
