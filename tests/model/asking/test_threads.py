"""Threads that ask a network have so many of torch's as they should, and leave the rest alone."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from errlens.model.asking.hiding import AskedImage
from errlens.model.asking.threads import asking_threads
from errlens.network.features import read_features
from errlens.network.units.layers import unit_layers
from errlens.network.units.maxima import channel_maxima
from errlens.network.units.patches import field_of, patches_of
from errlens.network.units.scores import Unit
from tests.conftest import paint
from tests.network.units.networks import classifier_of

SIDE = 12
BEFORE = 3  # of torch, so that another number is seen


@pytest.fixture(scope="module")
def classifier():
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 2, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 2)
    )
    classifier = classifier_of(module.eval(), side=SIDE)
    return replace(classifier, interface=classifier.interface._replace(head="4", features=2))


@pytest.fixture
def images(tmp_path):
    return [AskedImage(paint(tmp_path / f"{n}.png", "red", seed=n), None) for n in range(4)]


def threads_inside(classifier, workers, threads):
    with asking_threads(classifier, workers, threads=threads) as in_threads:
        return list(in_threads(lambda _job: torch.get_num_threads(), range(3)))


@pytest.mark.parametrize(
    ("workers", "threads", "inside"), [(2, 1, 1), (2, 2, 2), (1, 2, 2), (1, 1, BEFORE)]
)
def test_workers_have_the_threads_asked_for_and_one_alone_has_all(
    classifier, workers, threads, inside
):
    torch.set_num_threads(BEFORE)
    assert threads_inside(classifier, workers, threads) == [inside] * 3
    assert torch.get_num_threads() == BEFORE


def test_who_looks_into_a_network_gives_the_threads_back(classifier, images):
    torch.set_num_threads(BEFORE)
    (layer,) = unit_layers(classifier.network.module, (3, SIDE, SIDE), ["0"])
    units = {0: [Unit("0", 0, 0)]}
    passes = {
        "maxima": lambda: channel_maxima(
            classifier, {"0": (layer, None)}, images, batch_size=2, workers=2
        ),
        "patches": lambda: patches_of(
            classifier, [layer], units, images, method=None,
            field_of=field_of(classifier, [layer]), workers=2,
        ),
        "features": lambda: read_features(
            classifier, [image.path for image in images], batch_size=2, workers=2, threads=1,
        ).read,
    }  # fmt: skip
    for name, look in passes.items():
        assert list(look())
        assert torch.get_num_threads() == BEFORE, name
