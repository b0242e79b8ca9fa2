"""What linear probes of layers tell of the classes, as `errlens network probe` measures it."""

from typing import Any, Final

from pydantic import BaseModel

from errlens.errors import shortened
from errlens.formats import count, counted, share, share_range
from errlens.report.parts import records
from errlens.report.sections.network.results import Results
from errlens.report.sections.network.told import Block, Cell, Table, Told, text_cell
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE, Columns

MAIN: Final = "parameters.json"
SHOWN: Final = 100  # layers
LOSSES: Final = 5  # classes
# What the page needs to know of layers.csv.
_LAYERS: Final[Columns] = {
    "layer": TEXT, "channels": WHOLE, "n": WHOLE, "accuracy": NUMBER, "low": NUMBER,
    "high": NUMBER, "control": NUMBER, "control_lowest": NUMBER, "control_highest": NUMBER,
}  # fmt: skip
_PICTURES: Final = {
    "layers.png": "accuracy layer by layer, with shuffled labels and chance",
    "classes.png": "which classes each layer finds",
    "pairs.png": "where two classes part",
    "curves.png": "accuracy after so many images of each class",
}


class _Sentence(BaseModel):
    """Where the classes of a pair part, or where a class is lost."""

    sentence: str


class _Parameters(BaseModel):
    """What parameters.json says of the whole."""

    images: int
    classes: list[str]
    partings: list[_Sentence] = []
    losses: list[_Sentence] = []


def tell(results: Results) -> Told:
    """Return where pairs part, pictures, and how well each layer does.

    Raises:
        NoResults: A file is not there, was made of other predictions, or is damaged.
    """
    known = results.document(MAIN, _Parameters)
    said = [
        f"Linear probes, of {counted(known.images, 'image')} of "
        f"{counted(len(known.classes), 'class')}, held out in turn.",
        *(
            f"{shortened(course.sentence, most=600)}."
            for course in [*known.partings, *known.losses[:LOSSES]]
        ),
    ]
    pictures = [
        results.picture(name, caption, alt=caption.capitalize())
        for name, caption in _PICTURES.items()
        if name in results.files
    ]
    tables = [_table(results)] if "layers.csv" in results.files else []
    return Told([Block(sentences=said, pictures=pictures, tables=tables)])


def _table(results: Results) -> Table:
    layers = records(results.table("layers.csv", _LAYERS, known=tuple(_LAYERS)))
    rest = len(layers) - SHOWN
    return Table(
        title="What each layer tells of the classes",
        heads=(
            "layer",
            "channels>",
            "held out>",
            "95 % interval>",
            "shuffled labels>",
            "their range>",
        ),
        rows=[_row(layer) for layer in layers[:SHOWN]],
        rest=f"and {counted(rest, 'further layer')} in network/probe/layers.csv"
        if rest > 0
        else "",
    )


def _row(layer: dict[str, Any]) -> list[Cell]:
    n = layer["n"]
    return [
        text_cell(layer["layer"]),
        Cell(count(layer["channels"]), layer["channels"]),
        Cell(share(layer["accuracy"], n), layer["accuracy"]),
        Cell(share_range(layer["low"], layer["high"], n), layer["low"]),
        Cell(share(layer["control"], n), layer["control"]),
        Cell(
            share_range(layer["control_lowest"], layer["control_highest"], n),
            layer["control_lowest"],
        ),
    ]
