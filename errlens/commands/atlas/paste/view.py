"""How pasted patches look on the terminal."""

from collections.abc import Sequence
from typing import Final

import pandas as pd

from errlens.commands import showing
from errlens.commands.atlas.pages import show_page
from errlens.commands.atlas.paste.result import PasteResult
from errlens.commands.network.images import ModelAndImages
from errlens.commands.showing import and_more, first_rows, records, say_more, show_files
from errlens.formats import NOT_KNOWN, count, probability, share
from errlens.run.folder import RunFolder
from errlens.terminal import Screen

NAME: Final = "atlas paste"
SHOWN: Final = 10  # rows of a table


def show(screen: Screen, run: RunFolder | None, result: PasteResult) -> None:
    """Print the verdicts, or what became of photos, and where all is."""
    if len(result.verdicts):
        _show_verdicts(screen, result.verdicts)
    else:
        _show_photos(screen, result.images)
    for sentence in result.sentences:
        screen.say()
        screen.say(sentence)
    if unread := dict(result.unread):
        name, reason = next(iter(unread.items()))
        screen.warn(f"left out: {name!r} ({reason}){and_more(len(unread))}")
    show_files(screen, result.folder, _in_short(result.files))
    show_page(screen, result.page)
    if run is not None:
        showing.say_next(screen, ["errlens", "report", run.path])
    screen.step(NAME, result.in_a_line)


def print_json(screen: Screen, subject: ModelAndImages, result: PasteResult) -> None:
    """Print the one object that stands for the result, where it was asked for."""
    of_photos = {} if len(result.verdicts) else {"photos": records(result.images)}
    showing.print_json(
        screen,
        NAME,
        subject.run,
        folder=str(result.folder),
        verdicts=records(result.verdicts),
        summary=records(result.summary),
        sentences=list(result.sentences),
        unread=dict(result.unread),
        files=list(result.files),
        **of_photos,
    )


def _show_verdicts(screen: Screen, verdicts: pd.DataFrame) -> None:
    first = verdicts.iloc[0]
    screen.say(
        f"Taken for {first['to_class']}, of {count(first['n_images'])} images of "
        f"{first['from_class']}:"
    )
    screen.table(
        (">suspect", "patch", ">size", ">taken", ">noise", ">other crops", ">q", "verdict"),
        [
            (
                str(row["suspect"]),
                str(row["source"] if pd.isna(row["patch_class"]) else row["patch_class"]),
                share(row["size"]),
                share(row["rate"]),
                NOT_KNOWN if pd.isna(row["noise_rate"]) else share(row["noise_rate"]),
                NOT_KNOWN if pd.isna(row["control_rate"]) else share(row["control_rate"]),
                probability(row["q_value"]),
                str(row["verdict"]),
            )
            for row in first_rows(verdicts, SHOWN)
        ],
        gives_way=("patch",),
        file="verdicts.csv",
    )
    say_more(screen, len(verdicts), SHOWN, ": see verdicts.csv")


def _show_photos(screen: Screen, photos: pd.DataFrame) -> None:
    screen.table(
        ("photo", ">size", "place", "before", "after"),
        [
            (
                str(row["sample_id"]),
                share(row["size"]),
                str(row["position"]),
                f"{share(row['confidence_before'])} {row['pred_before']}",
                f"{share(row['confidence_after'])} {row['pred_after']}",
            )
            for row in first_rows(photos, SHOWN)
        ],
        gives_way=("photo", "before", "after"),
        file="photos.csv",
    )
    say_more(screen, len(photos), SHOWN, ": see photos.csv")


def _in_short(files: Sequence[str]) -> list[str]:
    """Name the files, patches together."""
    patches = [name for name in files if name.startswith("patches/")]
    others = [name for name in files if name not in patches]
    return [*others, f"patches/ ({count(len(patches))})"] if patches else others
