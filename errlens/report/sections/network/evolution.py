"""How a network came to what it is, checkpoint by checkpoint: `network evolution`."""

from typing import Final

import pandas as pd

from errlens.analysis.evolution.names import short_names
from errlens.analysis.evolution.sentences import in_words
from errlens.errors import shortened
from errlens.formats import count, counted, number, share
from errlens.report.parts import records
from errlens.report.sections.network.results import Results
from errlens.report.sections.network.told import Block, Cell, Picture, Table, Told, text_cell
from errlens.run.csv_tables import NUMBER, TEXT, TRUTH, WHOLE, Columns

MAIN: Final = "settled.csv"
SHEETS_SHOWN: Final = 6
CHECKPOINTS_SHOWN: Final = 200
# What the page needs to know of the tables.
_SETTLED: Final[Columns] = {
    "layer": TEXT, "checkpoint": TEXT, "cka": NUMBER, "settled": TRUTH,
}  # fmt: skip
_EVOLUTION: Final[Columns] = {
    "checkpoint": TEXT, "layer": TEXT, "channel": WHOLE, "jump": TRUTH,
}  # fmt: skip
_PAIRS: Final[Columns] = {
    "class_a": TEXT, "class_b": TEXT, "checkpoint": TEXT, "a_as_b": WHOLE, "b_as_a": WHOLE,
    "n_a": WHOLE, "n_b": WHOLE, "parted": TRUTH,
}  # fmt: skip
_TRAINING: Final[Columns] = {
    "checkpoint": TEXT, "n": WHOLE, "accuracy": NUMBER, "loss": NUMBER, "ece": NUMBER,
}  # fmt: skip
_PICTURES: Final = {
    "training.png": ("accuracy, loss, calibration and pairs", "Lines over the checkpoints"),
    "settled.png": ("how alike each layer is to its last", "Likeness to the last, by checkpoint"),
}


def tell(results: Results) -> Told:
    """Return what happened when, pictures, and how well it does at each checkpoint.

    Raises:
        NoResults: A file is not there, was made of other predictions, or is damaged.
    """
    settled = results.table(MAIN, _SETTLED, known=("layer", "checkpoint", "settled"))
    evolution = results.table("evolution.csv", _EVOLUTION, known=tuple(_EVOLUTION))
    names = list(dict.fromkeys(evolution["checkpoint"]))
    pairs = training = None
    if "training.csv" in results.files:
        training = results.table("training.csv", _TRAINING, known=("checkpoint",))
        pairs = results.table("pairs.csv", _PAIRS, known=tuple(_PAIRS))
    for name, table in ((MAIN, settled), ("training.csv", training), ("pairs.csv", pairs)):
        if table is not None and len(table) and [*dict.fromkeys(table["checkpoint"])] != names:
            raise results.damaged(name)
    if not names:
        raise results.damaged("evolution.csv")
    sheets = [name for name in results.files if name.startswith("sheets/")]
    pictures = [
        results.picture(name, caption, alt=alt)
        for name, (caption, alt) in _PICTURES.items()
        if name in results.files
    ]
    rest = len(sheets) - SHEETS_SHOWN
    return Told(
        [
            Block(
                sentences=in_words(settled, evolution, pairs),
                pictures=[*pictures, *(_sheet(results, name) for name in sheets[:SHEETS_SHOWN])],
                tables=[] if training is None else [_table(training)],
            )
        ],
        rest=f"and {counted(rest, 'further sheet')} in network/evolution/sheets"
        if rest > 0
        else "",
    )


def _sheet(results: Results, name: str) -> Picture:
    layer = shortened(name.removeprefix("sheets/").removesuffix(".png"))
    alt = f"The strongest image of channels of {layer} at each checkpoint"
    return results.picture(name, f"what channels of {layer} answer to at each checkpoint", alt=alt)


def _table(training: pd.DataFrame) -> Table:
    rows = records(training)
    rest = len(rows) - CHECKPOINTS_SHOWN
    short = short_names([row["checkpoint"] for row in rows])
    return Table(
        title="How well it does at each checkpoint, on the same images",
        heads=("checkpoint", "images>", "accuracy>", "mean loss>", "ECE>"),
        rows=[
            [
                text_cell(name),
                Cell(count(row["n"]), row["n"]),
                Cell(share(row["accuracy"], row["n"]), row["accuracy"]),
                Cell(number(row["loss"]), row["loss"]),
                Cell(number(row["ece"]), row["ece"]),
            ]
            for name, row in zip(short[:CHECKPOINTS_SHOWN], rows, strict=False)
        ],
        rest=f"and {count(rest)} more in network/evolution/training.csv" if rest > 0 else "",
    )
