"""What the results of a step of a network depend on, step by step as torch calls them."""

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import torch
from torch import Tensor
from torch.nn import functional

_NOTHING: Final = -torch.inf  # what depends on no pixel


class UnknownStep(Exception):
    """A step of which nobody knows what its results depend on."""


class Run(Protocol):
    """A run that knows the values of tensors."""

    def of(self, tensor: Tensor) -> Tensor | None:
        """Return the values that a tensor stands for; None where it depends on no input."""


class Step:
    """One step of a network: what it was given, with the values that tensors stand for."""

    def __init__(
        self, mode: Run, args: Sequence[Any], kwargs: dict[str, Any], depends: list[Tensor]
    ) -> None:
        self.mode = mode
        self.args, self.kwargs, self.depends = args, kwargs, depends

    def values(self, at: int) -> Tensor:
        """Return the values of an argument; those of one that depends on nothing are the least."""
        return self.value_of(self.args[at])

    def value_of(self, tensor: Tensor) -> Tensor:
        """Return the values of a tensor likewise."""
        found = self.mode.of(tensor)
        return torch.full((1,), _NOTHING).expand(tensor.shape) if found is None else found

    def get(self, at: int, default: Any = None) -> Any:
        """Return an argument as it is."""
        return self.args[at] if len(self.args) > at else default


def largest(values: Sequence[Tensor]) -> Tensor:
    """Return the maximum of values, in the shape they have together."""
    shapes = (each.shape for each in values)
    shape = torch.broadcast_shapes(*shapes)  # type: ignore[no-untyped-call]
    result = values[0]
    for each in values[1:]:
        if result is each:
            continue
        # Values that all channels share are compared once.
        one, two = (_narrow(value.expand(shape)) for value in (result, each))
        result = torch.maximum(one, two)
    return result.expand(shape)


def _narrow(values: Tensor) -> Tensor:
    """Return values without the repetitions along axes that are only spread."""
    for axis, (length, stride) in enumerate(zip(values.shape, values.stride(), strict=True)):
        if stride == 0 and length > 1:
            values = values.narrow(axis, 0, 1)
    return values


def _over(values: Tensor, axes: Sequence[int], *, keep: bool = True) -> Tensor:
    """Return the maximum over some axes."""
    narrow = values
    for axis in axes:
        if values.stride(axis) == 0 and values.shape[axis] > 1:
            narrow = narrow.narrow(axis, 0, 1)
    return narrow.amax(dim=tuple(axes), keepdim=keep)


def _pairs(setting: Any, axes: int = 2) -> list[int]:
    numbers = [int(each) for each in setting] if isinstance(setting, list | tuple) else [setting]
    return numbers * axes if len(numbers) == 1 else numbers


def _window(
    values: Tensor,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int] = (1, 1),
    *,
    ceil: bool = False,
) -> Tensor:
    """Return the maximum in a window that moves over (n, channels, rows, columns)."""
    if values.dim() != 4 or len(kernel) != 2:
        raise UnknownStep("a window over other than two axes")
    down, right = padding
    channels = values.shape[1]
    if max(kernel) == 1 and max(padding) == 0:
        return values[:, :, :: stride[0], :: stride[1]]
    if values.stride(1) == 0:
        values = values[:, :1]
    padded = functional.pad(values, (right, right, down, down), value=_NOTHING)
    found = functional.max_pool2d(
        padded, list(kernel), list(stride), dilation=list(dilation), ceil_mode=ceil
    )
    return found.expand(-1, channels, -1, -1)


def _convolution(step: Step) -> Tensor:
    values, weight = step.values(0), step.args[1]
    stride, padding, dilation = (_pairs(step.args[at]) for at in (3, 4, 5))
    transposed, extra, groups = step.args[6], _pairs(step.args[7]), step.args[8]
    if weight.dim() != 4 or values.dim() != 4:
        raise UnknownStep("a convolution over other than two axes")
    kernel = weight.shape[2:]
    outputs = weight.shape[1] * groups if transposed else weight.shape[0]
    n, channels, rows, columns = values.shape
    if values.stride(1) == 0 or groups == 1:
        merged = _over(values, [1])
    else:
        merged = values.reshape(n, groups, channels // groups, rows, columns).amax(dim=2)
    if transposed:
        spread = torch.full(
            (n, merged.shape[1], (rows - 1) * stride[0] + 1, (columns - 1) * stride[1] + 1),
            _NOTHING,
        )
        spread[:, :, :: stride[0], :: stride[1]] = merged
        spread = functional.pad(spread, (0, extra[1], 0, extra[0]), value=_NOTHING)
        around = [
            rate * (side - 1) - pad
            for rate, side, pad in zip(dilation, kernel, padding, strict=True)
        ]
        if min(around) < 0:
            raise UnknownStep("a transposed convolution that cuts off")
        found = _window(spread, kernel, (1, 1), around, dilation)
    else:
        found = _window(merged, kernel, stride, padding, dilation)
    if found.shape[1] == 1:
        return found.expand(-1, outputs, -1, -1)
    return found.repeat_interleave(outputs // found.shape[1], dim=1)


def _pool(step: Step, *, dilation_at: int | None, ceil_at: int) -> Tensor:
    kernel = _pairs(step.args[1])
    stride = _pairs(step.get(2) or kernel)
    padding = _pairs(step.get(3, 0))
    dilation = _pairs(step.get(dilation_at, 1)) if dilation_at else [1, 1]
    ceil = bool(step.get(ceil_at, False))
    return _window(step.values(0), kernel, stride, padding, dilation, ceil=ceil)


def _max_pool(step: Step) -> tuple[Tensor, Tensor]:
    found = _pool(step, dilation_at=4, ceil_at=5)
    return found, found  # where the maximum was depends on the same


def _adaptive_pool(step: Step) -> Tensor:
    return functional.adaptive_max_pool2d(step.values(0).contiguous(), _pairs(step.args[1]))


def _reduced(step: Step, axes_at: int = 1) -> Tensor:
    values = step.values(0)
    axes = step.get(axes_at)
    keep = bool(step.get(axes_at + 1, step.kwargs.get("keepdim", False)))
    axes = [axes] if isinstance(axes, int) else list(axes or range(values.dim()))
    return _over(values, [axis % values.dim() for axis in axes], keep=keep)


def _spread(step: Step, axes: Sequence[int]) -> Tensor:
    """Return values that depend on all along some axes."""
    values = step.values(0)
    return _over(values, [axis % values.dim() for axis in axes]).expand(values.shape)


def _product(left: Tensor, right: Tensor) -> Tensor:
    """Return what a matrix product depends on: a row of one and a column of the other."""
    rows = _over(left, [left.dim() - 1])
    columns = _over(right, [right.dim() - 2])
    return largest([rows, columns])


def _layer_norm(step: Step) -> tuple[Tensor, None, None]:
    axes = range(-len(step.args[1]), 0)
    return _spread(step, axes), None, None


def _group_norm(step: Step) -> tuple[Tensor, None, None]:
    # Of a group of one channel as of all: the mean over its places.
    return _spread(step, range(1, step.values(0).dim())), None, None


def _attention(step: Step) -> tuple[Tensor, None]:
    query, key, value = (step.values(at) for at in range(3))
    seen = largest([_over(key, [-2 % 4, -1 % 4]), _over(value, [-2 % 4])])
    rows = _over(query, [query.dim() - 1])
    return largest([rows, seen]), None


def _joined(step: Step) -> Tensor:
    parts = [step.value_of(each) for each in step.args[0]]
    return torch.cat(parts, step.get(1, step.kwargs.get("dim", 0)))


def _stacked(step: Step) -> Tensor:
    parts = [step.value_of(each) for each in step.args[0]]
    return torch.stack(parts, step.get(1, step.kwargs.get("dim", 0)))


def _padded(step: Step) -> Tensor:
    values, around = step.values(0), [*step.args[1]]  # two numbers an axis, the last axis first
    around += [0] * (2 * values.dim() - len(around))
    narrow = values
    for axis in range(values.dim()):
        before, after = around[2 * (values.dim() - 1 - axis) :][:2]
        if not before and not after and values.stride(axis) == 0:
            narrow = narrow.narrow(axis, 0, 1)  # what all channels share is padded once
    padded = functional.pad(narrow, around, value=_NOTHING)
    lengths = zip(padded.shape, narrow.shape, values.shape, strict=True)
    return padded.expand([all_ if one == few else one for one, few, all_ in lengths])


def _moved(name: str) -> Callable[[Step], Any]:
    """Return the rule of a step that only moves values."""

    def rule(step: Step) -> Any:
        step_of_torch = getattr(torch.ops.aten, name)
        args = [step.value_of(each) if isinstance(each, Tensor) else each for each in step.args]
        return step_of_torch(*args, **step.kwargs)

    return rule


def _indexed(step: Step) -> Tensor:
    if any(isinstance(each, Tensor) and step.mode.of(each) is not None for each in step.args[1]):
        raise UnknownStep("an index that depends on the image")
    found: Tensor = torch.ops.aten.index(step.values(0), step.args[1])
    return found


_MOVES: Final = (
    "permute transpose t slice select split split_with_sizes unbind unsqueeze squeeze expand "
    "repeat flip roll pixel_shuffle pixel_unshuffle unfold upsample_nearest2d "
    "_upsample_nearest_exact2d reflection_pad2d replication_pad2d"
)
RULES: Final[dict[str, Callable[[Step], Any]]] = {
    **{name: _moved(name) for name in _MOVES.split()},
    **dict.fromkeys(
        (
            *("clone", "detach", "alias", "_to_copy", "contiguous", "lift_fresh", "dropout"),
            *("hardswish", "hardsigmoid", "mish", "prelu", "_prelu_kernel", "hardtanh", "relu6"),
        ),
        lambda step: step.values(0),
    ),
    **dict.fromkeys(
        ("view", "_unsafe_view", "reshape", "_reshape_alias"),
        lambda step: step.values(0).reshape(step.args[1]),
    ),
    **dict.fromkeys(("mean", "sum", "amax", "amin", "logsumexp"), _reduced),
    "linalg_vector_norm": lambda step: _reduced(step, axes_at=2),
    **dict.fromkeys(
        ("_softmax", "_safe_softmax", "_log_softmax", "softmax", "cumsum"),
        lambda step: _spread(step, [step.args[1]]),
    ),
    **dict.fromkeys(
        ("native_batch_norm", "_native_batch_norm_legit_no_training", "cudnn_batch_norm"),
        lambda step: (step.values(0), None, None),
    ),
    "batch_norm": lambda step: step.values(0),
    "_batch_norm_impl_index": lambda step: (step.values(0), None, None, None, None),
    "native_layer_norm": _layer_norm,
    "layer_norm": lambda step: _layer_norm(step)[0],
    "native_group_norm": _group_norm,
    "convolution": _convolution,
    "avg_pool2d": lambda step: _pool(step, dilation_at=None, ceil_at=4),
    "max_pool2d": lambda step: _pool(step, dilation_at=4, ceil_at=5),
    "max_pool2d_with_indices": _max_pool,
    "_adaptive_avg_pool2d": _adaptive_pool,
    "adaptive_avg_pool2d": _adaptive_pool,
    "adaptive_max_pool2d": lambda step: (_adaptive_pool(step),) * 2,
    "mm": lambda step: _product(step.values(0), step.values(1)),
    "bmm": lambda step: _product(step.values(0), step.values(1)),
    **dict.fromkeys(
        ("addmm", "baddbmm"),
        lambda step: largest([step.values(0), _product(step.values(1), step.values(2))]),
    ),
    "linear": lambda step: _product(step.values(0), step.value_of(step.args[1]).mT),
    "_scaled_dot_product_flash_attention_for_cpu": _attention,
    "scaled_dot_product_attention": lambda step: _attention(step)[0],
    "cat": _joined,
    "stack": _stacked,
    "constant_pad_nd": _padded,
    "index": _indexed,
    "copy": lambda step: step.values(1),
}
