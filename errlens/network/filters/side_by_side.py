"""The filters of two networks, held against each other."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from errlens.formats import NOT_KNOWN, count, of, points, share
from errlens.network.filters.spectra import BANDS
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE, Columns

_COMPARED: Final = ("norm_median", "dead", "duplicates", "negatives", *BANDS, "aliasing")

# The columns of differences.csv: what both layers have, the second's after `other_`.
DIFFERENCE_COLUMNS: Final[Columns] = {
    "layer": TEXT,
    "other_layer": TEXT,
    "filters": WHOLE,
    "other_filters": WHOLE,
    **{
        f"{whose}{name}": WHOLE if name == "dead" else NUMBER
        for name in _COMPARED
        for whose in ("", "other_")
    },
}
_FACTS: Final = ("layer", "filters", *_COMPARED)


def differences(layers: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Return layers that stand for one another in two networks, side by side.

    Those with the same name do, and the first layers of both, whatever they are called. Layers of
    one network alone are left out.

    Args:
        layers: Those of one network, as in layers.csv.
        other: Those of the other one.
    """
    by_name = {layer["layer"]: layer for layer in other.to_dict("records")}
    first = next((layer for layer in by_name.values() if layer["first"]), None)
    pairs = []
    for layer in layers.to_dict("records"):
        match = by_name.get(layer["layer"])
        if layer["first"] and first is not None:
            match = first
        if match is not None:
            both = (("", layer), ("other_", match))
            pairs.append({f"{of}{name}": each[name] for of, each in both for name in _FACTS})
    table = pd.DataFrame(pairs, columns=[*DIFFERENCE_COLUMNS])
    whole = [f"{of}{name}" for of in ("", "other_") for name in ("duplicates", "negatives")]
    return table.astype(dict.fromkeys(whole, "Int64"))


def what_differs(layers: pd.DataFrame, other: pd.DataFrame) -> list[str]:
    """Say in sentences what differs between two networks, the first layer first.

    Args:
        layers: Those of one network, as in layers.csv; at least one.
        other: Those of the other one.
    """
    return [*_first_layers(layers, other), *_of_all(layers, other), *_largest_change(layers, other)]


def _first_layers(layers: pd.DataFrame, other: pd.DataFrame) -> Iterator[str]:
    both = [table[table["first"]].to_dict("records") for table in (layers, other)]
    if all(both):
        yield f"First layer: {'; '.join(_in_words(first[0]) for first in both)}."


def _in_words(layer: Mapping[Any, Any]) -> str:
    """Say what a first layer is like."""
    kernel = "{kernel_rows} x {kernel_columns}".format_map(layer)
    strides = sorted({layer["stride_rows"], layer["stride_columns"]})
    words = f"{layer['network']} {kernel} with stride {' and '.join(map(count, strides))}"
    if pd.notna(layer["middle"]):
        words += f" has {share(layer['middle'])} middle frequencies"
    if pd.notna(layer["aliasing"]):
        words += f", {share(layer['aliasing'])} beyond its stride"
    return f"{words}, {of(layer['dead'], layer['filters'])} filters dead"


def _of_all(layers: pd.DataFrame, other: pd.DataFrame) -> Iterator[str]:
    for what, column in (("Dead", "dead"), ("Repeating another", "duplicates")):
        counts = [
            f"{of(int(table[column].sum()), int(table['filters'].sum()))} filters of "
            f"{table['network'].iloc[0]}"
            for table in (layers, other)
        ]
        yield f"{what}: {', '.join(counts)}."


def _largest_change(layers: pd.DataFrame, other: pd.DataFrame) -> Iterator[str]:
    """Say which layer that both have changed its frequencies the most, and how."""
    pairs = differences(layers, other)
    pairs = pairs[(pairs["layer"] == pairs["other_layer"]) & pairs["low"].notna()]
    pairs = pairs[pairs["other_low"].notna()]
    if not len(pairs):
        return
    change = np.stack([(pairs[f"other_{band}"] - pairs[band]).to_numpy(float) for band in BANDS])
    at = int(np.abs(change).max(axis=0).argmax())
    moved = ", ".join(
        f"{band} {points(float(moved))}" for band, moved in zip(BANDS, change[:, at], strict=True)
    )
    name = pairs["layer"].iloc[at] or NOT_KNOWN
    yield f"Of layers that both have, {name} differs most in its frequencies: {moved}."
