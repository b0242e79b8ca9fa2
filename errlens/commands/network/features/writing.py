"""The numbers behind the sheets, and by what parameters they were made."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from errlens.commands.network.features.options import FeaturesOptions
from errlens.commands.network.features.result import FeaturesResult
from errlens.network.units.top_images import TopOfLayer
from errlens.run.file_names import distinct_names
from errlens.run.results import ResultsWriter


def write_numbers(
    results: ResultsWriter,
    result: FeaturesResult,
    options: FeaturesOptions,
    *,
    size: tuple[int, int, int],
) -> None:
    """Write tables, arrays and parameters.

    Args:
        results: Where they go.
        result: What was found.
        options: By which it was.
        size: (channels, height, width) of the inputs.
    """
    results.csv("features.csv", result.tables.features)
    results.csv("firing.csv", result.tables.firing)
    rows = np.array([facts["row"] for facts in result.images], np.int64)
    results.npz(
        "features.npz",
        {
            f"{layer.layer.name}.{name}": values
            for layer in result.found.layers
            for name, values in _arrays(layer, rows).items()
        },
    )
    if options.save_projections and result.projection:
        names = distinct_names([layer.layer.name for layer in result.found.layers])
        for layer, name in zip(result.found.layers, names, strict=True):
            results.npz(f"projections/{name}.npz", _projections(result, layer))
    results.tree("features.json", _parameters(result, options, size))


def _arrays(layer: TopOfLayer, rows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Return the arrays of a layer; where there are fewer images, rows and places are -1."""
    known = layer.images >= 0
    places = np.stack(np.divmod(layer.places, layer.layer.columns), axis=2)
    return {
        "channels": layer.channels.astype(np.int64),
        "fires": layer.fires,
        "values": np.where(known, layer.values, np.nan).astype(np.float32),
        "rows": np.where(known, rows[layer.images], -1),
        "places": np.where(known[:, :, None], places, -1).astype(np.int32),
    }


def _projections(result: FeaturesResult, layer: TopOfLayer) -> dict[str, NDArray[np.float32]]:
    """Return the projections of a layer, as `CHANNEL.RANK`."""
    units = [(unit.channel, rank) for _, rank, unit in layer.units()]
    of_layer = {
        (channel, rank): result.patches.get((layer.layer.name, channel, rank))
        for channel, rank in units
    }
    return {
        f"{channel}.{rank + 1}": patch.values
        for (channel, rank), patch in of_layer.items()
        if patch is not None and patch.values is not None
    }


def _parameters(
    result: FeaturesResult, options: FeaturesOptions, size: tuple[int, int, int]
) -> dict[str, Any]:
    return {
        "input": {"channels": size[0], "height": size[1], "width": size[2]},
        "n_images": result.found.seen,
        "n_unread": len(result.found.unread),
        "channels": options.channels,
        "seed": options.seed,
        "top": options.top,
        "projection": result.projection,
        "layers": [
            {
                "layer": layer.layer.name,
                "n_channels": layer.layer.channels,
                "grid": list(layer.layer.spatial.grid),
                "calls": layer.layer.calls,
                "channels": layer.channels.tolist(),
                "remark": result.remarks.get(layer.layer.name),
            }
            for layer in result.found.layers
        ],
    }
