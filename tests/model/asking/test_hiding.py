"""Places are hidden without a trace, and only of images that are still those of the run."""

import hashlib

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from errlens.analysis.findings.causes.places.grid import FRAME, PLACES, Place
from errlens.classes.names import ClassNames
from errlens.data.photos.preprocess import Preprocessing
from errlens.errors import UserCodeFailed
from errlens.model.asking.hiding import NOT_ASKED, AskedImage, ask_hidden, hidden
from errlens.model.asking.time_left import TimeLeft
from errlens.model.classifier import Classifier
from errlens.model.networks.loading import Network
from errlens.model.outputs.dry_run import dry_run

SIDE = 24
PLAIN = Preprocessing((SIDE, SIDE), 1.0, "squash", "bilinear", (0.5,) * 3, (0.5,) * 3)
CORNER = Place(4 / 6, 4 / 6, 1, 1)


class RedCorner(nn.Module):
    """Says 1 of an image with red in its lower right corner, else 0."""

    def forward(self, images):
        red = images[:, 0, -4:, -4:].mean(dim=(1, 2)) - images[:, 1, -4:, -4:].mean(dim=(1, 2))
        return torch.stack([torch.full_like(red, 0.5), red], dim=1)


def classifier_of(module):
    cpu = torch.device("cpu")
    network = Network(module.eval(), "corner", {}, {})
    return Classifier(
        network, PLAIN, ClassNames(("plain", "red")), cpu, dry_run(network, PLAIN, cpu)
    )


@pytest.fixture
def photos(tmp_path):
    """Four grey photos, every second with a red corner."""
    images = []
    for at in range(4):
        pixels = np.random.default_rng(at).integers(90, 160, (SIDE, SIDE, 3)).astype(np.uint8)
        if at % 2:
            pixels[-6:, -6:] = (250, 0, 0)
        path = tmp_path / f"{at}.png"
        Image.fromarray(pixels).save(path)
        images.append(AskedImage(path, hashlib.sha256(path.read_bytes()).digest()[:16]))
    return images


@pytest.mark.parametrize("place", [*PLACES[:6], PLACES[12], *PLACES[-5:]])
@pytest.mark.parametrize("size", [(SIDE, SIDE), (7, 31), (64, 48)])
def test_nothing_of_a_hidden_place_is_left_and_the_rest_is_as_it_was(place, size):
    random = torch.Generator().manual_seed(0)
    image = torch.randn((1, 3, *size), generator=random)
    (copy,) = hidden(image, [place])
    top, left, bottom, right = place.pixels(*size)
    inside = torch.zeros(size, dtype=torch.bool)
    inside[top:bottom, left:right] = True
    covered = ~inside if place.frame else inside
    torch.testing.assert_close(copy[..., ~covered], image[..., ~covered], rtol=0, atol=0)
    # A coarse square may reach over the edge of a place in an odd image: there a little is left.
    if size == (SIDE, SIDE):
        other = image.clone()
        other[..., covered] = 9.0
        torch.testing.assert_close(hidden(other, [place])[0], copy)


def test_what_hides_lies_between_what_is_around():
    image = torch.full((1, 3, SIDE, SIDE), 0.25)
    for copy in hidden(image, PLACES):
        torch.testing.assert_close(copy, image)


def test_hiding_the_reason_turns_the_prediction_and_hiding_others_does_not(photos):
    places = [CORNER, Place(0, 0, 2 / 6, 2 / 6), FRAME]
    answers = ask_hidden(classifier_of(RedCorner()), photos, [places] * 4)
    assert answers.tolist() == [[0, 0, 0, 0], [1, 0, 1, 0]] * 2


def test_steps_are_told_and_one_thread_says_the_same(photos):
    told = []
    classifier = classifier_of(RedCorner())
    several = ask_hidden(classifier, photos, [PLACES] * 4, step=told.append)
    assert told == [1] * 4
    np.testing.assert_array_equal(several, ask_hidden(classifier, photos, [PLACES] * 4, workers=1))


def test_images_that_are_gone_changed_or_broken_are_not_asked_about(photos):
    photos[0].path.unlink()
    Image.new("RGB", (SIDE, SIDE)).save(photos[1].path)
    photos[2].path.write_bytes(b"no photo")
    answers = ask_hidden(classifier_of(RedCorner()), photos, [[CORNER]] * 4)
    assert (answers[:3] == NOT_ASKED).all()
    assert answers[3].tolist() == [1, 0]


def test_no_images_and_no_places_are_answered(photos):
    classifier = classifier_of(RedCorner())
    assert ask_hidden(classifier, [], []).shape == (0, 1)
    assert ask_hidden(classifier, photos, [[]] * 4).tolist() == [[0], [1], [0], [1]]


def test_a_network_that_fails_is_told_as_the_users(photos):
    class Fails(RedCorner):
        fails = False

        def forward(self, images):
            if self.fails:
                raise RuntimeError("not today")
            return super().forward(images)

    classifier = classifier_of(Fails())
    classifier.network.module.fails = True
    with pytest.raises(UserCodeFailed, match="not today"):
        ask_hidden(classifier, photos, [[CORNER]] * 4)


def test_when_time_is_up_no_more_images_are_begun(photos):
    answers = ask_hidden(
        classifier_of(RedCorner()), photos, [[CORNER]] * 4, time=TimeLeft(0), workers=1
    )
    assert (answers[0] != NOT_ASKED).all()
    assert (answers[1:] == NOT_ASKED).all()
