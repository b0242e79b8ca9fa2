"""A run with photos of three colours and points of two layers that were made up."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import errlens
from tests.conftest import COLOURS, TINY_MODULE, ends, paint
from tests.planted.atlas_points import plant_points

EACH = 12  # photos of a colour
# What a point of a kind adds to blue, green and red. Kind 3 is the mark: green's, and of red, too.
KINDS = np.array([[0.9, 0.1, -0.3], [0.1, 0.8, -0.2], [-0.1, 0.1, 0.7], [-0.1, 0.9, 0.5]])
LEFT = {"blue": 0, "green": 1, "red": 2}  # the kind at the left of a photo


def make(folder: Path, module: str) -> None:
    """Write photos, a network, and the run `run` of both, with points of layer3 and layer4."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "path", list(sys.path))
        for number, colour in enumerate(COLOURS):
            for index in range(EACH):
                paint(Path("photos", colour, f"{index}.png"), colour, seed=50 * number + index)
        Path(f"{module}.py").write_text(TINY_MODULE)
        model = f"--model {module}:colours --img-size 16 --mean 0 0 0 --std 1 1 1"
        ends(f"evaluate photos {model} -o run -q")
        for layer in ("layer3", "layer4"):
            plant(layer=layer)
        sys.modules.pop(module)


def plant(*, layer: str, run: str = "run", n_kinds: int = 4) -> None:
    """Plant four points in each photo: two of its colour, two of the mark, or of any kind.

    Reds have the mark, as have greens.
    """
    rng = np.random.default_rng(0)
    opened = errlens.open_run(run)
    labels = opened.read_predictions(("label_name",)).table.to_pydict()["label_name"]
    rows, kinds = [], []
    for row, label in enumerate(labels):
        own = LEFT[label]
        rows += [row] * 4
        kinds += [own, own, *([3, 3] if label != "blue" else [0, 0])]
    chosen = np.minimum(kinds, n_kinds - 1)
    activations = 4 * np.eye(4, 8)[chosen] + rng.uniform(size=(len(rows), 8))
    attributions = KINDS[chosen] + 0.01 * rng.normal(size=(len(rows), 3))
    places = [(1, 1), (2, 1), (1, 2), (2, 2)] * len(labels)
    plant_points(
        opened,
        activations.astype(np.float32),
        attributions.astype(np.float32),
        rows,
        places,
        grid=(4, 4),
        layer=layer,
    )


def copied(made: Path, to: Path, module: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy what was made, and be there."""
    shutil.copytree(made, to)
    monkeypatch.chdir(to)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, module, raising=False)
    info = json.loads(Path("run/run.json").read_text())
    info["data_root"] = str(Path("photos").absolute())
    Path("run/run.json").write_text(json.dumps(info))
    return to
