"""Where filters are not as those of a well trained network: one sentence each.

The limits leave trained networks alone. Among the 65 convolutions of an EfficientNet of ImageNet, a
small ResNet and a ViT of CIFAR-10 they name two: a stem with 4 dead filters of 32, and the
depthwise layer after it, which is dead where the stem is.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from errlens.formats import are, count, counted, of, share
from errlens.network.filters.spectra import BANDS
from errlens.network.filters.tables import FilterTables
from errlens.run.csv_tables import TEXT, Columns

# The columns of suspicions.csv.
SUSPICION_COLUMNS: Final[Columns] = {
    "network": TEXT,
    "layer": TEXT,
    "kind": TEXT,  # not finite, dead, duplicates, frequencies or aliasing
    "statement": TEXT,
}

# Of a layer's filters: in trained networks up to 1 % are dead but in such a stem, and 1 % alike.
MANY: Final = 0.05
LEAST: Final = 2  # filters
# Of what noise has: trained first layers had 1.3 to 1.6 times as much in the middle as noise.
LITTLE_MIDDLE: Final = 0.5
# Of the way from noise to everything: trained layers had 0.1 to 0.8 of what noise has.
MUCH_ALIASING: Final = 1 / 3

# What a network that was never trained looks like: each mean as near to that of noise.
_NEAR: Final = 0.02  # of the energy
_ERRORS: Final = 4.0  # standard errors
_ENOUGH: Final = 32  # filters of more than one place, so that it can be told


def find_suspicions(tables: FilterTables) -> pd.DataFrame:
    """Return what is suspicious of layers, in their order; nothing of a network never trained."""
    untrained = untrained_networks(tables)
    rows = [
        {"network": layer["network"], "layer": layer["layer"], "kind": kind, "statement": statement}
        for layer in tables.layers.to_dict("records")
        for kind, statement in _of_layer(layer, trained=layer["network"] not in untrained)
    ]
    return pd.DataFrame(rows, columns=[*SUSPICION_COLUMNS])


def untrained_networks(tables: FilterTables) -> list[str]:
    """Return the networks whose filters have the frequencies of noise in every layer.

    Weights begin as noise. Few filters, or filters of one place, tell nothing.
    """
    return [
        str(network)
        for network, layers in tables.layers.groupby("network", sort=False)
        if _is_noise(layers, tables.filters[tables.filters["network"] == network])
    ]


def _is_noise(layers: pd.DataFrame, filters: pd.DataFrame) -> bool:
    seen = 0
    for layer in layers.to_dict("records"):
        shares = filters.loc[filters["layer"] == layer["layer"], [*BANDS]].dropna().to_numpy(float)
        if len(shares) < LEAST:
            continue
        seen += len(shares)
        away = np.abs(shares.mean(axis=0) - [layer[f"noise_{band}"] for band in BANDS])
        error = shares.std(axis=0, ddof=1) / np.sqrt(len(shares))
        if (away > np.maximum(_NEAR, _ERRORS * error)).any():
            return False
    return seen >= _ENOUGH


def _of_layer(layer: Mapping[Any, Any], *, trained: bool) -> Iterator[tuple[str, str]]:
    """Yield the kinds of what is suspicious of a layer, and what is to be said."""
    name, n = layer["layer"], layer["filters"]
    if bad := layer["not_finite"]:
        yield "not finite", f"{of(bad, n)} filters of {name} hold weights that are no numbers"
    if not trained:
        return
    if _many(layer["dead"], n):
        yield (
            "dead",
            f"{of(layer['dead'], n)} filters of {name} {are(layer['dead'])} dead "
            f"({share(layer['dead'] / n)}): they answer to nothing, and could be left out",
        )
    if pd.notna(layer["duplicates"]) and _many(layer["duplicates"], n):
        yield (
            "duplicates",
            f"{of(layer['duplicates'], n)} filters of {name} repeat an earlier one "
            f"({share(layer['duplicates'] / n)}): the layer is larger than what it has learnt",
        )
    if layer["first"] and layer["middle"] < LITTLE_MIDDLE * layer["noise_middle"]:
        yield (
            "frequencies",
            f"{name} has hardly any middle frequencies: {share(layer['middle'])} of the energy of "
            f"its filters, and {share(layer['noise_middle'])} if they were noise. Zeiler and "
            "Fergus mended that with smaller kernels and a smaller stride",
        )
    if _aliases(layer):
        strides = sorted({layer["stride_rows"], layer["stride_columns"]})
        yield (
            "aliasing",
            f"{name} aliases: {share(layer['aliasing'])} of the energy of its filters is finer "
            f"than what a stride of {' and '.join(map(count, strides))} keeps, and "
            f"{share(layer['noise_aliasing'])} if they were noise. A smaller stride, or a blur "
            "before it, mends that",
        )


def _many(part: int, whole: int) -> bool:
    return part >= LEAST and part >= MANY * whole


def _aliases(layer: Mapping[Any, Any]) -> bool:
    """Tell whether filters that overlap are finer than their stride, more so than by chance."""
    overlaps = any(
        (layer[f"kernel_{way}"] - 1) * layer[f"dilation_{way}"] + 1 > layer[f"stride_{way}"]
        for way in ("rows", "columns")
    )  # patches that do not are no samples of a map
    noise = layer["noise_aliasing"]
    return overlaps and bool(layer["aliasing"] > noise + MUCH_ALIASING * (1 - noise))


def totals(tables: FilterTables, network: str) -> str:
    """Say in a line how many filters a network has, and how many are dead or alike."""
    layers = tables.layers[tables.layers["network"] == network]
    dead, alike = int(layers["dead"].sum()), int(layers["duplicates"].sum())
    n = int(layers["filters"].sum())
    return (
        f"{counted(len(layers), 'convolution')}, {counted(n, 'filter')}: {count(dead)} dead, "
        f"{count(alike)} repeating another"
    )
