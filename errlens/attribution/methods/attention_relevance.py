"""Attention relevance: which patches reach the score through all attention of a transformer.

H. Chefer, S. Gur, L. Wolf, "Generic Attention-model Explainability for Interpreting Bi-Modal and
Encoder-Decoder Transformers", ICCV 2021, equations 5 and 6, for self-attention.
"""

from typing import Final

import torch
from torch import Tensor

from errlens.attribution.card import Card
from errlens.attribution.explained_model import (
    ExplainedModel,
    Maps,
    MethodSettings,
    Targets,
    borrowed,
    scores_of,
)
from errlens.attribution.operations.attending import Attention, attention_among_tokens
from errlens.errors import InputError, Unruled
from errlens.model.layers.places import SpatialLayer, find_layer
from errlens.model.networks.user_code import user_code

SUMMARY: Final = "which patches reach the score through the attention of a ViT; coarse, unsigned"
CARD: Final = Card(
    means="Which tokens a transformer's attention brought to the class, layer by layer, where"
    " attention that raises the score counts.",
    lies="It sees attention alone, not what the layers between do with it, shows only what "
    "speaks for the class, and is as coarse as the patches.",
    paper="H. Chefer, S. Gur, L. Wolf, ICCV 2021, Generic Attention-model Explainability, "
    "equations 5 and 6.",
    unit="relevance; it compares places of one image",
)
ADDS_UP: Final = False

BLIND: Final = "the score does not depend on what the last attention gives: its gradient is zero"


def unsupported(model: ExplainedModel) -> str | None:
    """Say that not all tokens of the network attend to all, or that it cannot be followed."""
    try:
        places = _places(model)
        if places.layout != "tokens":
            return (
                "its places are no tokens that all attend to one another, as in a ViT; grad-cam "
                "looks at any map of places"
            )
        if model.no_gradient:
            return model.no_gradient
        with borrowed(model.module):
            attention_among_tokens(model, model.grey.requires_grad_(), places)
    except (InputError, Unruled) as error:
        return str(error)
    return None


def explain(
    model: ExplainedModel,
    images: Tensor,
    targets: Targets,
    settings: MethodSettings,
) -> Maps:
    """Return the relevance of each patch to the tokens that the score is read from.

    These are the class token, or the mean of those that are averaged, or of the queries that pool
    them. The unit compares the places of one image, no more.
    """
    del settings
    places = _places(model)
    found = attention_among_tokens(model, images.detach().clone().requires_grad_(), places)
    with torch.enable_grad():
        scores = scores_of(found.logits, targets).unbind(dim=1)
    relevance = [_relevance(found, score, last=score is scores[-1]) for score in scores]
    maps = [places.as_maps(of_target.unsqueeze(2))[:, 0] for of_target in relevance]
    return Maps(
        torch.stack(maps, dim=1),
        torch.stack(scores, dim=1).detach(),
        unit="relevance",
        why_none=BLIND,
        signed=False,
    )


def _places(model: ExplainedModel) -> SpatialLayer:
    """Return where tokens lie, whatever layer other methods are to look at."""
    return model.spatial_layer if model.layer is None else find_layer(model.module, model.size)


def _relevance(found: Attention, score: Tensor, *, last: bool) -> Tensor:
    """Return the relevance of tokens, shape (n, tokens), to where a score is read.

    Args:
        found: What was computed.
        score: Of the target in each image, shape (n,).
        last: Whether no other score of the same images follows.
    """
    n = len(found.logits)
    with user_code("the backward of the model", images=n):
        *slopes, of_given = torch.autograd.grad(
            score, [*found.matrices, found.given], torch.ones_like(score), retain_graph=not last
        )
    itself = torch.eye(found.tokens).to(found.logits)
    relevance, pools = itself.expand(n, -1, -1), False
    for matrix, slope in zip(found.matrices, slopes, strict=True):
        by_head = (matrix.detach() * slope).clamp(min=0).reshape(n, -1, *matrix.shape[-2:])
        through = by_head.mean(dim=1) @ relevance
        pools = through.shape[1] != found.tokens
        relevance = through if pools else relevance + through
    read = of_given.reshape(n, -1, *of_given.shape[-2:]).any(dim=3).any(dim=1).to(relevance)
    # Where nothing is read it is 0 / 0, which is no map.
    share = (read / read.sum(dim=1, keepdim=True)).unsqueeze(1)
    return (share @ (relevance if pools else relevance - itself)).squeeze(1)
