"""How occlusion looks on the terminal."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from errlens.attribution.judging.pointing_game import Evidence
from errlens.commands import showing
from errlens.commands.network.images import ModelAndImages
from errlens.commands.network.occlusion.result import OcclusionResult
from errlens.commands.showing import and_more, first_rows, records, say_more, show_files
from errlens.formats import NOT_KNOWN, count, p_value, probability, share, significant
from errlens.terminal import Screen

SHOWN: Final = 10  # images of the table
TOLD: Final = 3  # images of which all is said


def show(screen: Screen, result: OcclusionResult) -> None:
    """Print what falls in which image, what that says of the first, and where all is."""
    _show_images(screen, result)
    for name, said in list(result.sentences.items())[:TOLD]:
        screen.say()
        screen.say(f"{name}: {' '.join(said)}")
    if len(result.sentences) > TOLD:
        screen.say()
        say_more(screen, len(result.sentences), TOLD, ": see occlusion.json", noun="image")
    for what, evidence in result.evidence.items():
        screen.say(of_all(what, evidence))
    if result.remark:
        screen.remark(f"{result.layer}: {result.remark}")
    if unread := dict(result.unread):
        name, reason = next(iter(unread.items()))
        screen.warn(f"left out: {name!r} ({reason}){and_more(len(unread))}")
    show_files(screen, result.folder, _in_short(result))
    screen.step("network occlusion", result.in_a_line)


def print_json(screen: Screen, subject: ModelAndImages, result: OcclusionResult) -> None:
    """Print the one object that stands for the result, where it was asked for."""
    showing.print_json(
        screen,
        "network occlusion",
        subject.run,
        folder=str(result.folder),
        layer=result.layer,
        projection=result.projection,
        remark=result.remark,
        images=records(result.images),
        sentences={name: list(said) for name, said in result.sentences.items()},
        evidence={what: found._asdict() for what, found in result.evidence.items()},
        unread=dict(result.unread),
        files=list(result.files),
    )


def of_all(what: str, evidence: Evidence) -> str:
    """Say how falls are spread over objects, of several images."""
    test = "" if evidence.p_value is None else f", {p_value(evidence.p_value)}"
    return (
        f"Over {count(evidence.n)} images, {share(evidence.share)} of the falls of the {what} lie "
        f"on the object, which covers {share(evidence.area)} (means{test})."
    )


def _show_images(screen: Screen, result: OcclusionResult) -> None:
    outlined = bool(result.images["object_area"].notna().any())
    heads = ("image", "class", ">probability", ">activity", ">other label")
    screen.table(
        (*heads, ">on object (area)") if outlined else heads,
        [_cells(row, outlined=outlined) for row in first_rows(result.images, SHOWN)],
        gives_way=(">activity", "class"),
        file="occlusion.csv",
    )
    say_more(screen, len(result.images), SHOWN, ": see occlusion.csv")


def _cells(row: Mapping[str, Any], *, outlined: bool) -> tuple[str, ...]:
    before, after = probability(row["probability"]), probability(row["lowest_probability"])
    cells = (
        str(row["sample_id"]) if pd.isna(row["row"]) else f"row {row['row']}",
        str(row["class_name"]),
        f"{before} to {after}",
        f"{significant(row['activity'])} to {significant(row['lowest_activity'])}",
        share(row["other_label_share"]),
    )
    if not outlined:
        return cells
    on_it, area = row["object_share"], row["object_area"]
    known = NOT_KNOWN if pd.isna(on_it) else share(on_it)
    return (*cells, NOT_KNOWN if pd.isna(area) else f"{known} ({share(area)})")


def _in_short(result: OcclusionResult) -> list[str]:
    """Name the files, those of single images together."""
    pictures = [name for name in result.files if name.endswith(".png")]
    others = [name for name in result.files if "occlusion." in name]
    named = pictures if len(pictures) <= TOLD else [f"{count(len(pictures))} pictures"]
    return [*named, "an npz beside each", *others]
