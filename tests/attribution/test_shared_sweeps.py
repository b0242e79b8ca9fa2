"""A sweep that two ask for is made once, and no more is kept than may be."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from errlens.attribution.judging.sanity import cascading_randomisation
from errlens.attribution.kept import Kept
from errlens.attribution.masks import sweep
from errlens.attribution.methods import occlusion
from errlens.attribution.shared_sweeps import shared_sweep
from tests.attribution.networks import QUICK, Patches, model_of, planted, targets


class Counted(Patches):
    seen = 0

    def forward(self, images):
        self.seen += len(images)
        return super().forward(images)


@pytest.fixture
def model():
    model = replace(model_of(Counted().eval(), layer="relu"), kept_sweeps=Kept())
    assert model.spatial_layer.name == "relu"  # which takes runs of its own
    model.module.seen = 0
    return model


def test_the_second_gets_what_was_made_for_the_first(model):
    images, _, _ = planted(3)
    with torch.no_grad():
        maps = occlusion.explain(model, images, targets([0], [1], [2]), QUICK)
        once = model.module.seen
        swept = [shared_sweep(model, image, QUICK) for image in images]
    assert model.module.seen == once
    assert model.kept_sweeps.size == 0
    alone = replace(model, kept_sweeps=None)
    assert torch.equal(
        maps.values, occlusion.explain(alone, images, targets([0], [1], [2]), QUICK).values
    )
    for image, kept in zip(images, swept, strict=True):
        anew = sweep(alone, image, QUICK, layer=alone.spatial_layer)
        assert torch.equal(kept.logits, anew.logits)
        assert torch.equal(kept.channel_sums, anew.channel_sums)
        assert kept.strongest_channel().channel == anew.strongest_channel().channel


def test_another_image_or_another_mask_is_swept_anew(model):
    (one, other), _, _ = planted(2)
    shared_sweep(model, one, QUICK)
    wider = replace(QUICK, mask="8")
    for image, settings in ((other, QUICK), (one, wider), (one, replace(QUICK, fill="black"))):
        before = model.module.seen
        made = shared_sweep(model, image, settings)
        assert model.module.seen > before
        assert torch.equal(made.logits, sweep(model, image, settings).logits)


def test_no_more_is_kept_than_may_be():
    kept = Kept(most_bytes=30_000)
    model = replace(model_of(Patches().eval(), layer="relu"), kept_sweeps=kept)
    images, _, _ = planted(8)
    for image in images:
        shared_sweep(model, image, QUICK)
        assert 0 < kept.size <= 30_000
    assert kept.take(images[0], QUICK) is None
    assert kept.take(images[-1], QUICK) is not None


def test_a_network_made_random_is_swept_anew():
    torch.manual_seed(0)
    pooled = (nn.AdaptiveAvgPool2d(1), nn.Flatten())
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), *pooled, nn.Linear(8, 4)).eval()
    alone = model_of(module)
    shared = replace(alone, kept_sweeps=Kept())
    images = torch.randn(2, 3, 24, 24)
    one, other = (
        cascading_randomisation("occlusion", model, images, [0, 1], QUICK)
        for model in (alone, shared)
    )
    assert one == other
    assert all(stage.similarity < 1 for stage in other)
