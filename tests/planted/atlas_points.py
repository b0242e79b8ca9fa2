"""Points of an atlas that were made up, in a run, as `errlens atlas collect` leaves them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.atlas.collected import (
    ACTIVATIONS,
    ATTRIBUTIONS,
    PARAMETERS,
    POINTS,
    Collected,
    layer_folder,
    read_collected,
)
from errlens.run.folder import RunFolder
from errlens.run.results import renewed_folder


def plant_points(
    run: RunFolder,
    activations: NDArray[np.float32],
    attributions: NDArray[np.float32],
    rows: Sequence[int],
    places: Sequence[tuple[int, int]],
    *,
    grid: tuple[int, int],
    layer: str = "layer4",
    bias: Sequence[float] | None = None,
    depth: int = 0,
) -> Collected:
    """Write points into a run, of images `rows` at `places` (row, column), and read them back."""
    images = run.read_predictions(("row", "sample_id", "label", "pred")).table.to_pandas()
    of_points = images.set_index("row").loc[list(rows)].reset_index()
    table = pd.DataFrame(
        {
            "point": np.arange(len(rows)),
            "row": of_points["row"],
            "sample_id": of_points["sample_id"],
            "place_row": np.asarray(places, np.int32)[:, 0],
            "place_column": np.asarray(places, np.int32)[:, 1],
            "label": of_points["label"].fillna(-1).astype("int32"),
            "pred": of_points["pred"].fillna(-1).astype("int32"),
            "top_class": np.argmax(attributions, axis=1).astype(np.int32),
        }
    )
    parameters = {
        "layer": layer, "grid": list(grid), "channels": activations.shape[1], "depth": depth,
        "per_image": 4, "seed": 0, "method": "linear" if bias else "jvp",
        "bias": None if bias is None else list(bias), "n_images": len(set(rows)),
        "n_points": len(rows), "input": [64, 64],
    }  # fmt: skip
    folder = layer_folder(run, layer)
    options = {"layer": layer, "per_image": 4, "seed": 0}
    with renewed_folder(folder, run_hash=run.info.run_hash, options=options) as results:
        results.parquet(POINTS, table)
        results.tree(PARAMETERS, parameters)
        for name, values in ((ACTIVATIONS, activations), (ATTRIBUTIONS, attributions)):
            with results.file(name) as target:
                np.save(target, values.astype(np.float32))
    return read_collected(run, layer)
