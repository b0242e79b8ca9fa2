"""Pictures of what tells two classes apart."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from errlens.analysis.channels.ablation import RANDOM
from errlens.analysis.channels.firing import A_AS_B, B_AS_A, CLASSES
from errlens.attribution.photos import as_picture
from errlens.data.photos.images import quiet_pillow
from errlens.data.photos.loading import Input
from errlens.figures.network.ablation import SilencedChannels, draw_ablation
from errlens.figures.network.distinguishing import (
    ChannelFigures,
    GroupValues,
    WrongImage,
    draw_distinguishing,
)
from errlens.figures.paper.letters import shown_name
from errlens.formats import count, counted, probability, share, significant
from errlens.model.asking.hiding import load_asked
from errlens.model.classifier import stack
from errlens.network.channels.firing import channel_maps
from errlens.network.channels.telling_apart import OfLayer, Pair

CHANNELS: Final = 6
IMAGES: Final = 4  # wrong ones of each channel


def channels_figure(pair: Pair, told: OfLayer) -> Figure:
    """Draw how the first channels fire on each group, and where in wrong images."""
    a, b = map(shown_name, pair.names)
    channels = [_of_channel(pair, told, channel) for channel in told.leading(CHANNELS)]
    of_all = f"{count(len(channels))} of {counted(told.firing.channels, 'channel')}"
    return draw_distinguishing(
        channels,
        title=f"{a} or {b}: layer {told.layer.name}",
        legend=f"{of_all}, those that differ most between wrong and right images first: how often "
        "an image of the one group has more than one of the other, and q. Below, the highest value "
        "of each image; of many images the median, the middle half and the middle 90 %. On the "
        "right, the wrong images in which the channel fires most, and where.",
        signed=not told.firing.rectified,
    )


def ablation_figure(names: tuple[str, str], ablation: pd.DataFrame) -> Figure:
    """Draw what silencing each channel did to the pair."""
    a, b = map(shown_name, names)
    first = ablation.iloc[0]
    return draw_ablation(
        [
            SilencedChannels(
                _name(row["role"], row["channels"]),
                row["pair_fixed"],
                row["pair_broken"],
                row["role"] == RANDOM,
            )
            for _, row in ablation.iterrows()
        ],
        title=f"{a} or {b}: channels of {first['layer']} silenced",
        legend=f"{counted(int(first['pair_errors']), 'error')} between both classes, and "
        f"{counted(int(first['pair_right']), 'right answer')} on them.",
    )


def _name(role: str, channels: str) -> str:
    """Name channels that were silenced.

    >>> _name("suspect", "14"), _name("random", "3,8")
    ('channel 14', '2 random channels together')
    """
    kind = "random " * (role == RANDOM)
    n = channels.count(",") + 1
    return f"{kind}channel {channels}" if n == 1 else f"{n} {kind}channels together"


def _of_channel(pair: Pair, told: OfLayer, channel: int) -> ChannelFigures:
    a, b = map(shown_name, pair.names)
    values, groups = told.firing.largest[:, channel], told.groups
    shown = (
        GroupValues(f"{a}, right", "right", values[groups.right_a]),
        GroupValues(f"{a} as {b}", "wrong", values[groups.a_as_b]),
        GroupValues(f"{b} as {a}", "wrong", values[groups.b_as_a]),
        GroupValues(f"{b}, right", "right", values[groups.right_b]),
    )
    return ChannelFigures(
        f"channel {channel}",
        _facts(told.channels, channel),
        [
            group._replace(name=f"{group.name} ({count(len(group.values))})")
            for group in shown
            if len(group.values)
        ],
        _images(pair, told, channel),
    )


def _facts(table: pd.DataFrame, channel: int) -> Sequence[str]:
    """Say how far groups of images differ in a channel, by the highest values."""
    facts = []
    for comparison in (CLASSES, A_AS_B, B_AS_A):
        rows = table[
            (table["channel"] == channel)
            & (table["comparison"] == comparison)
            & (table["measure"] == "max")
        ]
        for _, row in rows.iterrows():
            group, against = row["group"].replace(" taken for ", " as "), row["against"]
            q_value = probability(row["q_value"])
            facts.append(f"{group} above {against}: {share(row['auc'])}, q {q_value}")
    return facts


def _images(pair: Pair, told: OfLayer, channel: int) -> list[WrongImage]:
    """Return the wrong images in which a channel fires most, with where it does."""
    largest = told.firing.largest[:, channel]
    fires = largest > 0 if told.firing.rectified else np.ones(len(largest), bool)
    wrong = np.flatnonzero(told.groups.taken_for_other & fires)
    first = wrong[np.argsort(-largest[wrong], kind="stable")][:IMAGES]
    with quiet_pillow():
        asked = pair.asked(told.at[first])
        loaded = [load_asked(pair.classifier.preparation, each) for each in asked]
    return [
        _image(pair, told, channel, int(at), each.value)
        for at, each in zip(first, loaded, strict=True)
        if isinstance(each, Input)
    ]


def _image(pair: Pair, told: OfLayer, channel: int, at: int, value: object) -> WrongImage:
    classifier, images, place = pair.classifier, pair.images, told.at[at]
    batch = stack([value], classifier.preparation, classifier.device)
    taken = shown_name(images.classes[int(images.pred[place])])
    highest = significant(float(told.firing.largest[at, channel]))
    return WrongImage(
        as_picture(value, classifier),
        channel_maps(classifier, told.layer, batch, [channel])[0, 0],
        divmod(int(told.firing.place[at, channel]), told.layer.grid[1]),
        f"row {images.row[place]}: {highest}\nas {taken}",
    )
