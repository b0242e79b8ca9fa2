"""How explanations look on the terminal."""

from typing import Final

import pandas as pd

from errlens.attribution.explained_model import ExplainedModel
from errlens.attribution.judging.map_checks import ALIKE, CONSTANT, EMPTY, POOR_FIT
from errlens.attribution.methods import Method, load_method, method_names
from errlens.attribution.perturbations.superpixels import has_slic
from errlens.commands import showing
from errlens.commands.explain.job import Explained
from errlens.commands.explain.picture_files import is_sheet
from errlens.commands.explain.tables import FAILED, OK, Tables, evidence_table
from errlens.commands.showing import and_more, first_rows, one_way, records, say_more, show_files
from errlens.formats import count, counted, number, probability, seconds, share, signed, times
from errlens.maps import LARGE_GAP, LEAST_R_SQUARED
from errlens.terminal import Screen

SHOWN: Final = 10
# What is said of maps that have a flag.
_FLAGS: Final = {
    EMPTY: "zero everywhere, which shows nothing",
    POOR_FIT: f"with an R-squared below {number(LEAST_R_SQUARED)}, so that its parts added up say "
    "little of the network",
    CONSTANT: "of one value everywhere, which shows nothing",
    ALIKE: "nearly the same as that of the other images, which shows the network and not the image",
}


def show_methods(screen: Screen, model: ExplainedModel) -> None:
    """List every method, with what it shows or why it does not fit the network."""
    rows = []
    for name in method_names():
        method = load_method(name)
        reason = method.unsupported(model)
        rows.append((name, "no" if reason else "yes", reason or method.summary))
    heads = ("method", "fits", "what it shows, or why not")
    screen.table(heads, rows, prose=heads[-1:])


def show_card(screen: Screen, method: Method) -> None:
    """Say what there is to know of a method."""
    card = method.card
    screen.say(f"{method.name}: {method.summary}")
    heads = ("", "")
    rows = [
        ("it means", card.means),
        ("it misleads", card.lies),
        ("paper", card.paper),
        ("unit", card.unit),
    ]
    screen.table(heads, rows, prose=heads[-1:])
    showing.print_json(screen, "explain", method=method.name, **card._asdict())


def show(screen: Screen, explained: Explained) -> None:
    """Print what was explained, what could not be, and where it is."""
    job, maps = explained.job, explained.tables.maps
    left = len(job.cases)
    if not job.asked:
        screen.say("No image to explain: the run has no such errors.")
    _show_pictures(screen, maps)
    if left < job.asked:
        if len(maps):
            screen.say()
        screen.say(
            f"{count(job.asked - left)} of {counted(job.asked, 'image')} explained before; "
            "--overwrite explains them anew"
        )
        _show_pictures(screen, job.earlier)
    _show_evidence(screen.essential, _evidence(explained))
    _show_covers(screen, explained.tables.covers)
    if explained.advice:
        _show_methods(screen, explained.tables.methods)
        screen.essential.say(explained.advice)
    else:
        _show_checks(screen, explained.tables)
    if (maps["method"] == "lime").any() and not has_slic():
        screen.remark(
            "lime took the cells of a grid; pip install 'errlens[superpixels]' gives it superpixels"
        )
    _warn(screen, maps)
    if explained.stopped:
        done = maps["row"].nunique()
        screen.warn(
            f"stopped by {explained.stopped} after {count(done)} of {counted(left, 'image')}; the "
            "same call goes on"
        )
    others = [name for name in explained.written if "/" not in name and not name.endswith(".png")]
    show_files(screen, job.folder, [*_pictures(explained), *others])
    screen.step("explain", _in_short(explained))


def print_json(screen: Screen, explained: Explained) -> None:
    """Print the one object that stands for the result, where it was asked for."""
    maps, covers, similarities, methods = explained.tables
    showing.print_json(
        screen,
        "explain",
        folder=str(explained.job.folder),
        run_hash=explained.job.run_hash,
        maps=records(maps),
        covers=records(covers),
        randomisation=records(similarities),
        methods=records(methods),
        advice=explained.advice or None,
        evidence=records(_evidence(explained)),
        stopped=explained.stopped,
        files=list(explained.written),
    )


def _evidence(explained: Explained) -> pd.DataFrame:
    """Return how the evidence is spread in the images asked for, whenever they were explained."""
    made = [maps for maps in (explained.job.earlier, explained.tables.maps) if len(maps)]
    return evidence_table(pd.concat(made) if made else explained.tables.maps)


def _in_short(explained: Explained) -> str:
    """Say in a line how many pictures there are."""
    job = explained.job
    if not job.asked:
        return "no errors to explain"
    before = job.asked - len(job.cases)
    earlier = f"{counted(before, 'image')} explained before" if before else ""
    return "; ".join(filter(None, [", ".join(_pictures(explained)), earlier]))


def _pictures(explained: Explained) -> list[str]:
    """Count the pictures that were made, and the sheets of several; none of none made before."""
    names = [name for name in explained.written if name.endswith(".png")]
    sheets = sum(is_sheet(name) for name in names)
    pictures = len(names) - sheets
    nothing_new = not names and len(explained.job.cases) < explained.job.asked
    return [
        *([] if nothing_new else [counted(pictures, "picture")]),
        *([counted(sheets, "sheet")] if sheets else []),
    ]


def _show_pictures(screen: Screen, maps: pd.DataFrame) -> None:
    pictures = maps.fillna({"file": ""}).groupby(["row", "file"], sort=False)
    rows = []
    for _, of_picture in list(pictures)[:SHOWN]:
        row = records(of_picture)[0]
        methods = of_picture["method"].unique()
        rows.append(
            (
                str(row["row"]),
                one_way(row["label_name"], row["pred_name"]),
                row["method"] if len(methods) == 1 else f"{len(methods)} methods",
                row["file"] if row["status"] == OK else f"none: {row['error']}",
            )
        )
    heads = (">row", "true -> predicted", "method", "picture")
    # A path is copied; a reason is read.
    is_path = bool((maps["status"] == OK).all())
    whole, prose = (heads[-1:], ()) if is_path else ((), heads[-1:])
    screen.table(
        heads, rows, gives_way=("method", heads[1]), prose=prose, whole=whole, file="index.csv"
    )
    say_more(screen, len(pictures), SHOWN, ": see index.csv")


def _show_evidence(screen: Screen, table: pd.DataFrame) -> None:
    """Print how much of the evidence lies on the object, and how much would by chance."""
    if not len(table):
        return
    rows = [
        (
            row["method"],
            row["images"],
            row["region"],
            probability(row["share"]),
            probability(row["area"]),
            times(row["lift"]),
            probability(row["p_value"]),
            str(row["n"]),
        )
        for row in first_rows(table)
    ]
    screen.say()
    heads = ("evidence for the predicted class", "images", "on the", ">share", ">of the area")
    screen.table((*heads, ">lift", ">p", ">n"), rows, gives_way=("images",))
    screen.remark(
        "p: Wilcoxon's signed-rank test of share against area, image by image, two-sided. Where it "
        "is not small, the evidence may as well be spread evenly over the image."
    )


def _show_covers(screen: Screen, covers: pd.DataFrame) -> None:
    """Print which parts turn errors into right answers."""
    if not len(covers):
        return
    turned = covers[covers["found"]].sort_values(["share", "row"])
    screen.say()
    screen.say(
        f"Of {counted(len(covers), 'error')}, {count(len(turned))} right when one square of the "
        "image is hidden"
    )
    rows = [
        (
            str(row["row"]),
            one_way(row["label_name"], row["pred_name"]),
            share(row["share"]),
            signed(row["true_before"] - row["pred_before"]),
            signed(row["true_after"] - row["pred_after"]),
            row["confirmed_by"],
        )
        for row in records(turned.head(SHOWN))
    ]
    heads = (
        ">row", "true -> predicted", ">hidden", ">p(true) - p(predicted)", ">with it hidden",
        "confirmed by",
    )  # fmt: skip
    screen.table(heads, rows, gives_way=("confirmed by",), file="covers.csv")


def _show_checks(screen: Screen, tables: Tables) -> None:
    """Print how maps did against random ones, and how much of them a random network leaves."""
    checked = tables.maps.dropna(subset="deletion_auc")
    if not len(checked):
        return
    last = tables.similarities.groupby("method")["similarity"].last()
    columns = ["deletion_auc", "random_deletion_auc", "insertion_auc", "random_insertion_auc"]
    rows = [
        (
            str(method),
            *(number(maps[name].mean()) for name in columns),
            number(last.get(method)),
            count(len(maps)),
        )
        for method, maps in checked.groupby("method")
    ]
    screen.say()
    heads = ("checked", ">deletion", ">random", ">insertion", ">random", ">if randomised", ">n")
    screen.table(heads, rows, gives_way=(">n",))
    screen.remark(
        "A good map has a lower deletion and a higher insertion than random ones, and little of "
        "it is left with the model randomised."
    )


def _show_methods(screen: Screen, methods: pd.DataFrame) -> None:
    """Print how methods compare: against random places, random weights, and one another."""
    if not len(methods):
        return
    rows = [
        (
            row["method"],
            signed(row["deletion"]),
            signed(row["insertion"]),
            probability(row["p_value"]),
            number(row["left"]),
            number(row["agreement"]),
            seconds(row["seconds"]),
            row["verdict"],
        )
        for row in records(methods)
    ]
    screen.say()
    heads = (
        "method", ">deletion", ">insertion", ">p", ">left", ">agrees", ">seconds", "believe?",
    )  # fmt: skip
    screen.table(heads, rows, file="methods.csv")
    screen.remark(
        "deletion, insertion: what the maps win over random places, in probability; left: how much "
        "of them with random weights; agrees: with the other methods; both are rank correlations."
    )


def _warn(screen: Screen, index: pd.DataFrame) -> None:
    failed = index[index["status"] == FAILED]
    if len(failed):
        first = failed.iloc[0]
        screen.warn(f"{counted(len(failed), 'map')} missing; row {first['row']}: {first['error']}")
    large = index[index["completeness_gap"] > LARGE_GAP]
    if len(large):
        worst = large.sort_values("completeness_gap").iloc[-1]
        by_steps = (large["method"] == "integrated-gradients").any()
        screen.warn(
            f"{counted(len(large), 'map')} more than {share(LARGE_GAP)} off what should be the "
            f"sum: row {worst['row']}, {worst['target']}, by {share(worst['completeness_gap'])}"
            + ("; more --steps bring them nearer" if by_steps else "")
        )
    for flag, flagged in index.dropna(subset="flag").groupby("flag"):
        first, n = flagged.iloc[0], len(flagged)
        screen.warn(
            f"{counted(n, 'map')} {_FLAGS[str(flag)]}: row {first['row']}, {first['method']}, "
            f"{first['target']}{and_more(n)}; flag is {flag} in index.csv"
        )
