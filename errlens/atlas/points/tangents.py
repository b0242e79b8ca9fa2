"""What single places of a layer add to the logits, to first order: activation times gradient.

All classes at once: the derivative of the logits along the activation at the one place, by forward
differentiation, or, where a network has none, by differentiating backward twice.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Literal

import numpy as np
import torch
import torch.autograd.forward_ad as forward_ad
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from errlens.atlas.points.layers import PointLayer, Run
from errlens.atlas.points.places import drawn_places
from errlens.attribution.explained_model import ExplainedModel
from errlens.errors import UnfitModel, UserCodeFailed, in_its_words
from errlens.model.layers.tokens import like_weights
from errlens.model.networks.user_code import user_code

Way = Literal["together", "one by one", "backward"]
WAYS: Final[Sequence[Way]] = ("together", "one by one", "backward")  # the fastest first

_AT_ONCE: Final = 8  # points of an image that go through the rest of the network together
_SAME: Final = 1e-3  # of the largest value: further apart, two ways to compute it differ


@contextmanager
def differentiable() -> Iterator[None]:
    """Let tensors carry tangents in this block, in all threads, through attention as well.

    Fused attention has no forward derivative: meanwhile it is computed step by step.
    """
    with warnings.catch_warnings(action="ignore", category=FutureWarning):
        # Imported by torch for the first tangent, with a warning that is not for its users.
        import torch._decomp.decompositions_for_jvp
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(value=False)
    try:
        with sdpa_kernel(SDPBackend.MATH), forward_ad.dual_level():
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def tangents_of(
    run: Run, model: ExplainedModel, layer: PointLayer, *, one_at_a_time: bool = False
) -> "Tangents":
    """Return what computes tangents of a layer, in the fastest way that is right for a network.

    Which that is is seen from noise as input: several points at once are right where they give
    what each does alone.

    Args:
        run: Runs the network, and watches the layer.
        model: The network, borrowed.
        layer: Which of its layers.
        one_at_a_time: The network takes no second image.

    Raises:
        UnfitModel: None of the ways works.
        OutOfMemory: The network ran out of it.
    """
    noise = torch.randn((2, *model.size), generator=torch.Generator().manual_seed(0))
    images = like_weights(noise[: 1 if one_at_a_time else 2], model.module)
    places = np.stack([drawn_places(layer.grid, 2, seed=0, row=row) for row in range(len(images))])
    said: dict[Way, Tensor] = {}
    failed = ""
    for way in WAYS:
        if way == "backward" and said:
            break
        try:
            said[way] = Tangents(run, layer, way).of(images, places)[1]
        except (UserCodeFailed, UnfitModel) as error:
            failed = failed or in_its_words(error.__cause__ or error)
    if len(said) == 2 and not _alike(said["together"], said["one by one"]):
        del said["together"]
    for way in said:
        return Tangents(run, layer, way)
    raise UnfitModel(
        f"what layer {layer.name!r} adds to the logits cannot be differentiated: {failed}"
    )


class Tangents:
    """Computes what places of a layer add to the logits in one of several ways.

    `together` repeats what the layer puts out for several points, so that what comes before it is
    computed once; `one by one` runs the whole network for each point; `backward` differentiates
    backward twice.
    """

    def __init__(self, run: Run, layer: PointLayer, way: Way) -> None:
        self._run, self._layer, self.way = run, layer, way

    def of(self, images: Tensor, places: NDArray[np.int32]) -> tuple[Tensor, Tensor]:
        """Return activations at places, and what they add to each class.

        Args:
            images: As the network is fed them, shape (n, ...).
            places: Row and column of each point, shape (n, p, 2).

        Returns:
            Shapes (n, p, channels) and (n, p, classes); values that are not finite where logits
            are not.

        Raises:
            UserCodeFailed, OutOfMemory: The network raised something.
            UnfitModel: The logits do not depend on the layer in a way that torch can follow.
        """
        if self.way == "backward":
            return self._backward(images, places)
        size = _AT_ONCE if self.way == "together" else 1
        groups = [
            self._forward(images, places[:, start : start + size])
            for start in range(0, places.shape[1], size)
        ]
        activations, attributions = zip(*groups, strict=True)
        return torch.cat(activations, dim=1), torch.cat(attributions, dim=1)

    def _forward(self, images: Tensor, places: NDArray[np.int32]) -> tuple[Tensor, Tensor]:
        p = places.shape[1]
        kept: list[Tensor] = []

        def begin(layer: PointLayer, output: Tensor) -> Tensor | None:
            if layer is not self._layer:
                return None
            kept.append(layer.at(output, places))
            tangents = [self._tangent(output, places[:, point]) for point in range(p)]
            primal = output if p == 1 else torch.cat([output] * p)
            dual: Tensor = forward_ad.make_dual(  # type: ignore[no-untyped-call]
                primal, torch.cat(tangents)
            )
            return dual

        with torch.no_grad():
            logits = self._run(images, begin, copies=p)
            values, slopes = forward_ad.unpack_dual(logits)  # type: ignore[no-untyped-call]
        if slopes is None:
            raise UnfitModel(f"{self._layer.name!r} is followed by what torch cannot differentiate")
        of_points = (slopes + 0 * values).reshape(p, len(images), -1).transpose(0, 1)
        return kept[0], of_points

    def _backward(self, images: Tensor, places: NDArray[np.int32]) -> tuple[Tensor, Tensor]:
        kept: list[Tensor] = []

        def begin(layer: PointLayer, output: Tensor) -> Tensor | None:
            if layer is not self._layer:
                return None
            kept.append(output.detach().clone().requires_grad_())
            return kept[0].clone()  # layers that follow may work in place

        with torch.enable_grad(), user_code("the backward of the model", images=len(images)):
            logits = self._run(images, begin)
            (leaf,) = kept
            # The gradient is linear in these weights: its slope along an activation is that of
            # the logits.
            weights = torch.zeros_like(logits, requires_grad=True)
            (slope,) = torch.autograd.grad(logits, leaf, weights, create_graph=True)
            each = [
                torch.autograd.grad(
                    slope, weights, self._tangent(leaf.detach(), places[:, point]),
                    retain_graph=True,
                )[0]
                for point in range(places.shape[1])
            ]  # fmt: skip
        attributions = torch.stack(each, dim=1) + 0 * logits.detach()[:, None]
        return self._layer.at(leaf.detach(), places), attributions

    def _tangent(self, output: Tensor, places: NDArray[np.int32]) -> Tensor:
        """Return the output with zeros everywhere but at a place of each image."""
        tangent = torch.zeros_like(output)
        images = torch.arange(len(places), device=output.device)
        rows, columns = torch.from_numpy(places).to(output.device).long().unbind(dim=1)
        at = (images, slice(None), rows, columns)
        self._layer.maps(tangent)[at] = self._layer.maps(output)[at]
        return tangent


def _alike(values: Tensor, others: Tensor) -> bool:
    return bool((values - others).abs().max() <= _SAME * others.abs().max())
