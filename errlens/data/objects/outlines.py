"""Where the object of an image is, from outlines or mask images, brought to the image as fed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Final, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from errlens.data.folders import scan_folder
from errlens.data.objects.outline_files import (
    PART_BOX,
    POLYGONS,
    checked_size,
    first_known,
    parsed_outlines,
)
from errlens.data.photos.images import Photo, Unread, open_photo, quiet_pillow
from errlens.data.photos.loading import Preparation, open_for
from errlens.data.photos.picture_kinds import SUFFIXES, suffix_of
from errlens.data.photos.preprocess import Preprocessing
from errlens.errors import InputError, UnfitOption, shortened
from errlens.run.places import MAX_FILE_MB

WHITE: Final = 128  # the least grey value, of 255, that marks the object in a mask

Entry = TypeVar("Entry")


class Regions(NamedTuple):
    """Shares of each pixel as fed that lie in the object and in a part of it, (height, width).

    The part is a head where outlines are those of animals, and `head` its name in tables.

    None where the file does not say.
    """

    object: NDArray[np.float32] | None
    head: NDArray[np.float32] | None


class RegionSource(Protocol):
    """Knows where the objects of images are."""

    def regions(self, path: str, preprocessing: Preprocessing) -> Regions | None:
        """Return the regions of an image as fed; None where there is nothing about the image.

        A path may be known with the folders above it.

        Raises:
            InputError: What there is about the image cannot be used.
        """


@dataclass(frozen=True)
class Outlines:
    """Outlines of images by path: `width`, `height`, `polygons` and `part_box` of each.

    Polygons are lists of x, y, x, y ... in pixels of the photo; a box is left, top, right, bottom.
    """

    by_path: Mapping[str, Mapping[str, Any]]
    source: Path

    def regions(self, path: str, preprocessing: Preprocessing) -> Regions | None:
        """Return the regions of an image as fed; None where the file has no outline of it.

        Raises:
            InputError: The outline is none.
        """
        outline = _known(self.by_path, path)
        if outline is None:
            return None
        try:
            size = checked_size(int(outline["width"]), int(outline["height"]))
            (_, polygons), (_, box) = (first_known(outline, each) for each in (POLYGONS, PART_BOX))
            return Regions(
                _filled(size, polygons, preprocessing) if polygons else None,
                _filled(size, [_corners(box)], preprocessing) if box else None,
            )
        except (
            KeyError, TypeError, ValueError, AttributeError, OverflowError, MemoryError,
        ) as error:  # fmt: skip
            raise InputError(
                f"{self.source}: the outline of {path!r} is none: {shortened(repr(error))}"
            ) from error


@dataclass(frozen=True)
class MaskImages:
    """Pictures of the photos' shapes that are white where the object is and black elsewhere.

    `by_stem` has the file of a mask for the path of its photo without the suffix; `photos` is the
    folder that the paths of photos start from.
    """

    by_stem: Mapping[str, Path]
    photos: Path
    max_mb: int = MAX_FILE_MB

    def regions(self, path: str, preprocessing: Preprocessing) -> Regions | None:
        """Return the regions of an image as fed; None without a mask, or without the photo.

        A mask that is black all over marks no object: there is none, rather than one of no size.

        Raises:
            InputError: The mask cannot be read, is not white on black, or not of the photo's shape.
        """
        source = _known(self.by_stem, _stem(path))
        if source is None:
            return None
        with quiet_pillow():
            photo = open_for(preprocessing, self.photos / path, max_mb=self.max_mb)
            mask = open_photo(source, mode="L", exif=preprocessing.exif, max_mb=self.max_mb)
        if isinstance(mask, Unread):
            raise InputError(f"mask {str(source)!r} cannot be read: {mask.reason}")
        if isinstance(photo, Unread):
            return None
        _check_shape(mask, photo, source, self.photos / path)
        white = _white(mask.image, source)
        return Regions(_as_fed(white, preprocessing) if white else None, None)


def read_outlines(path: Path, *, photos: Path, max_mb: int = MAX_FILE_MB) -> RegionSource:
    """Read a JSON file of outlines, or find the mask images of a folder.

    The mask of the photo `a/b.jpg` is `a/b.png` below the folder, or has another suffix of images.

    Args:
        path: The file or the folder.
        photos: The folder that the paths of photos start from.
        max_mb: Megabytes of a picture above which it is not read.

    Raises:
        MissingInput: There is neither.
        InputError: The file is no such JSON, or the folder has no image.
    """
    if path.is_dir():
        return _mask_images(path, photos, max_mb)
    return Outlines(parsed_outlines(path, what="--masks"), path)


def read_regions(
    masks: Path,
    paths: Mapping[int, str],
    preparation: Preparation,
    *,
    photos: Path,
    max_mb: int = MAX_FILE_MB,
) -> dict[int, Regions]:
    """Return where the objects of some images are, of those that `--masks` knows.

    Args:
        masks: A file of outlines, or a folder of mask images.
        paths: Of the photos, by any numbers.
        preparation: How these are fed.
        photos: The folder that their paths start from.
        max_mb: Megabytes of a picture above which it is not read.

    Raises:
        UnfitOption: They are prepared by the user's own code, or there is nothing about any image.
        MissingInput, InputError: As for `read_outlines`; or an outline cannot be used.
    """
    if not isinstance(preparation, Preprocessing):
        raise UnfitOption("--masks: where a transform of one's own puts the object is not known")
    outlines = read_outlines(masks, photos=photos, max_mb=max_mb)
    regions = {number: outlines.regions(path, preparation) for number, path in paths.items()}
    if not any(regions.values()):
        raise UnfitOption(f"--masks {str(masks)!r} has nothing of these images")
    return {number: known for number, known in regions.items() if known is not None}


def _mask_images(folder: Path, photos: Path, max_mb: int) -> MaskImages:
    """List the masks of a folder; of several for a photo the first in the order of suffixes."""
    names = scan_folder(folder).paths
    if not names:
        raise InputError(
            f"{str(folder)!r} has no mask: no image lies below it",
            hint="the mask of the photo a/b.jpg is a/b.png below the folder",
        )
    names.sort(key=_preference, reverse=True)
    return MaskImages({_stem(name): folder / name for name in names}, photos, max_mb)


def _preference(name: str) -> int:
    """Return the place of a mask among several of one photo; the lowest is taken."""
    suffix = suffix_of(name)
    return SUFFIXES.index(suffix) if suffix in SUFFIXES else len(SUFFIXES)


def _stem(path: str) -> str:
    """Return a path without its suffix.

    >>> _stem("a.b/c.d.jpg")
    'a.b/c.d'
    """
    return path.removesuffix(PurePosixPath(path).suffix)


def _known(entries: Mapping[str, Entry], path: str) -> Entry | None:
    """Return the entry of a path, or the only one of a path that ends with it."""
    if path in entries:
        return entries[path]
    longer = [key for key in entries if key.endswith(f"/{path}")]
    return entries[longer[0]] if len(longer) == 1 else None


def _check_shape(mask: Photo, photo: Photo, source: Path, photo_path: Path) -> None:
    """Refuse a mask that is not the photo, enlarged or made smaller and rounded to a pixel."""
    (width, height), (of_width, of_height) = mask.image.size, photo.image.size
    # Both sides of the smaller picture may have been rounded, or cut to whole pixels.
    if abs(width * of_height - height * of_width) > max(width, of_width, height, of_height):
        raise InputError(
            f"mask {str(source)!r} has {width} x {height} pixels, and its photo "
            f"{str(photo_path)!r} has {of_width} x {of_height}: they differ in shape",
            hint="the network sees this photo as it is stored, not turned upright"
            if (photo.width, photo.height) != photo.image.size
            else "",
        )


def _white(mask: Image.Image, source: Path) -> Image.Image | None:
    """Return a mask in black and white alone; None if it is black all over."""
    most = int(np.asarray(mask).max())
    if most == 0:
        return None
    if most < WHITE:
        raise InputError(
            f"mask {str(source)!r} must be white (255) on black, and goes up to {most}",
            hint="make what marks the object 255 and all else 0",
        )
    return mask.point([255 * (value >= WHITE) for value in range(256)])


def _filled(
    size: tuple[int, int], polygons: Sequence[Sequence[float]], preprocessing: Preprocessing
) -> NDArray[np.float32] | None:
    """Fill polygons in a picture of the photo's size, and feed that."""
    picture = Image.new("L", size)
    draw = ImageDraw.Draw(picture)
    for polygon in polygons:
        draw.polygon([float(number) for number in polygon], fill=255)
    return _as_fed(picture, preprocessing)


def _as_fed(picture: Image.Image, preprocessing: Preprocessing) -> NDArray[np.float32] | None:
    """Return the share of white in each pixel of a grey picture, when that is fed.

    None where that cannot be done: a photo like a thread cannot be fed either.
    """
    # One channel, and nothing of the object in a border.
    grey = replace(preprocessing, mean=(0.0,))
    try:
        fed = grey.fit(picture)
    except (ValueError, MemoryError):
        return None
    shares: NDArray[np.float32] = np.asarray(fed, np.float32) / np.float32(255)
    return shares


def _corners(box: Sequence[float]) -> list[float]:
    left, top, right, bottom = (float(side) for side in box)
    return [left, top, right - 1, top, right - 1, bottom - 1, left, bottom - 1]
