"""One process at a time: a lock that ends with the process that holds it, however that ends."""

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

PAUSE: Final = 0.05  # seconds between tries where the system cannot wait
# What file systems say that know no locks: then several writers are on their own, as ever.
_NO_LOCKS: Final = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock on a file or folder, after whoever holds it.

    The lock is a hidden file beside it, and is gone afterwards. Threads wait for each other, too.

    Args:
        path: What is written to. It need not exist; the folder it is in must.

    Raises:
        OSError: Nothing can be written beside it.
    """
    place = path.with_name(f".{path.name}.lock")
    handle = _acquired(place)
    try:
        yield
    finally:
        # Removed while it is held: whoever waits for it sees that it waited for nothing.
        if os.name != "nt":
            place.unlink(missing_ok=True)
        os.close(handle)


def _acquired(place: Path) -> int:
    """Return an open file that is locked and still the one of this name."""
    while True:
        # A link of this name leads nowhere.
        handle = os.open(place, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        try:
            _lock(handle)
            if os.name == "nt" or _is_at(handle, place):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _is_at(handle: int, place: Path) -> bool:
    """Tell whether an open file is the one of a name, which another process may have removed."""
    try:
        return os.path.samestat(os.fstat(handle), place.lstat())
    except FileNotFoundError:
        return False


def _lock(handle: int) -> None:
    """Wait until an open file is ours alone."""
    if os.name == "nt":
        _lock_on_windows(handle)
        return
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise


def _lock_on_windows(handle: int) -> None:
    import msvcrt

    while True:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            time.sleep(PAUSE)
        else:
            return
