"""Which map fires most in an image, and what a square hides of its projection."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from errlens.attribution.explained_model import MethodSettings
from errlens.attribution.masks import grid
from errlens.network.occlusion.strongest import (
    hidden_energy,
    own_projections,
    strongest_units,
    units_elsewhere,
)
from errlens.network.units.layers import unit_layers
from errlens.network.units.projection import projecting
from tests.attribution.networks import SIDE, Patches
from tests.network.occlusion.test_sweeping import SQUARE, Seen


@pytest.fixture
def seen(tmp_path):
    return Seen(tmp_path, Patches(), n=8)


@given(
    arrays.arrays(np.float64, (9, 7), elements=st.floats(0, 1)),
    st.integers(1, 7),
    st.data(),
)
def test_what_a_square_hides_is_the_sum_below_it(energy, mask, data):
    stride = data.draw(st.integers(1, mask))
    total = energy.sum()
    energy = energy / total if total > 0 else energy
    boxes = grid(energy.shape, MethodSettings(mask=str(mask), stride=str(stride)))
    hidden = hidden_energy(energy, boxes)
    for row, column in np.ndindex(boxes.shape[:2]):
        top, left, bottom, right = boxes[row, column]
        expected = energy[top:bottom, left:right].sum()
        assert hidden[row, column] == pytest.approx(expected, abs=1e-6)


def test_a_channel_that_is_named_is_followed_at_its_own_place(seen):
    found = strongest_units(seen.classifier, seen.layer, seen.images, channel=2, **seen.how)
    assert {unit.channel for unit in found.units.values()} == {2}
    most = strongest_units(seen.classifier, seen.layer, seen.images, channel=None, **seen.how)
    for number, colour in enumerate(seen.colours):
        unit = most.units[number]
        assert unit.channel == colour
        top, left, bottom, right = seen.boxes[number]
        row, column = divmod(unit.place, SIDE)
        assert top <= row < bottom
        assert left <= column < right


def test_images_that_cannot_be_read_have_no_unit(seen):
    seen.images[3].path.write_bytes(b"no photo")
    found = strongest_units(seen.classifier, seen.layer, seen.images, channel=None, **seen.how)
    assert [*found.unread] == [3]
    assert sorted(found.units) == [0, 1, 2, 4, 5, 6, 7]


def test_a_layer_that_is_not_finite_has_no_strongest_unit(tmp_path):
    class Broken(Patches):
        def forward(self, images):
            return super().forward(images * float("nan"))

    broken = Seen(tmp_path, Broken(), layer="relu")
    assert not broken.units
    found = strongest_units(
        broken.classifier, broken.layer, broken.images, channel=None, **broken.how
    )
    assert set(found.unread.values()) == {"the layer puts out values that are not finite"}


def test_elsewhere_a_channel_fires_most_on_patches_of_its_colour(seen):
    colours = sorted(set(seen.colours))
    found = units_elsewhere(
        seen.classifier, seen.layer, colours, seen.images, top=2, **seen.how
    )  # fmt: skip
    for colour in colours:
        of_colour = [number for number, _ in found[colour]]
        expected = [number for number, other in enumerate(seen.colours) if other == colour]
        assert set(of_colour[: len(expected)]) <= set(expected)


def test_the_own_projection_is_that_of_features_and_the_square_over_it_hides_all(seen):
    (layer,) = unit_layers(seen.module, (3, SIDE, SIDE), ["relu"])
    found = own_projections(
        seen.classifier, layer, seen.units, seen.images, SQUARE, method="guided-backprop", workers=1
    )
    projections = dict(found)
    with projecting(seen.classifier, [layer], "guided-backprop") as project:
        for number, own in projections.items():
            unit = seen.units[number]
            values = project(seen.input(number)[None], [unit])[0].detach().numpy()
            energy = np.square(values, dtype=np.float64).sum(axis=0)
            boxes = grid((SIDE, SIDE), SQUARE)
            expected = hidden_energy(energy / energy.sum(), boxes)
            np.testing.assert_allclose(own.hidden, expected, atol=1e-5)
            row, column = divmod(unit.place, SIDE)
            over = (boxes[..., 0] < row) & (boxes[..., 2] > row + 1)
            over &= (boxes[..., 1] < column) & (boxes[..., 3] > column + 1)
            assert (own.hidden[over] > 0.999).all()  # a unit sees three by three pixels
            assert own.patch.values is None


def test_without_a_projection_there_is_a_patch_alone(seen):
    found = dict(
        own_projections(
            seen.classifier, seen.layer, seen.units, seen.images, SQUARE, method=None, workers=1
        )
    )
    assert all(own.hidden is None and own.patch.projection is None for own in found.values())


def test_activity_falls_where_the_projection_is_hidden(tmp_path):
    seen = Seen(tmp_path, Patches())
    projections = own_projections(
        seen.classifier, seen.layer, seen.units, seen.images, SQUARE,
        method="guided-backprop", workers=1,
    )  # fmt: skip
    seen = Seen(tmp_path, Patches(), hidden={number: own.hidden for number, own in projections})
    for swept in seen.all():
        assert swept.match.correlation > 0.3
        assert swept.match.p_value <= 0.1
        assert swept.match.lost_there > 0.3
        assert swept.match.lost_median == pytest.approx(0, abs=1e-4)
