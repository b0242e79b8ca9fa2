"""What the operations of a network are given for a baseline, call by call."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from errlens.attribution.operations.calls import ruled
from errlens.attribution.operations.ordinary import Ordinary
from errlens.attribution.operations.rules import Bilinear, Elementwise, Linear
from errlens.errors import Unlike


class Call(NamedTuple):
    """An operation that is not linear, and what it was given."""

    name: str
    inputs: tuple[Tensor, ...]


class Baseline(NamedTuple):
    """What is computed of a baseline, as logits of shape (n, classes), and by which calls."""

    result: Tensor
    calls: Sequence[Call]


def baseline_of(compute: Callable[[Tensor], Tensor], images: Tensor) -> Baseline:
    """Compute something of a baseline.

    Args:
        compute: What a network does, such as its logits.
        images: The baseline, shape (n, channels, height, width); n may be 1.

    Raises:
        Unruled: It computes what has no rule.
    """
    recording = _Recording()
    with torch.enable_grad(), ruled(recording) as calls:
        result = calls.current(compute(images.detach().clone().requires_grad_()))
    return Baseline(result.detach(), recording.calls)


class Following:
    """Gives the inputs of a baseline in the order in which a network asks for them."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self._left: Iterator[Call] = iter(calls)

    def inputs(self, name: str, *of_image: Tensor) -> tuple[Tensor, ...]:
        """Return what the same call was given for the baseline.

        Args:
            name: What is called now.
            of_image: What it is given now.

        Returns:
            Tensors that fit these, for whatever was 1 there may be n.

        Raises:
            Unlike: Something else was called.
        """
        call = next(self._left, None)
        if call is None or call.name != name:
            raise Unlike
        for before, now in zip(call.inputs, of_image, strict=True):
            if not _fits(before, now):
                raise Unlike
        return call.inputs

    def end(self) -> None:
        """Raise Unlike where the baseline called more."""
        if next(self._left, None) is not None:
            raise Unlike


def _fits(before: Tensor, now: Tensor) -> bool:
    return before.ndim == now.ndim and all(
        one in (1, other) for one, other in zip(before.shape, now.shape, strict=True)
    )


class _Recording(Ordinary):
    """Keeps what is given to each operation that is not linear.

    What they return begins anew, so that no graph of gradients grows behind it.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def linear(self, apply: Linear, image: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return _anew(super().linear(apply, image, weight, bias))

    def elementwise(self, name: str, apply: Elementwise, image: Tensor) -> Tensor:
        self._keep(name, image)
        return _anew(super().elementwise(name, apply, image))

    def product(self, apply: Bilinear, one: Tensor, other: Tensor) -> Tensor:
        self._keep("product", one, other)
        return _anew(super().product(apply, one, other))

    def softmax(self, image: Tensor, dim: int) -> Tensor:
        self._keep("softmax", image)
        return _anew(super().softmax(image, dim))

    def normalise(self, image: Tensor, dims: Sequence[int], eps: float, *, centred: bool) -> Tensor:
        self._keep("normalise", image)
        return _anew(super().normalise(image, dims, eps, centred=centred))

    def maximum(self, apply: Elementwise, image: Tensor) -> Tensor:
        self._keep("maximum", image)
        return _anew(super().maximum(apply, image))

    def _keep(self, name: str, *inputs: Tensor) -> None:
        self.calls.append(Call(name, tuple(each.detach() for each in inputs)))


def _anew(result: Tensor) -> Tensor:
    return result.detach().requires_grad_()
