"""Which pictures `errlens network filters` draws."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from errlens.choices import FilterScale
from errlens.commands.network.filters.result import FiltersResult, Judged
from errlens.commands.showing import first_rows
from errlens.figures.network.filter_grid import FilterSheet, FilterTile, draw_filters
from errlens.figures.network.filter_spectra import LayerBands, NetworkBands, draw_spectra
from errlens.formats import counted
from errlens.network.filters.spectra import BANDS

MOST: Final = 1024  # filters of a first layer that are drawn
OF_SCALE: Final = {
    "filter": "the largest weight of each filter is as light, or as dark, as can be",
    "layer": "the largest weight of the layer is as light, or as dark, as can be",
}


def first_layer_figure(networks: Sequence[Judged], scale: FilterScale) -> Figure:
    """Return the picture of the filters that look at pixels."""
    drawn = [network for network in networks if network.images is not None]
    names = " and ".join(network.name for network in drawn)
    sheets = [_sheet(network, scale) for network in drawn]
    words = {tile.word[:1] for sheet in sheets for tile in sheet.tiles}
    alike = " = 3 repeats filter 3, and -3 is its opposite." if words & {"=", "-"} else ""
    return draw_filters(
        sheets,
        title=f"First-layer filters of {names}",
        subtitle=f"Grey is zero; {OF_SCALE[scale]}.{alike}",
    )


def spectra_figure(result: FiltersResult) -> Figure:
    """Return the picture of all layers with more than one place, and of those with dead filters."""
    names = " and ".join(network.name for network in result.networks)
    return draw_spectra(
        [_bands(network, result.suspicions) for network in result.networks],
        title=f"Spatial frequencies of the filters of {names}",
        legend="Shares of the energy: low below 1/6, high from 1/3 cycles a pixel of "
        "the layer's own map on. Marks: where the parts would end if filters were noise. "
        "Beyond the stride: finer than what the stride keeps. In bold: suspicious.",
    )


def _sheet(network: Judged, scale: FilterScale) -> FilterSheet:
    images = network.images
    assert images is not None  # noqa: S101 - for the type checker
    table = network.tables.filters[network.tables.filters["layer"] == network.first]
    largest = np.abs(np.nan_to_num(images)).max(axis=(1, 2, 3))
    room = largest if scale == "filter" else np.full_like(largest, largest.max())
    tiles = [
        FilterTile(
            weights / most if most > 0 and not (scale == "filter" and row["dead"]) else 0 * weights,
            _word(row),
            dim=row["dead"],
        )
        for weights, most, row in zip(images, room, first_rows(table), strict=True)
    ]
    rows, columns = images.shape[2:]
    shown = "" if len(tiles) <= MOST else f", the first {MOST} of them"
    filters = f"{counted(len(tiles), 'filter')} of {rows} x {columns}{shown}"
    title = f"{network.name}: {network.first}, {filters}"
    return FilterSheet(title, tiles[:MOST])


def _word(row: dict[str, Any]) -> str:
    """Say what a filter is, where it is not one of its own."""
    if row["dead"]:
        return "dead"
    if pd.isna(row["norm"]):
        return "not finite"
    if pd.notna(row["duplicate_of"]):
        return f"= {row['duplicate_of']}"
    return f"-{row['negative_of']}" if pd.notna(row["negative_of"]) else ""


def _bands(network: Judged, suspicions: pd.DataFrame) -> NetworkBands:
    layers = network.tables.layers
    of_one = suspicions.loc[suspicions["network"] == network.name, "layer"]
    drawn = layers[layers["low"].notna() | layers["layer"].isin(of_one)]
    if not len(drawn):
        drawn = layers.head(1)
    return NetworkBands(
        network.name,
        [
            LayerBands(
                layer["layer"],
                shape_of(layer),
                _shares(layer, ""),
                _shares(layer, "noise_"),
                None
                if pd.isna(layer["aliasing"])
                else (layer["aliasing"], layer["noise_aliasing"]),
                layer["dead"],
                None if pd.isna(layer["duplicates"]) else int(layer["duplicates"]),
                suspicious=layer["layer"] in set(of_one),
            )
            for layer in first_rows(drawn)
        ],
    )


def shape_of(layer: dict[str, Any]) -> str:
    """Write the kernel of a layer, and its stride and dilation where it has some.

    >>> row = {"kernel_rows": 3, "kernel_columns": 3, "stride_rows": 2, "stride_columns": 2}
    >>> shape_of({**row, "dilation_rows": 1, "dilation_columns": 1, "transposed": False})
    '3x3 / 2'
    """
    both = [
        (layer[f"{name}_rows"], layer[f"{name}_columns"])
        for name in ("kernel", "stride", "dilation")
    ]
    kernel, stride, dilation = (f"{rows}x{columns}" for rows, columns in both)
    words = kernel
    if max(both[1]) > 1:
        sign = "*" if layer["transposed"] else "/"
        words += f" {sign} {both[1][0] if len(set(both[1])) == 1 else stride}"
    if max(both[2]) > 1:
        words += f" dil. {both[2][0] if len(set(both[2])) == 1 else dilation}"
    return words


def _shares(layer: dict[str, Any], of: str) -> tuple[float, float, float] | None:
    low, middle, high = (layer[f"{of}{band}"] for band in BANDS)
    return None if pd.isna(low) else (low, middle, high)
