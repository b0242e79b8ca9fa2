"""What transforms of photos do, as `errlens network invariance` measured it."""

from typing import Any, Final

import pandas as pd

from errlens.data.photos.transforms import TRANSFORM_OF
from errlens.formats import NOT_KNOWN, count, counted, probability, share, share_range
from errlens.report.parts import records
from errlens.report.sections.network.results import Results
from errlens.report.sections.network.told import Block, Cell, Table, Told, text_cell
from errlens.run.csv_tables import NUMBER, TEXT, TRUTH, WHOLE, Columns

MAIN: Final = "invariance.csv"
SHOWN: Final = 20  # classes
# What the page needs to know of invariance.csv and classes.csv.
_CURVES: Final[Columns] = {
    "transform": TEXT, "size": NUMBER, "n": WHOLE, "probability_mean": NUMBER,
    "same_prediction": NUMBER, "accuracy": NUMBER, "natural": TRUTH,
}  # fmt: skip
_CLASSES: Final[Columns] = {
    "class_name": TEXT, "transform": TEXT, "n": WHOLE, "accuracy": NUMBER, "breaks_at": NUMBER,
    "accuracy_there": NUMBER, "low": NUMBER, "high": NUMBER, "sure": TRUTH,
}  # fmt: skip
_HEADS: Final = ("transform", "size", "probability before>", "there>", "same prediction>")
_CLASS_HEADS: Final = (
    "class", "transform", "from", "images>", "right before>", "there>", "95 % interval",
)  # fmt: skip


def tell(results: Results) -> Told:
    """Return the curves, what each transform costs, and which classes break.

    Raises:
        NoResults: A file is not there, was made of other predictions, or is damaged.
    """
    known = ("transform", "size", "same_prediction", "natural")
    curves = results.table(MAIN, _CURVES, known=known)
    classes = results.table("classes.csv", _CLASSES, known=("class_name", "transform", "sure"))
    strange = {*curves["transform"], *classes["transform"]} - {*TRANSFORM_OF}
    if strange or not len(curves):
        raise results.damaged(MAIN)
    labelled = bool(curves["accuracy"].notna().all())
    whose = "true class" if labelled else "class predicted"
    n = counted(int(curves["n"].iloc[0]), "image")
    pictures = [
        results.picture(
            "invariance.png",
            "how far features and the probability move with the size of each transform",
            alt="Distances of features and probability against the size of each transform",
        )
    ]
    sure = classes[classes["sure"].astype(bool) & classes["breaks_at"].notna()]
    said = [
        f"Of {n}, at the sizes that ordinary photos have: what each transform costs the {whose}."
    ]
    if labelled and not len(sure):
        said.append("No class loses half of its accuracy at any size for sure.")
    tables = [_costs(curves), *([_broken(sure)] if len(sure) else [])]
    return Told([Block(sentences=said, pictures=pictures, tables=tables)], finding="invariance")


def _costs(curves: pd.DataFrame) -> Table:
    """Return for each transform the natural size that costs most, the worst first."""
    rows = []
    for name, sizes in curves.groupby("transform", sort=False):
        transform = TRANSFORM_OF[str(name)]
        start = sizes[sizes["size"] == transform.identity]["probability_mean"]
        natural = sizes[sizes["natural"].astype(bool) & (sizes["size"] != transform.identity)]
        known = natural[natural["probability_mean"].notna()]
        if len(known) and len(start) and pd.notna(start.iloc[0]):
            worst = records(known.loc[[known["probability_mean"].idxmin()]])[0]
            rows.append((start.iloc[0], worst))
    rows.sort(key=lambda row: row[1]["probability_mean"] - row[0])
    return Table(
        title="The size within what ordinary photos have that costs most",
        heads=_HEADS,
        rows=[
            [
                text_cell(row["transform"]),
                text_cell(TRANSFORM_OF[row["transform"]].written(row["size"])),
                _number(before),
                _number(row["probability_mean"]),
                Cell(share(row["same_prediction"]), row["same_prediction"]),
            ]
            for before, row in rows
        ],
        rest="",
    )


def _broken(sure: pd.DataFrame) -> Table:
    rest = len(sure) - SHOWN
    return Table(
        title="Classes that lose half of what was right, the easiest to break first",
        heads=_CLASS_HEADS,
        rows=[_row(row) for row in records(sure)[:SHOWN]],
        rest=f"and {counted(rest, 'further row')} in network/invariance/classes.csv"
        if rest > 0
        else "",
    )


def _row(row: dict[str, Any]) -> list[Cell]:
    return [
        text_cell(row["class_name"]),
        text_cell(row["transform"]),
        text_cell(TRANSFORM_OF[row["transform"]].written(row["breaks_at"])),
        Cell(count(row["n"]), row["n"]),
        Cell(share(row["accuracy"]), row["accuracy"]),
        Cell(share(row["accuracy_there"]), row["accuracy_there"]),
        text_cell(share_range(row["low"], row["high"])),
    ]


def _number(value: float | None) -> Cell:
    return Cell(NOT_KNOWN) if value is None else Cell(probability(value), value)
