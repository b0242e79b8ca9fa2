"""Read ordinary files alone: no pipe that waits for ever, no device, none that fills the memory."""

import os
import stat
from functools import cache
from pathlib import Path
from typing import Final

MEGABYTE: Final = 1_000_000
_PSEUDO: Final = ("/proc/", "/sys/")  # the kernel makes up their files, and reading may wait


def read_regular(path: Path, *, max_mb: int) -> bytes:
    """Return the content of a file on a disk that is not larger than so many megabytes.

    Raises:
        OSError: It cannot be read, or must not be: it is a pipe, a device or an answer of the
            kernel, or too large.
        ValueError: There is a null character in its name.
    """
    # To open a pipe would wait for its other end, and to open a device may set it going.
    _refuse(path, path.stat(), max_mb)
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        status = os.fstat(file.fileno())
        _refuse(path, status, max_mb)  # it may be another file by now
        return file.read(status.st_size)  # and not what is written meanwhile


def read_start(path: str, length: int) -> bytes:
    """Return the first bytes of a regular file; none where it cannot be read, or should not be."""
    try:
        status = os.stat(path)  # noqa: PTH116 - it is done for every file of a folder
        if not stat.S_ISREG(status.st_mode) or _is_pseudo(path, status):
            return b""
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        try:
            return os.read(descriptor, length)
        finally:
            os.close(descriptor)
    except OSError:
        return b""


@cache
def kernel_devices() -> frozenset[int]:
    """Return what `st_dev` is of the folders that the kernel makes up: they have no end."""
    made_up = [Path(folder) for folder in _PSEUDO]
    # Where nothing is mounted there, it is a folder like others, and its device that of others.
    return frozenset(folder.stat().st_dev for folder in made_up if folder.is_mount())


def _refuse(path: Path, status: os.stat_result, max_mb: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise OSError("not a regular file")
    if _is_pseudo(os.fspath(path), status):
        raise OSError("not a file on a disk")
    if status.st_size > max_mb * MEGABYTE:
        size = status.st_size / MEGABYTE
        raise OSError(f"{size:,.0f} MB, more than --max-file-mb {max_mb}")


def _is_pseudo(path: str, status: os.stat_result) -> bool:
    """Tell whether a file has no block on any disk since the kernel makes it up."""
    return not getattr(status, "st_blocks", 1) and os.path.realpath(path).startswith(_PSEUDO)
