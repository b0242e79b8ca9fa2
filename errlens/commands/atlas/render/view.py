"""How an atlas looks on the terminal."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from errlens.analysis.atlas.grid import fuller_grid
from errlens.analysis.atlas.mapped import AtlasMap
from errlens.commands import showing
from errlens.commands.atlas.pages import show_page
from errlens.commands.atlas.render.options import RenderOptions
from errlens.commands.atlas.render.result import RenderedLayer, RenderResult
from errlens.commands.showing import and_more, first_rows, records, say_more, show_files
from errlens.formats import count, share, signed
from errlens.run.folder import RunFolder
from errlens.terminal import Screen

SHOWN: Final = 6  # cells of a layer
WELL_FILLED: Final = 0.75  # of the points


def show(screen: Screen, run: RunFolder, options: RenderOptions, result: RenderResult) -> None:
    """Print the fullest cells of each layer, what they come to, and where all is."""
    for of_layer in result.layers:
        _show_layer(screen, run, options, of_layer)
    show_page(screen, result.page)
    words: list[str | Path] = ["errlens", "atlas", "class", run.path, _most_mistaken(run)]
    showing.say_next(screen, [*words, *options.images_words()])
    screen.step("atlas render", result.in_a_line)


def _most_mistaken(run: RunFolder) -> str:
    """Return the class that images of others are taken for the most often; ties by index."""
    images = run.read_predictions(("pred", "correct")).table.to_pandas()
    wrong = images.loc[images["correct"] == False, "pred"].dropna()  # noqa: E712 - null is neither
    return run.info.classes[int(np.bincount(wrong.astype("int64"), minlength=1).argmax())]


def print_json(screen: Screen, run: RunFolder, result: RenderResult) -> None:
    """Print the one object that stands for the result, where it was asked for."""
    showing.print_json(
        screen,
        "atlas render",
        run,
        layers=[
            {
                "layer": of_layer.layer,
                "folder": str(of_layer.folder),
                "layout": of_layer.layout,
                "sentences": list(of_layer.sentences),
                "cells": records(of_layer.drawn.table),
                "absent": dict(of_layer.absent),
                "files": list(of_layer.files),
            }
            for of_layer in result.layers
        ],
    )


def _show_layer(
    screen: Screen, run: RunFolder, options: RenderOptions, of_layer: RenderedLayer
) -> None:
    screen.say(f"Layer {of_layer.layer}, the cells with the most points:")
    table = of_layer.drawn.table
    fullest = table.sort_values(["n_points", "cell"], ascending=[False, True])
    screen.table(
        (">row", ">column", ">points", ">images", "adds most to", ">attribution"),
        [_cells(row) for row in first_rows(fullest, SHOWN)],
        gives_way=("adds most to",),
        file="cells.csv",
    )
    say_more(screen, len(table), SHOWN, ": see cells.csv", noun="cell")
    for sentence in of_layer.sentences:
        screen.say(sentence)
    _remark_on_grid(screen, options, of_layer.drawn)
    warn_of_absent(screen, of_layer.absent, options.images_root(run), of_layer.files)
    show_files(screen, of_layer.folder, of_layer.files)
    screen.say()


def _remark_on_grid(screen: Screen, options: RenderOptions, drawn: AtlasMap) -> None:
    """Name a coarser grid where many points are in no cell that is drawn."""
    inside = float((drawn.cells.cell >= 0).mean())
    grid = fuller_grid(drawn.places, grid=options.grid, min_density=options.min_density)
    if inside < WELL_FILLED and grid:
        screen.remark(
            f"{share(1 - inside)} of the points are in cells of fewer than {options.min_density}: "
            f"--grid {grid} shows nearly all"
        )


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        str(row["cell_row"]),
        str(row["cell_column"]),
        count(row["n_points"]),
        count(row["n_images"]),
        str(row["top_class"]),
        signed(row["top_attribution"]),
    )


def warn_of_absent(
    screen: Screen, absent: Mapping[str, str], root: Path, written: Sequence[str]
) -> None:
    """Say which photos of sources cannot be shown."""
    if not absent:
        return
    name, reason = next(iter(absent.items()))
    if "patches.png" in written:
        screen.warn(f"not shown: {name!r} ({reason}){and_more(len(absent))}")
    else:
        screen.warn(
            f"no patch was cut, for no photo in {str(root)!r} can be read: {name!r}, {reason}; "
            "--data-root DIR says where they lie"
        )
