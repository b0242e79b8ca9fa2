"""The layers of the network of a run, as `errlens network layers` lists them."""

from typing import Any, Final

from pydantic import BaseModel

from errlens.errors import shortened
from errlens.formats import NOT_KNOWN, count, counted
from errlens.report.parts import records
from errlens.report.sections.network.results import Results
from errlens.report.sections.network.told import Block, Cell, Table, Told, text_cell
from errlens.run.csv_tables import NUMBER, TEXT, TRUTH, WHOLE, Columns

SHOWN: Final = 250
_ALL: Final = 1e9  # pixels: a whole image is more than any field
# What the page needs to know of layers.csv.
_COLUMNS: Final[Columns] = {
    "layer": TEXT, "depth": WHOLE, "type": TEXT, "output": TEXT, "channels": NUMBER,
    "rows": NUMBER, "columns": NUMBER, "stride_rows": NUMBER, "stride_columns": NUMBER,
    "field_rows": NUMBER, "field_columns": NUMBER, "field_whole": TRUTH, "parameters": WHOLE,
    "multiply_adds": WHOLE, "activation": TEXT, "analyses": TEXT,
}  # fmt: skip
_IDLE: Final = ("Identity", "Dropout")  # they fill half of the tree of some networks
_KNOWN: Final = ("layer", "type", "output")
_HEADS: Final = (
    "layer", "type", "output>", "stride>", "sees>", "parameters>", "multiply-adds>", "then",
    "good for",
)  # fmt: skip


class _Network(BaseModel):
    """What layers.json says of the whole."""

    model: str
    input_size: tuple[int, int, int]
    parameters: int
    multiply_adds: int
    why_no_field: str | None = None


def tell(results: Results) -> Told:
    """Return totals, what the last map of places is like, and the layers.

    Raises:
        NoResults: A file is not there, was made of other predictions, or is damaged.
    """
    table = results.table("layers.csv", _COLUMNS, known=_KNOWN)
    network = results.document("layers.json", _Network)
    layers = records(table)
    return Told([Block(sentences=_sentences(network, layers), tables=[_table(layers)])])


def _sentences(network: _Network, layers: list[dict[str, Any]]) -> list[str]:
    _, height, width = network.input_size
    said = [
        f"{shortened(network.model)}: {counted(len(layers), 'layer')}, "
        f"{counted(network.parameters, 'parameter')}, {count(network.multiply_adds)} multiply-adds "
        f"for an image of {count(width)} x {count(height)} pixels."
    ]
    maps = [layer for layer in layers if "features" in _analyses(layer) and layer["channels"]]
    if maps:
        least = min(layer["depth"] for layer in maps)
        last = [layer for layer in maps if layer["depth"] == least][-1]
        said.append(
            f"The last map of places is that of {shortened(last['layer'])}: "
            f"{counted(last['channels'], 'channel')} of {count(last['rows'])} x "
            f"{count(last['columns'])} places{_seen(last)}."
        )
    if network.why_no_field:
        said.append(
            f"What later layers see is not known: {shortened(network.why_no_field, most=400)}."
        )
    return said


def _seen(layer: dict[str, Any]) -> str:
    """Say what a place of a layer sees, where that is known."""
    if layer["field_whole"]:
        return ", each of which sees the whole image"
    if layer["field_rows"] is None or layer["field_columns"] is None:
        return ""
    sides = f"{count(layer['field_columns'])} x {count(layer['field_rows'])}"
    return f", each of which sees {sides} pixels"


def _table(layers: list[dict[str, Any]]) -> Table:
    """Return the layers, of very many those least deep in the tree."""
    letters = _letters(layers)
    shown = [layer for layer in layers if layer["type"] not in _IDLE]
    depth = max((layer["depth"] for layer in layers), default=0)
    while len(shown) > SHOWN and depth > 0:
        depth -= 1
        shown = [layer for layer in shown if layer["depth"] <= depth]
    shown = shown[:SHOWN]
    rest = len(layers) - len(shown)
    return Table(
        title="Layers, in the order of the network",
        heads=_HEADS,
        rows=[_row(layer, letters) for layer in shown],
        rest=f"{_meaning(letters)}{_more(rest)}",
    )


def _letters(layers: list[dict[str, Any]]) -> dict[str, str]:
    """Return a letter for each analysis that a layer is good for: the first that none has yet.

    >>> _letters([{"analyses": "activations, features"}, {"analyses": "grad-cam, filters"}])
    {'activations': 'A', 'features': 'F', 'grad-cam': 'G', 'filters': 'I'}
    """
    letters: dict[str, str] = {}
    for name in dict.fromkeys(name for layer in layers for name in _analyses(layer) if name):
        free = [letter for letter in name.upper() if letter not in letters.values()]
        letters[name] = free[0] if free else name
    return letters


def _meaning(letters: dict[str, str]) -> str:
    named = ", ".join(f"{letter} {shortened(name)}" for name, letter in letters.items())
    return f"Good for: {shortened(named, most=400)}." if letters else ""


def _more(rest: int) -> str:
    if not rest:
        return ""
    return f" {counted(rest, 'further layer')}, idle or deeper in the tree: network/layers.csv"


def _row(layer: dict[str, Any], letters: dict[str, str]) -> list[Cell]:
    whole = "all" if layer["field_whole"] else None
    return [
        text_cell(layer["layer"]),
        text_cell(layer["type"]),
        Cell(text_cell(layer["output"]).text, layer["channels"]),
        _sides(layer["stride_rows"], layer["stride_columns"]),
        Cell(whole, _ALL) if whole else _sides(layer["field_rows"], layer["field_columns"]),
        Cell(count(layer["parameters"]), layer["parameters"]),
        Cell(count(layer["multiply_adds"]), layer["multiply_adds"]),
        text_cell(layer["activation"]),
        text_cell("".join(letters[name] for name in _analyses(layer) if name)),
    ]


def _sides(rows: float | None, columns: float | None) -> Cell:
    """Write what is measured along both axes; one number where they agree."""
    if rows is None or columns is None:
        return Cell(NOT_KNOWN)
    if rows == columns:
        return Cell(count(rows), rows)
    return Cell(f"{count(columns)} x {count(rows)}", rows * columns)


def _analyses(layer: dict[str, Any]) -> list[str]:
    return (layer["analyses"] or "").split(", ")
