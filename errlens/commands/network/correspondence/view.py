"""How correspondence looks on the terminal."""

from typing import Final

from errlens.analysis.correspondence.changes import CHANNELS
from errlens.commands import showing
from errlens.commands.network.correspondence.result import CorrespondenceResult
from errlens.commands.network.images import ModelAndImages
from errlens.commands.showing import and_more, records, show_files
from errlens.formats import count, counted, probability
from errlens.terminal import Screen

SHOWN: Final = 40  # rows of the table
_KINDS: Final = {CHANNELS: "means of channels"}


def show(screen: Screen, subject: ModelAndImages, result: CorrespondenceResult) -> None:
    """Print how alike each part changes each layer, what that says, and where all is."""
    _show_layers(screen, result)
    for sentence in result.sentences:
        screen.say()
        screen.say(sentence)
    _warn(screen, subject, result)
    show_files(screen, result.folder, result.files)
    screen.step("network correspondence", result.in_a_line)


def print_json(screen: Screen, subject: ModelAndImages, result: CorrespondenceResult) -> None:
    """Print the one object that stands for the result, where it was asked for."""
    showing.print_json(
        screen,
        "network correspondence",
        subject.run,
        folder=str(result.folder),
        sentences=list(result.sentences),
        layers=records(result.layers),
        parts=records(result.parts),
        files=list(result.files),
    )


def _show_layers(screen: Screen, result: CorrespondenceResult) -> None:
    rows = [
        (
            str(row["part"]),
            str(row["layer"]),
            str(row["units"]),
            count(row["n"]),
            probability(row["distance"]),
            probability(row["random_mean"]),
            f"{probability(row['random_low'])} to {probability(row['random_high'])}",
            probability(row["q_value"]),
        )
        for row in records(result.layers)[:SHOWN]
    ]
    screen.say("Distance of changes, 0 where all are alike: the part hidden, and random regions:")
    screen.table(
        ("part", "layer", "units", ">images", ">distance", ">random", ">95 % of draws", ">q"),
        rows,
        gives_way=("95 % of draws", "layer", "part"),
        file="correspondence.csv",
    )


def _warn(screen: Screen, subject: ModelAndImages, result: CorrespondenceResult) -> None:
    unread = result.changes.unread
    if unread:
        place, reason = next(iter(unread.items()))
        screen.warn(f"left out: {subject.names[place]!r} ({reason}){and_more(len(unread))}")
    for row in records(result.parts):
        if row["cropped_away"]:
            screen.warn(
                f"left out: {counted(row['cropped_away'], 'image')} whose {row['part']} lies for "
                "more than half outside of what the network sees, or of the photo"
            )
        if row["outside"]:
            screen.warn(
                f"left out: {counted(row['outside'], 'image')} whose {row['part']} lies for more "
                "than three quarters outside the outline of the object"
            )
        if row["no_room"]:
            where = "in the object " if row["outlined"] else ""
            screen.warn(
                f"left out: {counted(row['no_room'], 'image')} whose {row['part']} is so large "
                f"that {where}no room is left to hide as much elsewhere"
            )
    if not result.changes.labelled:
        screen.remark(
            "not every image has a label: without one, the class is followed that is predicted of "
            "the image as it is"
        )
