"""What the tests of public reports share: networks of users, and a way to run a command."""

import sys

import pytest

# Networks as they were reported, each as small as it can be; `tiny` is that of tests/conftest.py.
NETWORKS = """
import torch
from torch import nn
from torchvision.models import VisionTransformer
from tiny import Colours


class AlwaysDropout(Colours):
    def forward(self, images):
        return nn.functional.dropout(super().forward(images), 0.5, training=True)


class OneAtATime(Colours):
    def forward(self, images):
        scores = super().forward(images)
        assert scores.shape == (1, 3)
        return scores


class EndsInSoftmax(Colours):
    def forward(self, images):
        return super().forward(images).softmax(dim=1)


class GivesADict(Colours):
    def forward(self, images):
        return {"features": images.mean(dim=(2, 3)), "logits": super().forward(images)}


class OneOutput(nn.Module):
    def forward(self, images):
        return 20 * (images[:, :1] - images[:, 2:]).mean(dim=(2, 3))


class Frozen(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.see = nn.Conv2d(3, 4, 3, padding=1)
        self.head = nn.Linear(4, 3)
        self.requires_grad_(False)

    def forward(self, images):
        return self.head(self.see(images).relu().mean(dim=(2, 3)))


class WithoutGradients(Frozen):
    @torch.no_grad()
    def forward(self, images):
        return super().forward(images)


def transformer():
    torch.manual_seed(0)
    network = VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=3)
    nn.init.normal_(network.heads.head.weight)
    return network
"""


@pytest.fixture
def users(tiny, tmp_path, monkeypatch) -> str:
    """The name of a module in the current folder that has these networks."""
    del tiny
    (tmp_path / "users.py").write_text(NETWORKS, encoding="utf-8")
    monkeypatch.delitem(sys.modules, "users", raising=False)
    return "users"
