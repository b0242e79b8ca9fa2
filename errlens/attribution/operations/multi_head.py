"""`torch.nn.MultiheadAttention`, made of linear maps, products and a softmax."""

import inspect
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional

from errlens.attribution.operations.attention import Parts, attention
from errlens.attribution.operations.rules import Rules, depends
from errlens.errors import Unruled

_RARE: Final = ("bias_k", "bias_v", "key_padding_mask", "static_k", "static_v")


class _Kept:
    """What attention is made of, its weights remembered."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.weights = torch.empty(0)

    def matmul(self, one: Tensor, other: Tensor) -> Tensor:
        return self._parts.matmul(one, other)

    def softmax(self, image: Tensor) -> Tensor:
        self.weights = self._parts.softmax(image)
        return self.weights


def multi_head(
    rules: Rules, parts: Parts, *args: Any, **given: Any
) -> tuple[Tensor, Tensor | None]:
    """Return what `multi_head_attention_forward` does, in evaluation mode.

    Args:
        rules: Compute the linear maps.
        parts: Compute the attention.
        args: As torch calls it: queries, keys and values of shape (tokens, n, channels), ...
        given: What else it is given, by name.

    Raises:
        Unruled: It is called in a way that is rare: without a batch, with padding or biases of
            keys.
    """
    bound = inspect.signature(functional.multi_head_attention_forward).bind(*args, **given)
    bound.apply_defaults()
    asked = bound.arguments
    if asked["add_zero_attn"] or any(asked[name] is not None for name in _RARE):
        raise Unruled("its multi-head attention is padded or has biases of keys")
    if asked["query"].ndim != 3:
        raise Unruled("its multi-head attention is given no batch")
    separate = [asked[f"{name}_proj_weight"] for name in "qkv"]
    weights = separate if asked["use_separate_proj_weight"] else asked["in_proj_weight"].chunk(3)
    bias = asked["in_proj_bias"]
    query, key, value = (
        _by_head(_mapped(rules, asked[name], weight, its), asked["num_heads"])
        for name, weight, its in zip(
            ("query", "key", "value"),
            weights,
            (None,) * 3 if bias is None else bias.chunk(3),
            strict=True,
        )
    )
    kept = _Kept(parts)
    mask = _mask(asked["attn_mask"], asked["num_heads"])
    together = attention(kept, query, key, value, attn_mask=mask).permute(2, 0, 1, 3).flatten(2)
    output = _mapped(rules, together, asked["out_proj_weight"], asked["out_proj_bias"])
    if not asked["need_weights"]:
        return output, None
    return output, kept.weights.mean(dim=1) if asked["average_attn_weights"] else kept.weights


def _mapped(rules: Rules, image: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return an image times a matrix, which is a rule's if it depends on the image."""
    if depends(image):
        return rules.linear(functional.linear, image, weight, bias)
    return functional.linear(image, weight, bias)


def _mask(asked: Tensor | None, heads: int) -> Tensor | None:
    """Return a mask as attention takes it: for each head of each image, of those that count."""
    if asked is None:
        return None
    mask = ~asked if asked.dtype == torch.bool else asked
    return mask.reshape(-1, heads, *mask.shape[1:]) if mask.ndim == 3 else mask


def _by_head(image: Tensor, heads: int) -> Tensor:
    """Return (tokens, n, channels) as (n, heads, tokens, channels of a head)."""
    return image.reshape(*image.shape[:2], heads, -1).permute(1, 2, 0, 3)
