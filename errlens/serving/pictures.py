"""Pictures on demand: photos of the images of a run, and what `errlens explain` drew of them."""

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from http import HTTPStatus
from pathlib import Path
from threading import BoundedSemaphore
from typing import Final

from PIL import Image

from errlens.data.photos.images import Unread
from errlens.data.photos.loading import available_cores
from errlens.data.photos.thumbnails import open_in_sizes
from errlens.errors import OutsideRun
from errlens.report.images.drawn import one_on_any_page
from errlens.report.images.facts import ImageFacts
from errlens.report.thumbnails import FIGURE, LARGE, WIDEST, ThumbnailCache, Wanted, as_webp
from errlens.run.disk import inside
from errlens.run.folder import RunFolder
from errlens.serving.answers import PICTURE, Answer, Refused, drawn_answer

LARGEST: Final = 1600  # pixels of the longest side
SIDES: Final = (str(LARGE), str(LARGEST))


class RunPictures:
    """Makes pictures of the rows of a run; never does a file leave as it is.

    Args:
        run: The run.
        images: Knows the file of each row.
        explained: Names of the pictures in RUN/explain that may be shown.
        figures: Where other pictures lie that may be shown, by their names.
    """

    def __init__(
        self,
        run: RunFolder,
        images: ImageFacts,
        explained: Collection[str],
        figures: Mapping[str, Path],
    ) -> None:
        self._run = run
        self._images = images
        self._explained = frozenset(explained)
        self._figures = figures
        self._cache = ThumbnailCache(run.thumbnails_folder, upright=images.turns)
        # Each holds a whole photo in memory; more at a time would not be faster.
        self._decoding: AbstractContextManager[object] = BoundedSemaphore(available_cores())

    def thumbnail(self, row: int) -> Answer:
        """Return a small picture of an image, which is kept in the run for the next time.

        Raises:
            Refused: Its file is gone, is another one by now, or no picture.
        """
        with self._decoding:
            shown = self._cache.photo(Wanted(self._images.file(row)))
        return _sent(shown if isinstance(shown, Unread) else shown.thumbnail)

    def photo(self, row: int) -> Answer:
        """Return a picture of an image, its longest side `thumbnails.LARGE` pixels at most.

        Raises:
            Refused: As above.
        """
        with self._decoding:
            shown = self._cache.photo(Wanted(self._images.file(row), large=True))
        return _sent(shown if isinstance(shown, Unread) else shown.large or shown.thumbnail)

    def whole_photo(self, row: int) -> Answer:
        """Return a picture of an image, its longest side `LARGEST` pixels at most; it is not kept.

        Raises:
            Refused: As above.
        """
        with self._decoding:
            made = open_in_sizes(
                self._images.file(row), sides=(1, LARGEST), upright=self._images.turns
            )
            return _sent(made if isinstance(made, Unread) else as_webp(Image.fromarray(made[-1])))

    def drawn(self, name: str) -> Answer:
        """Return a picture that errlens drew by its name on the page.

        Raises:
            Refused: The page shows no such picture, or it leads out of its folder.
        """
        if name in self._figures:
            return self._drawn(self._figures[name], self._run.path, widest=FIGURE, on_paper=True)
        return self._heat_map(name)

    def _heat_map(self, file: str) -> Answer:
        """Return a picture of RUN/explain by its name there."""
        if file not in self._explained:
            raise Refused(HTTPStatus.NOT_FOUND, "there is no such picture")
        folder = self._run.results_folder("explain")
        return self._drawn(folder / file, folder, widest=WIDEST)

    def _drawn(self, path: Path, folder: Path, *, widest: int, on_paper: bool = False) -> Answer:
        """Return a picture inside a folder, at most `widest` pixels wide."""
        try:
            place = inside(path, folder)
        except OutsideRun as error:
            raise Refused(HTTPStatus.NOT_FOUND, "it leads out of the run") from error
        with self._decoding:
            webp = _there(self._cache.picture(place, widest=widest))
            return drawn_answer(one_on_any_page(place, webp, widest=widest, on_paper=on_paper))


def _sent(photo: bytes | Unread) -> Answer:
    return Answer(_there(photo), PICTURE)


def _there(picture: bytes | Unread) -> bytes:
    """Return a picture, or raise the sentence why there is none."""
    if isinstance(picture, Unread):
        raise Refused(HTTPStatus.NOT_FOUND, picture.reason)
    return picture
