"""How the cost of corruptions looks on the terminal."""

import pandas as pd

from errlens.commands import showing
from errlens.commands.network.images import ModelAndImages
from errlens.commands.network.invariance.severity.result import SeverityResult
from errlens.commands.network.invariance.view import warn
from errlens.commands.showing import records, show_files
from errlens.formats import share, share_range
from errlens.terminal import Screen


def show(screen: Screen, subject: ModelAndImages, result: SeverityResult) -> None:
    """Print what each corruption costs, the worst first, the mean of all, and where all is."""
    _show_table(screen, result)
    screen.say()
    for sentence in result.sentences:
        screen.say(sentence)
    warn(screen, subject, result.answers)
    show_files(screen, result.folder, result.files)
    screen.step("network invariance", result.in_a_line)


def print_json(screen: Screen, subject: ModelAndImages, result: SeverityResult) -> None:
    """Print the one object that stands for the result, where it was asked for."""
    showing.print_json(
        screen,
        "network invariance",
        subject.run,
        folder=str(result.folder),
        layers=list(result.answers.layers),
        n_images=len(result.answers),
        sentences=list(result.sentences),
        clean_error=result.cost.clean.facts(),
        mean_corruption_error=result.cost.corrupted.facts(),
        more_than_clean=result.cost.more.facts(),
        corruptions=records(result.corruptions),
        severities=records(result.severities),
        distances=records(result.distances),
        files=list(result.files),
    )


def _show_table(screen: Screen, result: SeverityResult) -> None:
    """Print a row for each corruption: its mean error, and that at each severity."""
    error = errors_of(result)
    what = "wrong" if result.answers.labelled else "predictions that change"
    screen.say(f"Percent {what} at each severity, the worst corruption first:")
    screen.table(
        ("corruption", *(f">{severity}" for severity in error.columns), ">mean", "95 % interval"),
        [
            (
                row["corruption"],
                *(_percent(value) for value in error.loc[row["corruption"]]),
                _percent(row["error"]),
                share_range(row["low"], row["high"]),
            )
            for _, row in result.corruptions.iterrows()
        ],
        gives_way=("95 % interval",),
        file="severity.csv",
    )


def errors_of(result: SeverityResult) -> pd.DataFrame:
    """Return errors, a row a corruption and a column a severity, the worst first."""
    name = "accuracy" if result.answers.labelled else "same_prediction"
    corrupted = result.severities[result.severities["severity"] > 0]
    held = corrupted.pivot_table(index="corruption", columns="severity", values=name)
    return 1 - held.loc[result.corruptions["corruption"]]


def _percent(value: float) -> str:
    return share(value).removesuffix(" %")
