"""The system refuses to read or write."""

import errno
from pathlib import Path
from typing import Final

from errlens.errors.kinds import InputError

# What the system may answer through no fault of the program, whatever it was asked for.
NOT_OURS: Final = frozenset(
    {
        errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO,
        errno.ENAMETOOLONG, errno.ELOOP, errno.EISDIR, errno.ENOTDIR, errno.EMFILE, errno.ENFILE,
        errno.ESTALE,
    }
)  # fmt: skip
_ROOM: Final = "make room there, or choose another disk; then the same command does it"
_LOOK: Final = "see what stands there, and what you may do there"
_WAYS_OUT: Final[dict[int | None, str]] = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: _ROOM,
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EACCES: "choose a place where you may read and write; a run may be copied there",
    errno.EROFS: "choose a place where you may read and write; a run may be copied there",
}


class OutOfReach(InputError):
    """The system refuses to read or write: no permission, a full disk, a name that is too long."""

    def __init__(
        self,
        error: OSError,
        *,
        path: Path | None = None,
        doing: str = "read or written",
        hint: str = "",
    ) -> None:
        place = error.filename if path is None else path
        what = "a file" if place is None else repr(str(place))
        reason = (error.strerror or str(error)).lower()
        way_out = _WAYS_OUT.get(error.errno or 0, _LOOK)
        super().__init__(f"{what} cannot be {doing}: {reason}", hint=hint or way_out)
