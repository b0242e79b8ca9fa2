import sys
from pathlib import Path

import numpy as np
import pytest

from errlens.analysis.occlusion.tables import OCCLUSION_COLUMNS
from errlens.run.csv_tables import read_declared
from tests.conftest import ends, refused

NETS = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 6, 3, padding=1)
        self.act = nn.ReLU()
        self.head = nn.Linear(6, 3)
        self.num_classes = 3

    def forward(self, images):
        return self.head(self.act(self.conv(images)).mean(dim=(2, 3)))


class FarFromGrey(Net):
    def forward(self, images):
        grey = (images.abs() < 0.02).all(dim=1).float().mean(dim=(1, 2))
        return super().forward(images) / (grey < self.most)[:, None]


def far_from_grey(most, **kwargs):
    net = FarFromGrey()
    net.most = float(most)
    return net
"""


@pytest.fixture(autouse=True)
def here(photos, monkeypatch):
    """The folder of the photos, with a network."""
    monkeypatch.chdir(photos.parent)
    monkeypatch.syspath_prepend(photos.parent)
    monkeypatch.delitem(sys.modules, "grey_nets", raising=False)
    Path("grey_nets.py").write_text(NETS)


GREY = "--value gray --mask 8 --img-size 16 --mean 0.5 0.5 0.5 --std 0.5 0.5 0.5 -o out"


def test_positions_whose_outputs_are_not_finite_count_as_no_other_class():
    model = "--model grey_nets:far_from_grey --model-kwargs most=0.2"
    said = " ".join(ends(f"network occlusion photos/red/0.png {model} {GREY}").stdout.split())
    assert "At 4 of 16 the outputs are not finite." in said
    table = read_declared(Path("out/occlusion/occlusion.csv"), OCCLUSION_COLUMNS)
    with np.load("out/occlusion/" + table["file"][0].replace("png", "npz")) as arrays:
        known = arrays["label"] >= 0
    assert known.sum() == 12
    assert table["other_label_share"][0] <= known.mean()


def test_an_image_whose_outputs_are_finite_nowhere_under_the_square_is_left_out():
    model = "--model grey_nets:far_from_grey --model-kwargs most=0.01"
    said = refused(f"network occlusion photos/red/0.png {model} {GREY}", exit_code=3)
    assert "outputs not finite wherever the square lies" in " ".join(said.split())
