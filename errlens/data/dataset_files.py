"""The files that hold the images of a library's data set; where there are none, they are written.

Which file an image is shows when the data set opens it. Its class is therefore copied, and the copy
opens images by another function. The class itself and Pillow stay as they are for all others.
"""

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, SimpleNamespace
from typing import Any, Final

import PIL
from PIL import Image

from errlens.data.photos.images import known_formats
from errlens.run.disk import replacing, written_to

_KEPT_BELOW_ROOT: Final = "images that are no files are kept below --root, which must be writable"


class ImageOpener:
    """What a data set is given instead of `Image.open`: it notes which files are opened.

    Files are decoded only where it `decodes`; images within a larger file always are. Only the
    formats that errlens reads are opened, whatever is asked for.
    """

    def __init__(self) -> None:
        self.decodes = False
        self._opened: list[Path] = []

    def __call__(self, source: Any, mode: Any = "r", formats: object = None) -> Image.Image:
        """Open an image, or stand a single pixel in its place."""
        del formats
        path = source if isinstance(source, str | os.PathLike) else getattr(source, "name", None)
        if self.decodes or not isinstance(path, str | os.PathLike):
            return Image.open(source, mode, formats=known_formats())
        self._opened.append(Path(path))
        return Image.new("RGB", (1, 1))

    def items(self, dataset: Any) -> Iterator[tuple[Any, Path | None]]:
        """Yield every item of a data set, and the first file that was opened for it."""
        for index in range(len(dataset)):
            self._opened.clear()
            yield dataset[index], next(iter(self._opened), None)


def opening_by(kind: type[Any], opener: ImageOpener) -> type[Any]:
    """Return a subclass of a data set whose methods open images by another function.

    The methods, and what else the module of the class defines, are copied: the copies find the
    opener where the originals find `Image.open`.
    """
    module = vars(sys.modules[kind.__module__])
    image = SimpleNamespace(**{**vars(Image), "open": opener})
    pillow = SimpleNamespace(**{**vars(PIL), "Image": image})
    replaced: dict[int, Any] = {id(Image.open): opener, id(Image): image, id(PIL): pillow}
    names = {name: replaced.get(id(value), value) for name, value in module.items()}
    for value in (kind, *module.values()):
        if getattr(value, "__module__", None) == kind.__module__:
            if type(value) is type:
                names[value.__name__] = _subclass(value, names)
            elif isinstance(value, FunctionType):
                names[value.__name__] = _copied(value, names)
    copy: type[Any] = names[kind.__name__]
    return copy


def _subclass(kind: type[Any], names: dict[str, Any]) -> type[Any]:
    """Return a subclass with copies of the functions that a class has from its own module."""
    functions = {
        name: _copied(member, names)
        for base in reversed(kind.__mro__)
        for name, member in vars(base).items()
        if isinstance(member, FunctionType) and member.__module__ == kind.__module__
    }
    return type(kind.__name__, (kind,), {**functions, "__module__": kind.__module__})


def _copied(function: FunctionType, names: dict[str, Any]) -> FunctionType:
    copy = FunctionType(
        function.__code__, names, function.__name__, function.__defaults__, function.__closure__
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


def write_images(dataset: Any, folder: Path) -> list[Path]:
    """Write the images that a data set holds in memory to files, unless they are there already.

    Raises:
        InputError: They cannot be written.
    """
    digest = hashlib.sha256()
    for image in _images(dataset):
        digest.update(f"{image.mode} {image.size} ".encode() + image.tobytes())
    files = [folder / f"{index:05d}.png" for index in range(len(dataset))]
    stamp = folder / "sha256.txt"  # of the pixels, so that other data are not taken for these
    with written_to(folder, hint=_KEPT_BELOW_ROOT):
        if _says(stamp, digest.hexdigest()) and all(file.is_file() for file in files):
            return files
        folder.mkdir(parents=True, exist_ok=True)
        stamp.unlink(missing_ok=True)
        for image, file in zip(_images(dataset), files, strict=True):
            with replacing(file) as temporary:
                image.save(temporary, format="PNG")
        stamp.write_text(digest.hexdigest(), encoding="ascii")
    return files


def _images(dataset: Any) -> Iterator[Image.Image]:
    return (dataset[index][0] for index in range(len(dataset)))


def _says(file: Path, text: str) -> bool:
    return file.is_file() and file.read_text(encoding="ascii", errors="replace") == text
