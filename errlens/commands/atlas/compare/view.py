"""How two classes look side by side on the terminal."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from errlens.analysis.selection.parsing import pair_selector
from errlens.commands import showing
from errlens.commands.atlas.compare.options import ComparePairOptions
from errlens.commands.atlas.compare.result import PairAtlas, PairResult
from errlens.commands.atlas.pages import show_page
from errlens.commands.atlas.render.view import warn_of_absent
from errlens.commands.showing import first_rows, records, show_files
from errlens.formats import count, signed
from errlens.run.folder import RunFolder
from errlens.terminal import Screen

SHOWN: Final = 3  # cells for either class


def show(screen: Screen, run: RunFolder, options: ComparePairOptions, result: PairResult) -> None:
    """Print the cells that speak the most for either class, and where all is."""
    for atlas in result.atlases:
        _show_atlas(screen, run, options, atlas)
    show_page(screen, result.page)
    confused = next((atlas for atlas in result.atlases if _errors(atlas)), None)
    selector = confused and pair_selector(*confused.names, run.info.classes)
    words: list[str | Path] = ["errlens", "report", run.path]
    if selector:
        words = ["errlens", "explain", run.path, "--select", selector]
    showing.say_next(screen, [*words, *options.images_words()])
    screen.step("atlas compare", result.in_a_line)


def print_json(screen: Screen, run: RunFolder, result: PairResult) -> None:
    """Print the one object that stands for the result, where it was asked for."""
    showing.print_json(
        screen,
        "atlas compare",
        run,
        pairs=[
            {
                "classes": list(atlas.names),
                "layer": atlas.layer,
                "folder": str(atlas.folder),
                "layout": atlas.layout,
                "sentences": list(atlas.sentences),
                "cells": records(atlas.drawn.table),
                "absent": dict(atlas.absent),
                "files": list(atlas.files),
            }
            for atlas in result.atlases
        ],
    )


def _show_atlas(
    screen: Screen, run: RunFolder, options: ComparePairOptions, atlas: PairAtlas
) -> None:
    a, b = atlas.names
    screen.say(f"{a} less {b} at layer {atlas.layer}, the most different cells:")
    cells = atlas.drawn.table.sort_values(["difference", "cell"], ascending=[False, True])
    places = np.arange(len(cells))
    ends = (places < SHOWN) | (places >= len(cells) - SHOWN)
    screen.table(
        (">row", ">column", "adds most to", ">difference", ">photos", ">pair errors"),
        [_cells(cell) for cell in first_rows(cells[ends])],
        gives_way=("adds most to",),
        file="cells.csv",
    )
    for sentence in atlas.sentences:
        screen.say(sentence)
    warn_of_absent(screen, atlas.absent, options.images_root(run), atlas.files)
    show_files(screen, atlas.folder, atlas.files)
    screen.say()


def _errors(atlas: PairAtlas) -> bool:
    return bool(atlas.drawn.table["n_pair_errors"].any())


def _cells(cell: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        str(cell["cell_row"]),
        str(cell["cell_column"]),
        str(cell["top_class"]),
        signed(cell["difference"]),
        count(cell["n_images"]),
        count(cell["n_pair_errors"]),
    )
