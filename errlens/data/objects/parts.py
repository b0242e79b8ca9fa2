"""Where parts lie in photos, such as a head or an eye: boxes from a table or from outlines."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, Final, NamedTuple

from errlens.data.objects.outline_files import PART_BOX, checked_size, first_known, parsed_outlines
from errlens.data.photos.preprocess import Box
from errlens.data.tables import TABLE_SUFFIXES, read_table, texts
from errlens.errors import InputError, NoImages, shortened, some
from errlens.formats import counted

COLUMNS: Final = ("path", "part", "x", "y", "width", "height")
# What the part is called whose box a file of outlines has, by the key that has it.
_NAMES: Final = {"part_box": "part", "head_box_xyxy": "head"}


class PartBox(NamedTuple):
    """A box in a photo: left, top, right, bottom in pixels.

    `size` is that of the photo, width and height, as it is given to be resized. Without one, the
    pixels are those of the photo as it is stored, before it is turned as EXIF says.
    """

    box: Box
    size: tuple[int, int] | None = None


@dataclass(frozen=True)
class Parts:
    """Boxes of parts, by what a file calls an image and by the name of the part."""

    names: Sequence[str]
    by_image: Mapping[str, Mapping[str, PartBox]]
    source: Path

    def of(self, images: Sequence[tuple[str, str]]) -> list[Mapping[str, PartBox]]:
        """Return the boxes of each image, by part; none of an image that the file does not name.

        A file may name an image by its id, its path, the end of its path, or with folders above it.

        Args:
            images: The sample_id and the path of each, shape (n,).

        Raises:
            InputError: A name is that of several images, or an image has several names.
            NoImages: The file names none of them.
        """
        called: dict[int, str] = {}
        for name, meant in self._meant(images).items():
            if len(meant) > 1:
                several = some(sorted(images[at][1] for at in meant))
                raise InputError(
                    f"{self.source}: {name!r} may be any of {several}",
                    hint="name images by their path below the folder of the data",
                )
            for at in meant:
                other = called.setdefault(at, name)
                if other != name:
                    raise InputError(
                        f"{self.source}: {images[at][1]!r} is called {other!r} and {name!r}"
                    )
        if not called:
            raise NoImages(
                f"{self.source} has boxes of {counted(len(self.by_image), 'image')}, such as "
                f"{next(iter(self.by_image), '')!r}, but of none asked about, such as "
                f"{images[0][1]!r}"
            )
        return [self.by_image[called[at]] if at in called else {} for at in range(len(images))]

    def _meant(self, images: Sequence[tuple[str, str]]) -> dict[str, set[int]]:
        """Return the places of the images that each name of the file may be of."""
        whole, ends = defaultdict(set), defaultdict(set)
        for at, (sample_id, path) in enumerate(images):
            whole[sample_id].add(at)
            whole[path].add(at)
            for end in _ends(path):
                ends[end].add(at)

        def longer(name: str) -> set[int]:
            return next((whole[end] for end in _ends(name) if end in whole), set())

        return {name: whole.get(name) or ends.get(name) or longer(name) for name in self.by_image}


def read_parts(path: Path) -> Parts:
    """Read boxes of parts: a table with the columns of `COLUMNS`, or outlines with a box each.

    Raises:
        MissingInput: There is no such file.
        BadPredictions: A table cannot be read.
        InputError: It has other columns, or a box is none.
    """
    is_table = path.suffix.lower() in TABLE_SUFFIXES
    parts = _of_table(path) if is_table else _of_outlines(path)
    if not parts.names:
        raise InputError(f"{path} has no box of a part ({' or '.join(map(repr, PART_BOX))})")
    return parts


def _of_table(path: Path) -> Parts:
    table = read_table(path, wanted=COLUMNS, what="--parts")
    missing = [name for name in COLUMNS if name not in table.column_names]
    if missing:
        raise InputError(
            f"{path} has no column {some(missing)}",
            hint=f"its columns are {', '.join(COLUMNS)}, in pixels of the photo as it is stored",
        )
    by_image: dict[str, dict[str, PartBox]] = defaultdict(dict)
    rows = zip(*(texts(table, name) for name in COLUMNS), strict=True)
    for number, (image, part, *numbers) in enumerate(rows, 1):
        if not any((image, part, *numbers)):
            continue
        where = f"{path}, row {number}"
        if image is None or part is None:
            raise InputError(f"{where}: it has no {'path' if image is None else 'part'}")
        if part in by_image[image]:
            raise InputError(
                f"{where}: {image!r} has a second {part!r}",
                hint="call them by names of their own, such as left_eye and right_eye",
            )
        by_image[image][part] = PartBox(_box_of(numbers, where))
    names = dict.fromkeys(part for boxes in by_image.values() for part in boxes)
    return Parts(list(names), dict(by_image), path)


def _box_of(numbers: Sequence[str | None], where: str) -> Box:
    try:
        x, y, width, height = (float(number or "") for number in numbers)
    except ValueError:
        x = y = width = height = 0.0
    if not (all(map(isfinite, (x, y))) and 0 < width < 1e9 and 0 < height < 1e9):
        written = ", ".join("nothing" if number is None else number for number in numbers)
        raise InputError(
            f"{where}: x, y, width and height must be numbers, the last two above 0, not "
            f"{shortened(written)}"
        )
    return x, y, x + width, y + height


def _of_outlines(path: Path) -> Parts:
    outlines = parsed_outlines(path, what="--parts")
    by_image: dict[str, dict[str, PartBox]] = {}
    names: dict[str, None] = {}
    for image, outline in outlines.items():
        key, corners = first_known(outline, PART_BOX)
        if corners is None:
            continue
        part = _NAMES[key]
        by_image[image] = {part: _outlined(outline, corners, f"{path}: the box of {image!r}")}
        names[part] = None
    return Parts(list(names), by_image, path)


def _outlined(outline: Mapping[str, Any], corners: Any, where: str) -> PartBox:
    try:
        size = checked_size(int(outline["width"]), int(outline["height"]))
        left, top, right, bottom = (float(corner) for corner in corners)
        if not (all(map(isfinite, (left, top))) and left < right < 1e9 and top < bottom < 1e9):
            raise ValueError(f"no box: {corners}")
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{where} is none: {shortened(repr(error))}") from error
    return PartBox((left, top, right, bottom), size)


def _ends(path: str) -> Iterator[str]:
    """Yield a path without the first of its folders, without the first two, and so on."""
    while "/" in path:
        _, _, path = path.partition("/")
        yield path
