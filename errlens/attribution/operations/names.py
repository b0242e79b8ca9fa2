"""The operations of torch by kind.

Functions, methods, operators and what works in place have one name here: `torch.Tensor.__iadd__`,
`torch.add` and `torch.Tensor.add_` are `add`.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from torch.overrides import resolve_name


def words(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


# Linear and without parameters, or no more than a move: their own gradients are the right ones.
MOVES: Final = words(
    """
    adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d alias alpha_dropout as_strided
    atleast_2d avg_pool1d avg_pool2d avg_pool3d broadcast_to cat chunk clone col2im concat
    concatenate contiguous cpu diff double dropout dropout1d dropout2d dropout3d dsplit expand
    expand_as feature_alpha_dropout flatten flip fold float gather hsplit im2col index_select
    interpolate mean moveaxis movedim narrow neg negative pad permute pixel_shuffle
    pixel_unshuffle positive ravel repeat repeat_interleave reshape reshape_as roll rot90 select
    slice split split_with_sizes squeeze stack sum swapaxes swapdims t tensor_split tile to
    transpose type_as unbind unflatten unfold unsqueeze upsample view view_as vsplit getitem T
    mT H mH tril triu channel_shuffle native_channel_shuffle hstack vstack dstack cumsum type
    """
)
ELEMENTWISE: Final = words(
    """
    abs acos acosh asin asinh atan atanh celu clamp clamp_max clamp_min clip cos cosh elu erf
    erfc exp exp2 expm1 gelu hardshrink hardsigmoid hardswish hardtanh leaky_relu log log10
    log1p log2 log_sigmoid logsigmoid mish pow prelu quick_gelu reciprocal relu relu6 rrelu
    rsqrt selu sigmoid silu sin sinh softplus softshrink softsign sqrt square tan tanh
    tanhshrink threshold
    """
)
LINEAR: Final = words(
    """
    conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d linear
    """
)
PRODUCTS: Final = frozenset(["mul", "multiply", "matmul", "bmm", "mm"])
MAXIMA: Final = words(
    """
    adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d amax max_pool1d max_pool2d
    max_pool3d
    """
)
# Without a gradient, whatever they are given.
ASKED: Final = words(
    """
    dim size numel ndimension element_size stride storage_offset is_contiguous is_floating_point
    is_complex is_cuda get_device data_ptr new_zeros new_ones new_full new_empty new_tensor
    zeros_like ones_like full_like empty_like rand_like randn_like detach argmax argmin argsort
    __len__ __bool__ __repr__ __hash__ __format__ item tolist requires_grad_ is_tensor lt le gt
    ge eq ne isnan isinf isfinite allclose equal is_same_size retain_grad sym_size _assert
    __contains__ register_hook
    """
)
_OPERATORS: Final = {
    "iadd": "add", "radd": "add", "isub": "sub", "rsub": "rsub", "imul": "mul", "rmul": "mul",
    "truediv": "div", "itruediv": "div", "rtruediv": "rdiv", "rdiv": "rdiv", "idiv": "div",
    "true_divide": "div", "divide": "div", "subtract": "sub", "ipow": "pow", "rmatmul": "rmatmul",
    "imatmul": "matmul", "special_expit": "sigmoid", "expit": "sigmoid", "swapaxes": "transpose",
    "_softmax": "softmax", "multiply": "mul",
}  # fmt: skip


class Operation:
    """An operation as it was called: its name here, and whether it works in place."""

    __slots__ = ("in_place", "is_question", "name")

    def __init__(self, function: Callable[..., Any]) -> None:
        full = resolve_name(function) or getattr(function, "__name__", str(function))
        last = full.rsplit(".", 1)[-1]
        self.is_question = last == "__get__" or last == "__set__"
        if last == "__get__":
            last = full.rsplit(".", 2)[-2]
            # T, mT and the like are moves; shape, device and all others only tell.
            self.is_question = last not in MOVES
        if last.startswith("__") and last.endswith("__") and last not in ASKED:
            last = last.strip("_")
            self.in_place = last in {"iadd", "isub", "imul", "itruediv", "idiv", "ipow", "imatmul"}
        else:
            self.in_place = last.endswith("_") and not last.startswith("_") and last not in ASKED
            last = last if last in ASKED else last.rstrip("_")
        self.name = _OPERATORS.get(last, last)


@cache
def operation(function: Callable[..., Any]) -> Operation:
    """Return what an operation is called here.

    >>> import torch
    >>> [operation(each).name for each in (torch.Tensor.__iadd__, torch.add, torch.Tensor.add_)]
    ['add', 'add', 'add']
    """
    return Operation(function)
