"""What corruptions of photos cost, as `errlens network invariance --severity` measured it."""

from typing import Any, Final

from errlens.analysis.invariance.severities import CLEAN, CORRUPTIONS, SEVERITIES
from errlens.formats import counted, points, points_range, share, share_range
from errlens.report.parts import records
from errlens.report.sections.network.results import Results
from errlens.report.sections.network.told import Block, Cell, Table, Told, text_cell
from errlens.run.csv_tables import Columns

MAIN: Final = "severity.csv"
_SEVERITIES: Final[Columns] = {
    name: SEVERITIES[name] for name in ("corruption", "severity", "n", "accuracy")
}
_HEADS: Final = (
    "corruption", "kind", "error>", "95 % interval", "more than clean>", "95 % interval",
)  # fmt: skip
_KNOWN: Final = ("corruption", "n", "error", "low", "high", "more_than_clean")
_SHOWN: Final = 30


def tell(results: Results) -> Told:
    """Return the errors by severity, and what each corruption costs.

    Raises:
        NoResults: A file is not there, was made of other predictions, or is damaged.
    """
    severities = results.table(MAIN, _SEVERITIES, known=("corruption", "severity", "n"))
    corruptions = results.table("corruptions.csv", CORRUPTIONS, known=_KNOWN)
    clean = severities[severities["corruption"] == CLEAN.transform]
    if not (len(clean) and len(corruptions)):
        raise results.damaged(MAIN)
    accuracy, n = clean["accuracy"].iloc[0], counted(int(clean["n"].iloc[0]), "image")
    mean = share(float(corruptions["error"].mean()))
    of_what = counted(len(corruptions), "corruption")
    labelled = bool(clean["accuracy"].notna().all())
    said = (
        f"Of {n}, {mean} are wrong on average over {of_what} and their severities; of the images "
        f"as they are {share(1 - float(accuracy))}. The mean is not divided by the errors of "
        "AlexNet, as the published mean corruption error is."
        if labelled
        else f"Of {n}, the prediction changes in {mean} on average over {of_what} and their "
        "severities."
    )
    picture = results.picture(
        "severity.png",
        "errors by corruption and severity, the worst corruption first",
        alt="Heat map of errors by corruption and severity, with the mean of each",
    )
    table = Table(
        title="What each corruption costs, on average over severities",
        heads=_HEADS,
        rows=[_row(row) for row in records(corruptions)[:_SHOWN]],
    )
    return Told([Block(sentences=[said], pictures=[picture], tables=[table])])


def _row(row: dict[str, Any]) -> list[Cell]:
    return [
        text_cell(row["corruption"]),
        text_cell(row["family"]),
        Cell(share(row["error"]), row["error"]),
        text_cell(share_range(row["low"], row["high"])),
        Cell(points(row["more_than_clean"]), row["more_than_clean"]),
        text_cell(points_range(row["more_low"], row["more_high"])),
    ]
