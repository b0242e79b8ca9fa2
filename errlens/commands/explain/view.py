"""How explanations look on the terminal."""

from pathlib import Path
from typing import Any, Final

import pandas as pd

from errlens.attribution.explained_model import ExplainedModel
from errlens.attribution.methods import load_method, method_names
from errlens.commands.explain.album import FAILED, OK
from errlens.commands.explain.evidence_view import evidence_table, show_evidence
from errlens.commands.explain.tables import Tables
from errlens.commands.showing import records, say_more
from errlens.formats import count, counted, figure, share, signed
from errlens.maps import LARGE_GAP
from errlens.predictions.table import SCHEMA_VERSION
from errlens.terminal import Screen, relative

SHOWN: Final = 10


def show_methods(screen: Screen, model: ExplainedModel) -> None:
    """List every method, with what it shows or why it does not fit the network."""
    rows = []
    for name in method_names():
        method = load_method(name)
        reason = method.unsupported(model)
        rows.append((name, "no" if reason else "yes", reason or method.SUMMARY))
    screen.table(("method", "fits", "what it shows, or why not"), rows)


def show(screen: Screen, folder: Path, found: Tables, *, asked: int, left: int) -> None:
    """Print what was explained, what could not be, and where it is.

    `asked` images were meant, of which `left` had not been explained before.
    """
    if not asked:
        screen.say("No image to explain: the run has no such errors.")
    elif left < asked:
        screen.say(
            f"{count(asked - left)} of {counted(asked, 'image')} explained before; --overwrite "
            "explains them anew"
        )
    _show_pictures(screen, found.maps)
    show_evidence(screen, evidence_table(found.maps))
    _show_covers(screen, found.covers)
    _show_trials(screen, found)
    _show_seconds(screen, found)
    _warn(screen, found.maps)
    if found.stopped:
        done = found.maps["row"].nunique()
        screen.warn(
            f"stopped by {found.stopped} after {count(done)} of {counted(left, 'image')}; the same "
            "call goes on"
        )
    screen.say()
    pictures = sum(name.endswith(".png") for name in found.written)
    others = [name for name in found.written if "/" not in name and not name.endswith(".png")]
    screen.say(f"Wrote {relative(folder)}: {counted(pictures, 'picture')}, {', '.join(others)}")


def print_json(screen: Screen, folder: Path, run_hash: str, found: Tables) -> None:
    """Print the one object that stands for the result, where it was asked for."""
    screen.json(
        {
            "schema_version": SCHEMA_VERSION,
            "command": "explain",
            "folder": str(folder),
            "run_hash": run_hash,
            "maps": records(found.maps),
            "covers": records(found.covers),
            "randomisation": records(found.similarities),
            "evidence": records(evidence_table(found.maps)),
            "stopped": found.stopped,
            "files": list(found.written),
        }
    )


def _show_pictures(screen: Screen, maps: pd.DataFrame) -> None:
    pictures = maps.fillna({"file": ""}).groupby(["row", "file"], sort=False)
    rows = []
    for _, of_picture in list(pictures)[:SHOWN]:
        one = records(of_picture)[0]
        methods = of_picture["method"].unique()
        rows.append(
            (
                str(one["row"]),
                f"{_text(one['label_name'])} -> {_text(one['pred_name'])}",
                one["method"] if len(methods) == 1 else f"{len(methods)} methods",
                one["file"] if one["status"] == OK else f"none: {one['error']}",
            )
        )
    screen.table((">row", "true -> predicted", "method", "picture"), rows)
    say_more(screen, len(pictures), SHOWN, ": see index.csv")


def _show_covers(screen: Screen, covers: pd.DataFrame) -> None:
    """Print which parts turn errors into right answers."""
    if not len(covers):
        return
    found = covers[covers["found"]].sort_values(["share", "row"])
    screen.say()
    screen.say(
        f"Of {counted(len(covers), 'error')}, {count(len(found))} right when one square of the "
        "image is hidden"
    )
    rows = [
        (
            str(one["row"]),
            f"{one['label_name']} -> {one['pred_name']}",
            share(one["share"]),
            signed(one["true_before"] - one["pred_before"]),
            signed(one["true_after"] - one["pred_after"]),
            one["confirmed_by"],
        )
        for one in records(found.head(SHOWN))
    ]
    heads = (
        ">row", "true -> predicted", ">hidden", ">p(true) - p(predicted)", ">with it hidden",
        "confirmed by",
    )  # fmt: skip
    screen.table(heads, rows)


def _show_trials(screen: Screen, found: Tables) -> None:
    """Print how maps did against random ones, and how much of them a random network leaves."""
    tried = found.maps.dropna(subset="deletion_auc")
    if not len(tried):
        return
    last = found.similarities.groupby("method")["similarity"].last()
    columns = ["deletion_auc", "random_deletion_auc", "insertion_auc", "random_insertion_auc"]
    rows = [
        (
            str(method),
            *(figure(one[name].mean()) for name in columns),
            figure(last.get(method)),
            count(len(one)),
        )
        for method, one in tried.groupby("method")
    ]
    screen.say()
    heads = ("checked", ">deletion", ">random", ">insertion", ">random", ">if randomised", ">n")
    screen.table(heads, rows)
    screen.remark(
        "A good map has a lower deletion and a higher insertion than random ones, and little of "
        "it is left with the model randomised."
    )


def _show_seconds(screen: Screen, found: Tables) -> None:
    """Print what each method takes, where several are compared."""
    if not found.seconds or len(found.seconds[0]) < 2:
        return
    taken = pd.DataFrame(list(found.seconds))
    rows = [(str(name), f"{taken[name].mean():.2f}") for name in taken]
    screen.say()
    screen.table(("method", ">seconds an image"), rows)


def _warn(screen: Screen, index: pd.DataFrame) -> None:
    failed = index[index["status"] == FAILED]
    if len(failed):
        first = failed.iloc[0]
        screen.warn(f"{counted(len(failed), 'map')} missing; row {first['row']}: {first['error']}")
    large = index[index["completeness_gap"] > LARGE_GAP]
    if len(large):
        worst = large.sort_values("completeness_gap").iloc[-1]
        screen.warn(
            f"{counted(len(large), 'map')} more than {share(LARGE_GAP)} off what should be the "
            f"sum: row {worst['row']}, {worst['target']}, by {share(worst['completeness_gap'])}; "
            "more --steps bring them nearer"
        )
    for flag, images in index.dropna(subset="flag").groupby("flag"):
        screen.warn(f"{counted(len(images), 'map')} {flag}: see the column flag of index.csv")


def _text(value: Any) -> str:
    return "-" if pd.isna(value) else str(value)
