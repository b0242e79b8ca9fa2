"""How the wrong images look on the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import pandas as pd

from errlens.analysis.confusion import ConfusionMatrix
from errlens.predictions import SCHEMA_VERSION
from errlens.run import RunFolder
from errlens.terminal import Screen, relative

SHOWN: Final = 10  # rows of a table


def show_errors(
    screen: Screen,
    run: RunFolder,
    matrix: ConfusionMatrix,
    tables: Mapping[str, pd.DataFrame],
    *,
    shown: pd.DataFrame,
) -> None:
    """Print the images selected, how many there are of each kind, and what else was found."""
    screen.say(f"{matrix.n_errors} of {matrix.total} images are wrong")
    if len(shown):
        _show_images(screen, shown)
        _show_kinds(screen, shown)
    _show_unknown(screen, tables["unknown"])
    if "systematic" in tables:
        _show_systematic(screen, tables["systematic"])
    screen.say()
    files = ", ".join(f"{name}.csv" for name in tables)
    screen.say(f"Wrote {relative(run.path / 'misclassified')}: {files}")


def print_json(
    screen: Screen,
    run: RunFolder,
    matrix: ConfusionMatrix,
    tables: Mapping[str, pd.DataFrame],
    *,
    shown: pd.DataFrame,
    files: Sequence[str],
) -> None:
    """Print the one object that stands for the result, where it was asked for."""
    screen.json(
        {
            "schema_version": SCHEMA_VERSION,
            "command": "misclassified",
            "run": str(run.path),
            "run_hash": run.info.run_hash,
            "n": matrix.total,
            "n_errors": matrix.n_errors,
            "selected": _records(shown),
            **{name: _records(table) for name, table in tables.items() if name != "worst"},
            "files": list(files),
        }
    )


def _show_images(screen: Screen, images: pd.DataFrame) -> None:
    rows = [
        (
            "-" if pd.isna(one["rank"]) else str(one["rank"]),
            one["path"],
            _kind(one["label_name"], one["pred_name"]),
            _number(one["confidence"]),
            _number(one["label_prob"]),
            _number(one["loss"]),
        )
        for one in _rows(images, SHOWN)
    ]
    screen.say()
    heads = (">rank", "image", "true -> predicted", ">p(predicted)", ">p(true)", ">loss")
    screen.table(heads, rows)
    if len(images) > SHOWN:
        screen.say(f"and {len(images) - SHOWN} more: see worst.csv")


def _show_kinds(screen: Screen, images: pd.DataFrame) -> None:
    """Print how often each class was taken for each other one."""
    wrong = images[images["rank"].notna()]
    kinds = wrong.groupby(["label_name", "pred_name"], sort=True, observed=True).size()
    ordered = kinds.sort_values(ascending=False, kind="stable")
    pairs = list(zip(ordered.index.tolist(), ordered.tolist(), strict=True))
    screen.say()
    screen.table(
        ("true -> predicted", ">images"),
        [(f"{label} -> {pred}", str(count)) for (label, pred), count in pairs[:SHOWN]],
    )
    if len(pairs) > SHOWN:
        screen.say(f"and {len(pairs) - SHOWN} more kinds")


def _show_unknown(screen: Screen, unknown: pd.DataFrame) -> None:
    rows = [
        (
            f"{one['label_name']} -> {one['pred_name']}",
            str(one["count"]),
            f"{one['share']:.3f}",
            _number(one["mean_confidence"]),
        )
        for one in _rows(unknown, SHOWN)
    ]
    if rows:
        screen.say()
        heads = ("label the model lacks -> predicted", ">images", ">share", ">mean p(predicted)")
        screen.table(heads, rows)
    if len(unknown) > SHOWN:
        screen.say(f"and {len(unknown) - SHOWN} more: see unknown.csv")


def _show_systematic(screen: Screen, systematic: pd.DataFrame) -> None:
    screen.say()
    if not len(systematic):
        screen.say("Nothing is wrong the same way in two images of one value.")
        return
    rows = [
        (
            str(one["value"]),
            f"{one['label_name']} -> {one['pred_name']}",
            f"{one['k']} of {one['n']}",
        )
        for one in _rows(systematic, SHOWN)
    ]
    screen.table(("wrong the same way", "true -> predicted", ">images"), rows)
    if len(systematic) > SHOWN:
        screen.say(f"and {len(systematic) - SHOWN} more: see systematic.csv")


def _kind(label: Any, pred: Any) -> str:
    return " -> ".join("-" if pd.isna(name) else name for name in (label, pred))


def _number(value: Any) -> str:
    return "-" if pd.isna(value) else f"{value:.3f}"


def _rows(table: pd.DataFrame, top: int) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", table.head(top).to_dict("records"))


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as plain values for JSON, None where one is missing."""
    return _rows(table.astype(object).where(table.notna(), None), len(table))
