"""An image mixed with what hides it, under masks of any shape, and what the network says then."""

from collections.abc import Iterator
from typing import Final

import torch
from torch import Tensor

from errlens.attribution.explained_model import ExplainedModel

ROUNDING: Final = 16 * torch.finfo(torch.float32).eps  # what batches of other sizes may do


def in_batches(rows: Tensor, size: int) -> Iterator[Tensor]:
    """Yield the rows of a tensor, `size` at most at a time."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


# Not inference mode: see `errlens.attribution.masks`.
@torch.no_grad()
def mixed_logits(model: ExplainedModel, image: Tensor, filled: Tensor, masks: Tensor) -> Tensor:
    """Return the logits, shape (n, classes), of an image under n masks.

    Args:
        model: The network.
        image: What is seen where a mask is 1, shape (channels, height, width).
        filled: What is seen where a mask is 0, of the same shape.
        masks: From 0 to 1, shape (n, height, width).

    Returns:
        float32, or float64 of a network of float64.
    """
    shape = (len(masks), *image.shape)
    mixtures = torch.empty(
        shape, dtype=image.dtype, device=image.device, memory_format=torch.channels_last
    )
    shares = masks.to(image).unsqueeze(1)
    torch.lerp(filled.expand(shape), image.expand(shape), shares, out=mixtures)
    logits = model.logits(mixtures)
    return logits if logits.dtype == torch.float64 else logits.float()


def that_vary(scores: Tensor) -> Tensor:
    """Tell which scores depend on the mask at all, by more than rounding; shape (t,) of (n, t).

    >>> that_vary(torch.tensor([[1.0, 5.0], [2.0, 5.000001]]))
    tensor([ True, False])
    """
    return scores.amax(dim=0) - scores.amin(dim=0) > ROUNDING * scores.abs().amax(dim=0)
