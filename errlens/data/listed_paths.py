"""Where the files of a manifest lie, if not where their paths say at first sight.

A path is respelt, or its start left out, only where none of the files lies where the manifest says,
and most of them lie where they then should.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, islice, takewhile
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple
from urllib.parse import unquote

from errlens.data.photos.picture_kinds import SUFFIXES

_MOST_TRIED: Final = 20  # paths that speak for all
_LEAST_FOUND: Final = 0.5  # of them
_MOST_ABOVE: Final = 2  # folders above the manifest in which its files are looked for
_MOST_BELOW: Final = 200  # folders below it, and as many beside it

Respelling = Callable[[str], str]


class Placed(NamedTuple):
    """Paths as files are called, and in words what was done to them, if anything was."""

    paths: list[str]
    remark: str = ""


def placed(paths: Sequence[str], root: Path, *, is_elsewhere: bool = False) -> Placed:
    r"""Return paths as the files below a root are called.

    Args:
        paths: As the manifest has them.
        root: Where relative ones start.
        is_elsewhere: The user says that the files lie below the root, so that the start of paths
            that are of another place is left out.
    """
    tried = _spread(paths)
    if any(_exists(root, path) for path in tried) or not tried:
        return Placed([*paths])
    for remark, respell in _respellings(tried, root).items():
        if _are_there(root, map(respell, tried)):
            return Placed([respell(path) for path in paths], remark)
    if is_elsewhere:
        start = _start_of_another_place(tried, root)
        if start:
            remark = f"paths start with {start}, which is left out: their files lie below {root}"
            return Placed([_slashed(path).removeprefix(f"{start}/") for path in paths], remark)
    return Placed([*paths])


def find_roots(paths: Sequence[str], near: Path, *, most: int) -> list[Path]:
    """Return folders that the paths of a manifest may start at, those that are nearest.

    Args:
        paths: As the manifest has them; where they start on another machine does not matter.
        near: The folder of the manifest. Those below it come first, then the current folder and
            those below, those above and those beside it.
        most: How many are enough.
    """
    tried = [_slashed(path) for path in _spread(paths)]
    for folders in _folders_near(near):
        fitting = (root for root in folders if _lie_below(root, tried))
        if found := list(islice(fitting, most)):
            return found
    return []


def _lie_below(root: Path, tried: Sequence[str]) -> bool:
    return _are_there(root, tried) or bool(_start_of_another_place(tried, root))


def _spread(paths: Sequence[str]) -> Sequence[str]:
    return paths[:: max(1, len(paths) // _MOST_TRIED)][:_MOST_TRIED]


def _are_there(root: Path, paths: Iterator[str] | Sequence[str]) -> bool:
    found = [_exists(root, path) for path in paths]
    return sum(found) >= max(1, _LEAST_FOUND * len(found))


def _exists(root: Path, path: str) -> bool:
    try:
        return (root / path).is_file()
    except (OSError, ValueError):  # ValueError: a null character in the name
        return False


def _slashed(path: str) -> str:
    return path.strip().replace("\\", "/")


def _respellings(tried: Sequence[str], root: Path) -> Mapping[str, Respelling]:
    """Return ways to spell a path, by what they do, that may be what somebody meant."""
    ways: dict[str, Respelling] = {
        "blanks around paths are left out": str.strip,
        "backslashes in paths are taken for the slashes between folders": _slashed,
        "paths are read as addresses of files": lambda path: unquote(path.removeprefix("file://")),
    }
    first = root / _slashed(tried[0])
    try:
        beside = sorted(os.listdir(first.parent))  # noqa: PTH208 - names are wanted
    except (OSError, ValueError):
        return ways
    suffixes = sorted({Path(name).suffix for name in beside if Path(name).stem == first.stem})
    for suffix in suffixes if first.suffix else ():
        if suffix.lower() in SUFFIXES and suffix != first.suffix:
            ways[f"files end in {suffix}, where paths end in {first.suffix}"] = partial(
                _with_suffix, old=first.suffix, new=suffix
            )
    lacking = sorted({Path(name).suffix for name in beside if Path(name).stem == first.name})
    for suffix in lacking:
        if suffix.lower() in SUFFIXES:
            ways[f"paths lack the {suffix} of their files"] = partial(
                _with_suffix, old="", new=suffix
            )
    return ways


def _with_suffix(path: str, *, old: str, new: str) -> str:
    return _slashed(path).removesuffix(old) + new


def _start_of_another_place(tried: Sequence[str], root: Path) -> str:
    """Return the start that all paths share and without which the files lie below a root."""
    parts = [PurePosixPath(_slashed(path)).parts for path in tried]
    levels = takewhile(
        lambda level: len(set(level)) == 1, zip(*(own[:-1] for own in parts), strict=False)
    )
    shared = [level[0] for level in levels]
    for drop in range(1, len(shared) + 1):
        if _are_there(root, [str(PurePosixPath(*own[drop:])) for own in parts]):
            return str(PurePosixPath(*shared[:drop]))
    return ""


def _folders_near(folder: Path) -> Iterator[Iterator[Path]]:
    """Yield the folders below one, those below the current one, those above, and those beside."""
    for place in dict.fromkeys([folder, Path.cwd()]):
        yield chain([place], islice(_folders_below(place), _MOST_BELOW))
    yield iter(folder.parents[:_MOST_ABOVE])
    for above in folder.parents[:_MOST_ABOVE]:
        yield islice(_folders_in(above), _MOST_BELOW)


def _folders_below(folder: Path) -> Iterator[Path]:
    """Yield the folders below one, the upper ones first."""
    waiting = deque([folder])
    while waiting:
        below = _folders_in(waiting.popleft())
        waiting.extend(below)
        yield from below


def _folders_in(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(
                Path(entry.path) for entry in entries if entry.is_dir() and entry.name[0] != "."
            )
    except OSError:
        return []
