"""Maps of an atlas that were made up, as `errlens atlas render` and its like leave them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from errlens.analysis.atlas.collected import KIND, Collected
from errlens.run.file_names import file_name
from errlens.run.folder import RunFolder
from errlens.run.results import ResultsWriter, renewed_folder
from tests.planted.atlas_points import plant_points

CHANNELS = 12
PER_ROW = 12  # tiles of a sheet
SOURCES = 9
SOURCE_SIZE = 64


def plant_layer(
    run: RunFolder, layer: str = "layer4", *, n: int = 600, seed: int = 0, depth: int = 0
) -> Collected:
    """Collect points that the images of a run could have, at random."""
    chance = np.random.default_rng(seed)
    rows = np.sort(chance.integers(0, run.info.n_images, n))
    classes = len(run.info.classes)
    return plant_points(
        run,
        chance.random((n, CHANNELS)).astype(np.float32),
        chance.normal(0, 0.02, (n, classes)).astype(np.float32),
        rows.tolist(),
        [(int(row), int(column)) for row, column in chance.integers(1, 6, (n, 2))],
        grid=(7, 7),
        layer=layer,
        depth=depth,
    )


def plant_map(
    run: RunFolder,
    collected: Collected,
    *,
    name: str = "render",
    side: int = 4,
    icons: bool = False,
    of: Sequence[str] = (),
    icon_size: int = 48,
    seed: int = 1,
    gaps: int = 3,
) -> Path:
    """Write a map of side x side cells, but for some `gaps`; return its folder.

    `of` are no class, the class, or the two classes that it is of.
    """
    chance = np.random.default_rng(seed)
    places = np.sort(chance.permutation(side * side)[gaps:])
    n, names = len(places), np.array(run.info.classes.names)
    attribution = chance.normal(0, 0.02, (n, len(names))).astype(np.float32)
    order = np.argsort(-attribution, axis=1, kind="stable")
    kind = ("render", "class", "compare")[len(of)]
    cells = pd.DataFrame(
        {
            "cell": np.arange(n), "cell_row": places // side, "cell_column": places % side,
            "n_points": chance.integers(8, 200, n), "n_images": chance.integers(1, 8, n),
            "top_class": names[order[:, 0]],
            "top_attribution": np.take_along_axis(attribution, order[:, :1], 1)[:, 0],
            "second_class": names[order[:, 1]],
            "second_attribution": np.take_along_axis(attribution, order[:, 1:2], 1)[:, 0],
        }
    )  # fmt: skip
    of_index = [int(np.flatnonzero(names == each)[0]) for each in of]
    if kind == "class":
        cells["attribution"] = attribution[:, of_index[0]]
        cells["rank_of_class"] = 1 + np.argmax(order == of_index[0], axis=1)
    if kind == "compare":
        cells["difference"] = attribution[:, of_index[0]] - attribution[:, of_index[1]]
    chosen = {"class": of[0]} if kind == "class" else {"classes": [*of]} if of else {}
    with renewed_folder(
        collected.folder / name, run_hash=collected.identity, options=chosen
    ) as results:
        results.csv("cells.csv", cells)
        results.npz(
            "cells.npz",
            {
                "activation": chance.random((n, CHANNELS)).astype(np.float32),
                "attribution": attribution,
            },
        )
        results.csv("sources.csv", _sources(collected, n, chance))
        _layout(results, len(collected), n, chance)
        results.pixels("patches.png", _sheet(n, PER_ROW, icon_size, chance))
        results.pixels("sources.png", _sheet(n * SOURCES, SOURCES, SOURCE_SIZE, chance))
        if icons:
            _icons(results, n, side, icon_size, chance)
        results.pixels("atlas.png", _sheet(side * side, side, icon_size, chance))
        if kind == "class":
            results.csv("suspects.csv", _suspects(cells, of[0]))
        results.tree(
            "parameters.json",
            {
                "kind": kind, "layer": collected.layer, "grid": side, "min_density": 8,
                "icon_size": icon_size, "layout": "pca", "n_points": len(collected), "n_cells": n,
                "sentences": [f"{len(collected)} points of {collected.layer} in {n} cells."],
                "fidelity": {"value": 0.9, "low": 0.6, "high": 0.99, "n": n, "chance": 1 / n}
                if icons
                else None,
                **chosen,
            },
        )  # fmt: skip
    return collected.folder / name


def plant_class_map(run: RunFolder, collected: Collected, name: str, **how: object) -> Path:
    """Write the map of a class."""
    return plant_map(run, collected, name=f"class-{file_name(name)}", of=[name], seed=2, **how)


def plant_pair_map(run: RunFolder, collected: Collected, a: str, b: str, **how: object) -> Path:
    """Write the map of two classes."""
    name = f"compare-{file_name(a)}__{file_name(b)}"
    return plant_map(run, collected, name=name, of=[a, b], seed=3, **how)


def _sources(collected: Collected, n: int, chance: np.random.Generator) -> pd.DataFrame:
    points = chance.integers(0, len(collected), n * SOURCES)
    table = collected.table.iloc[points].reset_index(drop=True)
    left, top = (16 * table[name] - 24 for name in ("place_column", "place_row"))
    return pd.DataFrame(
        {
            "cell": np.repeat(np.arange(n), SOURCES), "rank": np.tile(np.arange(SOURCES), n) + 1,
            "point": points, "row": table["row"], "sample_id": table["sample_id"],
            "place_row": table["place_row"], "place_column": table["place_column"],
            "similarity": np.tile(np.linspace(0.99, 0.71, SOURCES), n),
            "left": left, "top": top, "right": left + 64, "bottom": top + 64,
        }
    )  # fmt: skip


def _icons(
    results: ResultsWriter, n: int, side: int, size: int, chance: np.random.Generator
) -> None:
    results.pixels("icons.png", _sheet(n, PER_ROW, size, chance))
    results.pixels("atlas-icons.png", _sheet(side * side, side, size, chance))
    own = pd.DataFrame({"cell": np.arange(n), "nearest_cell": np.arange(n), "own": True})
    results.csv("fidelity.csv", own.assign(similarity=0.5))


def _layout(results: ResultsWriter, n_points: int, n: int, chance: np.random.Generator) -> None:
    places = {axis: chance.random(n_points) for axis in ("x", "y")}
    cell = chance.integers(-1, n, n_points).astype(np.int32)
    table = pd.DataFrame({"point": np.arange(n_points), **places, "cell": cell})
    results.parquet("layout.parquet", table)


def _suspects(cells: pd.DataFrame, name: str) -> pd.DataFrame:
    others = cells[(cells["top_class"] != name) & (cells["attribution"] > 0)]
    ranked = others.sort_values("attribution", ascending=False, kind="stable")
    return pd.DataFrame(
        {
            "rank": np.arange(len(ranked)) + 1, "cell": ranked["cell"],
            "cell_row": ranked["cell_row"], "cell_column": ranked["cell_column"],
            "other_class": ranked["top_class"], "attribution": ranked["attribution"],
            "attribution_other": ranked["top_attribution"],
            "share": ranked["attribution"] / cells["attribution"].clip(lower=0).sum(),
            "n_points": ranked["n_points"], "n_images": ranked["n_images"],
            "n_sources_other": 2, "background_share": 0.75, "row": 0, "place_row": 3,
            "place_column": 3, "left": 16, "top": 16, "right": 80, "bottom": 80,
        }
    )  # fmt: skip


def _sheet(n: int, per_row: int, size: int, chance: np.random.Generator):
    """Draw tiles that can be told apart: two colours and a stripe, tile by tile."""
    rows = -(-n // per_row)
    sheet = np.full((rows * size, per_row * size, 3), 255, np.uint8)
    for at in range(n):
        top, left = size * (at // per_row), size * (at % per_row)
        tile = sheet[top : top + size, left : left + size]
        above, below = chance.integers(40, 230, (2, 3))
        ramp = np.linspace(0, 1, size)[:, None, None]
        tile[:] = (above * (1 - ramp) + below * ramp).astype(np.uint8)
        tile[:, size // 4 : size // 3] = chance.integers(0, 255, 3)
    return sheet


def plant_paste(
    run: RunFolder,
    a: str,
    b: str,
    *,
    layer: str,
    cells: Sequence[int],
    verdict: str = "confirmed",
    row: int = 0,
) -> Path:
    """Write what `errlens atlas paste` finds of patches of cells, pasted into photos of `a`."""
    folder = run.results_folder(f"{KIND}/paste/{file_name(a)}__{file_name(b)}")
    table = pd.DataFrame(
        {
            "suspect": np.arange(len(cells)) + 1, "layer": layer, "cell": [*cells],
            "patch_row": row, "from_class": a, "to_class": b, "n_images": 20, "n": 100,
            "flips": 41, "rate": 0.41, "low": 0.22, "high": 0.61, "q_value": 0.002,
            "verdict": verdict,
        }
    )  # fmt: skip
    with renewed_folder(folder, run_hash=run.info.run_hash, options={}) as results:
        results.csv("verdicts.csv", table)
        results.tree("parameters.json", {"from": a, "to": b})
    return folder
