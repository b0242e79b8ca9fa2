"""Decode images ahead of their use, on all cores and in order, with bounded memory."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from PIL import Image

from errlens.data.photos.images import Encoded, Photo, Unread, decode, read_encoded
from errlens.data.photos.oddities import Traits
from errlens.data.photos.preprocess import VERY_LONG, Preprocessing
from errlens.errors import UserCodeFailed
from errlens.predictions.table import UNREADABLE
from errlens.run.places import MAX_FILE_MB

Job = TypeVar("Job")
Result = TypeVar("Result")


def available_cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Preparation(Protocol):
    """Makes a network's input of a decoded image: `Preprocessing`, or a user's transform."""

    @property
    def image_mode(self) -> str: ...  # noqa: D102

    @property
    def exif(self) -> bool: ...  # noqa: D102

    @property
    def scale_16bit(self) -> bool: ...  # noqa: D102

    def prepare(self, image: Image.Image) -> Any: ...  # noqa: D102

    def as_dict(self) -> dict[str, Any]: ...  # noqa: D102


class Input(NamedTuple):
    """One image ready for the network; width and height are those of the photo as shown."""

    value: Any
    width: int
    height: int
    content_hash: bytes
    traits: Traits = Traits()


def open_for(preparation: Preparation, path: Path, *, max_mb: int = MAX_FILE_MB) -> Photo | Unread:
    """Read an image and decode it as a preparation wants it."""
    encoded = read_encoded(path, max_mb=max_mb)
    return encoded if isinstance(encoded, Unread) else decode_for(preparation, encoded)


def decode_for(preparation: Preparation, encoded: Encoded) -> Photo | Unread:
    """Decode an image as a preparation wants it."""
    return decode(
        encoded,
        mode=preparation.image_mode,
        exif=preparation.exif,
        scale_16bit=preparation.scale_16bit,
    )


def load_input(
    path: Path, preparation: Preparation, *, max_mb: int = MAX_FILE_MB
) -> Input | Unread:
    """Read, decode and prepare one image.

    Raises:
        UserCodeFailed: The user's preparation raised something.
    """
    photo = open_for(preparation, path, max_mb=max_mb)
    if isinstance(photo, Unread):
        return photo
    try:
        return prepare_input(photo, preparation)
    except UserCodeFailed as error:
        error.hint = f"it was given {str(path)!r}"
        raise


def prepare_input(photo: Photo, preparation: Preparation) -> Input | Unread:
    """Make a network's input of a photo that was decoded as the preparation wants it."""
    try:
        value = preparation.prepare(photo.image)
    except (ValueError, MemoryError, UserCodeFailed) as error:
        known = isinstance(preparation, Preprocessing) or isinstance(error, MemoryError)
        if not known and max(photo.image.size) < VERY_LONG * min(photo.image.size):
            raise
        # Resized for the model, a very long photo has no width left, or far too much length.
        return Unread(
            UNREADABLE, f"{photo.width} x {photo.height} pixels: {error}", photo.content_hash
        )
    return Input(value, photo.width, photo.height, photo.content_hash, photo.traits)


def in_order(
    work: Callable[[Job], Result],
    jobs: Iterable[Job],
    *,
    workers: int,
    begin: Callable[[], object] | None = None,
) -> Iterator[Result]:
    """Yield the result of each job in turn while threads work on the next few.

    Threads, not processes: Pillow and torch release the interpreter lock where the time goes, and
    nothing is copied or forked. When the consumer stops early, jobs not yet begun are dropped.

    Args:
        work: What to do with a job.
        jobs: The jobs; they are taken as they are needed.
        workers: Number of threads; at most one job more than that is held at a time.
        begin: Called once in each thread.

    >>> list(in_order(abs, [-1, 2, -3], workers=2))
    [1, 2, 3]
    """
    remaining = iter(jobs)
    pool = ThreadPoolExecutor(workers, "errlens", initializer=begin)
    try:
        window = deque(pool.submit(work, job) for job in islice(remaining, workers + 1))
        while window:
            result = window.popleft().result()
            window.extend(pool.submit(work, job) for job in islice(remaining, 1))
            yield result
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
