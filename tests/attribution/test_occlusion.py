"""Occlusion against what is known of linear networks, and against captum."""

import captum.attr
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from errlens.attribution import occlusion
from errlens.attribution._subject import Settings
from errlens.attribution.occlusion import mask_boxes, sweep
from errlens.errors import UnfitOption
from tests.attribution.networks import Patches, explained, planted, subject_of, targets

FILLS = ["mean", "gray", "black", "blur", "noise"]


def linear(height, width, *, dtype=torch.float64):
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * height * width, 4)).to(dtype).eval()


def photo(height, width, *, dtype=torch.float64):
    torch.manual_seed(1)
    return torch.randn(3, height, width, dtype=dtype)


def weights_of(module, height, width):
    return module[1].weight.detach().reshape(4, 3, height, width)


@settings(deadline=None, max_examples=40)
@given(st.integers(3, 17), st.integers(3, 17), st.data())
def test_of_a_linear_network_hiding_a_part_costs_what_stands_there(height, width, data):
    mask = data.draw(st.integers(1, min(height, width)))
    stride = data.draw(st.integers(1, mask))
    options = Settings(mask=str(mask), stride=str(stride), fill="black", batch_size=5)
    module, image = linear(height, width), photo(height, width)
    found = sweep(subject_of(module, size=(3, height, width)), image, options)
    weight = weights_of(module, height, width)
    for box, hidden in zip(found.boxes, found.hidden, strict=True):
        rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
        part = weight[:, :, rows, columns] * (image[:, rows, columns] + 1)  # black is -1
        drop, known = found.outputs - hidden, part.sum(dim=(1, 2, 3))
        torch.testing.assert_close(drop, known, atol=1e-10, rtol=0)


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 40), st.integers(2, 40), st.data())
def test_every_pixel_is_hidden_and_inside_equally_often(height, width, data):
    stride = data.draw(st.integers(1, min(height, width)))
    times = data.draw(st.integers(1, min(height, width) // stride))
    options = Settings(mask=str(stride * times), stride=str(stride))
    count = torch.zeros(height, width, dtype=int)
    for box in mask_boxes((height, width), options):
        assert 0 <= box.top < box.bottom <= height
        assert 0 <= box.left < box.right <= width
        count[box.top : box.bottom, box.left : box.right] += 1
    assert (count == times * times).all()


def test_masks_side_by_side_add_up_to_all_that_is_lost():
    module, image = linear(12, 12), photo(12, 12)
    options = Settings(mask="4", stride="4", fill="black")
    found = sweep(subject_of(module, size=(3, 12, 12)), image, options)
    with torch.no_grad():
        lost = (module(image[None]) - module(-torch.ones_like(image)[None]))[0]
    torch.testing.assert_close((found.outputs - found.hidden).sum(dim=0), lost)


def test_it_is_captums_where_its_windows_are_the_same():
    images, _, colours = planted(2)
    module = Patches().eval()
    options = Settings(mask="6", stride="6", fill="black")
    wanted = targets(*[[one] for one in colours])
    ours = explained(occlusion, module, images, wanted, options).values[:, 0]
    theirs = captum.attr.Occlusion(module).attribute(
        images, (3, 6, 6), strides=(3, 6, 6), baselines=-1.0, target=torch.tensor(colours)
    )
    assert (theirs.flatten(1).amax(dim=1) > 0.01).all()
    torch.testing.assert_close(ours, theirs[:, 0], atol=1e-5, rtol=0)


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_the_batch_size_does_not_matter_and_is_kept(fill, batch_size):
    class Watched(Patches):
        seen = 0

        def forward(self, images):
            self.__class__.seen = max(self.seen, len(images))
            return super().forward(images)

    images, _, _ = planted(1)
    module = Watched()
    options = [Settings(mask="7", fill=fill, batch_size=size) for size in (batch_size, 3)]
    first, second = (
        explained(occlusion, module, images, targets([0, (0, 1)]), one).values for one in options
    )
    torch.testing.assert_close(first, second)
    assert Watched.seen <= max(batch_size, 3)


def test_a_mask_that_changes_nothing_is_not_tried():
    class Counted(Patches):
        seen = 0

        def forward(self, images):
            self.__class__.seen += len(images)
            return super().forward(images)

    image = -torch.ones(1, 3, 24, 24)
    image[:, 0, 9:12, 9:12] = 1.0
    options = Settings(mask="6", stride="6", fill="black")
    maps = explained(occlusion, Counted(), image, targets([0]), options)
    assert Counted.seen == 2  # the image, and the one mask over the patch
    assert maps.values.nonzero()[:, 2:].amin() == 6


def test_probabilities_instead_of_logits():
    images, _, _ = planted(1)
    module = Patches().eval()
    options = Settings(mask="6", probability=True)
    maps = explained(occlusion, module, images, targets([0, 1, 2, 3]), options)
    with torch.no_grad():
        torch.testing.assert_close(maps.scores, module(images).softmax(dim=1))
    torch.testing.assert_close(maps.values.sum(dim=1), torch.zeros(1, 24, 24), atol=1e-6, rtol=0)
    assert maps.unit == "probability"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mask": "0"}, "a mask of 0 is 0 pixels"),
        ({"mask": "25"}, "1 to 24"),
        ({"mask": "110%"}, "a mask of 110% is 26 pixels"),
        ({"mask": "much"}, "neither pixels"),
        ({"mask": "nan%"}, "neither pixels"),
        ({"mask": "6", "stride": "0"}, "a stride of 0"),
        ({"mask": "6", "stride": "7"}, "leaves gaps"),
    ],
)
def test_masks_that_do_not_fit_are_usage_errors(options, message):
    with pytest.raises(UnfitOption, match=message):
        list(mask_boxes((24, 24), Settings(**options)))
