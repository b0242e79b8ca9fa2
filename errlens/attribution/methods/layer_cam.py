"""LayerCAM: which places of a layer speak for the score, each by its own gradient.

P.-T. Jiang, C.-B. Zhang, Q. Hou, M.-M. Cheng, Y. Wei, "LayerCAM: Exploring Hierarchical Class
Activation Maps for Localization", IEEE Transactions on Image Processing 2021: what each channel
puts out at a place, times its gradient there if that is above zero. As in `grad_cam` there is no
ReLU of the map. With gradients of both signs it is HiResCAM: R. L. Draelos, L. Carin, "Use HiResCAM
instead of Grad-CAM for faithful explanations of convolutional neural networks", 2020.
"""

from typing import Final

from torch import Tensor

from errlens.attribution.card import Card
from errlens.attribution.explained_model import ExplainedModel, Maps, MethodSettings, Targets
from errlens.attribution.methods._at_layer import look, without_layer

SUMMARY: Final = "as grad-cam, each place by its own gradient: finer in early layers; signed"
CARD: Final = Card(
    means="Each place of a layer weighted by its own slope; of early layers it is fine enough"
    " to show parts.",
    lies="At early layers it resembles the gradient times the activation, with its noise; "
    "places whose slope is negative are left out unless asked for.",
    paper="P.-T. Jiang et al., IEEE Transactions on Image Processing 2021, LayerCAM.",
    unit="it compares places of one image",
)
ADDS_UP: Final = False


unsupported = without_layer


def explain(
    model: ExplainedModel,
    images: Tensor,
    targets: Targets,
    settings: MethodSettings,
) -> Maps:
    """Return what a layer puts out times its gradients, as `layer_weights` has them, added up.

    `positive` leaves out the gradients below zero; the map is negative only where the layer is.
    `elementwise` takes them all: the map is in logits, and its sum is the score less its bias
    wherever the network is linear from the layer on but for ReLU and pooling.
    """
    seen = look(model, images, targets)
    positive = settings.layer_weights == "positive"
    weights = seen.slopes.clamp(min=0) if positive else seen.slopes
    unit = "logits (LayerCAM)" if positive else "logits (HiResCAM)"
    return seen.maps(model, (weights * seen.activation).sum(dim=2), unit=unit)
