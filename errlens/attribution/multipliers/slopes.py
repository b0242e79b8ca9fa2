"""Slopes of secants: by how much functions differ at two places, for each unit between these."""

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor

from errlens.attribution.operations.names import words
from errlens.attribution.operations.rules import Elementwise

# Made of straight pieces without rounding: the difference of two values has all its digits.
_EXACT: Final = words("relu relu6 hardtanh clamp clamp_min clamp_max clip abs threshold")
# With a corner at zero, or steep near it: a place is close to another in proportion to its size.
_AT_ZERO: Final = words("leaky_relu prelu reciprocal rsqrt sqrt log log2 log10 pow")
# Computed as they are: nothing to gain, or parameters of their own precision.
_AS_GIVEN: Final = _EXACT | {"prelu"}
# May have another parameter at each place; of all others some places may be computed alone.
_BY_PLACE: Final = words("prelu pow clamp clamp_min clamp_max clip")


def secant(name: str, apply: Elementwise, image: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
    """Return a function of each value, and by how much it differs from that at a baseline.

    In float64, where a device has it: of close values the difference loses digits, and of those
    that are closer than the root of its precision the derivative is taken.

    Args:
        name: What torch calls the function.
        apply: The function.
        image: Any shape.
        before: The baseline, of a shape that fits.

    Returns:
        Values and slopes, both of the shape of the image.
    """
    dtype = image.dtype
    exact = name in _EXACT
    if name not in _AS_GIVEN and image.device.type != "mps":
        image, before = image.double(), before.double()
    run, values = image - before, apply(image)
    slopes = (values - apply(before)).div_(run)
    if exact:
        close = run == 0
    else:
        scale = image.abs() if name in _AT_ZERO else image.abs().clamp_(min=1)
        close = run.abs_() <= scale.mul_(torch.finfo(image.dtype).eps ** 0.5)
    if name in _BY_PLACE:
        slopes = torch.where(close, _derivative(apply, image), slopes)
    else:
        slopes[close] = _derivative(apply, image[close])
    return values.to(dtype), slopes.to(dtype)


def _derivative(apply: Elementwise, places: Tensor) -> Tensor:
    with torch.enable_grad():
        leaf = places.detach().requires_grad_()
        values = apply(leaf)
        (slopes,) = torch.autograd.grad(values, leaf, torch.ones_like(values))
    return slopes


def largest(apply: Elementwise, places: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """Return the largest values, and what takes from another tensor those at the same places.

    Args:
        apply: A maximum over parts of a tensor, or over all.
        places: Any shape; the other tensor has the same one. Of several largest values the mean is
            taken, or the first, as the gradient of the maximum has it.
    """
    with torch.enable_grad():
        leaf = places.detach().requires_grad_()
        values = apply(leaf)
        # The gradient puts values into places; the gradient of that takes them from there.
        given = torch.zeros_like(values, requires_grad=True)
        (put,) = torch.autograd.grad(values, leaf, given, create_graph=True)

    def take(other: Tensor) -> Tensor:
        (taken,) = torch.autograd.grad(
            put, given, other, retain_graph=True, create_graph=other.requires_grad
        )
        return taken

    return values.detach(), take


def of_exponential(difference: Tensor) -> Tensor:
    """Return (1 - exp(-d)) / d for d = |difference|: the slope of exp, over the larger value."""
    size = difference.abs()
    return torch.where(size == 0, 1.0, -torch.expm1(-size) / size)
