"""What falls while a part of an image is hidden, as `errlens network occlusion` measured it."""

from typing import Any, Final

import pandas as pd
from pydantic import BaseModel

from errlens.analysis.occlusion.tables import OCCLUSION_COLUMNS
from errlens.errors import shortened
from errlens.formats import NOT_KNOWN, counted, probability, share, significant
from errlens.report.parts import records
from errlens.report.sections.network.results import Results
from errlens.report.sections.network.told import Block, Cell, Photos, Table, Told, text_cell

MAIN: Final = "occlusion.csv"
PARAMETERS: Final = "occlusion.json"
SHOWN: Final = 3  # images with their figures
ROWS: Final = 50  # images of the table
_KNOWN: Final = ("sample_id", "class_name", "layer", "channel", "n_positions", "file")
_NEEDED: Final = {
    name: kind for name, kind in OCCLUSION_COLUMNS.items() if name != "row"
}  # images are found by their names: photos that are of no run have no row
_HEADS: Final = (
    "image", "class", "probability>", "lowest>", "channel>", "activity>", "lowest>",
    "other label>", "on object>", "its area>",
)  # fmt: skip


class _Image(BaseModel):
    """What is said of an image."""

    image: str
    sentences: list[str]


class _Parameters(BaseModel):
    """What occlusion.json says of the images."""

    images: list[_Image]


def tell(results: Results) -> Told:
    """Return a table of the images, and of the first what is said of them with their figures.

    Raises:
        NoResults: A file is not there, was made of other predictions, or is damaged.
    """
    table = results.table(MAIN, _NEEDED, known=_KNOWN)
    said = {
        image.image: image.sentences for image in results.document(PARAMETERS, _Parameters).images
    }
    images = records(table)
    if not images or any(image["sample_id"] not in said for image in images):
        raise results.damaged(MAIN)
    first = [_block(results, image, said[image["sample_id"]]) for image in images[:SHOWN]]
    rest = len(images) - SHOWN
    return Told(
        [*first, Block(tables=[_table(results, table)])],
        rest=f"and figures of {counted(rest, 'further image')} in network/occlusion"
        if rest > 0
        else "",
    )


def _block(results: Results, image: dict[str, Any], sentences: list[str]) -> Block:
    """Tell what becomes of one image."""
    name = shortened(image["sample_id"])
    row = results.row_of(image["sample_id"])
    caption = "activity of a map, probability and label by the position of the square"
    picture = results.picture(
        image["file"], caption, alt=f"{name} while a square hides parts of it"
    )
    return Block(
        heading=name,
        sentences=sentences,
        pictures=[picture],
        photos=[] if row is None else [Photos("", results.shots.want([row]))],
    )


def _table(results: Results, table: pd.DataFrame) -> Table:
    rest = len(table) - ROWS
    return Table(
        title="What falls in each image",
        heads=_HEADS,
        rows=[_cells(results, image) for image in records(table, ROWS)],
        rest=f"and {counted(rest, 'further row')} in network/occlusion/occlusion.csv"
        if rest > 0
        else "",
    )


def _cells(results: Results, image: dict[str, Any]) -> list[Cell]:
    name = text_cell(image["sample_id"])
    return [
        name._replace(row=results.row_of(image["sample_id"])),
        text_cell(image["class_name"]),
        _cell(image["probability"], probability),
        _cell(image["lowest_probability"], probability),
        Cell(str(image["channel"]), image["channel"]),
        _cell(image["activity"], significant),
        _cell(image["lowest_activity"], significant),
        _cell(image["other_label_share"], share),
        _cell(image["object_share"], share),
        _cell(image["object_area"], share),
    ]


def _cell(value: float | None, write: Any) -> Cell:
    return Cell(NOT_KNOWN) if value is None else Cell(write(value), value)
