"""How what channels answer to looks on the terminal."""

from collections import Counter
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from errlens.commands import showing
from errlens.commands.network.features.channel_view import (
    discriminated_tree,
    show_discriminated,
)
from errlens.commands.network.features.options import FeaturesOptions
from errlens.commands.network.features.result import FeaturesResult
from errlens.commands.network.features.tables import class_words, shown_images
from errlens.commands.showing import and_more, first_rows, records, say_more, show_files
from errlens.errors import some
from errlens.formats import NOT_KNOWN, counted, number, of
from errlens.network.units.top_images import TopOfLayer
from errlens.run.folder import RunFolder
from errlens.terminal import Screen

SHOWN: Final = 4  # channels of each layer
MOST_CLASSES: Final = 3  # named of each channel


def show(screen: Screen, run: RunFolder, options: FeaturesOptions, result: FeaturesResult) -> None:
    """Print which channels agree most on a class, what must be known, and where all is."""
    if result.told_apart:
        show_discriminated(screen, result.told_apart)
    firing = result.tables.firing
    rows = [
        (
            layer.layer.name,
            str(layer.channels[at]),
            number(float(layer.values[at, 0])) if layer.fires[at] else NOT_KNOWN,
            of(int(layer.fires[at]), result.found.seen),
            _classes(result, layer, at),
        )
        for layer in result.found.layers
        for at in _plainest(firing, layer)
    ]
    heads = ("layer", ">channel", ">highest", ">fires in", "classes of its strongest images")
    screen.table(
        heads, rows, gives_way=(">fires in", ">highest"), prose=heads[-1:], file="firing.csv"
    )
    say_more(screen, len(firing), len(rows), ": see firing.csv", noun="channel")
    for layer, remark in result.remarks.items():
        screen.remark(f"{layer}: {remark}")
    for top in result.found.layers:
        if top.layer.calls > 1:
            screen.remark(
                f"{top.layer.name} runs {top.layer.calls} times for an image: what it puts out "
                "the last time counts"
            )
    if limited := [top.layer.name for top in result.found.layers if top.layer.limit]:
        screen.remark(
            "where the activation has an upper limit, the images that would go furthest beyond it "
            f"come first: {some(limited)}"
        )
    _warn(screen, result)
    show_files(screen, result.folder, result.files)
    if result.told_apart is None and (pair := _most_confused(result)):
        command: list[str | Path] = ["errlens", "network", "features", run.path]
        words = ["--discriminate", "~".join(pair), *options.images_words()]
        showing.say_next(screen, [*command, *words])
    screen.step("network features", repr(result))


def print_json(screen: Screen, run: RunFolder, result: FeaturesResult) -> None:
    """Print the one object that stands for the result, where it was asked for."""
    showing.print_json(
        screen,
        "network features",
        run,
        projection=result.projection,
        n_images=result.found.seen,
        n_unread=len(result.found.unread),
        features=records(result.tables.features),
        firing=records(result.tables.firing),
        remarks=dict(result.remarks),
        files=list(result.files),
        discriminated=discriminated_tree(result.told_apart) if result.told_apart else None,
    )


def _most_confused(result: FeaturesResult) -> list[str] | None:
    """Return the two classes that are taken for one another most often; None without an error."""
    wrong = Counter(
        frozenset((facts["label_name"], facts["pred_name"]))
        for facts in result.images
        if facts["correct"] is False and facts["label_name"] is not None
    )
    return min(map(sorted, wrong), key=lambda pair: (-wrong[frozenset(pair)], pair), default=None)


def _plainest(firing: pd.DataFrame, layer: TopOfLayer) -> list[int]:
    """Return the channels, by position, whose strongest images agree most on a class."""
    agree = firing.loc[firing["layer"] == layer.layer.name, "n_top_class"].to_numpy()
    return [int(at) for at in np.argsort(-agree, kind="stable")[:SHOWN]]


def _classes(result: FeaturesResult, layer: TopOfLayer, at: int) -> str:
    shown = shown_images(layer, at, result.images)
    names = [facts["class_name"] for facts in shown]
    return class_words(names, most=MOST_CLASSES) if shown else "never above zero"


def _warn(screen: Screen, result: FeaturesResult) -> None:
    firing = result.tables.firing
    dead = firing[firing["fires"] == 0]
    if len(dead):
        first = first_rows(dead, 1)[0]
        screen.warn(
            f"{counted(len(dead), 'channel')} never above zero: {first['layer']} "
            f"{first['channel']}{and_more(len(dead))}"
        )
    for layer in result.found.layers:
        tied = np.flatnonzero(layer.at_highest > layer.images.shape[1])
        if len(tied):
            at = int(tied[0])
            screen.warn(
                f"{counted(int(layer.at_highest[at]), 'image')} have the highest value of "
                f"{layer.layer.name} {layer.channels[at]}, {number(float(layer.values[at, 0]))}"
                f"{and_more(len(tied))}: the first of them are shown, for no better reason"
            )
    if unread := result.found.unread:
        place, reason = next(iter(unread.items()))
        path = result.images[place]["path"]
        screen.warn(
            f"{counted(len(unread), 'image')} left out: {path!r} ({reason}){and_more(len(unread))}"
        )
