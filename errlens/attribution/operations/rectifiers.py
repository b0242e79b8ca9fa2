"""Rectifiers, found in the graph that torch keeps for gradients, and other rules for them.

Modules, functions, methods, what works in place, what is called twice and scripted code all leave
the same steps there. A rule dies with the graph: neither the network nor its layers know of it.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch import Tensor
from torch.autograd.graph import Node

from errlens.attribution.explained_model import (
    ExplainedModel,
    Targets,
    borrowed,
    gradients,
    scores_of,
)
from errlens.attribution.operations.graph import hidden, is_linear, kind, nodes
from errlens.attribution.operations.names import words
from errlens.errors import Unruled

# From the gradient that a rectifier lets through and the one that arrives, to what it passes on.
Rule = Callable[[Tensor, Tensor], Tensor]

# What rectifies, and how one tells: all of it gives max(x, 0), or that up to an upper limit.
_RECTIFIERS: Final[dict[str, Callable[[Any], bool]]] = {
    "Relu": lambda _: True,
    "Hardtanh": lambda node: _zero(node._saved_min_val),
    "Clamp": lambda node: _zero(node._saved_min),
    "ClampMin": lambda node: _zero(node._saved_min),
    "Threshold": lambda node: _zero(node._saved_threshold),
    "LeakyRelu": lambda node: _zero(node._saved_negative_slope),
    "Maximum": lambda node: _zero(node._saved_self) or _zero(node._saved_other),
}
# What rectifies or not, depending on what nobody keeps.
_UNCLEAR: Final = words("Where MaskedFill Fmax")

NONE: Final = (
    "no rectifier (ReLU, ReLU6, a clamp or threshold at zero) lies between its input and its "
    "scores: the map would be the plain gradient"
)
ONLY_WITHOUT_PLACES: Final = (
    "no rectifier lies on its maps of places, only where those are pooled away, as in the head or "
    "in squeeze-excite: over the image the map would be the plain gradient"
)


def rectified_gradients(
    model: ExplainedModel,
    images: Tensor,
    targets: Targets,
    rule: Rule,
    *,
    needs_rectifiers: bool = True,
) -> tuple[Tensor, Tensor]:
    """Return scores and their gradients, in which rectifiers follow a rule of their own.

    Args:
        model: The network, borrowed.
        images: Shape (n, channels, height, width).
        targets: One list for each image, all of the same length t.
        rule: What a rectifier passes on.
        needs_rectifiers: Refuse scores that no rectifier leads to; else they have plain gradients.

    Returns:
        Scores of shape (n, t) and gradients of shape (n, t, channels, height, width).

    Raises:
        Unruled: No rectifier lies on a map of places, or nobody can know.
        UserCodeFailed, OutOfMemory: The network raised something.
    """
    with torch.enable_grad():
        leaf = images.detach().clone().requires_grad_()
        logits = model.logits(leaf)
        find = rectifiers if needs_rectifiers else seen_rectifiers
        for rectifier in find(logits):
            rectifier.register_hook(_following(rule))
        scores = scores_of(logits, targets)
        return scores.detach(), gradients(scores, leaf)


def rectifiers(scores: Tensor) -> list[Node]:
    """Return the steps that rectify on the way to scores.

    Raises:
        Unruled: None of them lies on a map of places, or nobody can know.
    """
    found = seen_rectifiers(scores)
    if not found:
        raise Unruled(NONE)
    if not any(_on_places(found)):
        raise Unruled(ONLY_WITHOUT_PLACES)
    return found


def seen_rectifiers(scores: Tensor) -> list[Node]:
    """Return the steps that rectify on the way to scores, if there are any.

    Raises:
        Unruled: Nobody can know.
    """
    steps = list(nodes(scores))
    unclear = (node for node in _on_places(steps) if kind(node) in _UNCLEAR)
    if unknown := hidden(steps) | {kind(node) for node in unclear}:
        raise Unruled(f"nobody can see whether it rectifies: it computes {_listed(unknown)}")
    return [node for node in steps if _rectifies(node)]


def no_rectifier(model: ExplainedModel) -> str | None:
    """Say why no rule for rectifiers would show anything of a network, or None."""
    if model.no_gradient:
        return model.no_gradient
    try:
        with _tried(model) as logits:
            rectifiers(logits)
    except Unruled as reason:
        return str(reason)
    return None


def rectifiers_alone(model: ExplainedModel) -> bool:
    """Tell whether rectifiers are all that makes the gradients of a network depend on the image."""
    with _tried(model) as logits:
        return all(is_linear(node) or _rectifies(node) for node in nodes(logits))


def linear_alone(model: ExplainedModel) -> bool:
    """Tell whether the gradients of a network are the same whatever the image."""
    with _tried(model) as logits:
        return all(map(is_linear, nodes(logits)))


def _following(rule: Rule) -> Callable[[Any, Any], Any]:
    """Return the hook that replaces what a step passes on, to each of its inputs that gets any."""

    def replace(
        passed: tuple[Tensor | None, ...], arriving: tuple[Tensor | None, ...]
    ) -> tuple[Tensor | None, ...] | None:
        (slope,) = arriving
        if slope is None:
            return None
        return tuple(None if one is None else rule(one, slope) for one in passed)

    return replace


def _rectifies(node: Node) -> bool:
    tell = _RECTIFIERS.get(kind(node))
    return tell is not None and tell(node)


def _on_places(steps: Iterable[Node]) -> Iterator[Node]:
    """Yield the steps that give a map of places: two axes at least that are longer than one.

    Whatever their order: a pooled map of (n, channels, 1, 1) has none, tokens of (n, places,
    channels) have.
    """
    for node in steps:
        shape = node._input_metadata[0].shape
        if sum(side > 1 for side in shape[1:]) >= 2:
            yield node


def _zero(value: Tensor | float | None) -> bool:
    if value is None:
        return False
    return not value.any() if isinstance(value, Tensor) else value == 0


def _listed(kinds: Iterable[str]) -> str:
    return ", ".join(sorted(kinds))


@contextmanager
def _tried(model: ExplainedModel) -> Iterator[Tensor]:
    """Borrow a network and give what it says of one image of noise from black to white."""
    random = torch.Generator().manual_seed(0)
    black, white = (pixel.reshape(1, -1, 1, 1) for pixel in (model.black, model.white))
    noise = torch.rand((1, *model.size), generator=random).to(black)
    image = (black + noise * (white - black)).requires_grad_()
    with borrowed(model.module), torch.enable_grad():
        yield model.logits(image)
