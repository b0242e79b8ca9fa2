"""What the scripts of an atlas page know of its maps, as plain values."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.escapes import printable
from errlens.report.atlas.maps import AtlasMap
from errlens.report.atlas.pastes import Pastes
from errlens.report.parts import records
from errlens.run.folder import RunFolder

NEAREST: Final = 8  # cells that a cell has as neighbours
_LARGEST: Final = 32_767  # of an int16


def map_tree(atlas: AtlasMap, names: Sequence[str], pastes: Pastes) -> dict[str, Any]:
    """Return what there is to say of a map.

    Attributions are whole numbers of 16 bits, in steps of `step`, which each cell has its own of.
    """
    cells, made = atlas.cells, atlas.made
    index = {name: at for at, name in enumerate(names)}
    steps = np.abs(atlas.attribution).max(axis=1) / _LARGEST
    whole = atlas.attribution / np.where(steps > 0, steps, 1)[:, None]
    is_class = made.kind == "class"
    told = pastes.of_cells(made.layer, made.of[0], atlas.suspects) if is_class else {}
    return {
        "layer": printable(made.layer),
        "name": printable(atlas.folder.name),
        "kind": made.kind,
        "title": printable(made.title),
        "of": [index[name] for name in made.of],
        "row": cells["cell_row"].tolist(),
        "column": cells["cell_column"].tolist(),
        "points": cells["n_points"].tolist(),
        "images": cells["n_images"].tolist(),
        "top": [index[name] for name in cells["top_class"]],
        "step": [float(f"{step:.6g}") for step in steps],
        "attribution": base64.b64encode(np.rint(whole).astype("<i2").tobytes()).decode(),
        "near": nearest_cells(atlas.activation),
        "sources": {
            "cell": atlas.sources["cell"].tolist(),
            "row": atlas.sources["row"].tolist(),
            "down": atlas.sources["place_row"].tolist(),
            "across": atlas.sources["place_column"].tolist(),
            "similarity": atlas.sources["similarity"].round(3).tolist(),
        },
        "suspects": [
            {
                "cell": suspect["cell"],
                "rank": suspect["rank"],
                "other": index[suspect["other_class"]],
                "share": suspect["share"],
                "background": suspect["background_share"],
                "images": suspect["n_images"],
                "others": suspect["n_sources_other"],
            }
            for suspect in records(atlas.suspects)
        ],
        "pasted": {str(cell): [*map(printable, texts)] for cell, texts in told.items()},
    }


def address_of(atlas: AtlasMap, cell: int) -> str:
    """Return where a cell is on the page, as `scripts/atlas/place.js` reads it."""
    fields = {"layer": printable(atlas.made.layer), "map": printable(atlas.folder.name)}
    return f"#{urlencode({**fields, 'cell': cell})}"


def nearest_cells(activation: NDArray[np.float32]) -> list[list[list[float]]]:
    """Return of each cell those with the most alike mean activations: number and cosine, 3 digits.

    >>> nearest_cells(np.array([[1, 0], [1, 1], [0, 1]], np.float32))[0]
    [[1, 0.707], [2, 0.0]]
    """
    lengths = np.linalg.norm(activation, axis=1, keepdims=True)
    units = (activation / np.where(lengths > 0, lengths, 1)).astype(np.float64)
    alike = units @ units.T
    np.fill_diagonal(alike, -np.inf)
    order = np.argsort(-alike, axis=1, kind="stable")[:, : min(NEAREST, len(units) - 1)]
    return [
        [[int(other), round(float(alike[cell, other]), 3)] for other in others]
        for cell, others in enumerate(order)
    ]


def image_tree(run: RunFolder, maps: Sequence[AtlasMap]) -> Mapping[str, Any]:
    """Return what there is to say of the images that sources lie in, by row: name, label, pred."""
    named = pd.concat([atlas.sources[["row", "sample_id"]] for atlas in maps])
    names = dict(zip(named["row"].tolist(), named["sample_id"], strict=True))
    images = run.read_predictions(("row", "label", "pred")).table.to_pandas().set_index("row")
    known = images.reindex(sorted(names)).fillna(-1).astype(int)
    return {
        str(row): [printable(names[row]), int(label), int(pred)]
        for row, label, pred in known.itertuples()
    }
