"""Whether hiding a part changes all images alike, as `errlens network correspondence` measured."""

from typing import Any, Final

from pydantic import BaseModel

from errlens.errors import shortened
from errlens.formats import count, counted, probability
from errlens.report.parts import records
from errlens.report.sections.network.results import Results
from errlens.report.sections.network.told import Block, Cell, Table, Told, text_cell
from errlens.run.csv_tables import NUMBER, TEXT, TRUTH, WHOLE, Columns

MAIN: Final = "correspondence.json"
SHOWN: Final = 60  # rows of the table
# What the page needs to know of correspondence.csv.
_ALIKE: Final[Columns] = {
    "part": TEXT, "layer": TEXT, "units": TEXT, "n": WHOLE, "distance": NUMBER,
    "random_mean": NUMBER, "random_low": NUMBER, "random_high": NUMBER, "q_value": NUMBER,
    "alike": TRUTH,
}  # fmt: skip
_HEADS: Final = (
    "part", "layer", "units", "images>", "part hidden>", "random regions>", "95 % of draws", "q>",
)  # fmt: skip
_PICTURES: Final = {
    "correspondence.png": "distances of changes with a part hidden, and with as much elsewhere",
    "hidden.png": "what was hidden, with the probability that is left below each photo",
}


class _Parameters(BaseModel):
    """What correspondence.json says of the whole."""

    sentences: list[str]


def tell(results: Results) -> Told:
    """Return what the tests come to, pictures, and the distances at each layer.

    Raises:
        NoResults: A file is not there, was made of other predictions, or is damaged.
    """
    known = results.document(MAIN, _Parameters)
    alike = records(results.table("correspondence.csv", _ALIKE, known=tuple(_ALIKE)))
    pictures = [
        results.picture(name, caption, alt=caption.capitalize())
        for name, caption in _PICTURES.items()
        if name in results.files
    ]
    rest = len(alike) - SHOWN
    table = Table(
        title="How alike changes are: the mean Hamming distance of their signs, 0 for all alike",
        heads=_HEADS,
        rows=[_row(row) for row in alike[:SHOWN]],
        rest=f"and {counted(rest, 'further row')} in network/correspondence/correspondence.csv"
        if rest > 0
        else "",
    )
    said = [shortened(sentence, most=1000) for sentence in known.sentences]
    return Told([Block(sentences=said, pictures=pictures, tables=[table])])


def _row(row: dict[str, Any]) -> list[Cell]:
    return [
        *(text_cell(row[name]) for name in ("part", "layer", "units")),
        Cell(count(row["n"]), row["n"]),
        Cell(probability(row["distance"]), row["distance"]),
        Cell(probability(row["random_mean"]), row["random_mean"]),
        text_cell(f"{probability(row['random_low'])} to {probability(row['random_high'])}"),
        Cell(probability(row["q_value"]), row["q_value"]),
    ]
