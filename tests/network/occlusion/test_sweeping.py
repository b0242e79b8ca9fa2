"""One sweep against captum, against explain, and on networks of which it is known what they see."""

import captum.attr
import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from errlens.analysis.occlusion import occluded
from errlens.analysis.occlusion.sentences import Described, in_words
from errlens.attribution.explained_model import ExplainedModel, MethodSettings
from errlens.attribution.masks import sweep
from errlens.attribution.methods import occlusion
from errlens.attribution.targets import Wanted
from errlens.classes.names import NO_CLASS
from errlens.data.photos.images import Unread
from errlens.errors import UnfitOption
from errlens.maps import Target
from errlens.model.asking.hiding import AskedImage
from errlens.model.layers.places import find_layer
from errlens.network.activations.channels import strongest
from errlens.network.capture import capture_layer
from errlens.network.occlusion.strongest import strongest_units
from errlens.network.occlusion.sweeping import PREDICTED, TRUE, Sweeping, SweptImage, occluded_of
from errlens.network.units.layers import unit_layers
from tests.attribution.networks import SIDE, Patches, Tokens, explained, planted
from tests.network.units.networks import classifier_of

SQUARE = MethodSettings(mask="6", stride="3", fill="gray", batch_size=16)
APART = MethodSettings(mask="6", stride="6", fill="gray", batch_size=16)


class Seen:
    """Planted patches as photos, and how the network that sees them is asked."""

    def __init__(self, folder, module, *, n=2, layer="relu", **how):
        tensors, self.boxes, self.colours = planted(n, seed=3)
        self.images = []
        for number, tensor in enumerate(tensors):
            pixels = ((tensor.clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
            Image.fromarray(pixels).save(folder / f"{number}.png")
            self.images.append(AskedImage(folder / f"{number}.png", None))
        self.module = module.eval()
        self.classifier = classifier_of(module, side=SIDE)
        self.labels = np.array(self.colours, np.int32)
        (self.layer,) = unit_layers(module, (3, SIDE, SIDE), [layer])
        self.how = {"workers": 1, "batch_size": 2}
        self.units = strongest_units(
            self.classifier, self.layer, self.images, channel=None, **self.how
        ).units
        self.sweeping = Sweeping(
            **{
                "classifier": self.classifier, "layer": self.layer, "settings": SQUARE,
                "units": self.units, "hidden": {}, **how,
            }
        )  # fmt: skip

    def all(self, labels=None):
        labels = self.labels if labels is None else labels
        return [swept for _, swept in self.sweeping.over(self.images, labels)]

    def input(self, number):
        pixels = np.asarray(Image.open(self.images[number].path), np.float32)
        return torch.from_numpy(pixels / 127.5 - 1).permute(2, 0, 1)

    def regions(self, *, beyond=False):
        """Return objects: the patches, or all that is further from them than a square reaches."""
        found, reach = {}, 6 if beyond else 0
        for number, (top, left, bottom, right) in enumerate(self.boxes):
            near = np.zeros((SIDE, SIDE), np.float32)
            rows = slice(max(0, top - reach), bottom + reach)
            near[rows, max(0, left - reach) : right + reach] = 1
            found[number] = 1 - near if beyond else near
        return found


@pytest.fixture
def seen(tmp_path):
    return Seen(tmp_path, Patches())


def test_changes_of_probability_add_up_to_zero_and_the_label_is_the_most_probable(seen):
    for swept in seen.all():
        under = swept.occluded
        changes = under.probabilities.astype(float) - under.unoccluded
        np.testing.assert_allclose(changes.sum(axis=2), 0, atol=1e-6)
        assert np.array_equal(under.pred, under.probabilities.argmax(axis=2))
        assert under.pred_unoccluded == under.unoccluded.argmax()
        assert under.probabilities.shape == (8, 8, 4)


def test_the_activity_without_a_square_is_the_sum_of_the_map_that_activations_shows(seen):
    for number, swept in enumerate(seen.all()):
        maps = capture_layer(seen.module, seen.input(number)[None], seen.layer.spatial).output[0]
        channel = seen.units[number].channel
        assert channel == strongest([maps.numpy()], signed=False)[0] == seen.colours[number]
        assert swept.occluded.activity_unoccluded == pytest.approx(float(maps[channel].sum()))


def test_probabilities_are_those_that_explain_finds(seen):
    settings = MethodSettings(mask="6", stride="3", fill="gray", probability=True, batch_size=16)
    for number, swept in enumerate(seen.all()):
        image, label = seen.input(number)[None], seen.colours[number]
        targets = [[Target("true", label)]]
        known = explained(occlusion, seen.module, image, targets, settings)
        falls = swept.occluded.falls_of(label)
        np.testing.assert_allclose(falls, known.values[0, 0], atol=1e-6)
        assert swept.occluded.probability_unoccluded == pytest.approx(float(known.scores), abs=1e-6)


def test_falls_are_captums_where_squares_lie_side_by_side(tmp_path):
    seen = Seen(tmp_path, Patches(), settings=APART)
    certain = nn.Sequential(seen.module, nn.Softmax(dim=1))
    for number, swept in enumerate(seen.all()):
        theirs = captum.attr.Occlusion(certain).attribute(
            seen.input(number)[None], (3, 6, 6), strides=(3, 6, 6), baselines=0.0,
            target=seen.colours[number],
        )  # fmt: skip
        ours = swept.occluded.falls_of(seen.colours[number])
        assert np.abs(ours).max() > 0.1
        np.testing.assert_allclose(ours, theirs[0, 0, 3::6, 3::6], atol=1e-6)


def test_an_activity_falls_nowhere_that_its_channel_does_not_see(tmp_path):
    class Corner(Patches):
        def forward(self, images):
            return super().forward(images[:, :, :12, :12])

    seen = Seen(tmp_path, Corner(), n=6)
    for swept in seen.all():
        boxes = swept.occluded.boxes
        beyond = (boxes[..., 0] >= 12) | (boxes[..., 1] >= 12)
        assert beyond.any()
        for falls in (swept.occluded.activity_falls, swept.occluded.falls_of(0)):
            assert np.abs(falls[beyond]).max() < 1e-6


def said_of(seen, number, swept):
    return " ".join(
        in_words(
            Described(
                name="it", occluded=swept.occluded, followed="the true class", layer="relu",
                names=[f"class {at}" for at in range(4)], channel=seen.units[number].channel,
                on_object=swept.on_object, match=swept.match,
            )
        )
    )  # fmt: skip


def test_a_network_that_looks_at_the_object_is_told(tmp_path):
    seen = Seen(tmp_path, Patches())
    seen = Seen(tmp_path, Patches(), object_of=seen.regions().get)
    for number, swept in enumerate(seen.all()):
        top, left, bottom, right = seen.boxes[number]
        boxes = np.moveaxis(swept.occluded.boxes, 2, 0)
        # The convolution sees one pixel to either side.
        apart = (boxes[0] > bottom) | (boxes[2] < top) | (boxes[1] > right) | (boxes[3] < left)
        assert np.abs(swept.occluded.activity_falls[apart]).max() < 1e-4
        assert swept.occluded.activity_falls.max() > swept.occluded.activity_unoccluded / 2
        assert np.abs(swept.occluded.falls_of(seen.colours[number])[apart]).max() < 1e-4
        assert swept.on_object.peak
        assert swept.on_object.area == pytest.approx(36 / 576)
        assert swept.on_object.probability.on > 4 * swept.on_object.area
        assert swept.on_object.probability.touching == pytest.approx(1, abs=0.01)
        assert swept.on_object.activity.touching == pytest.approx(1, abs=0.01)
        said = said_of(seen, number, swept)
        assert "the evidence lies on the object, its peak on the object" in said


def test_a_network_that_looks_at_the_context_is_told(tmp_path):
    seen = Seen(tmp_path, Patches())
    seen = Seen(tmp_path, Patches(), object_of=seen.regions(beyond=True).get)
    for number, swept in enumerate(seen.all()):
        assert swept.on_object.probability.on < swept.on_object.area / 2
        assert not swept.on_object.peak
        assert "the evidence lies on the context, its peak off the object" in said_of(
            seen, number, swept
        )


def test_without_an_outline_nothing_is_said_of_an_object(seen):
    for number, swept in enumerate(seen.all()):
        assert swept.object is None
        assert swept.on_object is None
        assert "object" not in said_of(seen, number, swept)


def test_where_nothing_changes_that_is_said(tmp_path):
    class Blind(Patches):
        def forward(self, images):
            return super().forward(torch.zeros_like(images))

    seen = Seen(tmp_path, Blind())
    seen = Seen(tmp_path, Blind(), object_of=seen.regions().get)
    for number, swept in enumerate(seen.all()):
        said = said_of(seen, number, swept)
        assert "Nowhere does the square lower the probability" in said
        assert "falls nowhere" in said
        assert "Nothing falls by enough" in said
        assert "stays the most probable" in said
        assert swept.on_object.probability is swept.on_object.activity is None


def test_the_class_followed_is_the_true_one_or_that_asked_for(tmp_path, seen):
    assert {swept.role for swept in seen.all()} == {TRUE}
    unknown = np.full(2, NO_CLASS, np.int32)
    for swept in seen.all(unknown):
        assert swept.role == PREDICTED
        assert swept.occluded.followed == swept.occluded.pred_unoccluded
    names = seen.classifier.classes
    other = Seen(tmp_path, Patches(), wanted=Wanted(names, ["class 3"]))
    assert {swept.occluded.followed for swept in other.all()} == {3}
    with pytest.raises(UnfitOption, match=r"true: 0\.png has no such class"):
        Seen(tmp_path, Patches(), wanted=Wanted(names, ["true"])).all(unknown)


def test_the_covered_photo_differs_from_the_photo_under_the_square_alone(seen):
    for swept in seen.all():
        lowest = swept.occluded.lowest(swept.occluded.probability)
        top, left, bottom, right = swept.occluded.boxes[lowest.row, lowest.column]
        outside = np.ones((SIDE, SIDE), bool)
        outside[top:bottom, left:right] = False
        assert np.array_equal(swept.covered[outside], swept.photo[outside])
        assert (np.abs(swept.covered[~outside].astype(int) - 128) <= 1).all()


def test_a_layer_that_runs_twice_counts_as_it_is_the_last_time(tmp_path):
    class Twice(Patches):
        def forward(self, images):
            self.relu(images.clone())
            return super().forward(images)

    seen, known = Seen(tmp_path, Twice()), Seen(tmp_path, Patches())
    for swept, once in zip(seen.all(), known.all(), strict=True):
        assert np.array_equal(swept.occluded.activity, once.occluded.activity)


def test_tokens_have_maps_of_their_places(tmp_path):
    module = Tokens(pooling="mean").eval()
    name = find_layer(module, (3, SIDE, SIDE)).name
    seen = Seen(tmp_path, module, layer=name)
    (top, left, bottom, right) = seen.boxes[0]
    swept = seen.all()[0]
    lowest = swept.occluded.lowest(swept.occluded.activity)
    assert left - 3 <= lowest.x <= right + 3
    assert top - 3 <= lowest.y <= bottom + 3


def test_of_many_classes_the_likeliest_and_the_winners_stay(seen, monkeypatch):
    whole = [swept.occluded for swept in seen.all()]
    monkeypatch.setattr(occluded, "MOST_VALUES", 10)
    monkeypatch.setattr(occluded, "LIKELIEST", 1)
    for few, known in zip(seen.all(), whole, strict=True):
        assert np.array_equal(few.occluded.pred, known.pred)
        assert np.array_equal(few.occluded.probability, known.probability)
        winners = {index for index, _ in known.winners()}
        assert set(few.occluded.classes) == winners | {known.pred_unoccluded, known.followed}


def test_outputs_that_are_not_finite_have_no_label(tmp_path):
    class Breaks(Patches):
        def forward(self, images):
            logits = super().forward(images)
            grey = (images[:, :, :3, :3].abs() < 0.01).all(dim=(1, 2, 3))
            return torch.where(grey[:, None], torch.nan, logits)

    seen = Seen(tmp_path, Breaks())
    for number, swept in enumerate(seen.all()):
        assert swept.occluded.pred[0, 0] == NO_CLASS
        assert (swept.occluded.pred[4:] != NO_CLASS).all()
        assert "nan" not in said_of(seen, number, swept)


def test_images_that_cannot_be_asked_about_say_why(tmp_path):
    class Nothing(Patches):
        def forward(self, images):
            return super().forward(images) * torch.nan

    assert all(isinstance(swept, Unread) for swept in Seen(tmp_path, Nothing()).all())
    seen = Seen(tmp_path, Patches())
    seen.images[0].path.unlink()
    first, second = seen.all()
    assert isinstance(first, Unread)
    assert isinstance(second, SweptImage)


def test_progress_comes_to_an_end_and_no_hook_stays(seen):
    steps = []
    found = seen.sweeping.over(seen.images, seen.labels, advance=steps.append)
    assert len(list(found)) == 2
    assert sum(steps) == 2 * (1 + seen.sweeping.positions) == 130
    found = seen.sweeping.over(seen.images, seen.labels)
    next(found)
    found.close()
    for part in seen.module.modules():
        assert not part._forward_hooks
        assert not part._forward_pre_hooks


def test_what_was_swept_does_not_depend_on_the_batch_size(seen):
    model = ExplainedModel.of(seen.classifier)
    image = seen.input(0)
    found = []
    for size in (1, 7, 100):
        settings = MethodSettings(mask="6", stride="3", batch_size=size)
        swept = sweep(model, image, settings, layer=seen.layer.spatial)
        found.append(occluded_of(swept, image, 0, 1))
    for other in found[1:]:
        np.testing.assert_allclose(other.activity, found[0].activity, rtol=1e-5)
        np.testing.assert_allclose(other.probabilities, found[0].probabilities, atol=1e-6)


def test_squares_larger_than_the_image_are_refused(seen):
    sweeping = Sweeping(
        classifier=seen.classifier, layer=seen.layer, settings=MethodSettings(mask="99"),
        units=seen.units, hidden={},
    )  # fmt: skip
    with pytest.raises(UnfitOption, match="must be 1 to 24"):
        assert sweeping.positions
