"""The map of images and the neighbours of errors, as `errlens network embed` finds them."""

from typing import Any, Final

from pydantic import BaseModel

from errlens.errors import shortened
from errlens.formats import NOT_KNOWN, counted, number
from errlens.report.parts import records
from errlens.report.sections.network.results import Results
from errlens.report.sections.network.scatter import MOST, POINT, Scatter, scatter_of
from errlens.report.sections.network.told import Block, Cell, Table, Told, text_cell
from errlens.run.csv_tables import NUMBER, TEXT, TRUTH, WHOLE, Columns

MAIN: Final = "neighbours.csv"
SHOWN: Final = 60  # errors
SENTENCES: Final = 10
STAYS: Final = "map.png"  # also without JavaScript, and on paper
# What the page needs to know of neighbours.csv.
_NEIGHBOURS: Final[Columns] = {
    "row": WHOLE, "label_name": TEXT, "pred_name": TEXT, "among": TEXT, "rank": WHOLE,
    "similarity": NUMBER, "neighbour_path": TEXT, "neighbour_label": TEXT, "argues_for": TEXT,
    "copy": TEXT,
}  # fmt: skip
_KNOWN: Final = ("row", "among", "rank", "similarity")
MAP: Final = "map.csv"
# What it needs to know of map.csv.
_PLACES: Final[Columns] = {
    "row": WHOLE, "x": NUMBER, "y": NUMBER, "right": TRUTH, "colour": TEXT, "group": NUMBER,
}  # fmt: skip
_FARTHEST: Final = 1e9  # no map reaches so far
_PICTURES: Final = {
    "map.png": ("the map", "Images as dots, near one another where the network finds them alike"),
    "photos.png": ("the map in photos", "The same map with photos in the place of dots"),
    "neighbours.png": (
        "the worst errors and what lies nearest to them",
        "Wrong images, each in a row with its nearest right and training images",
    ),
}


class _Parameters(BaseModel):
    sentences: list[str]
    groups: list[list[str]] = []


def tell(results: Results) -> Told:
    """Return what neighbours come to, the pictures, and the nearest of each error.

    Raises:
        NoResults: A file is not there, was made of other predictions, or is damaged.
    """
    rows = records(results.table(MAIN, _NEIGHBOURS, known=_KNOWN))
    made = results.document("parameters.json", _Parameters)
    nearest = [row for row in rows if row["rank"] == 1]
    pictures = [
        results.picture(name, caption, alt=alt, stays=name == STAYS)
        for name, (caption, alt) in _PICTURES.items()
        if name in results.files
    ]
    block = Block(
        sentences=[shortened(text, most=600) for text in made.sentences[:SENTENCES]],
        pictures=pictures,
        tables=[_table(nearest)] if nearest else [],
        scatter=_scatter(results, made.groups),
    )
    return Told([block])


def _scatter(results: Results, groups: list[list[str]]) -> Scatter | None:
    """Return the map for the page to draw, None without a table of it."""
    if not results.has(MAP):
        return None
    table = results.table(MAP, _PLACES, known=("row", "x", "y"))
    is_near = (table[["x", "y"]].abs() <= _FARTHEST).all(axis=None)
    is_group = table["group"].dropna().isin(range(1, len(groups) + 1)).all()
    if not (len(table) and is_near and is_group and table["row"].is_unique):
        raise results.damaged(MAP)
    most = min(MOST, results.shots.room.for_map // POINT)
    return scatter_of(table.sort_values("row"), groups, most=max(1, most))


def _table(nearest: list[dict[str, Any]]) -> Table:
    rest = len(nearest) - SHOWN
    return Table(
        title="What lies nearest to each error, and what its label argues for",
        heads=("row>", "label", "predicted", "among", "nearest", "its label", "for", "cosine>"),
        rows=[_row(neighbour) for neighbour in nearest[:SHOWN]],
        rest=f"and {counted(rest, 'further row')} in network/embed/neighbours.csv"
        if rest > 0
        else "",
    )


def _row(neighbour: dict[str, Any]) -> list[Cell]:
    copy = " (a copy)" if neighbour["copy"] else ""
    similarity = neighbour["similarity"]
    return [
        Cell(str(neighbour["row"]), neighbour["row"], neighbour["row"]),
        *(text_cell(neighbour[name]) for name in ("label_name", "pred_name", "among")),
        text_cell((neighbour["neighbour_path"] or NOT_KNOWN) + copy),
        *(text_cell(neighbour[name]) for name in ("neighbour_label", "argues_for")),
        Cell(number(similarity), similarity),
    ]
