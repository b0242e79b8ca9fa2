"""The smallest cover, on networks that were made to be wrong for one reason."""

from typing import get_args

import pytest
import torch
from torch import nn

from errlens.attribution.cover import smallest_cover
from errlens.attribution.explained_model import MethodSettings
from errlens.choices import Fill
from tests.attribution.networks import model_of

FILLS = get_args(Fill)


class Collar(nn.Module):
    """Says 1 rather than 0 for a red patch of 3 x 3, and never 2."""

    def forward(self, images):
        red = images[:, 0] - images[:, 1]
        seen = nn.functional.avg_pool2d(red[:, None], 3, 1).amax(dim=(1, 2, 3))
        evidence = 10 * seen - 5
        return torch.stack([-evidence, evidence, torch.full_like(evidence, -50.0)], dim=1)


def with_collar(side=24, top=9, left=14):
    image = 0.01 * torch.randn(3, side, side, generator=torch.Generator().manual_seed(0))
    image[0, top : top + 3, left : left + 3] = 1.0
    image[1:, top : top + 3, left : left + 3] = -0.5
    return image


@pytest.mark.parametrize("name", FILLS)
def test_the_smallest_cover_is_that_of_a_planted_collar(name):
    image = with_collar()
    cover = smallest_cover(
        model_of(Collar()), image, 1, 0, MethodSettings(fill=name, batch_size=16)
    )
    assert cover is not None
    box = cover.box
    assert box.top < 12
    assert box.bottom > 9
    assert box.left < 17
    assert box.right > 14
    assert box.bottom - box.top <= 4  # 0.15 of 24
    assert box.right - box.left <= 4
    assert len(cover.confirmed_by) >= 2
    assert name not in cover.confirmed_by
    assert cover.before[1] < cover.before[0]
    assert cover.after[1] > cover.after[0]


def test_a_cover_that_only_one_fill_makes_is_none():
    # The network listens to whether anything is black: other fills do not do what black does.
    class Black(nn.Module):
        def forward(self, images):
            black = (images.amin(dim=(1, 2, 3)) <= -1).float()
            return torch.stack([black, 0.5 + 0 * black], dim=1)

    image = torch.rand(3, 24, 24, generator=torch.Generator().manual_seed(0))
    model = model_of(Black())
    assert smallest_cover(model, image, 1, 0, MethodSettings(fill="black")) is None


def test_there_is_no_cover_of_what_is_not_predicted_or_cannot_be_hidden():
    model = model_of(Collar())
    assert smallest_cover(model, with_collar(), 0, 1, MethodSettings()) is None
    assert smallest_cover(model, with_collar(), 1, 2, MethodSettings()) is None
    with pytest.raises(ValueError, match="into itself"):
        smallest_cover(model, with_collar(), 1, 1, MethodSettings())
