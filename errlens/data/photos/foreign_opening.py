"""Stand-ins for `Image.open` while the code of others opens images by it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from PIL import Image

from errlens.data.photos.images import known_formats

Open = Callable[..., Image.Image]


def only_images() -> Open:
    """Return `Image.open` for the formats that are read here, whatever it is asked for."""
    really_open = Image.open

    def open_image(source: Any, mode: Any = "r", formats: object = None) -> Image.Image:
        del formats
        return really_open(source, mode, formats=known_formats())

    return open_image


@contextmanager
def opened_by(opener: Open) -> Iterator[None]:
    """Give another opener to whoever opens an image by Pillow."""
    really_open = Image.open
    Image.open = opener  # type: ignore[assignment]
    try:
        yield
    finally:
        Image.open = really_open
