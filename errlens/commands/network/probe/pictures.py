"""Which pictures `errlens network probe --layers` draws."""

import pandas as pd
from matplotlib.figure import Figure

from errlens.analysis.probing.accuracy import SHUFFLES
from errlens.commands.network.probe.result import LayerProbe
from errlens.figures.network.probes import Curve, draw_curves
from errlens.formats import count, counted
from errlens.run.results import ResultsWriter

MOST_CURVES = 12  # layers of the picture of curves
MOST_CLASSES = 10  # bands would hide one another: there are none


def draw(results: ResultsWriter, result: LayerProbe) -> None:
    """Draw accuracy layer by layer, classes and pairs likewise, and learning curves."""
    if result.layers is not None:
        results.png("layers.png", layers_figure(result, result.layers))
    if result.classes is not None:
        results.png("classes.png", classes_figure(result, result.classes))
    if result.pairs is not None:
        results.png("pairs.png", pairs_figure(result, result.pairs))
    if result.curves is not None:
        results.png("curves.png", curves_figure(result, result.curves))


def layers_figure(result: LayerProbe, layers: pd.DataFrame) -> Figure:
    """Return the picture of how well each layer tells the classes apart."""
    curves = [_curve("all classes", layers)]
    if result.superclasses is not None:
        tables = result.superclasses.groupby("superclass", sort=False)
        curves += [_curve(f"{name} (classes)", rows) for name, rows in tables]
    curves.append(
        Curve(
            "shuffled labels",
            layers["control"].tolist(),
            layers["control_lowest"].tolist(),
            layers["control_highest"].tolist(),
            pale=True,
        )
    )
    return draw_curves(
        layers["layer"].tolist(),
        curves,
        title=f"What the layers of {result.subject.name} tell of "
        f"{counted(len(result.names), 'class')}",
        legend=f"Accuracy of a linear probe of each layer on held-out images, of "
        f"{counted(result.n, 'image')}. Bands: 95 % intervals. Grey: mean, lowest and highest with "
        f"labels shuffled {counted(SHUFFLES, 'time')}. Chance: always the most frequent class.",
        chance=float(layers["chance"].iloc[0]),
    )


def classes_figure(result: LayerProbe, classes: pd.DataFrame) -> Figure:
    """Return the picture of how well each layer finds the classes that lose the most."""
    tables = [rows for _, rows in classes.groupby("class_name", sort=False)]
    shown = sorted(tables, key=_loss)[-MOST_CLASSES:][::-1]
    some = f", of the {count(len(shown))} classes that fall the most after their best layer"
    return draw_curves(
        shown[0]["layer"].tolist(),
        [_recall(rows) for rows in shown],
        title=f"Which classes the layers of {result.subject.name} find",
        legend="Share of the images of a class that a linear probe finds among those of all "
        f"classes, held out{some if len(shown) < len(tables) else ''}. Intervals: classes.csv.",
    )


def _loss(rows: pd.DataFrame) -> float:
    return float(rows["recall"].max() - rows["recall"].iloc[-1])


def pairs_figure(result: LayerProbe, pairs: pd.DataFrame) -> Figure:
    """Return the picture of how well each layer tells the classes of each pair apart."""
    tables = list(pairs.groupby(["class_a", "class_b"], sort=False))
    alike = pairs["chance"].round(3).nunique() == 1
    return draw_curves(
        tables[0][1]["layer"].tolist(),
        [_curve(f"{a} ~ {b}", rows) for (a, b), rows in tables],
        title=f"At which layer of {result.subject.name} two classes part",
        legend="Accuracy of a linear probe that knows two classes alone, on held-out images of "
        "both. Bands: 95 % intervals.",
        chance=float(pairs["chance"].iloc[0]) if alike else None,
    )


def curves_figure(result: LayerProbe, curves: pd.DataFrame) -> Figure:
    """Return the picture of accuracy against images of each class."""
    tables = list(curves.groupby("layer", sort=False))[-MOST_CURVES:]
    draws = int(curves["draws"].iloc[0])
    return draw_curves(
        [str(n) for n in tables[0][1]["per_class"]],
        [_learning(str(name), rows) for name, rows in tables],
        title=f"How many images {result.subject.name} needs for "
        f"{counted(len(result.names), 'class')}",
        legend=f"Accuracy of a linear probe on images it was not fitted to: mean of {draws} draws. "
        "Bands: one standard deviation.",
        chance=1 / len(result.names),
        across="images of each class",
    )


def _curve(name: str, rows: pd.DataFrame) -> Curve:
    return Curve(name, rows["accuracy"].tolist(), rows["low"].tolist(), rows["high"].tolist())


def _recall(rows: pd.DataFrame) -> Curve:
    recall = rows["recall"].tolist()
    return Curve(str(rows["class_name"].iloc[0]), recall, recall, recall)


def _learning(name: str, rows: pd.DataFrame) -> Curve:
    mean, spread = rows["accuracy"], rows["spread"]
    low, high = (mean - spread).clip(lower=0), (mean + spread).clip(upper=1)
    return Curve(name, mean.tolist(), low.tolist(), high.tolist())
