"""JSON files of outlines: for the path of each image its size, the object, and a box of a part."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from errlens.documents import BadDocument, parse_json, read_text
from errlens.errors import InputError, MissingInput

MOST_PIXELS: Final = 2**28  # of the photo that an outline is drawn in; Pillow opens fewer

# What outlines are called in a file, and were called in files of before.
POLYGONS: Final = ("polygons", "pet_polygons")
PART_BOX: Final = ("part_box", "head_box_xyxy")


def parsed_outlines(path: Path, *, what: str) -> dict[str, dict[str, Any]]:
    """Return what a JSON file of outlines says, by the path of each image.

    Args:
        path: Of the file.
        what: What to call it in a message.

    Raises:
        MissingInput: There is no such file.
        InputError: It is no such JSON.
    """
    if not path.is_file():
        raise MissingInput(path, what=what)
    try:
        outlines = parse_json(read_text(path))
    except BadDocument as error:
        raise InputError(f"{path} cannot be read as JSON: {error}") from error
    if not (
        isinstance(outlines, dict)
        and all(isinstance(outline, dict) for outline in outlines.values())
    ):
        raise InputError(f"{path} must hold an outline for each path")
    return outlines


def first_known(outline: Mapping[str, Any], names: Sequence[str]) -> tuple[str, Any]:
    """Return the first of several names under which anything is known, and what that is.

    >>> first_known({"pet_polygons": [[0, 0]]}, POLYGONS), first_known({}, PART_BOX)
    (('pet_polygons', [[0, 0]]), ('part_box', None))
    """
    known = (name for name in names if outline.get(name) is not None)
    name = next(known, names[0])
    return name, outline.get(name)


def checked_size(width: int, height: int) -> tuple[int, int]:
    """Return the size that an outline gives of its photo, if a photo can be that large.

    Raises:
        ValueError: None can.
    """
    if min(width, height) < 1 or width * height > MOST_PIXELS:
        raise ValueError(f"a photo of {width} x {height} pixels")
    return width, height
