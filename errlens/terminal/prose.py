"""Sentences where there is little room: broken between words, but never inside of a command.

A command that is broken cannot be copied. Where a sentence does not fit into a line, each command
that it proposes gets a line of its own, however long that is.
"""

import re
from collections.abc import Iterator
from typing import Final

from rich.cells import cell_len

from errlens.terminal.words import folded

_INDENT: Final = "    "
# A command starts with its name, and is one to be typed if a word follows.
_START: Final = re.compile(r"\berrlens (?:network |atlas )?(?P<name>[a-z][a-z-]*)(?= )")
_WORD: Final = re.compile(r""" ((?:\$?'(?:\\.|[^'])*'|"[^"]*"|[^\s'"])+)""")
_ENDS: Final = ",;:?"  # a word of the sentence that has such an end is the last of its command
# The sentence goes on with one of these after a command.
_GOES_ON: Final = frozenset(
    {
        "and",
        "does",
        "explains",
        "finds",
        "fits",
        "for",
        "goes",
        "holds",
        "is",
        "knows",
        "lists",
        "makes",
        "or",
        "says",
        "shows",
        "takes",
        "tells",
        "to",
        "with",
    }
)


def lines_of(text: str, width: int) -> list[str]:
    r"""Break a text that is too wide between its words; commands in it stay whole.

    >>> text = "no such run; errlens evaluate my photos --model resnet50 makes one"
    >>> print("\n".join(lines_of(text, 40)))
    no such run;
        errlens evaluate my photos --model resnet50
    makes one
    """
    if cell_len(text) <= width:
        return [text]
    lines, end = [], 0
    for start, stop in _commands(text):
        lines += _prose(text[end:start], width)
        lines.append(_INDENT + text[start:stop])
        end = stop
    return lines + _prose(text[end:].lstrip(_ENDS), width)


def commands_in(text: str) -> list[str]:
    """Return the commands that a text proposes.

    >>> commands_in("errlens explain RUN --list tells which; errlens report is for the page")
    ['errlens explain RUN --list']
    """
    return [text[start:stop] for start, stop in _commands(text)]


def _prose(text: str, width: int) -> list[str]:
    return folded(text.strip(), width) if text.strip() else []


def _commands(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each command starts and ends."""
    at = 0
    while start := _START.search(text, at):
        end = at = start.end()
        while start["name"] not in _GOES_ON and (word := _WORD.match(text, at)):
            if word[1] in _GOES_ON:
                break
            at = word.end()
            end = at - (word[1][-1] in _ENDS)
            if end < at:
                break
        if end > start.end():
            yield start.start(), end
