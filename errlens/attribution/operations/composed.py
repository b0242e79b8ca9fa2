"""Operations that are made of others, or called in ways of their own."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor

from errlens.attribution.operations.attention import attention
from errlens.attribution.operations.multi_head import multi_head
from errlens.attribution.operations.rules import Rules, depends
from errlens.errors import Unruled


def _add(rules: Rules, one: Any, other: Any, *, alpha: float = 1) -> Tensor:
    if depends(one) and depends(other):
        return rules.add(one, other if alpha == 1 else other * alpha)
    return torch.add(one, other, alpha=alpha) if alpha != 1 else one + other


def _subtract(rules: Rules, one: Any, other: Any, *, alpha: float = 1) -> Tensor:
    return _add(rules, one, -other if depends(other) else other * -1, alpha=alpha)


def _subtract_from(rules: Rules, one: Any, other: Any, *, alpha: float = 1) -> Tensor:
    return _subtract(rules, other, one, alpha=alpha)


def _divide(rules: Rules, one: Any, other: Any) -> Tensor:
    if not depends(other):
        return torch.div(one, other)
    inverse = rules.elementwise("reciprocal", torch.reciprocal, other)
    return rules.product(torch.mul, one, inverse) if depends(one) else one * inverse


def _divide_by(rules: Rules, one: Any, other: Any) -> Tensor:
    return _divide(rules, other, one)


def _matmul_by(rules: Rules, one: Any, other: Any) -> Tensor:
    both = depends(one) and depends(other)
    return rules.product(torch.matmul, other, one) if both else torch.matmul(other, one)


def _add_product(rules: Rules, image: Any, one: Any, other: Any, *, value: float = 1) -> Tensor:
    both = depends(one) and depends(other)
    product = rules.product(torch.mul, one, other) if both else one * other
    return _add(rules, image, product, alpha=value)


def _einsum(rules: Rules, equation: str, *operands: Any) -> Tensor:
    """Return a sum of products of two tensors, or of one that depends on the image."""
    if len(operands) == 1 and isinstance(operands[0], list | tuple):
        operands = tuple(operands[0])
    if len(operands) == 2 and all(map(depends, operands)):
        return rules.product(lambda one, other: torch.einsum(equation, one, other), *operands)
    if sum(map(depends, operands)) > 1:
        raise Unruled("it multiplies three tensors by einsum, for which there is no rule")
    return torch.einsum(equation, *operands)


def _softmax(
    rules: Rules, image: Tensor, dim: int, *_rest: Any, dtype: Any = None, **_more: Any
) -> Tensor:
    return rules.softmax(image if dtype is None else image.to(dtype), dim)


def _batch_norm(  # noqa: PLR0913, PLR0917 - as torch calls it
    rules: Rules,
    image: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,  # noqa: FBT001, FBT002 - as torch calls it
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    del momentum
    if training or running_mean is None or running_var is None:
        raise Unruled("its batch norm counts images of the batch together")
    scale = torch.rsqrt(running_var + eps) * (1 if weight is None else weight)
    shift = (0 if bias is None else bias) - running_mean * scale
    shape = (1, -1, *(1,) * (image.ndim - 2))
    return rules.affine(image, scale.reshape(shape), shift.reshape(shape))


def _layer_norm(
    rules: Rules,
    image: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    dims = range(-len(normalized_shape), 0)
    normal = rules.normalise(image, tuple(dims), eps, centred=True)
    return _scaled(rules, normal, weight, bias)


def _rms_norm(
    rules: Rules,
    image: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    dims = tuple(range(-len(normalized_shape), 0))
    eps = torch.finfo(image.dtype).eps if eps is None else eps
    return _scaled(rules, rules.normalise(image, dims, eps, centred=False), weight, None)


def _group_norm(
    rules: Rules,
    image: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    groups = image.reshape(len(image), num_groups, -1)
    normal = rules.normalise(groups, (-1,), eps, centred=True).reshape(image.shape)
    shape = (1, -1, *(1,) * (image.ndim - 2))
    return _scaled(
        rules, normal, *(None if each is None else each.reshape(shape) for each in (weight, bias))
    )


def _instance_norm(  # noqa: PLR0913, PLR0917 - as torch calls it
    rules: Rules,
    image: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,  # noqa: FBT001, FBT002 - as torch calls it
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    if not use_input_stats:
        return _batch_norm(rules, image, running_mean, running_var, weight, bias, eps=eps)
    del momentum
    return _group_norm(rules, image, image.shape[1], weight, bias, eps)


def _scaled(rules: Rules, normal: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    if weight is None and bias is None:
        return normal
    scale = normal.new_ones(()) if weight is None else weight
    return rules.affine(normal, scale, torch.zeros_like(scale) if bias is None else bias)


def _normalize(
    rules: Rules, image: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Any = None
) -> Tensor:
    """Divide by the root of a sum of squares; torch clamps it by eps, which is as good as none."""
    del out
    if p != 2:
        raise Unruled(f"it divides by a norm of order {p:g}, for which there is no rule")
    root = float(image.shape[dim]) ** 0.5
    normal = rules.normalise(image, (dim,), (eps / root) ** 2, centred=False)
    return torch.mul(normal, 1 / root)


def _largest(rules: Rules, image: Tensor, *args: Any, **given: Any) -> Any:
    """`max` over all values, or over a dimension; of two tensors there is no rule."""
    if args and isinstance(args[0], Tensor):
        raise Unruled("it takes the larger of two tensors, for which there is no rule")
    if not args and not given:
        return rules.maximum(torch.max, image)
    best = torch.max(image, *args, **given)
    dim = args[0] if args else given["dim"]
    keepdim = args[1] if len(args) > 1 else given.get("keepdim", False)
    values = rules.maximum(lambda each: torch.amax(each, dim=dim, keepdim=keepdim), image)
    return type(best)((values, best.indices))


def _attention(rules: Rules, *args: Any, **given: Any) -> Tensor:
    return attention(_Ruled(rules), *args, **given)


def _multi_head(rules: Rules, *args: Any, **given: Any) -> tuple[Tensor, Tensor | None]:
    return multi_head(rules, _Ruled(rules), *args, **given)


class _Ruled:
    """The operations that attention is made of."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def matmul(self, one: Tensor, other: Tensor) -> Tensor:
        if depends(one) and depends(other):
            return self._rules.product(torch.matmul, one, other)
        return torch.matmul(one, other)

    def softmax(self, image: Tensor) -> Tensor:
        return self._rules.softmax(image, -1) if depends(image) else image.softmax(-1)


COMPOSED: Final[Mapping[str, Callable[..., Any]]] = {
    "add": _add,
    "sub": _subtract,
    "rsub": _subtract_from,
    "div": _divide,
    "rdiv": _divide_by,
    "rmatmul": _matmul_by,
    "addcmul": _add_product,
    "einsum": _einsum,
    "softmax": _softmax,
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "rms_norm": _rms_norm,
    "group_norm": _group_norm,
    "instance_norm": _instance_norm,
    "normalize": _normalize,
    "max": _largest,
    "scaled_dot_product_attention": _attention,
    "multi_head_attention_forward": _multi_head,
}
