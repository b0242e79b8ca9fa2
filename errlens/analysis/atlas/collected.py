"""The points of an atlas as `errlens atlas collect` keeps them: where, and what was there.

A point is one place of a layer's map in one image of a run: its activations, a vector over the
channels, and what it adds to each class, as S. Carter et al. have it, "Activation Atlas", Distill
(2019).
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from errlens.documents import BadDocument, parse_json, read_text
from errlens.errors import NoResults
from errlens.escapes import json_text, shell_line
from errlens.run.disk import inside
from errlens.run.file_names import file_name
from errlens.run.folder import RunFolder
from errlens.run.made_from import record_of
from errlens.run.tables import read_columns

KIND: Final = "atlas"  # the folder of a run that all atlases are in
POINTS: Final = "points.parquet"
ACTIVATIONS: Final = "activations.npy"
ATTRIBUTIONS: Final = "attributions.npy"
PARAMETERS: Final = "parameters.json"

# `point` is the row in the arrays, `row` that of the image; `top_class` is the class that the
# point adds the most to, an index; `label` and `pred` are those of the image, NO_CLASS where it has
# none.
POINT_SCHEMA: Final = pa.schema(
    [
        ("point", pa.int64()),
        ("row", pa.int64()),
        ("sample_id", pa.string()),
        ("place_row", pa.int32()),
        ("place_column", pa.int32()),
        ("label", pa.int32()),
        ("pred", pa.int32()),
        ("top_class", pa.int32()),
    ]
)


@dataclass(frozen=True)
class Collected:
    """The points of one layer.

    Attributes:
        folder: Where they lie; what is made of them goes below it.
        layer: The layer's name.
        grid: Rows and columns of its map.
        table: A row a point, columns as of `POINT_SCHEMA`, in the order of `point`.
        activations: Shape (points, channels), float32, mapped from the file.
        attributions: What each point adds to the logit of each class, activation times gradient,
            shape (points, classes), float32, mapped from the file.
        bias: Of the classes, shape (classes,), where the attributions of all places and this add up
            to the logits; None where they need not.
        identity: Tells these points from all others; what is made of them records it as the run's
            hash is recorded elsewhere.
        parameters: What else `parameters.json` says.
    """

    folder: Path
    layer: str
    grid: tuple[int, int]
    table: pd.DataFrame
    activations: NDArray[np.float32]
    attributions: NDArray[np.float32]
    bias: NDArray[np.float32] | None
    identity: str
    parameters: dict[str, Any]

    def __len__(self) -> int:
        return len(self.table)


def layer_folder(run: RunFolder, layer: str) -> Path:
    """Return where the points of a layer lie, and what is made of them.

    Raises:
        OutsideRun: It is a link that leads out of the run.
    """
    return run.results_folder(f"{KIND}/{file_name(layer)}")


def collected_layers(run: RunFolder) -> list[str]:
    """Return the layers whose points were collected, by name, those of the network's end last.

    Those that were made of other predictions are among them: reading them says so.
    """
    folder = run.results_folder(KIND)
    places = sorted(folder.iterdir()) if folder.is_dir() else []
    said = [_parameters(place) for place in places if (place / POINTS).is_file()]
    named = [parameters for parameters in said if isinstance(parameters.get("layer"), str)]
    return [parameters["layer"] for parameters in sorted(named, key=_depth)]


def read_collected(run: RunFolder, layer: str) -> Collected:
    """Read the points of a layer.

    Raises:
        NoResults: There are none, they were made of other predictions, or are damaged.
    """
    command = shell_line(["errlens", "atlas", "collect", run.path, "--layer", layer])
    folder = layer_folder(run, layer)
    if not (folder / POINTS).is_file():
        raise NoResults(f"{str(folder / POINTS)!r} is not there", command=command)
    record = record_of(folder)
    if record.get("run_hash") != run.info.run_hash:
        raise NoResults(f"{str(folder)!r} was made of other predictions", command=command)
    try:
        parameters = _parameters(folder)
        table = read_columns(inside(folder / POINTS, folder)).cast(POINT_SCHEMA).to_pandas()
        rows, columns = (int(side) for side in parameters["grid"])
        classes = len(run.info.classes)
        activations = _array(folder / ACTIVATIONS, len(table), int(parameters["channels"]))
        attributions = _array(folder / ATTRIBUTIONS, len(table), classes)
        bias = parameters["bias"] and np.asarray(parameters["bias"], np.float32).reshape(classes)
        _check(table, run.info.n_images, classes, (rows, columns))
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise NoResults(f"{str(folder)!r} is damaged", command=command) from error
    return Collected(
        folder,
        layer,
        (rows, columns),
        table,
        activations,
        attributions,
        bias,
        identity_of(record),
        parameters,
    )


def identity_of(record: dict[str, Any]) -> str:
    """Return what tells points from others: a hash of what the folder says it was made from."""
    made = {name: record.get(name) for name in ("schema_version", "run_hash", "options")}
    return hashlib.sha256(json_text(made).encode()).hexdigest()


def _parameters(folder: Path) -> dict[str, Any]:
    try:
        parameters = parse_json(read_text(inside(folder / PARAMETERS, folder)))
    except BadDocument:
        return {}
    return parameters if isinstance(parameters, dict) else {}


def _depth(parameters: dict[str, Any]) -> tuple[int, str]:
    depth = parameters.get("depth")
    return (depth if isinstance(depth, int) else 0), parameters["layer"]


def _array(path: Path, n: int, width: int) -> NDArray[np.float32]:
    values: NDArray[np.float32] = np.load(
        inside(path, path.parent), mmap_mode="r", allow_pickle=False
    )
    if values.dtype != np.float32 or values.shape != (n, width):
        raise ValueError(f"{path.name} holds other numbers")
    return values


def _check(table: pd.DataFrame, n_images: int, classes: int, grid: tuple[int, int]) -> None:
    """Refuse points that cannot be."""
    limits: dict[str, Callable[[], bool]] = {
        "point": lambda: bool((table["point"] == np.arange(len(table))).all()),
        "row": lambda: bool(table["row"].between(0, n_images - 1).all()),
        "place_row": lambda: bool(table["place_row"].between(0, grid[0] - 1).all()),
        "place_column": lambda: bool(table["place_column"].between(0, grid[1] - 1).all()),
        "top_class": lambda: bool(table["top_class"].between(0, classes - 1).all()),
    }
    for name, holds in limits.items():
        if not holds():
            raise ValueError(f"{name} is not what it can be")
