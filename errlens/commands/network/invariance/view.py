"""How invariance looks on the terminal."""

from typing import Final

from errlens.commands import showing
from errlens.commands.network.images import ModelAndImages
from errlens.commands.network.invariance.result import InvarianceResult
from errlens.commands.showing import and_more, first_rows, records, say_more, show_files
from errlens.data.photos.transforms import TRANSFORM_OF
from errlens.formats import count, of, probability, share
from errlens.terminal import Screen

SHOWN: Final = 10  # classes of a table


def show(screen: Screen, subject: ModelAndImages, result: InvarianceResult) -> None:
    """Print what each transform costs, which classes break, and where all is."""
    _show_losses(screen, result)
    _show_classes(screen, result)
    screen.say()
    for sentence in result.sentences:
        screen.say(sentence)
    _warn(screen, subject, result)
    show_files(screen, result.folder, result.files)
    screen.step("network invariance", result.in_a_line)


def print_json(screen: Screen, subject: ModelAndImages, result: InvarianceResult) -> None:
    """Print the one object that stands for the result, where it was asked for."""
    showing.print_json(
        screen,
        "network invariance",
        subject.run,
        folder=str(result.folder),
        layers=list(result.answers.layers),
        n_images=len(result.answers),
        sentences=list(result.sentences),
        curves=records(result.curves),
        classes=records(result.classes),
        files=list(result.files),
    )


def _show_losses(screen: Screen, result: InvarianceResult) -> None:
    """Print the natural size of each transform that costs most, the worst first."""
    n = len(result.answers)
    rows = [
        (
            loss.transform.name,
            loss.transform.written(loss.size),
            probability(loss.before),
            probability(loss.after),
            of(loss.changed, n),
        )
        for loss in result.losses
    ]
    whose = "true class" if result.answers.labelled else "class predicted"
    screen.say(f"At the sizes that ordinary photos have and that cost most, {whose}:")
    screen.table(
        ("transform", "size", ">probability before", ">after", ">other predictions"),
        rows,
        gives_way=("size",),
        file="invariance.csv",
    )


def _show_classes(screen: Screen, result: InvarianceResult) -> None:
    sure = result.classes[result.classes["sure"]]
    if not len(sure):
        return
    rows = [
        (
            str(row["class_name"]),
            str(row["transform"]),
            TRANSFORM_OF[row["transform"]].written(row["breaks_at"]),
            share(row["accuracy"]),
            share(row["accuracy_there"]),
            count(row["n"]),
        )
        for row in first_rows(sure, SHOWN)
    ]
    screen.say()
    screen.say("Classes that lose half of their accuracy, the easiest to break first:")
    screen.table(
        ("class", "transform", "from", ">accuracy before", ">there", ">images"),
        rows,
        gives_way=("from", "class"),
        file="classes.csv",
    )
    say_more(screen, len(sure), SHOWN, ": see classes.csv")


def _warn(screen: Screen, subject: ModelAndImages, result: InvarianceResult) -> None:
    unread = result.answers.unread
    if unread:
        place, reason = next(iter(unread.items()))
        screen.warn(f"left out: {subject.names[place]!r} ({reason}){and_more(len(unread))}")
    if not result.answers.labelled:
        screen.remark(
            "not every image has a label: without one, the class is followed that is predicted of "
            "the image as it is"
        )
