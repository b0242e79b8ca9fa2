"""The graph that torch keeps for gradients: what was computed, whatever code called it.

It also holds what `calls` cannot see: autograd functions of somebody's own, compiled and scripted
code.
"""

from collections.abc import Collection, Iterator
from typing import Any, Final

from torch import Tensor
from torch.autograd.graph import Node

from errlens.attribution.operations.names import words

# Gradients of what is linear, by the names that torch has for them, without number.
# What is linear in a tensor as torch names its gradient; products may be of two that depend on the
# image, which the rules see.
_LINEAR: Final = words(
    """
    AccumulateGrad AdaptiveAvgPool2D AdaptiveAvgPool3D Add Addbmm Addmm Addmv Alias AsStrided
    AvgPool2D AvgPool3D Baddbmm Bmm Cat Clone Col2Im ConstantPadNd Convolution CopyBackwards
    Cumsum Diagonal Div Dot Expand Flip Gather Im2Col Index IndexSelect Linear Mean MkldnnLinear
    Mm Mul Mv Neg Permute PixelShuffle PixelUnshuffle ReflectionPad1D ReflectionPad2D Repeat
    ReplicationPad1D ReplicationPad2D ReshapeAlias Roll Rot90 Rsub Select Slice Split
    SplitWithSizes Squeeze Stack Sub Sum T ToCopy Transpose Tril Triu Unbind Unfold UnsafeSplit
    UnsafeView Unsqueeze UpsampleBicubic2D UpsampleBilinear2D UpsampleNearest1D
    UpsampleNearest2D UpsampleNearestExact2D View
    """
)


def nodes(result: Tensor) -> Iterator[Node]:
    """Yield what computed a tensor, each step once, the last first."""
    seen: set[Any] = set()
    todo = [result.grad_fn]
    while todo:
        node = todo.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        yield node
        todo += [before for before, _ in node.next_functions]


def kind(node: Node) -> str:
    """Return what a step is, as torch calls it, without its number.

    >>> import torch
    >>> kind((torch.ones(1, requires_grad=True) + 1).grad_fn)
    'Add'
    """
    name = node.name().removeprefix("torch::autograd::")
    # Torch's own steps have a number; a function of somebody's own may be called as one of them.
    return name.rstrip("0123456789").removesuffix("Backward") if name[-1:].isdigit() else name


def is_linear(node: Node) -> bool:
    """Tell whether a step is linear in each tensor that it was given."""
    return kind(node) in _LINEAR


def not_linear(result: Tensor, *, but: Collection[str] = ()) -> set[str]:
    """Return the kinds of steps that are not linear, but for some.

    Args:
        result: What was computed.
        but: Kinds of steps, as `kind` calls them.
    """
    return {kind(node) for node in nodes(result)} - _LINEAR - frozenset(but)
