"""The scores of a network, computed by rules, and how one can be sure that nothing was missed."""

from collections.abc import Callable, Collection

import torch
from torch import Tensor

from errlens.attribution.explained_model import ExplainedModel, borrowed
from errlens.attribution.operations.calls import ruled
from errlens.attribution.operations.graph import not_linear
from errlens.attribution.operations.rules import Rules
from errlens.errors import Unruled, UserCodeFailed

_TOLERANCE = 1e-3  # of the largest logit; operations in another order differ by some 1e-6


def ruled_logits(
    model: ExplainedModel, images: Tensor, rules: Rules, *, steps: Collection[str]
) -> Tensor:
    """Return logits, shape (n, classes), whose gradients are those that rules give them.

    Args:
        model: The network, borrowed.
        images: Shape (n, channels, height, width), requiring a gradient.
        rules: What computes its operations.
        steps: What rules leave in the graph of gradients that is not linear, as `graph.kind` has
            it: their own functions among it.

    Raises:
        Unruled: The network computes what has no rule, or in a way that is not seen: in code that
            was scripted or compiled, or by an autograd function of its own.
    """
    with torch.enable_grad(), ruled(rules) as calls:
        logits = calls.current(model.logits(images))
    if hidden := calls.unseen(logits) | not_linear(logits, but=steps):
        raise Unruled(f"it computes what is not seen here: {', '.join(sorted(hidden))}")
    with torch.no_grad():
        expected = model.logits(images)
    scale = expected.abs().max().clamp(min=torch.finfo(expected.dtype).tiny)
    if not (logits.detach() - expected).abs().max() <= _TOLERANCE * scale:
        raise Unruled("followed operation by operation, it gives other scores")
    return logits


def no_rule(model: ExplainedModel, follow: Callable[[Tensor], object]) -> str | None:
    """Say that the scores have no gradient, or that something computed has no rule; None else.

    Args:
        model: The network.
        follow: Explains an image, of shape (1, channels, height, width), with rules.
    """
    if model.no_gradient is not None:
        return model.no_gradient
    with borrowed(model.module):
        try:
            follow(model.grey)
        except (Unruled, UserCodeFailed) as reason:  # some code is only right with true gradients
            return str(reason)
    return None
