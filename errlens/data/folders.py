"""Walk a folder of images once, losing no file and following no loop."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from errlens.data.photos.picture_kinds import START, is_picture_start, is_picture_suffix, suffix_of
from errlens.data.photos.regular_files import kernel_devices, read_start
from errlens.errors import InputError, shortened
from errlens.run.made_from import MADE_FROM, files_made
from errlens.run.places import OF_A_RUN

NOT_UTF8 = "file name is not UTF-8"
MOST_LEVELS = 200  # of folders in folders
_SYSTEM_FILES: Final = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"})
_LONGEST_SUFFIX: Final = 16  # what is longer belongs to one file and says nothing


class FolderScan(NamedTuple):
    """The pictures below a folder, sorted by path, and what else lay there.

    `paths` are relative to the folder, POSIX; a name that is not UTF-8 is escaped and has a
    problem. `sizes` are bytes, None for a link that leads nowhere. `top_folders` are the names of
    the folders directly below, sorted. `skipped` counts other files by suffix, and `misnamed` the
    pictures whose names do not say that they are. `made` are the folders, relative too, in which
    what errlens made was passed over: runs as a whole, else the files that a command recorded.
    """

    paths: list[str]
    sizes: list[int | None]
    problems: list[str | None]
    top_folders: tuple[str, ...]
    skipped: dict[str, int]
    misnamed: dict[str, int]
    made: tuple[str, ...] = ()


def scan_folder(folder: Path) -> FolderScan:
    """List every picture below a folder, links followed, hidden names and link loops left out.

    A picture is what its suffix or its first bytes say is one, be it of a kind that is read or not.

    Raises:
        InputError: A folder cannot be listed.
    """
    pictures: list[tuple[str, int | None, str | None]] = []
    skipped: Counter[str] = Counter()
    misnamed: Counter[str] = Counter()
    whole = folder.absolute()  # it may be a part of what a command wrote
    own = {folder / f.relative_to(whole) for f in files_made(whole.parent) if whole in f.parents}
    made = [folder] if own else []
    for entry in _files(folder, ancestors=frozenset(), own=own, made=made):
        suffix = Path(entry.name).suffix.lower()
        if not is_picture_suffix(suffix):
            has_picture = is_picture(entry.path)
            (misnamed if has_picture else skipped)[_written(suffix)] += 1
            if not has_picture:
                continue
        relative = Path(entry.path).relative_to(folder).as_posix()
        path = readable(relative)
        pictures.append((path, _size_of(entry), NOT_UTF8 if path != relative else None))
    pictures.sort(key=lambda picture: picture[0])
    below = [entry for entry in _entries(folder) if _is_folder(entry)]
    tops = {path.partition("/")[0] for path, _, _ in pictures if "/" in path}
    places = [place.relative_to(folder).as_posix() for place in made]
    emptied = {place.partition("/")[0] for place in places} - tops
    loops = {entry.name for entry in below if _identity(Path(entry.path)) == _identity(folder)}
    return FolderScan(
        [path for path, _, _ in pictures],
        [size for _, size, _ in pictures],
        [problem for _, _, problem in pictures],
        tuple(sorted(readable(entry.name) for entry in below if entry.name not in loops | emptied)),
        _most_frequent(skipped),
        _most_frequent(misnamed),
        tuple(sorted(map(readable, places))),
    )


def is_picture(path: str) -> bool:
    """Tell whether the name or the first bytes of a file say that it is a picture."""
    suffix = suffix_of(os.path.basename(path))  # noqa: PTH119 - it is done for every file
    return is_picture_suffix(suffix) or is_picture_start(read_start(path, START))


def _written(suffix: str) -> str:
    if len(suffix) > _LONGEST_SUFFIX:
        return "other suffixes"
    return readable(suffix) or "without suffix"


def _most_frequent(counts: Counter[str]) -> dict[str, int]:
    """Return counts, the largest first, a tie by name."""
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _files(
    folder: Path,
    *,
    ancestors: frozenset[tuple[int, int]],
    own: set[Path],
    made: list[Path],
) -> Iterator[os.DirEntry[str]]:
    """Yield all files below a folder; a link to a folder we are inside of is a loop.

    A link may lead anywhere, but not into what the kernel makes up. What errlens made is left out:
    `own` are its files that are known so far, and the folders are added to `made`.
    """
    if len(ancestors) == MOST_LEVELS:
        raise InputError(
            f"folder {shortened(repr(str(folder)))} is nested more than {MOST_LEVELS} levels deep"
        )
    identity = _identity(folder)
    if identity in ancestors or identity[0] in kernel_devices():
        return
    entries = _entries(folder)
    names = {entry.name for entry in entries}
    if names >= OF_A_RUN:
        made.append(folder)
        return
    if MADE_FROM in names:
        own = own | files_made(folder)
        made.append(folder)
    for entry in entries:
        if _is_folder(entry):
            inside = ancestors | {identity}
            yield from _files(Path(entry.path), ancestors=inside, own=own, made=made)
        elif not own or Path(entry.path) not in own:
            yield entry


def _identity(folder: Path) -> tuple[int, int]:
    try:
        status = folder.stat()
    except OSError as error:
        raise InputError(f"folder {str(folder)!r} cannot be entered: {error.strerror}") from error
    return status.st_dev, status.st_ino


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [
                entry
                for entry in entries
                if not entry.name.startswith(".") and entry.name.casefold() not in _SYSTEM_FILES
            ]
    except OSError as error:
        raise InputError(f"folder {str(folder)!r} cannot be listed: {error.strerror}") from error


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _size_of(entry: os.DirEntry[str]) -> int | None:
    try:
        return entry.stat().st_size
    except OSError:
        return None


def readable(name: str) -> str:
    r"""Return a name as it is, or with its undecodable bytes escaped.

    >>> print(readable("caf\udce9.jpg"))
    caf\xe9.jpg
    """
    return os.fsencode(name).decode("utf-8", "backslashreplace")
