"""Sentences on what was looked for, the same on terminal, page and summary."""

from collections.abc import Sequence

from errlens.analysis.findings.finding import Search
from errlens.formats import count


def not_found(searches: Sequence[Search]) -> list[str]:
    """Say what was looked for without finding any, and what could not be looked for.

    >>> not_found([Search("slice", "dark images"), Search("repair", "turns", absent="no model")])
    ['Looked for and not found: dark images.', 'Not looked for: turns (no model).']
    """
    looked = [search for search in searches if not search.absent and not search.found]
    lines = []
    if looked:
        enough = [search.enough for search in looked if search.enough]
        few = f", at this sample size; {count(max(enough))} images would do" if enough else ""
        lines.append(f"Looked for and not found{few}: {_listed(looked)}.")
    absent: dict[str, list[Search]] = {}
    for search in searches:
        if search.absent:
            absent.setdefault(search.absent, []).append(search)
    lines += [f"Not looked for: {_listed(those)} ({why})." for why, those in absent.items()]
    return lines


def _listed(searches: Sequence[Search]) -> str:
    return ", ".join(dict.fromkeys(search.what for search in searches))
