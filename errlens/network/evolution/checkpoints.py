"""The files of weights that a training left, in the order of the numbers in their names."""

import glob
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from errlens.analysis.evolution.names import short_names
from errlens.errors import InputError, UnfitOption, nearest, some
from errlens.model.weights.files import SUFFIXES

LEAST: Final = 2  # checkpoints, to see a change


class CheckpointFile(NamedTuple):
    """A file of weights; `name` tells it from the others, `short` is what only some names have."""

    path: Path
    name: str
    short: str


def find_checkpoints(patterns: Sequence[str]) -> list[CheckpointFile]:
    """Return the files that patterns, or names of files or folders, stand for; sorted.

    Of a folder all files of weights are taken. Numbers in names count as numbers: epoch2 comes
    before epoch10.

    Raises:
        InputError: A pattern matches nothing.
        UnfitOption: There is one file alone.
    """
    found = [path for pattern in patterns for path in _matching(pattern)]
    paths = sorted(dict.fromkeys(found), key=lambda path: (_natural(str(path)), str(path)))
    if len(paths) < LEAST:
        raise UnfitOption(
            f"one checkpoint alone shows no change: {str(paths[0])!r}",
            hint=f"a pattern such as {str(paths[0].parent / ('*' + paths[0].suffix))!r} names "
            "several",
        )
    names = _distinct(paths)
    return list(map(CheckpointFile, paths, names, short_names(names)))


def _matching(pattern: str) -> list[Path]:
    pattern = str(Path(pattern).expanduser())
    path = Path(pattern)
    if path.is_dir():
        paths = [file for file in path.iterdir() if file.suffix.lower() in SUFFIXES]
    elif path.is_file():
        paths = [path]
    else:
        paths = [Path(name) for name in glob.glob(pattern, recursive=True)]  # noqa: PTH207 - absolute, too
        paths = [file for file in paths if file.is_file()]
    if not paths:
        raise _nothing(pattern)
    return paths


def _nothing(pattern: str) -> InputError:
    """Return the failure that a pattern matches nothing; its hint names what lies there."""
    folder = Path(pattern) if Path(pattern).is_dir() else Path(pattern).parent
    while glob.has_magic(str(folder)):
        folder = folder.parent
    if not folder.is_dir():
        return InputError(
            f"there is no folder {str(folder)!r}, where {pattern!r} should be",
            hint="paths start from the folder you are in",
        )
    weights = sorted(
        (file.name for file in folder.iterdir() if file.suffix.lower() in SUFFIXES),
        key=_natural,
    )
    near = sorted(nearest(Path(pattern).name, weights), key=_natural) or weights
    return InputError(
        f"--checkpoints {pattern!r} matches no file",
        hint=f"{str(folder)!r} has {some(near)}"
        if weights
        else f"{str(folder)!r} has no file of weights ({', '.join(SUFFIXES)})",
    )


def _distinct(paths: Sequence[Path]) -> list[str]:
    """Return what files are called: without folders and endings, where that tells them apart."""
    folder = os.path.commonpath([path.absolute().parent for path in paths])
    inside = [path.absolute().relative_to(folder) for path in paths]
    for names in ([path.stem for path in inside], [str(path.with_suffix("")) for path in inside]):
        if len(set(names)) == len(names):
            return names
    return list(map(str, inside))


def _natural(name: str) -> list[tuple[bool, int, str]]:
    """Return by what a name is sorted: its numbers as such.

    >>> sorted(["e10.pt", "e9.pt", "last.pt"], key=_natural)
    ['e9.pt', 'e10.pt', 'last.pt']
    """
    parts = re.split(r"([0-9]+)", name)
    return [(part.isdecimal(), int(part), "") if part.isascii() and part.isdecimal()
            else (False, 0, part) for part in parts]  # fmt: skip
