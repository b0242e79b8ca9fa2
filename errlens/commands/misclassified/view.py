"""How the wrong images look on the terminal."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd

from errlens.analysis.confusion.sentences import NOTHING_SCORED
from errlens.analysis.mistakes.repeats import is_shown
from errlens.commands import showing
from errlens.commands.misclassified.image_view import show_image
from errlens.commands.misclassified.options import MisclassifiedOptions
from errlens.commands.misclassified.result import Copied, MisclassifiedResult
from errlens.formats import (
    NOT_KNOWN,
    count,
    counted,
    expected_count,
    number,
    of,
    points,
    probability,
    share,
)
from errlens.run.folder import RunFolder
from errlens.terminal import Screen, relative

SHOWN: Final = 10  # rows of a table


def show(
    screen: Screen, run: RunFolder, result: MisclassifiedResult, options: MisclassifiedOptions
) -> None:
    """Print the images that are meant and what else was found, where it is, and what to do next."""
    if result.absent:
        root = options.images_root(run)
        showing.warn_of_absent(screen, result.absent, root, result.files)
    _show_errors(screen, result)
    showing.show_files(screen, run.path / "misclassified", result.files)
    if result.copied:
        _show_copied(screen, result.copied)
    screen.step("misclassified", _in_short(result))
    showing.say_next(screen, _next_words(run, result, options))
    showing.print_json(screen, "misclassified", run, **_as_tree(result), files=list(result.files))


def _show_errors(screen: Screen, result: MisclassifiedResult) -> None:
    """Print the images that are meant, how many there are of each kind, and what else was found."""
    matrix, narrowed = result.matrix, result.selection.narrowed
    selected = f"; {count(len(result.selected))} selected" * narrowed
    wrong = f"{count(matrix.n_errors)} of {counted(matrix.total, 'image')} wrong{selected}"
    screen.say(wrong if matrix.total else NOTHING_SCORED)
    for page in result.pages:
        show_image(screen, page)
    others = result.selected[~result.selected["row"].isin(result.selection.single_rows)]
    if len(others):
        _show_images(screen, others)
        _show_kinds(screen, others)
    if not narrowed:
        _show_unknown(screen, result.tables.unknown)
    if result.tables.systematic is not None:
        _show_systematic(screen, result.tables.systematic)
    if result.tables.notes is not None:
        _show_ideas(screen, result.tables.notes)


def _show_copied(screen: Screen, copied: Copied) -> None:
    """Say how many images were copied, and which were not."""
    if not copied.n and not copied.failed:
        screen.say("Copied nothing: none of these images is wrong")
        return
    screen.say(f"Copied {counted(copied.n, 'image')} to {relative(copied.folder)}")
    if copied.failed:
        copy, why = copied.failed[0]
        more = showing.and_more(len(copied.failed))
        screen.warn(f"not copied: {str(copy.file.path)!r} ({why.reason}){more}")


def _next_words(
    run: RunFolder, result: MisclassifiedResult, options: MisclassifiedOptions
) -> list[str | Path]:
    """Return the command that goes on from here, in words: it explains what has been shown.

    Where nothing can be explained, it puts on the page what there is.
    """
    if run.info.imported or not len(result.selected):
        return ["errlens", "report", run.path, *options.images_words()]
    return ["errlens", "explain", run.path, *options.selection_words(), *options.images_words()]


def _in_short(result: MisclassifiedResult) -> str:
    """Say in a line how many images are wrong, and where they are shown."""
    if not result.matrix.n_errors:
        return "no errors"
    galleries = sum(name.startswith("gallery/") for name in result.files)
    drawn = f", shown on {counted(galleries, 'gallery')}" if galleries else ""
    return f"{counted(result.matrix.n_errors, 'error')}{drawn}"


def _as_tree(result: MisclassifiedResult) -> dict[str, Any]:
    """Return what stands for the result in the object that is printed for programs."""
    tables = {
        name: showing.records(table) for name, table in result.tables.tables() if name != "worst"
    }
    return {
        "n": result.matrix.total,
        "n_errors": result.matrix.n_errors,
        "selected": showing.records(result.selected),
        "images": [page.as_dict() for page in result.pages],
        **{name: [_with_lists(row) for row in rows] for name, rows in tables.items()},
    }


def _with_lists(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with its lists as such, not as the text that a cell holds."""
    lists: dict[str, Any] = {
        name: json.loads(row[name]) for name in ("confused_with", "rows") if name in row
    }
    return {**row, **lists}


def _show_images(screen: Screen, images: pd.DataFrame) -> None:
    rows = [
        (
            count(row["rank"]),
            row["path"],
            showing.one_way(row["label_name"], row["pred_name"]),
            probability(row["confidence"]),
            probability(row["label_prob"]),
            number(row["loss"]),
        )
        for row in showing.records(images.head(SHOWN))
    ]
    screen.say()
    heads = (">rank", "image", "true -> predicted", ">p(predicted)", ">p(true)", ">loss")
    listed = bool(images["rank"].notna().all())
    screen.table(heads, rows, gives_way=(">loss", ">rank"), file="worst.csv" * listed)
    showing.say_more(screen, len(images), SHOWN, ": see worst.csv" * listed)


def _show_kinds(screen: Screen, images: pd.DataFrame) -> None:
    """Print how often each class was taken for each other one."""
    kinds = _kinds(images)
    if not kinds:
        return
    screen.say()
    screen.table(
        ("true -> predicted", ">images"),
        [(showing.one_way(*names), count(n)) for names, n in kinds[:SHOWN]],
    )
    showing.say_more(screen, len(kinds), SHOWN, noun="kind")


def _kinds(images: pd.DataFrame) -> list[tuple[tuple[str, str], int]]:
    """Return how often each class was taken for each other one, most frequent first."""
    wrong = images[images["rank"].notna()]
    kinds = wrong.groupby(["label_name", "pred_name"], sort=True, observed=True).size()
    ordered = kinds.sort_values(ascending=False, kind="stable")
    return list(zip(ordered.index.tolist(), ordered.tolist(), strict=True))


def _show_unknown(screen: Screen, unknown: pd.DataFrame) -> None:
    rows = [
        (
            showing.one_way(row["label_name"], row["pred_name"]),
            count(row["count"]),
            share(row["share"]),
            probability(row["mean_confidence"]),
        )
        for row in showing.records(unknown.head(SHOWN))
    ]
    if rows:
        screen.say()
        heads = ("label the model lacks -> predicted", ">images", ">share", ">mean p(predicted)")
        screen.table(heads, rows, gives_way=(">share",), file="unknown.csv")
    showing.say_more(screen, len(unknown), SHOWN, ": see unknown.csv")


def _show_systematic(screen: Screen, systematic: pd.DataFrame) -> None:
    """Print the errors that repeat within a value of a column more often than by chance."""
    screen.say()
    if not len(systematic):
        screen.say("No two images of one value are wrong in the same way.")
        return
    shown = systematic[is_shown(systematic)]
    rows = [
        (
            str(row["value"]),
            showing.one_way(row["label_name"], row["pred_name"]),
            of(row["k"], row["n"]),
            expected_count(row["expected"]),
            probability(row["q_value"]),
        )
        for row in showing.first_rows(shown, SHOWN)
    ]
    heads = ("value", "true -> predicted", ">images", ">by chance", ">q")
    screen.table(heads, rows, gives_way=(">by chance",), file="systematic.csv")
    showing.say_more(screen, len(shown), SHOWN, ": see systematic.csv")
    if not len(shown):
        first = showing.first_rows(systematic, 1)[0]
        screen.say(
            "No error repeats among the images of one value more often than by chance; the "
            f"strongest: {first['value']}, {_kind(first)}, "
            f"{of(first['k'], first['n'])} where chance gives {expected_count(first['expected'])}, "
            f"q {probability(first['q_value'])}."
        )
    elif others := len(systematic) - len(shown):
        screen.say(f"{counted(others, 'more error')} that may repeat by chance: see systematic.csv")


def _show_ideas(screen: Screen, notes: pd.DataFrame) -> None:
    rows = [
        (row["about"], row["idea"], count(row["errors"]), points(row["gain_if_solved"]))
        for row in showing.first_rows(notes)
        if row["idea"]
    ]
    if rows:
        screen.say()
        heads = ("ideas, by the accuracy they could gain", "", ">images", ">gain")
        screen.table(heads, rows, prose=("",))


def _kind(row: Mapping[str, Any]) -> str:
    """Write what an image is and what it was taken for."""
    names = (row["label_name"], row["pred_name"])
    return " -> ".join(NOT_KNOWN if pd.isna(name) else name for name in names)
