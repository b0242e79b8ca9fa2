"""Occlusion against what is known of linear networks, and against captum."""

from itertools import pairwise
from typing import get_args

import captum.attr
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from errlens.attribution.explained_model import MethodSettings
from errlens.attribution.masks import fill, grid, spans, sweep
from errlens.attribution.methods import occlusion
from errlens.choices import Fill
from errlens.errors import UnfitOption
from errlens.maps import Target
from tests.attribution.networks import (
    CLASSES,
    SIDE,
    Patches,
    explained,
    model_of,
    planted,
    targets,
)

FILLS = get_args(Fill)
EXACT = {torch.float64: 1e-10, torch.float32: 1e-5}


def linear(height, width, *, dtype=torch.float64):
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * height * width, 4)).to(dtype).eval()


def photo(height, width, *, dtype=torch.float64):
    torch.manual_seed(1)
    return torch.randn(3, height, width, dtype=dtype)


class Watched(Patches):
    """Keeps how many inputs it got in each pass."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, images):
        assert images.is_contiguous(memory_format=torch.channels_last)
        self.seen.append(len(images))
        return super().forward(images)


@settings(deadline=None, max_examples=40)
@given(st.integers(3, 17), st.integers(3, 17), st.sampled_from(list(EXACT)), st.data())
def test_of_a_linear_network_hiding_a_part_costs_what_stands_there(height, width, dtype, data):
    mask = data.draw(st.integers(1, min(height, width)))
    stride = data.draw(st.integers(1, mask))
    options = MethodSettings(mask=str(mask), stride=str(stride), fill="black", batch_size=5)
    module, image = linear(height, width, dtype=dtype), photo(height, width, dtype=dtype)
    found = sweep(model_of(module, size=(3, height, width)), image, options)
    weight = module[1].weight.detach().reshape(4, 3, height, width)
    for row, column in np.ndindex(found.boxes.shape[:2]):
        top, left, bottom, right = found.boxes[row, column]
        part = np.s_[..., top:bottom, left:right]
        known = (weight[part] * (image[part] + 1)).sum(dim=(1, 2, 3))  # black is -1
        drop = found.base - found.logits[row, column]
        torch.testing.assert_close(drop, known, atol=EXACT[dtype], rtol=0)


@settings(deadline=None, max_examples=200)
@given(st.integers(1, 300), st.data())
def test_masks_stand_in_the_middle_of_equal_cells_and_leave_nothing_out(side, data):
    mask = data.draw(st.integers(1, side))
    stride = data.draw(st.integers(1, mask))
    found = spans(side, MethodSettings(mask=str(mask), stride=str(stride)))
    assert found[0][0] == 0
    assert found[-1][1] == side
    assert len(found) == -(-side // stride)
    for at, (start, end) in enumerate(found):
        centre = (at + 0.5) * side / len(found)
        assert 0 <= start < end <= side
        assert end - start == mask or start == 0 or end == side  # clipped at edges only
        if end - start == mask and start > 0 and end < side:
            assert abs((start + end) / 2 - centre) <= 0.5
    assert all(later[0] <= former[1] for former, later in pairwise(found))


def test_the_default_grid_has_a_hundred_masks_whatever_the_side():
    for side in (224, 225, 288, 299, 384):
        boxes = grid((side, side), MethodSettings())
        assert boxes.shape == (10, 10, 4)
        assert boxes[4, 4, 2] - boxes[4, 4, 0] == round(0.2 * side)
        assert np.array_equal(grid((side, side), MethodSettings(stride="10%"))[0], boxes[0])


def test_a_stride_of_the_same_share_as_the_mask_leaves_no_gap_where_both_are_rounded():
    assert spans(24, MethodSettings(mask="10%", stride="10%"))[:2] == [(0, 2), (2, 4)]


def test_masks_side_by_side_add_up_to_all_that_is_lost():
    module, image = linear(12, 20), photo(12, 20)
    options = MethodSettings(mask="4", stride="4", fill="black")
    found = sweep(model_of(module, size=(3, 12, 20)), image, options)
    with torch.no_grad():
        lost = (module(image[None]) - module(-torch.ones_like(image)[None]))[0]
    drops = (found.base - found.logits).sum(dim=(0, 1))
    torch.testing.assert_close(drops, lost, atol=1e-10, rtol=0)


def test_it_is_captums_where_its_windows_are_the_same():
    images, _, colours = planted(2)
    module = Patches().eval()
    options = MethodSettings(mask="6", stride="6", fill="black")
    wanted = targets(*[[one] for one in colours])
    ours = explained(occlusion, module, images, wanted, options).values[:, 0]
    theirs = captum.attr.Occlusion(module).attribute(
        images, (3, 6, 6), strides=(3, 6, 6), baselines=-1.0, target=torch.tensor(colours)
    )
    assert theirs.abs().amax() > 0.1
    torch.testing.assert_close(ours, theirs[:, 0, 3::6, 3::6], atol=1e-5, rtol=0)


def test_it_is_captums_inside_where_windows_overlap():
    # captum tells the mean over the windows that hide a pixel: so is ours, taken by hand.
    images, _, (colour,) = planted(1)
    module = Patches().eval()
    found = sweep(model_of(module), images[0], MethodSettings(mask="6", stride="2", fill="black"))
    total, count = torch.zeros(24, 24), torch.zeros(24, 24)
    drops = found.drops([Target("one", colour)])[0]
    for drop, box in zip(drops.ravel(), found.boxes.reshape(-1, 4), strict=True):
        part = np.s_[box[0] : box[2], box[1] : box[3]]
        total[part] += drop
        count[part] += 1
    theirs = captum.attr.Occlusion(module).attribute(
        images, (3, 6, 6), strides=(3, 2, 2), baselines=-1.0, target=colour
    )
    inner = np.s_[6:18, 6:18]  # where no window of either is clipped
    assert theirs[0, 0][inner].abs().amax() > 0.1
    torch.testing.assert_close((total / count)[inner], theirs[0, 0][inner], atol=1e-5, rtol=0)


def test_all_is_read_from_one_sweep():
    images, _, _ = planted(1)
    module = Watched().eval()
    found = sweep(model_of(module), images[0], MethodSettings(mask="6", batch_size=16))
    passes = len(module.seen)
    wanted = targets([0, 3, (0, 3)])[0]
    one, other, difference = found.drops(wanted)
    torch.testing.assert_close(one - other, difference, atol=1e-6, rtol=0)
    sure = found.drops(targets([0, 1, 2, 3])[0], probability=True)
    torch.testing.assert_close(sure.sum(dim=0), torch.zeros(8, 8), atol=1e-6, rtol=0)
    assert np.array_equal(found.predicted(), found.logits.argmax(dim=2))
    assert found.logits.shape == (8, 8, CLASSES)
    assert found.logits.dtype == torch.float32
    assert len(module.seen) == passes


@pytest.mark.parametrize("corner", [(0, 0), (0, 3), (3, 0), (3, 3)])
def test_the_one_corner_that_counts_has_the_largest_drop(corner):
    class Corner(nn.Module):
        def forward(self, images):
            top, left = (6 * one for one in corner)
            seen = images[:, :, top : top + 6, left : left + 6].mean(dim=(1, 2, 3))
            return torch.stack([seen, -seen], dim=1)

    image = torch.rand(1, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    maps = explained(
        occlusion,
        Corner(),
        image,
        targets([0, 1]),
        MethodSettings(mask="6", stride="6", fill="black"),
    ).values[0]
    assert divmod(int(maps[0].argmax()), 4) == corner
    assert divmod(int(maps[1].argmin()), 4) == corner  # against the other class


@pytest.mark.parametrize("name", FILLS)
@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_the_batch_size_does_not_matter_and_is_kept(name, batch_size):
    images, _, _ = planted(1)
    first, second = (Watched() for _ in range(2))
    options = [MethodSettings(mask="7", fill=name, batch_size=size) for size in (batch_size, 3)]
    wanted = targets([0, (0, 1)])
    values = [
        explained(occlusion, module, images, wanted, one).values
        for module, one in zip((first, second), options, strict=True)
    ]
    torch.testing.assert_close(*values, rtol=1e-5, atol=1e-6)
    assert max(first.seen) == min(batch_size, 50)  # 7 x 7 masks and the image itself
    assert sum(first.seen) == 50


class Largest(TorchDispatchMode):
    """Keeps how many values the largest tensor has that anything makes."""

    values = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        for one in tree_leaves(made):
            if isinstance(one, torch.Tensor):
                self.values = max(self.values, one.untyped_storage().nbytes() // one.itemsize)
        return made


def test_no_more_than_a_batch_of_inputs_exists():
    images, _, _ = planted(1)
    with Largest() as largest:
        explained(
            occlusion, Patches(), images, targets([0]), MethodSettings(mask="2", batch_size=5)
        )
    assert largest.values == 5 * 3 * 24 * 24  # of 577 inputs


def test_a_mask_that_changes_nothing_is_not_tried():
    image = -torch.ones(1, 3, 24, 24)
    image[:, 0, 9:12, 9:12] = 1.0
    options = MethodSettings(mask="6", stride="6", fill="black")
    module = Watched()
    maps = explained(occlusion, module, image, targets([0]), options)
    assert sum(module.seen) == 2  # the image, and the one mask over the patch
    assert maps.values[0, 0].nonzero().tolist() == [[1, 1]]


def test_an_image_of_the_fill_has_a_map_of_zeros():
    maps = explained(
        occlusion, Patches(), -torch.ones(1, 3, 24, 24), targets([0]), MethodSettings(fill="black")
    )
    assert not maps.values.any()


def test_a_network_that_changes_its_inputs_changes_nothing_else():
    class Rude(Patches):
        def forward(self, images):
            return super().forward(images.mul_(2))

    images, _, _ = planted(1)
    before = images.clone()
    options = MethodSettings(mask="6", batch_size=3)
    maps = explained(occlusion, Rude(), images, targets([0]), options)
    assert torch.equal(images, before)
    with torch.no_grad():
        expected = Patches().eval()(2 * images)[:, :1]
    torch.testing.assert_close(maps.scores, expected)


def test_what_a_network_remembers_can_still_be_learnt_from():
    class Remembers(Patches):
        table = None

        def forward(self, images):
            if self.table is None:
                self.table = torch.ones(3, 1, 1) * 1.0
            return super().forward(images * self.table)

    images, _, _ = planted(1)
    module = Remembers()
    explained(occlusion, module, images, targets([0]))
    module(images.requires_grad_()).sum().backward()
    assert images.grad is not None


def test_what_hides_is_as_it_is_called():
    image = photo(30, 20)
    made = {
        name: fill(model_of(nn.Identity()), image, MethodSettings(fill=name, mask="8"))
        for name in FILLS
    }
    assert all(one.shape == image.shape for one in made.values())
    assert all(one.isfinite().all() for one in made.values())
    known = image.mean(dim=(1, 2), keepdim=True).expand_as(image)
    torch.testing.assert_close(made["mean"], known)
    assert (made["gray"] == 0).all()
    assert (made["black"] == -1).all()
    assert made["blur"].std() < image.std() / 5
    assert abs(made["noise"].std() / image.std() - 1) < 0.1
    assert torch.equal(
        made["noise"],
        fill(model_of(nn.Identity()), image, MethodSettings(fill="noise", mask="8")),
    )
    other = fill(model_of(nn.Identity()), image, MethodSettings(fill="noise", mask="8", seed=1))
    assert not torch.equal(made["noise"], other)


@pytest.mark.parametrize("size", [(3, 40), (40, 3), (5, 5)])
def test_an_image_smaller_than_its_blur_can_be_blurred(size):
    image = photo(*size)
    model = model_of(nn.Identity())
    assert fill(model, image, MethodSettings(fill="blur", mask="100%")).isfinite().all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mask": "0"}, "a mask of 0 is 0 pixels"),
        ({"mask": "-3"}, "a mask of -3 is -3 pixels"),
        ({"mask": "25"}, "1 to 24"),
        ({"mask": "110%"}, "a mask of 110% is 26 pixels"),
        ({"mask": "much"}, "neither pixels"),
        ({"mask": "4.5"}, "neither pixels"),
        ({"mask": ""}, "neither pixels"),
        ({"mask": "nan%"}, "neither pixels"),
        ({"mask": "inf%"}, "neither pixels"),
        ({"mask": "6", "stride": "0"}, "a stride of 0"),
        ({"mask": "6", "stride": "0%"}, "a stride of 0%"),
        ({"mask": "6", "stride": "7"}, "leaves gaps"),
    ],
)
def test_masks_that_do_not_fit_are_usage_errors(options, message):
    with pytest.raises(UnfitOption, match=message):
        grid((24, 24), MethodSettings(**options))


@pytest.mark.parametrize("batch_size", [1, 16, 100])
def test_the_strongest_channel_falls_where_its_patch_is_hidden(batch_size):
    images, ((top, left, bottom, right),), (colour,) = planted(1, seed=3)
    model = model_of(Patches().eval(), layer="relu")
    options = MethodSettings(mask="6", stride="3", batch_size=batch_size)
    found = sweep(model, images[0], options, layer=model.spatial_layer)
    fall = found.strongest_channel()
    assert fall.channel == colour
    hook = []
    handle = model.module.relu.register_forward_hook(lambda *io: hook.append(io[2].sum((2, 3))))
    with torch.no_grad():
        model.module(images)
    handle.remove()
    assert fall.base == pytest.approx(float(hook[0][0, colour]), rel=1e-5)
    row, column = divmod(int(fall.drops.argmax()), fall.drops.shape[1])
    y, x = ((one + 0.5) * SIDE / len(fall.drops) for one in (row, column))
    assert top - 3 <= y <= bottom + 3
    assert left - 3 <= x <= right + 3
    # Hidden from it, the network sees no colour at all.
    assert fall.drops.max() == pytest.approx(fall.base, rel=0.05)
    assert not model.module.relu._forward_hooks


def test_without_a_layer_there_is_no_channel():
    images, _, _ = planted(1)
    with pytest.raises(ValueError, match="no layer"):
        sweep(model_of(Patches().eval()), images[0], MethodSettings()).strongest_channel()
