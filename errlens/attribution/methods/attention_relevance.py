"""Attention relevance: which patches reach the score through all attention of a transformer.

H. Chefer, S. Gur, L. Wolf, "Generic Attention-model Explainability for Interpreting Bi-Modal and
Encoder-Decoder Transformers", ICCV 2021, equations 5 and 6, for self-attention.
"""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from errlens.attribution.explained_model import ExplainedModel, Maps, MethodSettings, scores_of
from errlens.attribution.operations.attending import attention_among_tokens
from errlens.errors import InputError, UsageError
from errlens.maps import Target
from errlens.model.networks.user_code import user_code

SUMMARY: Final = "which patches reach the score through the attention of a ViT; coarse, unsigned"
ADDS_UP: Final = False

BLIND: Final = "the score does not depend on what the last attention gives: its gradient is zero"


def unsupported(model: ExplainedModel) -> str | None:
    """Say that not all tokens of the network attend to all, or that it cannot be followed."""
    try:
        if model.spatial_layer.layout != "tokens":
            return (
                "its places are no tokens that all attend to one another, as in a ViT; grad-cam "
                "looks at any map of places"
            )
        if model.no_gradient:
            return model.no_gradient
        black = model.black.reshape(1, -1, 1, 1).expand(1, *model.size).clone()
        attention_among_tokens(model, black.requires_grad_())
    except (InputError, UsageError) as error:
        return str(error)
    return None


def explain(
    model: ExplainedModel,
    images: Tensor,
    targets: Sequence[Sequence[Target]],
    settings: MethodSettings,
) -> Maps:
    """Return the relevance of each patch to the tokens that the score is read from.

    These are the class token, or the mean of those that are averaged, or of the queries that pool
    them. The unit compares the places of one image, no more.
    """
    del settings
    leaf = images.detach().clone().requires_grad_()
    logits, attention, tokens = attention_among_tokens(model, leaf)
    scores = scores_of(logits, targets)
    places = model.spatial_layer
    maps = []
    for at in range(scores.shape[1]):
        with user_code("the backward of the model", images=len(images)):
            slopes = torch.autograd.grad(
                scores[:, at].sum(), attention, retain_graph=at + 1 < scores.shape[1]
            )
        relevance = _relevance([each.detach() for each in attention], slopes, tokens)
        maps.append(places.as_maps(relevance.unsqueeze(2)).squeeze(1))
    return Maps(
        torch.stack(maps, dim=1),
        scores.detach(),
        unit="relevance",
        why_none=BLIND,
        signed=False,
    )


def _relevance(attention: Sequence[Tensor], slopes: Sequence[Tensor], tokens: int) -> Tensor:
    """Return the relevance of tokens, shape (n, tokens), to where the score is read.

    Args:
        attention: Matrices of shape (..., queries, tokens), n first, in the order of computing.
        slopes: The gradients of the score with respect to them.
        tokens: How many tokens there are.
    """
    n = len(attention[0])
    itself = torch.eye(tokens).to(attention[0])
    relevance = itself.expand(n, tokens, tokens)
    for matrix, slope in zip(attention, slopes, strict=True):
        by_head = (matrix * slope).clamp(min=0).reshape(n, -1, *matrix.shape[-2:])
        through = by_head.mean(dim=1) @ relevance
        pools = through.shape[1] != tokens
        relevance = through if pools else relevance + through
    by_query = slopes[-1].reshape(n, -1, *slopes[-1].shape[-2:]).abs().amax(dim=(1, 3))
    read = (by_query > 0).to(relevance)
    # Where nothing is read it is 0 / 0, which is no map.
    share = (read / read.sum(dim=1, keepdim=True)).unsqueeze(1)
    return (share @ (relevance if pools else relevance - itself)).squeeze(1)
