"""Mistakes in the preprocessing are planted; the model tells shades of grey, or red from blue."""

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from torch import nn

from errlens.classes.names import ClassNames
from errlens.data.photos.preprocess import Preprocessing
from errlens.errors import UnfitOption
from errlens.model.classifier import Classifier
from errlens.model.networks.loading import Network
from errlens.model.outputs.dry_run import dry_run
from errlens.model.preparation import UserTransform
from errlens.model.restoring.hits import hits_by_setting, takes
from errlens.model.restoring.search import SettingsSearch

PLAIN = Preprocessing((32, 32), 1.0, "squash", "bilinear", (0.0,) * 3, (1.0,) * 3)
COLOURS = ("dark", "middle", "bright", "reddish", "bluish")
CPU = torch.device("cpu")


class Shades(nn.Module):
    """Tells three shades of grey and two colours, for pixels of 0 to 1 in RGB of 32 pixels."""

    def __init__(self):
        super().__init__()
        centres = [[0.2] * 3, [0.5] * 3, [0.8] * 3, [0.7, 0.5, 0.3], [0.3, 0.5, 0.7]]
        self.register_buffer("centres", torch.tensor(centres))

    def forward(self, images):
        means = images.mean(dim=(2, 3))
        return -50 * (means[:, None] - self.centres).square().sum(dim=2)


def make_classifier(preparation):
    network = Network(Shades(), "shades", {}, {})
    interface = dry_run(network, preparation, CPU)
    return Classifier(network, preparation, ClassNames(COLOURS), CPU, interface)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A hundred photos, twenty of a class."""
    folder, random = tmp_path_factory.mktemp("shades"), np.random.default_rng(0)
    found = []
    for label, centre in enumerate(Shades().centres.numpy()):
        for number in range(20):
            noise = random.normal(0, 0.1, (24, 32, 3))
            pixels = np.clip(centre + random.normal(0, 0.02) + noise, 0, 1)
            path = folder / f"{label}-{number}.png"
            Image.fromarray((255 * pixels).astype(np.uint8)).save(path)
            found.append((path, label))
    return found


@contextmanager
def silent(_what, **_counts):
    yield lambda _images: None


def searched(images, used, *, expected=0.98, seed=0):
    classifier = make_classifier(used)
    (hits,) = hits_by_setting(classifier, [used], images, workers=2, threads=1)
    search = SettingsSearch(
        classifier,
        images,
        hits,
        expected=expected,
        seed=seed,
        workers=2,
        threads=1,
        progress=silent,
    )
    return search.run(), hits


MISTAKES = {
    "mean and std": {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)},
    "scale of the pixels": {"std": (1 / 255,) * 3},
    "order of the channels": {"bgr": True},
    "two at a time": {"mean": (0.5,) * 3, "std": (0.5,) * 3, "bgr": True},
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_is_named(images, mistake):
    used = replace(PLAIN, **MISTAKES[mistake])
    found, hits = searched(images, used)
    assert hits.mean() < 0.9
    named = [replace(used, **setting.changes) for setting in found.restoring]
    assert PLAIN in named
    assert found.restoring[0].accuracy > 0.95
    assert found.restoring[0].n == found.n_fresh == found.n_sample == 50


def test_right_settings_stay_where_too_much_is_expected(images):
    relabelled = [
        (path, (label + (number % 5 == 0)) % 5) for number, (path, label) in enumerate(images)
    ]
    for seed in range(3):
        found, hits = searched(relabelled, PLAIN, expected=0.95, seed=seed)
        assert hits.mean() < 0.85
        assert found.restoring == []
        assert found.nearest is None
        assert found.tried > 15


def test_each_file_is_decoded_as_the_setting_that_is_tried_reads_it(tmp_path):
    grey, deep = tmp_path / "grey.png", tmp_path / "deep.png"
    Image.new("L", (8, 8), 128).save(grey)
    Image.new("I;16", (8, 8), 128 * 257).save(deep)
    images = [(grey, 1), (deep, 1), (grey, 1)]
    scaled = replace(PLAIN, scale_16bit=True)
    hits = hits_by_setting(make_classifier(PLAIN), [PLAIN, scaled], images, workers=1, threads=1)
    assert [right.tolist() for right in hits] == [[True, False, True], [True, True, True]]


def test_a_file_too_large_for_the_run_is_not_tried_either(tmp_path):
    Image.new("RGB", (700, 700), (128,) * 3).save(tmp_path / "large.bmp")
    images = [(tmp_path / "large.bmp", 1)]
    for max_mb, right in ((1, False), (2, True)):
        (hits,) = hits_by_setting(
            make_classifier(PLAIN), [PLAIN], images, workers=1, threads=1, max_mb=max_mb
        )
        assert hits.tolist() == [right]


def test_settings_that_give_the_same_are_named_together(images):
    found, _ = searched(images, replace(PLAIN, mean=(0.4,) * 3, crop_pct=0.9))
    changed = [dict(setting.changes) for setting in found.restoring]
    assert {"mean": (0.0,) * 3, "std": (1.0,) * 3} in changed


def test_a_transform_of_ones_own_cannot_be_varied(images):
    own = replace(
        make_classifier(PLAIN), preparation=UserTransform("a:b", lambda _: torch.ones(3, 2, 2))
    )
    search = SettingsSearch(
        own,
        images,
        np.zeros(100, bool),
        expected=0.9,
        seed=0,
        workers=1,
        threads=1,
        progress=silent,
    )
    with pytest.raises(UnfitOption, match="--transform"):
        search.run()


def test_a_network_of_one_size_is_tried_at_no_other():
    module = timm.create_model("test_vit", num_classes=5, dynamic_img_size=False).eval()
    used = Preprocessing((160, 160), 1.0, "squash", "bilinear", (0.5,) * 3, (0.5,) * 3)
    network = Network(module, "test_vit", {}, {})
    classifier = Classifier(network, used, ClassNames(COLOURS), CPU, dry_run(network, used, CPU))
    assert takes(classifier, used)
    assert not takes(classifier, replace(used, img_size=(64, 64)))


def test_a_file_that_has_gone_counts_as_wrong_and_keeps_its_place(images):
    classifier = make_classifier(PLAIN)
    gone = (Path("gone.png"), 0)
    (hits,) = hits_by_setting(classifier, [PLAIN], [gone, *images[:12], gone], workers=2, threads=1)
    assert hits.tolist() == [False] + [True] * 12 + [False]
    (none,) = hits_by_setting(classifier, [PLAIN], [gone], workers=1, threads=1)
    assert none.tolist() == [False]


def test_the_first_fresh_images_are_of_every_class(images):
    classifier = make_classifier(PLAIN)
    ordered = sorted(images, key=lambda image: image[1])
    search = SettingsSearch(
        classifier, ordered, np.ones(100, bool), expected=1, seed=0, workers=1, threads=1,
        progress=silent,
    )  # fmt: skip
    sample, fresh = search._split()
    assert sorted([*sample, *fresh]) == list(range(100))
    assert {ordered[row][1] for row in fresh[:25]} == set(range(5))
    assert [sum(ordered[row][1] == label for row in sample) for label in range(5)] == [10] * 5
