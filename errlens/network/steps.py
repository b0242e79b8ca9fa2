"""The steps that torch makes: which are activations, which pass values on, and what each costs."""

import math
from collections.abc import Sequence
from typing import Any, Final

from torch import Tensor

# What a step is called by people, where it is an activation.
_ACTIVATIONS: Final = {
    "relu": "relu",
    "silu": "silu",
    "gelu": "gelu",
    "hardswish": "hardswish",
    "hardsigmoid": "hardsigmoid",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "leaky_relu": "leaky relu",
    "elu": "elu",
    "celu": "celu",
    "mish": "mish",
    "softplus": "softplus",
    "threshold": "threshold",
    "prelu": "prelu",
    "_prelu_kernel": "prelu",
    "_softmax": "softmax",
    "_safe_softmax": "softmax",
}
# Those with limits are called by them.
_LIMITS: Final = {"hardtanh": (-1, 1), "clamp": (None, None), "clamp_min": (None, None)}
_SELU: Final = 1.0507  # the scale of an ELU that is a SELU, as torch computes it

# What may stand between a layer and its activation.
PASS_ON: Final = frozenset(
    {
        *("native_batch_norm", "_native_batch_norm_legit_no_training", "batch_norm"),
        *("cudnn_batch_norm", "_batch_norm_with_update", "native_layer_norm", "native_group_norm"),
        *("_fused_rms_norm", "view", "_unsafe_view", "reshape", "permute", "transpose", "t"),
        *("detach", "clone", "alias", "contiguous", "dropout", "native_dropout", "unsqueeze"),
        *("squeeze", "_to_copy"),
    }
)
SUMS: Final = frozenset({"add"})
_PRODUCTS: Final = {"mm": 0, "bmm": 0, "addmm": 1, "baddbmm": 1}  # which argument comes first


def step_name(function: Any) -> str:
    """Return the name of an operator of torch, the same where it works in place."""
    name = str(function.overloadpacket.__name__)
    return name if name.startswith("_") else name.rstrip("_")


def activation_name(step: str, args: Sequence[Any]) -> str | None:
    """Return what people call an activation with these arguments; None if a step is none.

    >>> activation_name("hardtanh", (None, 0, 6)), activation_name("clamp_min", (None, 0))
    ('relu6', 'relu')
    """
    if step in _LIMITS:
        given = (*args[1:3], *_LIMITS[step][len(args[1:3]) :])
        clamp = "hardtanh" if step == "hardtanh" else "clamp"
        return {(0, None): "relu", (0, 6): "relu6"}.get(given, clamp)
    if step == "elu" and len(args) > 2 and abs(args[2] - _SELU) < 1e-3:
        return "selu"
    return _ACTIVATIONS.get(step)


def multiply_adds(step: str, args: Sequence[Any], result: Tensor) -> int:
    """Count the products that are summed up in a step, of a convolution or of matrices."""
    if step in ("convolution", "_convolution", "mkldnn_convolution"):
        weight, transposed = args[1], args[6]
        if transposed:  # each input goes into a window of outputs
            return int(args[0].numel() * math.prod(weight.shape[1:]))
        return int(result.numel() * math.prod(weight.shape[1:]))
    if step in _PRODUCTS:
        return int(result.numel() * args[_PRODUCTS[step]].shape[-1])
    if step == "linear":
        return int(result.numel() * args[1].shape[-1])
    if step.startswith("_scaled_dot_product"):
        query, key, value = args[:3]
        rows = query.numel() // query.shape[-1]
        return int(rows * key.shape[-2] * (query.shape[-1] + value.shape[-1]))
    return 0


def in_words(step: str) -> str:
    """Return what a step is called, if by another name than torch has for it.

    >>> in_words("addmm"), in_words("cat")
    ('linear', 'cat')
    """
    return "linear" if step in ("addmm", "mm") else step.strip("_")
