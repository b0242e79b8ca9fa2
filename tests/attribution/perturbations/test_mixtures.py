"""Images under masks."""

import pytest
import torch
from torch import nn

from errlens.attribution.perturbations.mixtures import mixed_logits, that_vary
from tests.attribution.networks import model_of


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [(3, 8, 6), (1, 5, 5)])
def test_a_mask_of_one_shows_the_very_image_and_of_zero_what_hides_it(dtype, size):
    image, filled = (torch.randn(size, dtype=dtype) for _ in range(2))
    masks = torch.stack([torch.ones(size[1:]), torch.zeros(size[1:]), torch.full(size[1:], 0.25)])
    seen = mixed_logits(model_of(nn.Flatten(), size=size), image, filled, masks)
    assert torch.equal(seen[0], image.flatten())
    assert torch.equal(seen[1], filled.flatten())
    torch.testing.assert_close(seen[2], (0.25 * image + 0.75 * filled).flatten())
    assert seen.dtype == dtype


def test_rounding_is_no_dependence():
    scores = torch.tensor([[0.0, 1e6, 0.0, 3.0], [0.0, 1e6 + 0.1, 1e-30, 3.1]])
    assert that_vary(scores).tolist() == [False, False, True, True]
