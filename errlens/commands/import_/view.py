"""How a table of predictions looks on the terminal."""

from errlens.classes.names import NO_CLASS
from errlens.commands.evaluate.spelling_view import show_spelling
from errlens.data.samples import Samples
from errlens.errors import some
from errlens.imported.table import ImportedPredictions
from errlens.terminal import Screen, relative


def show_table(screen: Screen, table: ImportedPredictions, samples: Samples) -> None:
    """Say what the table holds."""
    n = len(samples)
    what = "the predicted class" if table.prob is None else "the probability of every class"
    screen.remark(
        f"found {what} of {n} image{'s' * (n != 1)}; {len(table.classes)} classes named by "
        f"{table.classes.source}"
    )
    show_spelling(screen, table.spelling)
    here = int(samples.frame["size_bytes"].notna().sum())
    screen.remark(f"{here} of the images lie in {relative(samples.root)}")
    unknown = int(table.unknown.sum())
    if unknown:
        screen.warn(f"{unknown} labels are none of the classes: not in the metrics")
    unlabelled = int((table.label == NO_CLASS).sum()) - unknown
    if unlabelled:
        screen.remark(f"{unlabelled} of them have no label: not in the metrics")
    _warn_of_repetitions(screen, table)


def _warn_of_repetitions(screen: Screen, table: ImportedPredictions) -> None:
    """Say which images stand in several rows: each row counts."""
    repeated = table.repetitions
    if not repeated.images:
        return
    rows = f"{repeated.rows} rows are about {repeated.images} image{'s' * (repeated.images != 1)}"
    screen.warn(f"{rows}, and each row counts: {some(repeated.paths, most=3)}")
    if repeated.contradicting:
        n = repeated.contradicting
        path, labels = repeated.contradiction
        screen.warn(
            f"{n} image{'s have' if n != 1 else ' has'} different labels in different rows, of "
            f"which at most one is right: {path!r} is {some(labels)}"
        )
