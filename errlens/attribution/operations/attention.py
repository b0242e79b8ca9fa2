"""Attention, made of products and a softmax, where torch computes it in one piece."""

import math
from typing import Protocol

import torch
from torch import Tensor


class Parts(Protocol):
    """What attention is made of."""

    def matmul(self, one: Tensor, other: Tensor) -> Tensor:
        """Return the product of matrices."""

    def softmax(self, image: Tensor) -> Tensor:
        """Return the softmax over the last dimension."""


def attention(  # noqa: PLR0913, PLR0917 - as torch calls it
    parts: Parts,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,  # noqa: FBT001, FBT002 - as torch calls it
    scale: float | None = None,
    enable_gqa: bool = False,  # noqa: FBT001, FBT002
) -> Tensor:
    """Return what `scaled_dot_product_attention` does, without dropout.

    Args:
        parts: The operations.
        query: Shape (..., q, channels).
        key: Shape (..., k, channels).
        value: Shape (..., k, values).
        attn_mask: What is added to the products, or a mask of those that count.
        dropout_p: None in evaluation mode, whatever it is.
        is_causal: Whether no query sees a later key.
        scale: Of the products; by default one over the root of the channels.
        enable_gqa: Whether several heads of queries share one of keys and values.
    """
    del dropout_p
    if enable_gqa:
        repeated = query.shape[-3] // key.shape[-3]
        key, value = (each.repeat_interleave(repeated, -3) for each in (key, value))
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    products = parts.matmul(query * factor, key.transpose(-2, -1))
    if is_causal:
        attn_mask = torch.ones(
            query.shape[-2], key.shape[-2], dtype=torch.bool, device=query.device
        ).tril()
    if attn_mask is not None:
        products = products + _added(attn_mask, products)
    return parts.matmul(parts.softmax(products), value)


def _added(mask: Tensor, products: Tensor) -> Tensor:
    """Return what is added to the products; what does not count gets minus infinity."""
    if mask.dtype != torch.bool:
        return mask
    return torch.zeros_like(mask, dtype=products.dtype).masked_fill(~mask, float("-inf"))
