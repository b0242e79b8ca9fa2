"""How the evolution of a network looks on the terminal."""

from typing import Any

import pandas as pd

from errlens.analysis.evolution.names import short_names
from errlens.analysis.evolution.sentences import jumps_of
from errlens.analysis.evolution.settling import settling
from errlens.commands import showing
from errlens.commands.network.evolution.result import EvolutionResult
from errlens.commands.showing import and_more, both_ways, first_rows, records, show_files
from errlens.formats import NOT_KNOWN, count, counted, number, of, share
from errlens.run.folder import RunFolder
from errlens.terminal import Screen


def show(screen: Screen, result: EvolutionResult) -> None:
    """Print how well it does at each checkpoint, when layers settle and pairs part."""
    names = [file.name for file in result.found.checkpoints]
    short = dict(zip(names, short_names(names), strict=True))
    if result.tables.training is not None:
        _show_training(screen, result.tables.training, short)
    _show_layers(screen, result, short)
    if result.tables.pairs is not None and len(result.tables.pairs):
        _show_pairs(screen, result.tables.pairs, short)
    screen.say()
    for sentence in result.sentences:
        screen.say(sentence)
    _remark(screen, result)
    show_files(screen, result.folder, result.files)
    screen.step("network evolution", repr(result))


def print_json(screen: Screen, run: RunFolder, result: EvolutionResult) -> None:
    """Print the one object that stands for the result, where it was asked for."""
    tables = {
        name: None if table is None else records(table)
        for name, table in result.tables._asdict().items()
    }
    showing.print_json(
        screen,
        "network evolution",
        run,
        projection=result.found.projection,
        n_images=len(result.found.read),
        n_unread=len(result.found.unread),
        **tables,
        sentences=list(result.sentences),
        same_weights=dict(result.found.copies),
        remarks=dict(result.found.remarks),
        files=list(result.files),
    )


def _show_training(screen: Screen, training: pd.DataFrame, short: dict[str, str]) -> None:
    rows = [
        (
            short[row["checkpoint"]],
            share(row["accuracy"]),
            of(round((row["accuracy"] or 0) * row["n"]), row["n"]) if row["n"] else NOT_KNOWN,
            number(row["loss"]),
            number(row["ece"]),
        )
        for row in records(training)
    ]
    heads = ("checkpoint", ">accuracy", ">right", ">loss", ">ECE")
    screen.table(heads, rows, gives_way=(">ECE", ">loss"), file="training.csv")


def _show_layers(screen: Screen, result: EvolutionResult, short: dict[str, str]) -> None:
    tables = result.tables
    first = result.found.checkpoints[0].name
    at_first = tables.settled[tables.settled["checkpoint"] == first].set_index("layer")["cka"]
    rows = []
    for layer, settled in settling(tables.settled).items():
        n, last = jumps_of(tables.evolution, layer)
        known = number(float(at_first[layer]))
        rows.append(
            (layer, known, short[settled] if settled else NOT_KNOWN, count(n),
             short[last] if last else NOT_KNOWN)
        )  # fmt: skip
    heads = ("layer", f">like the last at {short[first]}", "settled from", ">jumps", "last jump")
    screen.table(heads, rows, gives_way=(heads[1],), file="settled.csv")


def _show_pairs(screen: Screen, pairs: pd.DataFrame, short: dict[str, str]) -> None:
    rows: list[tuple[Any, ...]] = []
    for (a, b), of_pair in pairs.groupby(["class_a", "class_b"], sort=False):
        every = first_rows(of_pair)
        most = max(every, key=lambda row: row["a_as_b"] + row["b_as_a"])
        parted = of_pair.loc[of_pair["parted"].astype(bool), "checkpoint"]
        rows.append(
            (both_ways(a, b), *map(_mixed_up, (most, every[-1])),
             short[parted.iloc[0]] if len(parted) else NOT_KNOWN)
        )  # fmt: skip
    heads = ("pair", ">mixed up at most", ">at the last", "parts at")
    screen.table(heads, rows, gives_way=(">mixed up at most",), file="pairs.csv")


def _mixed_up(row: dict[str, Any]) -> str:
    return of(row["a_as_b"] + row["b_as_a"], row["n_a"] + row["n_b"])


def _remark(screen: Screen, result: EvolutionResult) -> None:
    """Say what a reader must know."""
    found = result.found
    if result.tables.training is None:
        screen.remark("the images have no labels: nothing is said of accuracy and pairs")
    else:
        odd = result.tables.training["n_not_finite"]
        if odd.any():
            screen.warn(
                f"outputs that are no numbers at {counted(int((odd > 0).sum()), 'checkpoint')}: "
                "such images are left out of accuracy, loss and pairs"
            )
    for name, other in found.copies.items():
        screen.warn(f"{name} has the same weights as {other}")
    for layer, remark in found.remarks.items():
        screen.remark(f"{layer}: {remark}")
    if found.unread:
        number_of, reason = next(iter(found.unread.items()))
        path = result.images[number_of]["path"]
        more = and_more(len(found.unread))
        screen.warn(f"{counted(len(found.unread), 'image')} left out: {path!r} ({reason}){more}")
