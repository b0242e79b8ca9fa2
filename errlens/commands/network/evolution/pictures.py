"""Which pictures are drawn of an evolution: a sheet a layer, how all settle, the training."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from errlens.analysis.evolution.settling import WITHIN
from errlens.commands.network.evolution.result import EvolutionResult
from errlens.figures.network.evolution import Moment, Row, draw_evolution
from errlens.figures.network.over_training import Line, Lines, draw_over_training
from errlens.formats import count, counted, number
from errlens.network.evolution.evolving import Strongest
from errlens.network.units.layers import UnitLayer
from errlens.network.units.top_places import NO_IMAGE
from errlens.run.file_names import distinct_names
from errlens.run.results import ResultsWriter

SETTLED: Final = "settled.png"
TRAINING: Final = "training.png"


def draw(results: ResultsWriter, result: EvolutionResult) -> None:
    """Draw a sheet for each layer, the lines of all layers, and those of the training."""
    layers = result.found.layers
    names = distinct_names([layer.name for layer in layers])
    for layer, name in zip(layers, names, strict=True):
        results.png(f"sheets/{name}.png", _sheet(result, layer))
    short = [file.short for file in result.found.checkpoints]
    results.png(SETTLED, _settled(result, short))
    if result.tables.training is not None and result.tables.pairs is not None:
        results.png(TRAINING, _training(result.tables.training, result.tables.pairs, short))


def _sheet(result: EvolutionResult, layer: UnitLayer) -> Figure:
    found = result.found
    shown = found.shown
    rows = [
        Row(f"channel {channel}", [_moment(result, layer, place, at) for place in shown])
        for at, channel in enumerate(found.channels[layer.name].tolist())
    ]
    sides = f"{found.projection} projection at the left, patch at the right, of the"
    remark = found.remarks.get(layer.name)
    left_out = len(found.seen) - len(shown)
    lines = [
        f"{sides if found.projection else 'Patch of the'} place with the highest activation in "
        f"{counted(len(found.read), 'image')}, the same at each checkpoint; below: its activation "
        "and the class of the image. A bar: another image than at the checkpoint before"
        f"{' that is shown' if left_out else ''}."
        + (" The contrast of each projection is stretched by itself." if found.projection else "")
        + (f" {counted(left_out, 'checkpoint')} between are not shown." if left_out else ""),
        *([f"{remark}."] if remark else []),
    ]
    return draw_evolution(
        rows,
        [found.checkpoints[place].short for place in shown],
        title=f"{layer.name}: what its channels answer to, over the training",
        legend="\n".join(lines),
    )


def _moment(result: EvolutionResult, layer: UnitLayer, place: int, at: int) -> Moment:
    found = result.found
    top = found.seen[place].strongest[layer.name]
    image = int(top.images[at])
    order = found.shown.index(place)
    before = found.seen[found.shown[order - 1]].strongest[layer.name] if order else top
    jump = _changed(before, top, at)
    if image == NO_IMAGE:
        return Moment(None, None, ["never above zero"], jump)
    facts = result.images[image]
    lines = [number(float(top.values[at])), facts["class_name"] or ""]
    channel = int(found.channels[layer.name][at])
    patch = found.seen[place].patches.get((layer.name, channel))
    if patch is None:
        return Moment(None, None, lines, jump)
    return Moment(patch.photo, patch.projection, lines, jump)


def _changed(before: Strongest, now: Strongest, at: int) -> bool:
    return bool(before.images[at] != now.images[at])


def _settled(result: EvolutionResult, short: list[str]) -> Figure:
    tables = result.tables.settled
    lines = [
        Line(str(layer), rows["cka"].astype(float).tolist())
        for layer, rows in tables.groupby("layer", sort=False)
    ]
    legend = (
        f"Linear centred kernel alignment (Kornblith et al. 2019), unbiased, of the activations of "
        f"{counted(len(result.found.read), 'image')}, averaged over places, with those of the last "
        f"checkpoint: 1 is equal. Dashed: {number(1 - WITHIN).rstrip('0')}, within which a layer "
        "counts as settled."
    )
    panel = Lines("likeness to the last checkpoint", lines, (None, 1.02), (1 - WITHIN,))
    title = "When does each layer settle?"
    return draw_over_training([panel], short, title=title, legend=legend)


def _training(training: pd.DataFrame, pairs: pd.DataFrame, short: list[str]) -> Figure:
    accuracy, low, high, loss, ece = (
        training[name].astype(float).tolist()
        for name in ("accuracy", "accuracy_low", "accuracy_high", "loss", "ece")
    )
    panels = [
        Lines("accuracy", [Line("accuracy", accuracy, (low, high))], (0, 1)),
        Lines("mean loss", [Line("loss", loss)], (0, None)),
        Lines("expected calibration error", [Line("ECE", ece)], (0, None)),
    ]
    if len(pairs):
        lines = [
            Line(f"{a} ~ {b}", _shares(rows))
            for (a, b), rows in pairs.groupby(["class_a", "class_b"], sort=False)
        ]
        heading = "share of the images of two classes taken for the other"
        panels.append(Lines(heading, lines, (0, None)))
    legend = (
        f"Over {count(int(training['n'].max()))} images, the same at each checkpoint. The band "
    )
    legend += "is the 95 % interval of the accuracy (Wilson). Checkpoints stand at equal distances."
    return draw_over_training(panels, short, title="Over the training", legend=legend)


def _shares(rows: pd.DataFrame) -> list[float]:
    wrong = (rows["a_as_b"] + rows["b_as_a"]).to_numpy(float)
    n = (rows["n_a"] + rows["n_b"]).to_numpy(float)
    return [float(share) for share in np.where(n > 0, wrong / np.maximum(n, 1), np.nan)]
