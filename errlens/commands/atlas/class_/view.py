"""How the atlas of a class looks on the terminal."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd

from errlens.commands import showing
from errlens.commands.atlas.class_.options import ClassOptions
from errlens.commands.atlas.class_.result import ClassAtlas, ClassResult
from errlens.commands.atlas.pages import show_page
from errlens.commands.atlas.render.view import warn_of_absent
from errlens.commands.showing import first_rows, records, say_more, show_files
from errlens.formats import NOT_KNOWN, count, signed
from errlens.run.folder import RunFolder
from errlens.terminal import Screen

SHOWN: Final = 5  # suspects of a class


def show(screen: Screen, run: RunFolder, options: ClassOptions, result: ClassResult) -> None:
    """Print the suspects of each class, what was found, and where all is."""
    for atlas in result.atlases:
        _show_atlas(screen, run, options, atlas)
    show_page(screen, result.page)
    suspected = next((atlas for atlas in result.atlases if len(atlas.suspects)), None)
    words: list[str | Path] = ["errlens", "report", run.path]
    if suspected is not None:
        words = ["errlens", "atlas", "paste", run.path, "--to", suspected.name]
    showing.say_next(screen, [*words, *options.images_words()])
    screen.step("atlas class", result.in_a_line)


def print_json(screen: Screen, run: RunFolder, result: ClassResult) -> None:
    """Print the one object that stands for the result, where it was asked for."""
    showing.print_json(
        screen,
        "atlas class",
        run,
        classes=[
            {
                "class": atlas.name,
                "layer": atlas.layer,
                "folder": str(atlas.folder),
                "layout": atlas.layout,
                "sentences": list(atlas.sentences),
                **{name: records(table) for name, table in atlas.tables._asdict().items()},
                "cells": records(atlas.drawn.table),
                "absent": dict(atlas.absent),
                "files": list(atlas.files),
            }
            for atlas in result.atlases
        ],
    )


def _show_atlas(screen: Screen, run: RunFolder, options: ClassOptions, atlas: ClassAtlas) -> None:
    suspects = atlas.suspects
    if len(suspects):
        screen.say(f"Suspects of {atlas.name} at layer {atlas.layer}:")
        screen.table(
            (">", ">row", ">column", "adds most to", ">adds", ">at least", ">photos", ">others'"),
            [_cells(suspect) for suspect in first_rows(suspects, SHOWN)],
            gives_way=("adds most to",),
            file="suspects.csv",
        )
        say_more(screen, len(suspects), SHOWN, ": see suspects.csv", noun="suspect")
    else:
        screen.say(f"Class {atlas.name} at layer {atlas.layer}:")
    for sentence in atlas.sentences:
        screen.say(sentence)
    warn_of_absent(screen, atlas.absent, options.images_root(run), atlas.files)
    show_files(screen, atlas.folder, atlas.files)
    screen.say()


def _cells(suspect: Mapping[str, Any]) -> tuple[str, ...]:
    low = suspect["attribution_low"]
    return (
        str(suspect["rank"]),
        str(suspect["cell_row"]),
        str(suspect["cell_column"]),
        str(suspect["other_class"]),
        signed(suspect["attribution"]),
        NOT_KNOWN if low is None or pd.isna(low) else signed(low),
        count(suspect["n_images"]),
        count(suspect["n_sources_other"]),
    )
