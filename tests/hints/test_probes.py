"""Hints about probing layers."""

from pathlib import Path

import pytest

from tests.hints.walking import IN_PHOTOS, Row, Walk

pytestmark = IN_PHOTOS
PROBE = "network probe photos --model tiny:spatial -q --folds 2"
LAYERS = "commands.network.probe.layers"
HEADLESS = """
from torch import nn
from tiny import Spatial


class Headless(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(3, 3, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())


class Pairs(nn.Module):
    def forward(self, images):
        return images, images


class Several(Spatial):
    def __init__(self):
        super().__init__()
        self.pairs = Pairs()

    def forward(self, images):
        return super().forward(self.pairs(images)[0])


def headless():
    return Headless()


def several():
    return Several()
"""

ROWS = [
    Row(f"{LAYERS}.check_asked:hint", f"{PROBE} --layers all --save-head a.safetensors",
        "leave --save-head out", f"{PROBE} --layers all"),
    Row(f"{LAYERS}.check_asked:hint2", PROBE, "--layers all", f"{PROBE} {{}}"),
    Row(f"{LAYERS}.check_asked:hint3", f"{PROBE} --per-class 1 --pair red~blue", "--layers all",
        f"{PROBE} --per-class 1 --pair red~blue {{}}"),
    Row(f"{LAYERS}._numbers:hint", f"{PROBE} --per-class many", "--per-class 1,3",
        f"{PROBE} {{}}"),
    Row(f"{LAYERS}._layers_of:hint", f"{PROBE} --layers ,", "--layers all", f"{PROBE} {{}}"),
    Row("analysis.probing.accuracy.check_folds:hint",
        f"{PROBE.replace(' 2', ' 50')} --layers all", "--folds 4",
        "network probe photos --model tiny:spatial -q --layers all {}"),
    Row("analysis.probing.curves.check_per_class:hint", f"{PROBE} --per-class 1,50",
        "--per-class 1,3", f"{PROBE} {{}}"),
    Row("commands.network.probe.asked._refuse_other_images:hint",
        "network probe seen --layers all --limit 3 -q", "leave that out",
        "network probe seen --layers all --folds 2 -q"),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_a_hint_proposes_is_a_way_out(walk: Walk, row: Row):
    row.follow(walk)


def test_where_nothing_is_known_to_be_the_last_layer_another_can_be_probed(walk: Walk):
    Path("grown.py").write_text(HEADLESS)
    typed = "network probe photos --model grown:headless -q --folds 2"
    said = walk.refused(f"{typed} --layers penultimate", f"{LAYERS}._layers_of:hint2")
    assert "--layers LAYER" in said.hint
    walk.ends(f"{typed} --layers 0")


def test_a_layer_that_puts_out_no_tensor_is_none_of_all(walk: Walk):
    Path("grown.py").write_text(HEADLESS)
    typed = "network probe photos --model grown:several -q --folds 2"
    said = walk.refused(f"{typed} --layers pairs", f"{LAYERS}._layers_of:hint3")
    assert said.hint == "--layers all"
    walk.ends(f"{typed} {said.hint}")
