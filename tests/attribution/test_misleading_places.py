"""A network that looks at a corner is found out, from photos on disk to sentences."""

from contextlib import contextmanager

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from errlens.analysis.findings.causes.places.borrowed_evidence import LEAST_MAPS
from errlens.analysis.findings.scored import Scored
from errlens.attribution.evidence import evidence_by_square
from errlens.attribution.misleading_places import errors_and_controls, search_places_of, to_map
from errlens.classes.names import ClassNames
from errlens.data.objects.outlines import Outlines
from errlens.data.photos.preprocess import Preprocessing
from errlens.model.asking.hiding import AskedImage
from errlens.model.asking.time_left import TimeLeft
from errlens.model.classifier import Classifier
from errlens.model.networks.loading import Network
from errlens.model.outputs.dry_run import dry_run

SIDE = 24
NAMES = ("green", "red")
PLAIN = Preprocessing((SIDE, SIDE), 1.0, "squash", "bilinear", (0.0,) * 3, (1.0,) * 3)


class Colours(nn.Module):
    """Says green or red by the middle of an image, and red of blue in the lower right corner."""

    def forward(self, images):
        middle = images[:, :, 8:16, 8:16].mean(dim=(2, 3))
        blue = images[:, 2, -6:, -6:].mean(dim=(1, 2)) - images[:, 1, -6:, -6:].mean(dim=(1, 2))
        return torch.stack([middle[:, 1], middle[:, 0] + 3 * blue.clamp(min=0)], dim=1)


class NoGradient(Colours):
    def forward(self, images):
        with torch.no_grad():
            return super().forward(images)


def classifier_of(module):
    cpu = torch.device("cpu")
    network = Network(module.eval(), "colours", {}, {})
    return Classifier(network, PLAIN, ClassNames(NAMES), cpu, dry_run(network, PLAIN, cpu))


def silent(what, total=None, done=0):
    del what, total, done

    @contextmanager
    def told():
        yield lambda _n: None

    return told()


@pytest.fixture(scope="module")
def stamped(tmp_path_factory):
    """Eighty photos, a third with a blue stamp: of green ones it makes errors, red ones hang on it.

    Half of the stamped red photos have no red in their middle.
    """
    folder = tmp_path_factory.mktemp("stamped")
    random = np.random.default_rng(0)
    label = np.arange(80, dtype=np.int32) % 2
    has_stamp = np.arange(80) % 6 < 2
    for at in range(80):
        pixels = random.integers(60, 110, (SIDE, SIDE, 3))
        seen = 1 if label[at] == 0 or has_stamp[at] else 0
        pixels[8:16, 8:16, seen] += 140
        if label[at] == 1 and not has_stamp[at]:
            pixels[8:16, 8:16, 0] = 255
        if has_stamp[at]:
            pixels[-6:, -6:] = (0, 0, 250)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{at}.png")
    return folder, label, has_stamp


def scored_of(folder, label, classifier):
    names = [f"{at}.png" for at in range(len(label))]
    pixels = np.stack([np.asarray(Image.open(folder / name)) for name in names])
    images = torch.tensor(pixels).permute(0, 3, 1, 2).float() / 255
    pred = classifier.network.module(images).argmax(dim=1).numpy().astype(np.int32)
    n = len(label)
    return Scored(
        np.arange(n), label, pred, label != pred, np.full(n, 0.9), np.full(n, 0.5),
        names, [None] * n, classifier.classes,
    )  # fmt: skip


def test_a_stamp_is_found_in_errors_and_in_what_is_right(stamped):
    folder, label, has_stamp = stamped
    classifier = classifier_of(Colours())
    scored = scored_of(folder, label, classifier)
    np.testing.assert_array_equal(scored.wrong, has_stamp & (label == 0))
    outcome = search_places_of(classifier, scored, folder, progress=silent)
    misled, known = outcome.findings
    assert "lower right corner" in misled.statement
    assert set(misled.rows) == set(np.flatnonzero(scored.wrong))
    assert "lower right corner" in known.statement
    assert set(known.rows) <= set(np.flatnonzero(has_stamp & (label == 1)))
    assert [search.found for search in outcome.searches] == [1, 1]
    assert outcome.tables["places"]["repaired"].max() == scored.n_errors


def test_a_network_without_gradient_is_still_asked_with_places_hidden(stamped):
    folder, label, _ = stamped
    classifier = classifier_of(NoGradient())
    scored = scored_of(folder, label, classifier)
    outlines = Outlines({}, folder)
    outcome = search_places_of(classifier, scored, folder, outlines=outlines, progress=silent)
    assert len(outcome.findings) == 1
    assert all("no gradient" in search.absent for search in outcome.searches[1:])


def test_photos_that_are_gone_leave_nothing_to_ask(stamped, tmp_path):
    folder, label, _ = stamped
    classifier = classifier_of(Colours())
    scored = scored_of(folder, label, classifier)
    outcome = search_places_of(
        classifier, scored, tmp_path, outlines=Outlines({}, tmp_path), progress=silent
    )
    assert not outcome.findings
    assert "none of the errors" in outcome.searches[0].absent
    assert outcome.searches[-1].absent == "no image has an outline"


def test_evidence_lies_where_the_network_looks(stamped):
    folder, label, has_stamp = stamped
    images = [AskedImage(folder / f"{at}.png", None) for at in range(len(label))]
    evidence = evidence_by_square(classifier_of(Colours()), images, np.ones(80, int))
    np.testing.assert_allclose(evidence.sum(axis=(1, 2)), 1, rtol=1e-4)
    corner = evidence[:, 4:, 4:].sum(axis=(1, 2))
    assert corner[has_stamp].min() > corner[~has_stamp].max()
    gone = [AskedImage(folder / "gone.png", None)]
    assert np.isnan(evidence_by_square(classifier_of(Colours()), gone, np.ones(1, int))).all()


def test_controls_are_right_images_evenly_of_their_classes(stamped):
    folder, label, _ = stamped
    scored = scored_of(folder, label, classifier_of(Colours()))
    errors, right = errors_and_controls(scored, 10, np.random.default_rng(0))
    assert len(errors) == len(right) == 10
    assert scored.wrong[errors].all()
    assert not scored.wrong[right].any()
    assert np.bincount(label[right]).tolist() == [5, 5]
    assert np.bincount(label[right[:4]]).tolist() == [2, 2]  # where time is up, too
    assert not len(errors_and_controls(scored, 0, np.random.default_rng(0))[0])


def test_where_no_image_is_wrong_there_is_nothing_to_hide(stamped):
    folder, label, _ = stamped
    classifier = classifier_of(Colours())
    scored = scored_of(folder, label, classifier)
    right = scored_of(folder, scored.pred, classifier)
    outcome = search_places_of(classifier, right, folder, progress=silent)
    assert outcome.searches[0].absent == "no image is wrong"
    assert not outcome.tables["places"][["n_errors", "n_right"]].any(axis=None)


def test_when_time_is_up_what_was_asked_is_told(stamped):
    folder, label, _ = stamped
    classifier = classifier_of(Colours())
    scored = scored_of(folder, label, classifier)
    outcome = search_places_of(classifier, scored, folder, progress=silent, time=TimeLeft(0))
    assert not outcome.findings
    assert outcome.searches[0].part == f"1 of {scored.n_errors} errors, with places hidden"
    assert outcome.tables["places"]["n_errors"].tolist() == [1] * 30


def test_images_are_mapped_class_by_class_where_a_class_has_enough():
    label = np.repeat(np.arange(3, dtype=np.int32), [50, LEAST_MAPS, LEAST_MAPS - 1])
    n = len(label)
    scored = Scored(
        np.arange(n), label, label, np.zeros(n, bool), np.full(n, 0.9), np.full(n, 0.9),
        [""] * n, [None] * n, ClassNames(("a", "b", "c")),
    )  # fmt: skip
    for most in (10, 2 * LEAST_MAPS, 500):
        mapped = label[to_map(scored, most, np.random.default_rng(0))]
        assert mapped[: 2 * LEAST_MAPS].tolist() == ([0] * LEAST_MAPS + [1] * LEAST_MAPS)[:most]
        assert len(mapped) == min(most, 50 + LEAST_MAPS)
