"""All photos measured: on all cores, in order, and none that is known already."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

import pandas as pd

from errlens.data.photos.images import ImageFile, Unread, quiet_pillow
from errlens.data.photos.loading import available_cores, in_order
from errlens.data.photos.preprocess import Preprocessing
from errlens.data.properties.photo import Measuring
from errlens.data.properties.table import PROPERTY_COLUMNS, frame_of
from errlens.predictions.table import OK, UNREADABLE

PART: Final = 4096  # files in each table of `measured_parts`
_AT_A_TIME: Final = 8  # files that a thread takes: those of tiny images take less than a handover

_Row = int | Mapping[str, Any]  # of the known table, or what was measured


def measure(
    files: Sequence[ImageFile],
    *,
    as_fed: Preprocessing | None = None,
    known: pd.DataFrame | None = None,
    workers: int | None = None,
    progress: Callable[[int], None] = lambda _files: None,
) -> pd.DataFrame:
    """Measure the properties of photos; see `measured_parts`."""
    parts = measured_parts(files, as_fed=as_fed, known=known, workers=workers, progress=progress)
    return pd.concat([frame_of([]), *parts], ignore_index=True)


def measured_parts(
    files: Sequence[ImageFile],
    *,
    as_fed: Preprocessing | None = None,
    known: pd.DataFrame | None = None,
    workers: int | None = None,
    progress: Callable[[int], None] = lambda _files: None,
) -> Iterator[pd.DataFrame]:
    """Measure the properties of photos, a table for each few thousand.

    Whoever writes down each table as it comes loses no more than the last when interrupted, and
    gives them all back as `known`.

    Args:
        files: The photos; one that is another file by now, as its hash tells, is not measured.
        as_fed: How the network is fed them: its size and crop decide about sharpness, and how it
            reads them about everything. By default they are measured as a person sees them.
        known: What was measured earlier. A photo of the same content is not measured again, and its
            file not even opened where its hash is known. What was measured for another `as_fed`
            is not used.
        workers: Threads; by default one a core.
        progress: Told how many more files are done.

    Yields:
        One row a file, in order, with the columns of `PROPERTY_COLUMNS`: numbers are float64,
        missing ones nan; truths "boolean"; texts "str"; hashes and pictures bytes or None. Of a
        file that is not ok all is missing but its status, and why.
    """
    measuring = Measuring(as_fed)
    if known is not None and not {*PROPERTY_COLUMNS.names} <= {*known}:
        known = None  # an older table
    places = {} if known is None else _places(known, measuring.measured_as)
    work = partial(_measured, measuring=measuring, places=places)
    for start in range(0, len(files), PART):
        part = files[start : start + PART]
        rows = [
            None if file.content_hash is None else places.get(file.content_hash) for file in part
        ]
        unknown = [file for file, row in zip(part, rows, strict=True) if row is None]
        progress(len(part) - len(unknown))
        few = [unknown[at : at + _AT_A_TIME] for at in range(0, len(unknown), _AT_A_TIME)]
        measured: list[_Row] = []
        with quiet_pillow():
            for done in in_order(work, few, workers=workers or available_cores()):
                measured += done
                progress(len(done))
        found = iter(measured)
        yield _joined([next(found) if row is None else row for row in rows], known)


def _places(known: pd.DataFrame, measured_as: str) -> dict[bytes, int]:
    """Return where in a table each photo stands that was measured in the same way.

    A file that could not be read then is tried again.
    """
    usable = (known["status"] == OK) & (known["measured_as"] == measured_as)
    hashes: list[bytes] = known.loc[usable, "content_hash"].tolist()
    return dict(zip(hashes, usable.to_numpy(bool).nonzero()[0].tolist(), strict=True))


def _measured(
    files: Sequence[ImageFile], measuring: Measuring, places: Mapping[bytes, int]
) -> list[_Row]:
    return [_measured_one(file, measuring, places) for file in files]


def _measured_one(file: ImageFile, measuring: Measuring, places: Mapping[bytes, int]) -> _Row:
    try:
        encoded = file.read()
        if isinstance(encoded, Unread):
            return _unread(encoded.status, encoded.reason, None)
        if encoded.content_hash in places:
            return places[encoded.content_hash]
        found = measuring.measure(encoded)
    except MemoryError:
        return _unread(UNREADABLE, "too large for the memory that is left", file.content_hash)
    if isinstance(found, Unread):
        return _unread(found.status, found.reason, found.content_hash)
    return found


def _unread(status: str, why: str, content_hash: bytes | None) -> dict[str, Any]:
    return {"content_hash": content_hash, "status": status, "why": why}


def _joined(rows: Sequence[_Row], known: pd.DataFrame | None) -> pd.DataFrame:
    """Return a table of what was measured and what was known, in order."""
    measured = [row for row in rows if not isinstance(row, int)]
    found = frame_of(measured)
    if known is None or len(measured) == len(rows):
        return found
    taken = known[PROPERTY_COLUMNS.names].iloc[[row for row in rows if isinstance(row, int)]]
    both = pd.concat([taken.astype(found.dtypes), found], ignore_index=True)
    # Those known stand first, in the order of the files as well.
    of_known, of_measured = iter(range(len(taken))), iter(range(len(taken), len(both)))
    order = [next(of_known if isinstance(row, int) else of_measured) for row in rows]
    joined: pd.DataFrame = both.iloc[order].reset_index(drop=True)
    return joined
