"""Photos of which one class is others blurred, and a network that sees fine detail in one layer."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.conftest import ends

EACH = 40
SIDE = 16
# `band` passes colours on, and what differs from the mean of the places around; `coarse` takes the
# colours alone, and blurs them.
NETWORKS = """
import torch
from torch import nn


class Detail(nn.Module):
    def __init__(self, num_classes=3):
        super().__init__()
        self.seen = nn.Conv2d(3, 3, 1, bias=False)
        self.band = nn.Conv2d(3, 6, 3, padding=1, padding_mode="circular")
        self.fine = nn.ReLU()
        self.coarse = nn.Conv2d(6, 3, 3, padding=1, padding_mode="circular", bias=False)
        self.head = nn.Linear(3, num_classes)
        with torch.no_grad():
            for layer in (self.seen, self.band, self.coarse):
                layer.weight.zero_()
            self.band.bias.copy_(torch.tensor([1.0, 1, 1, 0, 0, 0]))  # colours start from -1
            for colour in range(3):
                self.seen.weight[colour, colour] = 1
                self.band.weight[colour, colour, 1, 1] = 1
                self.band.weight[3 + colour, colour] = -1 / 9
                self.band.weight[3 + colour, colour, 1, 1] += 1
                self.coarse.weight[colour, colour] = 1 / 9

    def forward(self, images):
        maps = self.coarse(self.fine(self.band(self.seen(images))))
        return self.head(maps.mean(dim=(2, 3)))


def detail():
    return Detail()
"""


def textured(random):
    """A reddish photo whose grain is as fine as its pixels."""
    colour = np.array([150, 100, 90]) + random.normal(0, 8, 3)
    return colour + random.normal(0, 30, (SIDE, SIDE, 3))


def blurred(photo):
    """The same content without its grain, and with the same mean colour."""
    ways = [(down, right) for down in range(-2, 3) for right in range(-2, 3)]
    return np.mean([np.roll(photo, way, axis=(0, 1)) for way in ways], axis=0)


@pytest.fixture
def _photos(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    bricks = [textured(random) for _ in range(EACH)]
    photos = {
        "brick": bricks,
        "brick_out_of_focus": [blurred(photo) for photo in bricks],
        "sea": [np.array([80, 110, 170]) + random.normal(0, 8, (SIDE, SIDE, 3))
                for _ in range(EACH)],
    }  # fmt: skip
    for name, images in photos.items():
        Path(tmp_path, "photos", name).mkdir(parents=True)
        for number, pixels in enumerate(images):
            whole = Image.fromarray(np.clip(pixels.round(), 0, 255).astype(np.uint8))
            whole.save(tmp_path / "photos" / name / f"{number}.png")
    (tmp_path / "networks_of_detail.py").write_text(NETWORKS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures("_photos")
def test_a_class_told_by_fine_detail_is_lost_at_the_layer_that_blurs():
    said = ends(
        "network probe photos --model networks_of_detail:detail --img-size 16 "
        "--layers seen,fine,coarse --pair brick~brick_out_of_focus --pair brick~sea"
    )
    table = pd.read_csv("network/probe/classes.csv")
    recall = table.pivot(index="layer", columns="class_name", values="recall")
    assert (recall.loc["fine"] > 0.9).all()
    assert (recall["sea"] == 1).all()
    for name in ("brick", "brick_out_of_focus"):
        standing = table.loc[table["class_name"] == name, "standing"].tolist()
        assert standing == ["chance", "told", "chance"]
    known = json.loads(Path("network/probe/parameters.json").read_text("utf-8"))
    losses = [(loss["class_name"], loss["best"], loss["lost_at"]) for loss in known["losses"]]
    assert losses == [("brick", "fine", "coarse"), ("brick_out_of_focus", "fine", "coarse")]
    words = " ".join(said.stdout.split())
    assert "brick_out_of_focus is found best at fine (100.0 % of 40, 95 % interval" in words
    assert "; lost again at coarse (" in words
    (told, kept) = known["partings"]
    assert (told["told_at"], told["lost_at"]) == ("fine", "coarse")
    assert (kept["told_at"], kept["less_at"], kept["lost_at"]) == ("seen", None, None)
