"""Files of a folder that is errlens's: whole or not there at all, and inside that folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from errlens.errors import InputError, OutOfReach, OutsideRun


def inside(path: Path, folder: Path) -> Path:
    """Return a path below a folder, be there anything or not, if no link leads out on the way.

    The folder itself may be a link, for somebody has named it; and so may `path`, where it leads to
    another place below the folder.

    Raises:
        OutsideRun: What is there lies elsewhere, or `path` is not below the folder at all.
    """
    try:
        leads_out = not path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # a link to itself, an impossible name
        leads_out = True
    if leads_out:
        raise OutsideRun(path, folder=folder)
    return path


@contextmanager
def written_to(place: Path, *, hint: str = "") -> Iterator[None]:
    """Turn what the system refuses inside into the failure that this place cannot be written.

    Raises:
        OutOfReach: It does.
        InputError: A name is not UTF-8: no file of errlens's can hold it.
    """
    try:
        yield
    except OSError as error:
        raise OutOfReach(error, path=place, doing="written", hint=hint) from error
    except UnicodeEncodeError as error:
        raise InputError(
            f"{str(place)!r} cannot be written: the name of a file or folder is not UTF-8",
            hint="rename it, or make a link to it that has another name",
        ) from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; what is written there becomes `path` in the end.

    Others see the file whole or not at all. A link in its place is replaced, not followed.

    Raises:
        OSError: It cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)  # it might be a link
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomically(path: Path, *, folder: Path) -> Iterator[Path]:
    """Write a file of a folder as `replacing` does, and so that it outlives a power cut.

    Raises:
        OutsideRun: A folder on the way leads out of `folder`.
        OutOfReach: It cannot be written.
    """
    inside(path.parent, folder)
    with written_to(path), replacing(path) as temporary:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())  # a rename must not outlive its contents
