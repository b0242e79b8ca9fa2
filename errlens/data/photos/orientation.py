"""How a camera was held when it took a photo, as EXIF records it, and how to turn that upright."""

from collections.abc import Mapping
from typing import Final

from PIL import Image

from errlens.data.photos.preprocess import Box

UPRIGHT: Final[Mapping[int, Image.Transpose]] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_EXIF_ORIENTATION: Final = 0x0112
# Which sides are exchanged in the end, after the axes were from 5 on: left with right, up with down
_MIRRORED: Final = {
    1: (False, False), 2: (True, False), 3: (True, True), 4: (False, True),
    5: (False, False), 6: (True, False), 7: (True, True), 8: (False, True),
}  # fmt: skip


def orientation_of(image: Image.Image) -> int:
    """Return the EXIF orientation of a loaded image, 1 (upright) if it has none."""
    try:
        orientation = image.getexif().get(_EXIF_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - damaged EXIF beside good pixels; timm ignores it too
        return 1
    return orientation if orientation in UPRIGHT else 1


def upright_box(box: Box, size: tuple[int, int], orientation: int) -> Box:
    """Return where a box of a photo as stored lies once the photo was turned upright.

    Args:
        box: Left, top, right, bottom in pixels.
        size: Width and height of the photo as stored.
        orientation: Of EXIF, 1 to 8.

    >>> upright_box((0, 0, 30, 10), (100, 50), 6)  # its upper edge becomes its right one
    (40, 0, 50, 30)
    """
    left, top, right, bottom = box
    width, height = size
    if orientation >= 5:
        left, top, right, bottom = top, left, bottom, right
        width, height = height, width
    across, down = _MIRRORED[orientation]
    if across:
        left, right = width - right, width - left
    if down:
        top, bottom = height - bottom, height - top
    return left, top, right, bottom
