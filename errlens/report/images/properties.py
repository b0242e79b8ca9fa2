"""What is known of images besides their predictions: what was measured, and what the user gave."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens import formats
from errlens.analysis.findings.measured import read_properties
from errlens.data.photos.preprocess import Preprocessing
from errlens.data.properties.table import PROPERTIES
from errlens.escapes import printable
from errlens.predictions.table import Predictions
from errlens.run.folder import RunFolder

MOST_GIVEN: Final = 20  # columns of a manifest; one with features has thousands
_LONGEST: Final = 200  # letters of a cell of a manifest
# A page sorts by these names already.
_TAKEN: Final = frozenset(
    {"loss", "confidence", "margin", "label_prob", "path", "cut_off", *PROPERTIES}
)


class ImageProperty(NamedTuple):
    """A property of the images.

    `values` are those of some images, by row; `write` is given one of them that is not missing. The
    values of a number are float64.
    """

    name: str
    title: str
    values: pd.Series
    write: Callable[[Any], str]
    is_number: bool

    def numbers(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the values of some rows, NaN where there is none."""
        return self.values.reindex(rows).to_numpy(np.float64, na_value=np.nan)


def image_properties(run: RunFolder, images: Predictions) -> list[ImageProperty]:
    """Return what is known of the images of a run: what diagnose measured, then their manifest.

    What is the same of all tells nothing of any, and is left out.

    Args:
        run: The run.
        images: With the columns `width` and `height`; they count where nothing was measured.
    """
    measured = read_properties(run)
    if measured is None:
        measured = images.table.select(["width", "height"]).to_pandas().astype("float64")
    return [*_measured(measured), *_given(run.read_extra())]


def cut_off(images: Predictions, preprocessing: Preprocessing | None) -> list[ImageProperty]:
    """Return how much of each photo the network was not fed, as a share of its area.

    It is missing where the size of a photo is not known, and where it was too thin to be fed. There
    is no such property where nobody knows how photos were fed, or where it is the same of all.

    Args:
        images: With the columns `width` and `height`.
        preprocessing: How the images were fed; None where that is not known.
    """
    if preprocessing is None:
        return []
    sizes = images.table.select(["width", "height"]).to_pandas()
    shares = {
        size: _share_cut_off(preprocessing, *map(int, size))
        for size in sizes.dropna().drop_duplicates().itertuples(index=False, name=None)
    }
    each = [shares.get(size, np.nan) for size in sizes.itertuples(index=False, name=None)]
    values = pd.Series(each, index=images.table["row"].to_numpy(), dtype="float64")
    found = ImageProperty(
        "cut_off", "share cut off by the crop", values, formats.share, is_number=True
    )
    return [found] if _tells(values) else []


def _share_cut_off(preprocessing: Preprocessing, width: int, height: int) -> float:
    try:
        left, top, right, bottom = preprocessing.source_box(width, height)
    except ValueError:  # so thin that it was not fed at all
        return np.nan
    across = min(right, width) - max(left, 0)
    down = min(bottom, height) - max(top, 0)
    return round(1 - across * down / (width * height), 4)


def written(properties: Iterable[ImageProperty], row: int) -> list[list[str]]:
    """Return [title, value as it is written] of what is known of a row."""
    known = [(each, each.values.get(row)) for each in properties]
    return [
        [each.title, printable(each.write(value))] for each, value in known if not pd.isna(value)
    ]


def _measured(table: pd.DataFrame) -> list[ImageProperty]:
    return [
        ImageProperty(name, known.name, table[name], known.write, known.kind == "number")
        for name, known in PROPERTIES.items()
        if name in table and _tells(table[name])
    ]


def _tells(values: pd.Series) -> bool:
    """Tell whether images differ in a property; of a single image everything is told."""
    return values.nunique(dropna=False) > 1 or (len(values) == 1 and bool(values.notna().all()))


def _given(extra: pd.DataFrame) -> list[ImageProperty]:
    """Return the columns of a manifest; one of text that are all numbers is one of numbers."""
    plain = (_plain(str(name), extra[name]) for name in extra.columns)
    return [*islice((each for each in plain if _tells(each.values)), MOST_GIVEN)]


def _plain(name: str, cells: pd.Series) -> ImageProperty:
    """Return a column of a manifest, whose cells may be anything that a parquet file can hold."""
    title = printable(f"{name} (manifest)" if name in _TAKEN else name)
    kinds = pd.api.types
    if cells.dtype == object or kinds.is_datetime64_any_dtype(cells.dtype):
        cells = cells.map(str, na_action="ignore")
    if not kinds.is_bool_dtype(cells.dtype):
        numbers = pd.to_numeric(cells, errors="coerce")
        if numbers.notna().equals(cells.notna()):
            values = numbers.astype("float64")
            return ImageProperty(title, title, values, given, is_number=True)
    return ImageProperty(title, title, cells, _shortened, is_number=False)


def given(value: float) -> str:
    """Write a number that the user gave, as a manifest's year or serial number: whole ones whole.

    >>> given(2019.0), given(0.123456)
    ('2019', '0.123')
    """
    return f"{value:.0f}" if float(value).is_integer() else formats.significant(value)


def _shortened(value: object) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
