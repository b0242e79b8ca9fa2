"""How probed layers look on the terminal."""

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from errlens.commands import showing
from errlens.commands.network.probe.options import ProbeOptions
from errlens.commands.network.probe.result import LayerProbe
from errlens.commands.showing import first_rows, show_files
from errlens.formats import counted, share, share_range
from errlens.terminal import Screen

LOSSES: Final = 5  # classes


def show(screen: Screen, options: ProbeOptions, result: LayerProbe) -> None:
    """Print what each layer tells, where pairs part, learning curves, and where all is."""
    screen.say(f"{result.in_a_line}, held out in {options.folds} folds")
    if result.layers is not None:
        _show_layers(screen, result, result.layers)
    for parting in result.partings:
        screen.say(f"{parting.sentence}.")
    for loss in result.losses[:LOSSES]:
        screen.say(f"{loss.sentence}.")
    if (rest := len(result.losses) - LOSSES) > 0:
        screen.say(f"{counted(rest, 'further class')} found less well after the best: classes.csv.")
    if result.curves is not None:
        _show_curves(screen, result.curves)
    screen.remark(
        "probes are logistic regressions on standardised features, the mean of each channel over "
        "its places: what only the order of places tells, they miss"
    )
    show_files(screen, result.folder, result.files)
    screen.step("network probe", result.in_a_line)


def print_json(screen: Screen, result: LayerProbe) -> None:
    """Print the one object that stands for the result, where it was asked for."""
    showing.print_json(
        screen,
        "network probe",
        result.subject.run,
        folder=str(result.folder),
        **result.as_tree(),
        files=list(result.files),
    )


def _show_layers(screen: Screen, result: LayerProbe, layers: pd.DataFrame) -> None:
    rows = [
        (
            row["layer"],
            str(row["channels"]),
            share(row["accuracy"], row["n"]),
            share_range(row["low"], row["high"], row["n"]),
            share(row["control"], row["n"]),
            share_range(row["control_lowest"], row["control_highest"], row["n"]),
        )
        for row in first_rows(layers)
    ]
    heads = (
        "layer", ">channels", ">held out", ">95 % interval", ">shuffled labels", ">their range",
    )  # fmt: skip
    gives_way = (">channels", ">their range", ">95 % interval")
    screen.table(heads, rows, gives_way=gives_way, file="layers.csv")
    screen.say(f"{result.of_chance}.")
    if result.own is not None:
        screen.say(f"The network itself gets {share(result.own, result.n)} of these images right.")
    if result.superclasses is not None:
        _show_superclasses(screen, result.superclasses)
    screen.say()


def _show_superclasses(screen: Screen, table: pd.DataFrame) -> None:
    """Print a column for each of the first superclasses."""
    names: Sequence[str] = list(dict.fromkeys(table["superclass"]))[:3]
    by_layer: dict[str, dict[str, Any]] = {}
    for row in first_rows(table):
        text = share(row["accuracy"], row["n"])
        by_layer.setdefault(row["layer"], {})[row["superclass"]] = text
    rows = [(layer, *(cells[name] for name in names)) for layer, cells in by_layer.items()]
    screen.say()
    screen.table(("layer", *(f">{name}" for name in names)), rows, file="superclasses.csv")


def _show_curves(screen: Screen, curves: pd.DataFrame) -> None:
    numbers = list(dict.fromkeys(curves["per_class"]))
    rows = [
        (str(layer), *(share(row["accuracy"]) for row in first_rows(of_layer)))
        for layer, of_layer in curves.groupby("layer", sort=False)
    ]
    screen.say("Accuracy after so many images of each class (mean over draws):")
    heads = ("layer", *(f">{n}" for n in numbers))
    screen.table(heads, rows, gives_way=heads[2:-1], file="curves.csv")
