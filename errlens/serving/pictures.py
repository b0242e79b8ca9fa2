"""Pictures on demand: photos of the images of a run, and what `errlens explain` drew of them."""

from collections.abc import Collection
from contextlib import AbstractContextManager
from http import HTTPStatus
from pathlib import Path
from threading import BoundedSemaphore
from typing import Final

from PIL import Image

from errlens.data.photos.images import ImageFile, Unread
from errlens.data.photos.loading import available_cores
from errlens.data.photos.thumbnails import open_thumbnail
from errlens.errors import OutsideRun
from errlens.predictions.table import Predictions
from errlens.report.thumbnails import SIDE, WIDEST, ThumbnailCache, as_webp
from errlens.run.disk import inside
from errlens.run.folder import RunFolder
from errlens.serving.answers import PICTURE, Answer, Refused

LARGE: Final = 512  # pixels of the longest side
LARGEST: Final = 1600
SIDES: Final = (str(LARGE), str(LARGEST))


class RunPictures:
    """Makes pictures of the rows of a run; never does a file leave as it is.

    Args:
        run: The run.
        images: Of all its rows, with `path` and `content_hash`.
        root: Where the photos lie.
        explained: Names of the pictures in RUN/explain that may be shown.
    """

    def __init__(
        self, run: RunFolder, images: Predictions, root: Path, explained: Collection[str]
    ) -> None:
        self._run = run
        self._paths, self._hashes = (images.table[name] for name in ("path", "content_hash"))
        self._root = root
        self._explained = frozenset(explained)
        self._cache = ThumbnailCache(run.thumbnails_folder)
        self._max_mb = run.info.max_file_mb
        # Each holds a whole photo in memory; more at a time would not be faster.
        self._decoding: AbstractContextManager[object] = BoundedSemaphore(available_cores())

    def thumbnail(self, row: int) -> Answer:
        """Return a small picture of an image, which is kept in the run for the next time.

        Raises:
            Refused: Its file is gone, is another one by now, or no picture.
        """
        with self._decoding:
            return _sent(self._cache.thumbnail(self._file(row), side=SIDE))

    def photo(self, row: int, side: int) -> Answer:
        """Return a picture of an image, its longest side `side` pixels at most.

        Raises:
            Refused: As above.
        """
        with self._decoding:
            made = open_thumbnail(self._file(row), side=side)
            if isinstance(made, Unread):
                return _sent(made)
            return _sent(as_webp(Image.fromarray(made.shown)))

    def heat_map(self, file: str) -> Answer:
        """Return a picture of RUN/explain by its name there.

        Raises:
            Refused: The index there does not name it, or it leads out of the folder.
        """
        if file not in self._explained:
            raise Refused(HTTPStatus.NOT_FOUND, "there is no such picture")
        folder = self._run.results_folder("explain")
        try:
            place = inside(folder / file, folder)
        except OutsideRun as error:
            raise Refused(HTTPStatus.NOT_FOUND, "it leads out of the run") from error
        with self._decoding:
            return _sent(self._cache.picture(place, widest=WIDEST))

    def _file(self, row: int) -> ImageFile:
        path = self._root / self._paths[row].as_py()
        return ImageFile(path, self._hashes[row].as_py(), self._max_mb)


def _sent(picture: bytes | Unread) -> Answer:
    """Return a picture, or the sentence why there is none."""
    if isinstance(picture, Unread):
        raise Refused(HTTPStatus.NOT_FOUND, picture.reason)
    return Answer(picture, PICTURE)
