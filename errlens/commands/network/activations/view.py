"""How activations look on the terminal."""

from operator import ge
from typing import Final

import pandas as pd

from errlens.commands import showing
from errlens.commands.network.activations.options import ActivationsOptions
from errlens.commands.network.activations.result import ActivationsResult
from errlens.commands.network.activations.study import OUTPUT, Study
from errlens.commands.network.images import ModelAndImages
from errlens.commands.showing import records, say_more, say_next, show_files
from errlens.data.photos.preprocess import Preprocessing
from errlens.formats import counted, of, share, significant, times
from errlens.run.folder import RunFolder
from errlens.terminal import Screen

SHOWN: Final = 12  # rows of a table


def show(
    screen: Screen,
    options: ActivationsOptions,
    subject: ModelAndImages,
    found: Study,
    result: ActivationsResult,
) -> None:
    """Print which channels fire most, and where."""
    channels, rows, columns = found.shape
    activation = found.output.activation
    follows = f"; its activation: {activation}" if activation else ""
    screen.say(
        f"Layer {found.layer.name}: {counted(channels, 'channel')} of {rows} x {columns} places"
        f"{follows}"
    )
    _show_channels(screen, found)
    _show_filters(screen, found)
    _show_boxes(screen, found)
    _warn(screen, subject, found)
    show_files(screen, result.folder, result.files)
    if subject.run is not None and subject.rows is not None:
        _say_next(screen, options, found, subject.run, subject.rows[0])


def print_json(
    screen: Screen,
    options: ActivationsOptions,
    subject: ModelAndImages,
    found: Study,
    result: ActivationsResult,
) -> None:
    """Print the one object that stands for the result, where it was asked for."""
    showing.print_json(
        screen,
        "network activations",
        folder=str(result.folder),
        run_hash=subject.made_of,
        layer=found.layer.name,
        shape=list(found.shape),
        activation=found.output.activation,
        signed=options.signed,
        scale=found.scale,
        channels=records(_chosen(found)),
        filters=None
        if found.preferred is None
        else records(found.preferred[found.preferred["channel"].isin(found.chosen)]),
        boxes=records(found.boxes[found.boxes["channel"].isin(found.chosen)]),
        files=list(result.files),
    )


def _chosen(found: Study) -> pd.DataFrame:
    """Return the rows of the channels shown, image by image, in the order shown."""
    channels = found.shape[0]
    starts = range(0, len(found.channels), channels)  # one table a photo and stage
    return found.channels.iloc[[start + channel for start in starts for channel in found.chosen]]


def _show_channels(screen: Screen, found: Study) -> None:
    table = _chosen(found)
    staged = (table["stage"] != OUTPUT).any()
    several = table["image"].nunique() > 1
    rows = [
        (
            *([str(row["image"])] if several else []),
            *([str(row["stage"])] if staged else []),
            str(row["channel"]),
            str(row["rank"]),
            significant(row["value"]),
            share(row["above_zero"]),
            f"{row['row']}, {row['column']}",
            "" if row["x"] is None else f"{row['x']:.0f}, {row['y']:.0f}",
        )
        for row in records(table)[:SHOWN]
    ]
    heads = (
        *(["image"] if several else []), *(["stage"] if staged else []), ">channel", ">rank",
        ">strongest", ">above 0", ">row, column", ">x, y in photo",
    )  # fmt: skip
    screen.table(heads, rows, gives_way=heads[:several], file="channels.csv")
    say_more(screen, len(table), SHOWN, ": see channels.csv")


def _show_filters(screen: Screen, found: Study) -> None:
    if found.preferred is None:
        return
    rows = [
        (str(row["channel"]), row["colour"] or "-", row["edge"] or "-")
        for row in records(found.preferred.iloc[[*found.chosen]])[:SHOWN]
    ]
    screen.say()
    screen.table((">channel", "prefers the colour", "prefers the edge"), rows, file="filters.csv")


def _show_boxes(screen: Screen, found: Study) -> None:
    table = found.boxes[found.boxes["channel"].isin(found.chosen)]
    if not len(table):
        return
    rows = [
        (
            str(row["image"]),
            str(row["box"]),
            str(row["channel"]),
            significant(row["inside"]),
            "-" if row["outside"] is None else significant(row["outside"]),
            share(row["share"]),
            share(row["area"]),
            times(row["lift"]),
        )
        for row in records(table)[:SHOWN]
    ]
    screen.say()
    heads = (
        "image", "box", ">channel", ">mean inside", ">outside", ">of activation", ">of area",
        ">lift",
    )  # fmt: skip
    screen.table(heads, rows, gives_way=("image",), file="boxes.csv")
    say_more(screen, len(table), SHOWN, ": see boxes.csv")


def _warn(screen: Screen, subject: ModelAndImages, found: Study) -> None:
    """Say what is not as one might think."""
    output = found.output
    if output.calls > 1:
        others = "--call 1 shows the first" if output.call > 1 else "the last is shown by default"
        screen.remark(
            f"layer {found.layer.name} runs {counted(output.calls, 'time')} in one pass; this is "
            f"call {output.call}; {others}"
        )
    for tensor in found.tensors:
        maps = tensor.numbers.maps
        silent = int((maps == 0).all(axis=(1, 2)).sum())
        where = f"{tensor.numbers.image}"
        if silent == len(maps):
            screen.warn(f"no channel fires in {where}: all values of the layer are zero")
        elif silent:
            screen.remark(f"{of(silent, len(maps))} channels are zero everywhere in {where}")
    if sees := _sees(found):
        screen.remark(
            f"each place of {found.layer.name} sees {sees}: what it responds to may lie elsewhere "
            "than the place does"
        )
    usual, fed = subject.classifier.preparation, found.input_size
    if isinstance(usual, Preprocessing) and fed != usual.img_size:
        learnt = "{} x {}".format(*usual.img_size)
        screen.warn(
            f"fed with {fed[0]} x {fed[1]} pixels instead of {learnt}: things are of a size that "
            "the network has not learnt, and what it predicts may differ"
        )


def _sees(found: Study) -> str:
    """Say how much of the image one place sees, where that may be all of it."""
    field = found.receptive_field
    if field is None or not (field.whole or any(map(ge, field.size, found.input_size))):
        return ""
    if field.whole:
        return "all of the image"
    seen, fed = ("{} x {}".format(*size) for size in (field.size, found.input_size))
    return f"up to {seen} pixels of the image, which is fed as {fed}"


def _say_next(
    screen: Screen, options: ActivationsOptions, found: Study, run: RunFolder, row: int
) -> None:
    """Name the command that shows what of this layer speaks for the class predicted."""
    words = ["--select", f"row:{row}", "--layer", found.layer.name, *options.images_words()]
    say_next(screen, ["errlens", "explain", run.path, *words])
