"""Units carried back to the pixels, as a deconvnet does it, or by other rules.

M. D. Zeiler, R. Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014, section
2.1: one activation is kept, all others of its layer are set to zero, and it goes back through
unpooling by the switches of this image, rectifiers and transposed filters. What a unit of value a
sends back is a times what one of value 1 does, for every step keeps the proportion.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from torch import Tensor

from errlens.attribution.explained_model import ExplainedModel, MethodSettings, borrowed
from errlens.attribution.methods import load_method
from errlens.attribution.methods.deconvnet import deconvolved
from errlens.attribution.methods.guided_backprop import guided
from errlens.attribution.operations.rectifiers import (
    Rule,
    linear_alone,
    rectified_gradients,
    rectifiers_alone,
)
from errlens.errors import UnfitMethod, UnfitOption
from errlens.maps import Target
from errlens.model.classifier import Classifier
from errlens.model.outputs.reading import LOGITS
from errlens.network.units.layers import UnitLayer
from errlens.network.units.scores import Unit, UnitScores

# In the order in which they are tried where none is named.
PROJECTIONS: Final = ("deconvnet", "guided-backprop", "gradient-x-input", "lrp")
# What these send back has the colours of the input; the others share out the unit's value.
_RULES: Final[Mapping[str, Rule]] = {"deconvnet": deconvolved, "guided-backprop": guided}

# From one input, shape (1, channels, height, width), and t units of it to their projections, shape
# (t, channels, height, width); one channel where a projection has no colours.
Project = Callable[[Tensor, Sequence[Unit]], Tensor]


def choose_projection(model: ExplainedModel, wanted: str | None) -> str:
    """Return the projection that is wanted, or the first that fits a network.

    Raises:
        UnfitMethod: The network cannot honestly be given the one that is wanted.
        UnfitOption: None fits.
    """
    if wanted is not None and (reason := load_method(wanted).unsupported(model)):
        fits = [name for name in PROJECTIONS if not load_method(name).unsupported(model)]
        error = UnfitMethod(wanted, reason)
        error.hint = f"--projection {(*fits, 'none')[0]}"
        raise error
    names = PROJECTIONS if wanted is None else (wanted,)
    for name in names:
        if not load_method(name).unsupported(model):
            return name
    reason = load_method(PROJECTIONS[-1]).unsupported(model)
    raise UnfitOption(
        f"no projection fits the network: {reason}", hint="--projection none shows patches alone"
    )


@contextmanager
def projecting(
    classifier: Classifier, layers: Sequence[UnitLayer], method: str
) -> Iterator[Project]:
    """Give a function that carries units back to the pixels, which many threads may call.

    The network is borrowed for the length of the block.
    """
    by_name = {layer.name: layer for layer in layers}
    scores = UnitScores(classifier.network.module, by_name)
    model = replace(ExplainedModel.of(classifier), module=scores, reading=LOGITS)

    def project(image: Tensor, units: Sequence[Unit]) -> Tensor:
        targets = [[Target("unit", at) for at in range(len(units))]]
        with scores.asked_for(units):
            return _projected(method, model, image, targets)[0]

    with borrowed(scores), scores.watching():
        yield project


def remark_of(classifier: Classifier, layer: UnitLayer, method: str) -> str | None:
    """Say what a reader must know of the projections of a layer; None of most."""
    scores = UnitScores(classifier.network.module, {layer.name: layer})
    model = replace(ExplainedModel.of(classifier), module=scores, reading=LOGITS)
    with scores.watching(), scores.asked_for([Unit(layer.name, 0, 0)]):
        if method in _RULES and linear_alone(model):
            return "no rectifier lies before it, so that a projection is the filter itself"
        if method == "deconvnet" and rectifiers_alone(model):
            return (
                "no max pooling lies before it, so that a projection depends on the channel, and "
                "on no image"
            )
    return None


def _projected(
    method: str, model: ExplainedModel, image: Tensor, targets: Sequence[Sequence[Target]]
) -> Tensor:
    """Return projections of the targets of an image, shape (1, t, channels, height, width)."""
    if method in _RULES:
        values, slopes = rectified_gradients(
            model, image, targets, _RULES[method], needs_rectifiers=False
        )
        return slopes * values[:, :, None, None, None]
    maps = load_method(method).explain(model, image, targets, MethodSettings())
    return maps.values.unsqueeze(2)
