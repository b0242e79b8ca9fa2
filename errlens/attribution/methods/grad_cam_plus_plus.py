"""Grad-CAM++: as Grad-CAM, but several objects of one class count alike, however large they are.

A. Chattopadhay, A. Sarkar, P. Howlader, V. N. Balasubramanian, "Grad-CAM++: Generalized
Gradient-based Visual Explanations for Deep Convolutional Networks", WACV 2018, equation 19, which
is the closed form for the exponential of the score. As in `grad_cam` there is no ReLU of the map:
where the layer is negative the map may be, too.
"""

from typing import Final

from torch import Tensor

from errlens.attribution.card import Card
from errlens.attribution.explained_model import ExplainedModel, Maps, MethodSettings, Targets
from errlens.attribution.methods._at_layer import look, without_layer

SUMMARY: Final = "as grad-cam, for several objects of one class; only what speaks for it"
CARD: Final = Card(
    means="As Grad-CAM, but places that raise the score count by themselves, so that several "
    "objects of a class are all shown.",
    lies="It was made for the exponential of the score and for positive evidence; on heads "
    "that average and add it says what Grad-CAM says. Where a layer goes far below zero, as in "
    "transformers, some images have no map.",
    paper="A. Chattopadhay et al., WACV 2018, Grad-CAM++, equation 19.",
    unit="it compares places of one image",
)
ADDS_UP: Final = False

NEGATIVE: Final = (
    "the layer is so negative that Grad-CAM++ has no weights for it; it was made for layers that "
    "end in a ReLU, and grad-cam works for any"
)


unsupported = without_layer


def explain(
    model: ExplainedModel,
    images: Tensor,
    targets: Targets,
    settings: MethodSettings,
) -> Maps:
    """Return the channels of a layer, each times its weighted positive slopes, added up.

    The exponential of the score, by which all places of a map are multiplied alike, is left out:
    values are small enough then, and compare the places of one image, no more.

    Where the layer is negative, what the equation divides by may fall to zero and below: weights
    are then no longer at most a half, and above one there is no map.
    """
    del settings
    seen = look(model, images, targets)
    slopes = seen.slopes.clamp(min=0)
    divisor = 2 + slopes * seen.activation.sum(dim=(3, 4), keepdim=True)
    weights = (slopes / divisor).sum(dim=(3, 4), keepdim=True)
    maps = seen.maps(model, (weights * seen.activation).sum(dim=2), unit="logits (Grad-CAM++)")
    undefined = (divisor < 1).flatten(2).any(dim=2)
    if not undefined.any():
        return maps
    values = maps.values.masked_fill(undefined[:, :, None, None], float("nan"))
    return maps._replace(values=values, why_none=NEGATIVE)
