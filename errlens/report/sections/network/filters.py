"""The filters of a network, as `errlens network filters` measures them."""

from typing import Any, Final

from errlens.errors import shortened
from errlens.formats import NOT_KNOWN, count, counted, share
from errlens.report.parts import records
from errlens.report.sections.network.results import Results
from errlens.report.sections.network.told import Block, Cell, Table, Told, text_cell
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE, Columns

MAIN: Final = "layers.csv"
SHOWN: Final = 100  # layers
SUSPICIONS: Final = 6
# What the page needs to know of layers.csv and suspicions.csv.
_LAYERS: Final[Columns] = {
    "layer": TEXT, "filters": WHOLE, "dead": WHOLE, "duplicates": NUMBER, "low": NUMBER,
    "middle": NUMBER, "high": NUMBER, "aliasing": NUMBER,
}  # fmt: skip
_SUSPICIONS: Final[Columns] = {"layer": TEXT, "statement": TEXT}
_SHARES: Final = ("low", "middle", "high", "aliasing")
_PICTURES: Final = {
    "first_layer.png": ("the filters of the first layer", "The filters of the first layer"),
    "spectra.png": (
        "their spectra, layer by layer",
        "Energy of the filters by frequency, by layer",
    ),
}


def tell(results: Results) -> Told:
    """Return what is suspicious, pictures, and the layers.

    Raises:
        NoResults: A file is not there, was made of other predictions, or is damaged.
    """
    layers = records(results.table(MAIN, _LAYERS, known=("layer",)))
    suspicions = records(results.table("suspicions.csv", _SUSPICIONS, known=("statement",)))
    pictures = [
        results.picture(name, caption, alt=alt)
        for name, (caption, alt) in _PICTURES.items()
        if name in results.files
    ]
    said = [shortened(row["statement"], most=600) for row in suspicions[:SUSPICIONS]]
    rest = len(suspicions) - SUSPICIONS
    return Told(
        [
            Block(
                sentences=[_totals(layers), *(said or ["Nothing is suspicious."])],
                pictures=pictures,
                tables=[_table(layers)],
            )
        ],
        rest=f"and {count(rest)} more in network/filters/suspicions.csv" if rest > 0 else "",
    )


def _totals(layers: list[dict[str, Any]]) -> str:
    filters, dead = (sum(layer[name] for layer in layers) for name in ("filters", "dead"))
    repeated = sum(layer["duplicates"] or 0 for layer in layers)
    return (
        f"{counted(len(layers), 'convolution')}, {counted(filters, 'filter')}: {count(dead)} dead, "
        f"{count(repeated)} repeating another."
    )


def _table(layers: list[dict[str, Any]]) -> Table:
    rest = len(layers) - SHOWN
    return Table(
        title="Filters, layer by layer: where in the spectrum their energy is",
        heads=(
            "layer", "filters>", "dead>", "repeated>", "low>", "middle>", "high>",
            "beyond the stride>",
        ),
        rows=[_row(layer) for layer in layers[:SHOWN]],
        rest=f"and {counted(rest, 'further layer')} in network/filters/layers.csv"
        if rest > 0
        else "",
    )  # fmt: skip


def _row(layer: dict[str, Any]) -> list[Cell]:
    counts = [layer[name] for name in ("filters", "dead", "duplicates")]
    return [
        text_cell(layer["layer"]),
        *(Cell(count(value), value) for value in counts),
        *(_share(layer[name]) for name in _SHARES),
    ]


def _share(value: float | None) -> Cell:
    return Cell(NOT_KNOWN) if value is None else Cell(share(value), value)
