"""How the wrong images look on the terminal."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import pandas as pd

from errlens.analysis.confusion.matrix import ConfusionMatrix
from errlens.analysis.confusion.verdict import NOTHING_SCORED
from errlens.analysis.mistakes.image_page import ImagePage
from errlens.analysis.mistakes.repeats import is_shown
from errlens.analysis.selection.notes import Note
from errlens.analysis.selection.selection import pair_selector
from errlens.commands.options.selecting import Selection
from errlens.commands.showing import first_rows, records, say_more
from errlens.data.copies import Copy
from errlens.data.photos.images import Unread
from errlens.escapes import shell_line
from errlens.formats import (
    count,
    counted,
    expected_count,
    file_size,
    number,
    of,
    points,
    probability,
    share,
)
from errlens.predictions.table import SCHEMA_VERSION
from errlens.run.folder import RunFolder
from errlens.terminal import Screen, relative

SHOWN: Final = 10  # rows of a table


class Found(NamedTuple):
    """What there is to say.

    `shown` are the images that are meant; `tables` are the files by name; `pages` tell all about
    single images.
    """

    matrix: ConfusionMatrix
    selection: Selection
    shown: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    pages: Sequence[ImagePage]
    notes: Sequence[Note]


def show_errors(screen: Screen, found: Found) -> None:
    """Print the images that are meant, how many there are of each kind, and what else was found."""
    selected = f"; {count(len(found.shown))} selected" * found.selection.narrowed
    matrix = found.matrix
    wrong = f"{count(matrix.n_errors)} of {counted(matrix.total, 'image')} wrong{selected}"
    screen.say(wrong if matrix.total else NOTHING_SCORED)
    for page in found.pages:
        _show_page(screen, page)
    others = found.shown[~found.shown["row"].isin(found.selection.single_rows)]
    if len(others):
        _show_images(screen, others)
        _show_kinds(screen, others)
    if not found.selection.narrowed:
        _show_unknown(screen, found.tables["unknown"])
    for name, show in (("systematic", _show_systematic), ("notes", _show_ideas)):
        if name in found.tables:
            show(screen, found.tables[name])


def show_copied(
    screen: Screen, target: Path, copied: int, failed: Sequence[tuple[Copy, Unread]]
) -> None:
    """Say how many images were copied, and which were not."""
    if not copied and not failed:
        screen.say("Copied nothing: none of these images is wrong")
        return
    screen.say(f"Copied {counted(copied, 'image')} to {relative(target)}")
    if failed:
        copy, why = failed[0]
        more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        screen.warn(f"not copied: {str(copy.file.path)!r} ({why.reason}){more}")


def warn_of_absent(
    screen: Screen, absent: Mapping[str, str], root: Path, *, drawn: Sequence[str]
) -> None:
    """Say that images are gone, and what to do about it."""
    if not absent:
        return
    path, reason = next(iter(absent.items()))
    if drawn:
        more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
        screen.warn(f"not shown: {path!r} ({reason}){more}")
    else:
        screen.warn(
            f"no gallery was drawn, for none of its images is in {str(root)!r}: {path!r}, "
            f"{reason}; --data-root DIR says where they lie"
        )


def show_next(
    screen: Screen, run: RunFolder, found: Found, *, selectors: Sequence[str] | None
) -> None:
    """Name the command that goes on from here.

    It shows what is most often taken for what; where that, or something else, has been selected, it
    explains it.
    """
    kinds = _kinds(found.shown)
    command = []
    if selectors:
        if len(found.shown) and not run.info.imported:
            chosen = [word for one in selectors for word in ("--select", one)]
            command = ["errlens", "explain", relative(run.path), *chosen]
    elif kinds and (pair := pair_selector(*kinds[0][0], run.info.classes)):
        command = ["errlens", "misclassified", relative(run.path), "--select", pair]
    if command:
        screen.say(f"Next: {shell_line(command)}")


def print_json(screen: Screen, run: RunFolder, found: Found, *, files: Sequence[str]) -> None:
    """Print the one object that stands for the result, where it was asked for."""
    tables = {name: records(table) for name, table in found.tables.items() if name != "worst"}
    screen.json(
        {
            "schema_version": SCHEMA_VERSION,
            "command": "misclassified",
            "run": str(run.path),
            "run_hash": run.info.run_hash,
            "n": found.matrix.total,
            "n_errors": found.matrix.n_errors,
            "selected": records(found.shown),
            "images": [page.as_dict() for page in found.pages],
            **{name: [_with_lists(row) for row in rows] for name, rows in tables.items()},
            "files": list(files),
        }
    )


def _show_page(screen: Screen, page: ImagePage) -> None:
    """Print everything that is known of one image."""
    facts = page.facts
    rank = f", rank {facts['label_rank']}" if facts["label_rank"] else ""
    size = f"{facts['width']} x {facts['height']} pixels" if facts["width"] else None
    true, predicted = facts["label_prob"], facts["confidence"]
    lines = {
        "status": facts["status"] if facts["status"] != "ok" else None,
        "reason": facts["error"],
        "true": _named(facts["label_name"], facts["super_label"], true, rank),
        "predicted": _named(facts["pred_name"], facts["super_pred"], predicted, ""),
        "margin": _optional(facts["margin"]),
        "loss": _optional(facts["loss"]),
        "entropy": _optional(facts["entropy"]),
        "size": ", ".join(
            filter(
                None, [size, file_size(page.size_bytes) if page.size_bytes is not None else None]
            )
        ),
        "split": facts["split"],
        "sha256": facts["content_hash"] and f"{facts['content_hash']}...",
        **{key: str(value) for key, value in page.extra.items()},
    }
    screen.say()
    rows = [(key, value) for key, value in lines.items() if value]
    screen.table((f"row {facts['row']}", f"<{facts['path']}"), rows)
    if page.top:
        screen.say()
        top = [(name, probability(prob), _mark(name, facts)) for name, prob in page.top]
        screen.table(("most probable", ">probability", ""), top)
    if page.alike is not None:
        screen.say()
        alike = [
            (str(image.row), image.path, image.label_name, number(image.similarity))
            for image in page.alike
        ]
        screen.table((">row", "nearest that are right", "class", ">similarity"), alike)


def _mark(name: str, facts: Mapping[str, Any]) -> str:
    return "true" if name == facts["label_name"] else ""


def _named(name: str | None, superclass: str | None, prob: float | None, rank: str) -> str:
    """Write a class with what else is known of it."""
    if name is None:
        return "unknown"
    parent = f" ({superclass})" if superclass else ""
    return f"{name}{parent}" + (f", p {probability(prob)}{rank}" if prob is not None else rank)


def _optional(value: float | None) -> str:
    return "" if value is None else number(value)


def _show_images(screen: Screen, images: pd.DataFrame) -> None:
    rows = [
        (
            _plain(count, one["rank"]),
            one["path"],
            _kind(one["label_name"], one["pred_name"]),
            _plain(probability, one["confidence"]),
            _plain(probability, one["label_prob"]),
            _plain(number, one["loss"]),
        )
        for one in first_rows(images, SHOWN)
    ]
    screen.say()
    heads = (">rank", "image", "true -> predicted", ">p(predicted)", ">p(true)", ">loss")
    screen.table(heads, rows)
    if len(images) > SHOWN:
        where = ": see worst.csv" if images["rank"].notna().all() else ""
        screen.say(f"and {count(len(images) - SHOWN)} more{where}")


def _show_kinds(screen: Screen, images: pd.DataFrame) -> None:
    """Print how often each class was taken for each other one."""
    kinds = _kinds(images)
    if not kinds:
        return
    screen.say()
    screen.table(
        ("true -> predicted", ">images"),
        [(_kind(*names), count(n)) for names, n in kinds[:SHOWN]],
    )
    say_more(screen, len(kinds), SHOWN, " kinds")


def _kinds(images: pd.DataFrame) -> list[tuple[tuple[str, str], int]]:
    """Return how often each class was taken for each other one, most frequent first."""
    wrong = images[images["rank"].notna()]
    kinds = wrong.groupby(["label_name", "pred_name"], sort=True, observed=True).size()
    ordered = kinds.sort_values(ascending=False, kind="stable")
    return list(zip(ordered.index.tolist(), ordered.tolist(), strict=True))


def _show_unknown(screen: Screen, unknown: pd.DataFrame) -> None:
    rows = [
        (
            f"{one['label_name']} -> {one['pred_name']}",
            count(one["count"]),
            share(one["share"]),
            _plain(probability, one["mean_confidence"]),
        )
        for one in first_rows(unknown, SHOWN)
    ]
    if rows:
        screen.say()
        heads = ("label the model lacks -> predicted", ">images", ">share", ">mean p(predicted)")
        screen.table(heads, rows)
    say_more(screen, len(unknown), SHOWN, ": see unknown.csv")


def _show_systematic(screen: Screen, systematic: pd.DataFrame) -> None:
    """Print the errors that repeat within a value of a column more often than by chance."""
    screen.say()
    if not len(systematic):
        screen.say("Nothing is wrong the same way in two images of one value.")
        return
    shown = systematic[is_shown(systematic)]
    rows = [
        (
            str(row["value"]),
            _kind(row["label_name"], row["pred_name"]),
            of(row["k"], row["n"]),
            expected_count(row["expected"]),
            probability(row["q_value"]),
        )
        for row in first_rows(shown, SHOWN)
    ]
    heads = ("wrong the same way", "true -> predicted", ">images", ">by chance", ">q")
    screen.table(heads, rows)
    say_more(screen, len(shown), SHOWN, ": see systematic.csv")
    if not len(shown):
        first = first_rows(systematic, 1)[0]
        screen.say(
            "Nothing is wrong the same way in images of one value more often than by chance; the "
            f"strongest: {first['value']}, {_kind(first['label_name'], first['pred_name'])}, "
            f"{of(first['k'], first['n'])} where chance gives {expected_count(first['expected'])}, "
            f"q {probability(first['q_value'])}."
        )
    elif others := len(systematic) - len(shown):
        screen.say(f"{counted(others, 'more repetition')} may be chance: see systematic.csv")


def _show_ideas(screen: Screen, notes: pd.DataFrame) -> None:
    rows = [
        (one["about"], one["idea"], count(one["errors"]), points(one["gain_if_solved"]))
        for one in first_rows(notes, len(notes))
        if one["idea"]
    ]
    if rows:
        screen.say()
        screen.table(("ideas, by what they could gain", "", ">images", ">gain"), rows)


def _kind(label: Any, pred: Any) -> str:
    return " -> ".join("-" if pd.isna(name) else name for name in (label, pred))


def _plain(written: Callable[[float | None], str], value: Any) -> str:
    """Write a number of a table in which it may be missing."""
    return written(None if pd.isna(value) else value)


def _with_lists(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with its lists as such, not as the text that a cell holds."""
    lists: dict[str, Any] = {
        name: json.loads(row[name]) for name in ("confused_with", "rows") if name in row
    }
    return {**row, **lists}
