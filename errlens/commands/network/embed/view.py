"""How a map and the neighbours of errors look on the terminal."""

from pathlib import Path
from typing import Any, Final

import pandas as pd

from errlens.commands import showing
from errlens.commands.network.embed.options import EmbedOptions
from errlens.commands.network.embed.result import EmbedResult
from errlens.commands.showing import first_rows, one_way, records, say_more, show_files
from errlens.formats import count, counted, number
from errlens.run.folder import RunFolder
from errlens.terminal import Cell, Screen

SHOWN: Final = 8  # errors


def show(screen: Screen, run: RunFolder, options: EmbedOptions, result: EmbedResult) -> None:
    """Print the neighbours of the worst errors, what all come to, and where all is."""
    if len(result.worst):
        _show_errors(screen, result)
    elif (result.points.label < 0).all():
        screen.say("No image has a label: nothing is right or wrong.")
    else:
        screen.say("No image on the map is wrong.")
    screen.say()
    for sentence in result.sentences:
        screen.say(sentence)
    for why, n in result.left_out.items():
        screen.warn(f"{counted(n, 'image')} not on the map: {why}")
    if result.absent:
        path, reason = next(iter(result.absent.items()))
        more = f" and {count(len(result.absent) - 1)} more" if len(result.absent) > 1 else ""
        screen.warn(f"not shown: {path!r} ({reason}){more}")
    show_files(screen, result.folder, result.files)
    if len(result.worst):
        row = int(result.worst["row"].iloc[0])
        words: list[str | Path] = ["errlens", "explain", run.path, "--select", f"row:{row}"]
        showing.say_next(screen, [*words, *options.images_words()])
    screen.step("network embed", result.in_a_line)


def print_json(screen: Screen, run: RunFolder, result: EmbedResult) -> None:
    """Print the one object that stands for the result, where it was asked for."""
    showing.print_json(
        screen,
        "network embed",
        run,
        folder=str(result.folder),
        **result.as_tree(),
        neighbours=records(result.tables.neighbours),
        files=list(result.files),
    )


def _show_errors(screen: Screen, result: EmbedResult) -> None:
    table = result.tables.neighbours
    nearest = table[table["rank"] == 1].set_index(["among", "row"])
    kinds = [kind for kind in ("right", "training") if kind in nearest.index]
    rows: list[tuple[Cell, ...]] = [
        (str(error["row"]), one_way(error["label_name"], error["pred_name"]),
         *(cell for kind in kinds for cell in _cells(nearest, kind, error["row"])))
        for error in first_rows(result.worst, SHOWN)
    ]  # fmt: skip
    heads = ["row", "error"]
    for kind in kinds:
        heads += [f"nearest {kind}", ">cosine"]
    screen.table(heads, rows, file="neighbours.csv")
    say_more(screen, len(result.worst), len(rows), ": see neighbours.csv", noun="error")


def _cells(nearest: pd.DataFrame, kind: str, row: Any) -> tuple[str, str]:
    if (kind, row) not in nearest.index:
        return "", ""
    neighbour = nearest.loc[(kind, row)]
    return str(neighbour["neighbour_label"]), number(float(neighbour["similarity"]))
