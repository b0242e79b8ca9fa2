"""The table of properties: its columns, and what they are called in sentences."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

import pandas as pd
import pyarrow as pa

from errlens import formats

PROPERTY_COLUMNS: Final = pa.schema(
    [
        ("content_hash", pa.binary(16)),  # of the file; null where it is missing or another one
        ("status", pa.string()),  # ok, unreadable or missing; all below is null unless it is ok
        ("why", pa.string()),  # the status is not ok
        ("measured_as", pa.string()),  # a name of the way of measuring, see `known` of `measure`
        ("brightness", pa.float32()),  # mean luma, 0 to 1
        ("contrast", pa.float32()),  # standard deviation of luma, 0 to 0.5
        ("sharpness", pa.float32()),  # as fed, 0 to 1; null where there is no edge
        ("saturation", pa.float32()),  # 0 to 1
        ("red_green", pa.float32()),  # colour cast: from green, below 0, to red
        ("blue_yellow", pa.float32()),  # colour cast: from yellow, below 0, to blue
        ("greyscale", pa.bool_()),  # all channels are equal, to the last bit
        ("border", pa.float32()),  # share of the picture that is a border of one colour
        ("border_top", pa.float32()),  # share of the height
        ("border_right", pa.float32()),  # share of the width
        ("border_bottom", pa.float32()),
        ("border_left", pa.float32()),
        ("width", pa.int32()),  # pixels, as shown: after EXIF orientation
        ("height", pa.int32()),
        ("aspect", pa.float32()),  # width / height
        ("format", pa.string()),  # as Pillow calls it
        ("mode", pa.string()),  # likewise: RGB, L, P, CMYK, I;16 ...
        ("exif_orientation", pa.int8()),  # 1 to 8; 1 where the file has none
        ("camera", pa.string()),
        ("hour", pa.float32()),  # of the day it was taken, 0 to 24
        ("phash", pa.binary(8)),  # see `phash`
        ("coarse", pa.binary(1024)),  # 32 x 32 uint8 luma of the whole picture, squashed
    ]
)

Kind = Literal["number", "category", "truth"]


class Property(NamedTuple):
    """What a property is called.

    `low` and `high` stand before "images" for those with small and large values of a number, or for
    those of which a truth is false and true; a category has neither. `write` is given one value.
    """

    kind: Kind
    name: str
    low: str = ""
    high: str = ""
    write: Callable[[Any], str] = str


_TURNS: Final = {
    1: "upright",
    2: "mirrored",
    3: "upside down",
    4: "mirrored, upside down",
    5: "mirrored, on its left side",
    6: "on its left side",
    7: "mirrored, on its right side",
    8: "on its right side",
}


def _orientation(value: int) -> str:
    """Write an EXIF orientation with how the pixels lie that have it.

    >>> _orientation(6)
    '6 (on its left side)'
    """
    return f"{value:.0f} ({_TURNS[int(value)]})"


def _truth(value: object) -> str:
    return "yes" if value else "no"


# What images are grouped by, the plainest first: facts of the file, then what was measured. A photo
# that is enlarged for the network is blurred, and one with black bars is dark: the fact says why.
PROPERTIES: Final[Mapping[str, Property]] = {
    "border": Property("number", "share of border", "borderless", "bordered", formats.share),
    "greyscale": Property("truth", "greyscale", "colour", "greyscale", _truth),
    "exif_orientation": Property("category", "EXIF orientation", write=_orientation),
    "camera": Property("category", "camera"),
    "aspect": Property("number", "width / height", "upright", "oblong", formats.significant),
    "width": Property("number", "width in pixels", "narrow", "wide", formats.count),
    "height": Property("number", "height in pixels", "low", "high", formats.count),
    "format": Property("category", "file format"),
    "mode": Property("category", "colour mode"),
    "hour": Property("number", "hour of the day", "early", "late", formats.clock),
    "brightness": Property("number", "brightness", "dark", "bright", formats.significant),
    "contrast": Property(
        "number", "contrast", "low-contrast", "high-contrast", formats.significant
    ),
    "sharpness": Property("number", "sharpness", "blurred", "sharp", formats.significant),
    "saturation": Property("number", "saturation", "pale", "colourful", formats.significant),
    "red_green": Property("number", "red-green cast", "greenish", "reddish", formats.significant),
    "blue_yellow": Property(
        "number", "blue-yellow cast", "yellowish", "bluish", formats.significant
    ),
}


def as_frame(table: pa.Table) -> pd.DataFrame:
    """Return columns of the table for pandas; see `measure` for their dtypes."""
    # Columns of their own: together in one block they would be copied once more.
    return _settled(table.to_pandas(split_blocks=True), table.column_names)


def as_table(frame: pd.DataFrame) -> pa.Table:
    """Return a table for parquet; columns that `frame` has besides, such as `row`, come first."""
    besides = [name for name in frame.columns if name not in PROPERTY_COLUMNS.names]
    extra = pa.Table.from_pandas(frame[besides], preserve_index=False)
    own = pa.Table.from_pandas(
        frame[PROPERTY_COLUMNS.names], schema=PROPERTY_COLUMNS, preserve_index=False
    )
    return pa.table(
        [*extra.columns, *own.columns], schema=pa.schema([*extra.schema, *own.schema])
    ).replace_schema_metadata(None)


def frame_of(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the table of rows of which each holds the columns that are known of it."""
    table = pa.Table.from_pylist([dict(row) for row in rows], schema=PROPERTY_COLUMNS)
    return as_frame(table)


def _settled(frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Give each column its dtype, whether or not a value is missing."""
    dtypes: dict[str, Any] = {}
    for name in names:
        kind = PROPERTY_COLUMNS.field(name).type if name in PROPERTY_COLUMNS.names else None
        if kind is not None and pa.types.is_boolean(kind):
            dtypes[name] = "boolean"
        elif kind is not None and (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            dtypes[name] = "float64"
        elif kind == pa.string():
            dtypes[name] = "str"
    return frame.astype(dtypes)
