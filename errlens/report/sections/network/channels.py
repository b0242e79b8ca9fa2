"""What tells two classes apart: which channels do, and what silencing them does."""

from typing import Any, Final

import pandas as pd

from errlens.analysis.channels.ablation import ABLATION_COLUMNS, CHANGE_COLUMNS, SUSPECT
from errlens.analysis.channels.firing import CLASSES, FIRING_COLUMNS
from errlens.analysis.channels.sentences import SURE, alone, in_words, unsure
from errlens.errors import shortened
from errlens.formats import count, counted, number, of, points, probability, share
from errlens.report.parts import records
from errlens.report.sections.network.results import Results
from errlens.report.sections.network.told import (
    Block,
    Cell,
    Photos,
    Picture,
    Table,
    Told,
    text_cell,
)

MAIN: Final = "channels.csv"
_ABLATION: Final = "ablation.csv"
SHOWN: Final = 10  # channels of a layer
LAYERS_SHOWN: Final = 6
_LONGEST: Final = 1_000  # characters of a sentence
IMAGES: Final = 6  # of those that were repaired, and of those that broke
_COMPARED: Final = (
    "layer", "comparison", "group", "against", "auc", "p_value", "q_value",
)  # fmt: skip
_SILENCED: Final = (
    "class_a", "class_b", "layer", "role", "channels", "difference", "p_pair", "p_value",
)  # fmt: skip
_CHANGED: Final = ("layer", "role", "channels", "change")


def tell(results: Results) -> Told:
    """Return a block a layer: comparisons, and where channels were silenced what that did.

    Raises:
        NoResults: A file is not there, was made of other predictions, or is damaged.
    """
    channels = results.table(MAIN, FIRING_COLUMNS, known=_COMPARED)
    ablation = changes = None
    if _ABLATION in results.files:
        ablation = results.table(_ABLATION, ABLATION_COLUMNS, known=_SILENCED)
        changes = results.table("changes.csv", CHANGE_COLUMNS, known=_CHANGED)
    layers = channels["layer"].drop_duplicates().tolist()
    blocks = []
    for at, layer in enumerate(layers[:LAYERS_SHOWN]):
        compared = channels[channels["layer"] == layer]
        silenced = None if ablation is None else ablation[ablation["layer"] == layer]
        changed = None if changes is None else changes[changes["layer"] == layer]
        end = f"-{at + 1}" if len(layers) > 1 else ""
        blocks.append(_block(results, compared, silenced, changed, end))
    rest = len(layers) - LAYERS_SHOWN
    return Told(
        blocks,
        rest=f"and {counted(rest, 'further layer')} in network/channels" if rest > 0 else "",
        finding="channel",
    )


def _block(
    results: Results,
    compared: pd.DataFrame,
    silenced: pd.DataFrame | None,
    changes: pd.DataFrame | None,
    end: str,
) -> Block:
    """Tell of a layer."""
    layer, pair = shortened(compared["layer"].iloc[0]), _pair(compared)
    comparisons = [rows for _, rows in compared.groupby("comparison", sort=False)]
    sentences = [sentence for rows in comparisons for sentence in _in_words(rows)]
    tables, photos = [_compared_table(layer, compared)], []
    if silenced is not None and len(silenced):
        sentences += in_words(silenced)
        tables.append(_silenced_table(layer, silenced))
        photos = _changed_photos(results, silenced, changes)
    return Block(
        heading=f"{layer}: {pair}",
        sentences=[shortened(sentence, most=_LONGEST) for sentence in sentences],
        pictures=_pictures(results, end, layer, pair),
        photos=photos,
        tables=tables,
    )


def _pair(compared: pd.DataFrame) -> str:
    """Name both classes."""
    of_classes = compared[compared["comparison"] == CLASSES]
    if not len(of_classes):
        return "two classes"
    return f"{shortened(of_classes['against'].iloc[0])} or {shortened(of_classes['group'].iloc[0])}"


def _in_words(rows: pd.DataFrame) -> list[str]:
    """Say how many channels differ between two groups of images, and which one most."""
    if said := unsure(rows):
        return said
    best = _best(rows)
    first = _way(records(best, 1)[0])
    n_sure = int((best["q_value"] <= SURE).sum())
    groups = [
        f"{shortened(rows[name].iloc[0])} ({count(rows[f'n_{name}'].iloc[0])})"
        for name in ("group", "against")
    ]
    return [
        f"{' against '.join(groups)}: {of(n_sure, len(best))} channels differ for sure (q at most "
        f"{number(SURE).rstrip('0')}), most of all channel {first['channel']} (fires more in "
        f"{first['more']}: {share(first['how_often'])} of all pairs of images, q "
        f"{probability(first['q_value'])})."
    ]


def _best(rows: pd.DataFrame) -> pd.DataFrame:
    """Return of each channel the measure that tells more, the channel first that tells most."""
    apart = rows.assign(apart=-(rows["auc"] - 0.5).abs())
    return apart.sort_values(["p_value", "apart"], kind="stable").drop_duplicates("channel")


def _way(row: dict[str, Any]) -> dict[str, Any]:
    """Return a comparison the way round in which the channel fires more."""
    more, less, auc = shortened(row["group"]), shortened(row["against"]), row["auc"]
    if auc < 0.5:
        more, less, auc = less, more, 1 - auc
    return {**row, "more": more, "less": less, "how_often": auc}


def _compared_table(layer: str, compared: pd.DataFrame) -> Table:
    """Return the first channels in each comparison."""
    leading = compared["channel"].drop_duplicates().tolist()
    shown = compared[compared["channel"].isin(leading[:SHOWN])]
    best = pd.concat([_best(rows) for _, rows in shown.groupby("comparison", sort=False)])
    ways = [_way(row) for row in records(best.sort_values("rank", kind="stable"))]
    rest = len(leading) - SHOWN
    return Table(
        title=f"Channels of {layer} that differ most",
        heads=("channel>", "fires more in", "than in", "how often>", "q>"),
        rows=[
            [
                Cell(str(way["channel"]), way["channel"]),
                text_cell(way["more"]),
                text_cell(way["less"]),
                Cell(share(way["how_often"]), way["how_often"]),
                Cell(probability(way["q_value"]), way["q_value"]),
            ]
            for way in ways
        ],
        rest=f"and {counted(rest, 'further channel')} in network/channels/channels.csv"
        if rest > 0
        else "",
    )


def _silenced_table(layer: str, silenced: pd.DataFrame) -> Table:
    """Return what silencing each channel did, and all of them together."""
    return Table(
        title=f"What silencing channels of {layer} did",
        heads=(
            "silenced", "chosen as", "errors repaired>", "right ones broken>", "fixed in all>",
            "broken in all>", "accuracy of the run>", "p>",
        ),
        rows=[
            [
                _silenced_cell(row["channels"]),
                text_cell(row["role"]),
                Cell(of(row["pair_fixed"], row["pair_errors"]), row["pair_fixed"]),
                Cell(of(row["pair_broken"], row["pair_right"]), row["pair_broken"]),
                Cell(count(row["fixed"]), row["fixed"]),
                Cell(count(row["broken"]), row["broken"]),
                Cell(points(row["difference"]), row["difference"]),
                Cell(probability(row["p_pair"]), row["p_pair"]),
            ]
            for row in records(silenced)
        ],
    )  # fmt: skip


def _silenced_cell(channels: str) -> Cell:
    """Name one channel, or count those that were silenced together."""
    n = channels.count(",") + 1
    if n > 1:
        return Cell(f"all {count(n)} together", -1.0)
    text = text_cell(f"channel {channels}").text
    return Cell(text, float(channels) if channels.isascii() and channels.isdecimal() else None)


def _changed_photos(
    results: Results, silenced: pd.DataFrame, changes: pd.DataFrame | None
) -> list[Photos]:
    """Return images that the most telling suspect repairs, and right ones that it breaks."""
    suspects = alone(silenced, SUSPECT)
    if changes is None or not len(suspects):
        return []
    first = suspects.loc[
        suspects["pair_fixed"].sort_values(ascending=False, kind="stable").index[0]
    ]
    of_first = changes[(changes["role"] == SUSPECT) & (changes["channels"] == first["channels"])]
    pair = [first["class_a"], first["class_b"]]
    of_pair = of_first[of_first["label_name"].isin(pair)]
    mixed_up = of_pair["pred_name"].isin(pair)
    channel = shortened(first["channels"])
    groups = {
        f"Repaired by silencing channel {channel}": of_pair[
            (of_pair["change"] == "fixed") & mixed_up
        ],
        f"Right, and broken by silencing channel {channel}": of_pair[of_pair["change"] == "broken"],
    }
    return [
        Photos(
            f"{what}: {of(min(IMAGES, len(rows)), len(rows))}",
            results.shots.want(rows["row"].head(IMAGES).tolist()),
        )
        for what, rows in groups.items()
        if len(rows)
    ]


def _pictures(results: Results, end: str, layer: str, pair: str) -> list[Picture]:
    drawn = {
        f"channels{end}.png": (
            f"how channels of {layer} fire",
            f"How channels of {layer} fire on {pair}, and where in wrong images",
        ),
        f"ablation{end}.png": (
            "what silencing them does",
            f"Errors repaired and right answers broken by silencing channels of {layer}: {pair}",
        ),
    }
    return [
        results.picture(name, caption, alt=alt)
        for name, (caption, alt) in drawn.items()
        if name in results.files
    ]
