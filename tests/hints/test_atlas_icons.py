"""Hints about icons that are made by optimisation."""

import sys
from pathlib import Path

import numpy as np
import pytest

import errlens
from tests.hints.walking import IN_PHOTOS, Walk, replaced
from tests.planted.atlas_points import plant_points

pytestmark = IN_PHOTOS
MODULE = """
import numpy as np
import torch

import tiny


def prepare(image):
    return torch.from_numpy(np.array(image.resize((32, 32)))).permute(2, 0, 1).float() / 255


class Quiet(tiny.Spatial):
    def forward(self, images):
        with torch.no_grad():
            return super().forward(images)


def quiet(num_classes=3):
    return Quiet(num_classes)
"""


@pytest.mark.parametrize(
    ("asked", "at"),
    [
        ("--model tiny:spatial --transform mine:prepare", "atlas.icons.colours.no_colours:hint"),
        ("--model mine:quiet", "atlas.icons.optimising._check:hint"),
    ],
    ids=["transform", "no gradients"],
)
def test_patches_take_the_place_of_icons_that_cannot_be_made(walk: Walk, asked, at):
    walk.monkeypatch.delitem(sys.modules, "mine", raising=False)
    Path("mine.py").write_text(MODULE, encoding="utf-8")
    walk.ends(f"evaluate photos {asked} -o own -q")
    rows = np.repeat(np.arange(12), 3).tolist()
    activations = np.random.default_rng(0).random((36, 3), dtype=np.float32)
    plant_points(
        errlens.open_run("own"), activations, activations, rows, [(1, 1), (2, 2), (3, 3)] * 12,
        grid=(8, 8), layer="conv",
    )  # fmt: skip
    wrong = "atlas render own --layout pca --grid 2 --min-density 3 --icons optimize --steps 1 -q"
    said = walk.refused(wrong, at)
    assert said.hint.startswith("--icons patches")
    walk.ends(replaced(wrong, "optimize", "patches"))
