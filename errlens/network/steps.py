"""What a network computes where: multiply-adds of each layer, and the activation that follows it."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten
from torch.utils.weak import WeakTensorKeyDictionary

# What a step of torch is called by people. A hardtanh from 0 to 6 is a ReLU6.
_ACTIVATIONS: Final = {
    "relu": "relu",
    "hardtanh": "hardtanh",
    "silu": "silu",
    "gelu": "gelu",
    "hardswish": "hardswish",
    "hardsigmoid": "hardsigmoid",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "leaky_relu": "leaky relu",
    "elu": "elu",
    "mish": "mish",
    "softplus": "softplus",
    "prelu": "prelu",
    "_prelu_kernel": "prelu",
    "_softmax": "softmax",
    "_safe_softmax": "softmax",
    "clamp_min": "relu",
}
_PASS_ON: Final = frozenset(
    [
        "native_batch_norm",
        "_native_batch_norm_legit_no_training",
        "batch_norm",
        "native_layer_norm",
        "native_group_norm",
        "view",
        "_unsafe_view",
        "reshape",
        "permute",
        "transpose",
        "t",
        "detach",
        "clone",
        "alias",
        "contiguous",
        "dropout",
        "unsqueeze",
        "squeeze",
        "split",
        "_to_copy",
    ]
)
_SUMS: Final = frozenset({"add"})


class Steps(NamedTuple):
    """Multiply-adds of one image by layer, and the first activation that follows, by layer.

    They are counted where they happen: in the innermost layer that runs, "" being the network.
    """

    multiply_adds: Counter[str]
    activations: dict[str, str]


class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Looks at every step that torch makes, whatever code called it."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.running: list[str] = [""]
        self.steps = Steps(Counter(), {})
        self._makers: Any = WeakTensorKeyDictionary()  # layers whose output a tensor still is
        self._summed: Any = WeakTensorKeyDictionary()

    def put_out(self, name: str, output: Any) -> None:
        """Note that a layer has put out a tensor."""
        if isinstance(output, Tensor):
            self._makers[output] = {*self._makers.get(output, ()), name}

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        given = [each for each in tree_flatten(args)[0] if isinstance(each, Tensor)]
        name = func.overloadpacket.__name__
        plain = name.rstrip("_") if not name.startswith("_") else name
        makers = set[str]().union(*(self._makers.get(each, ()) for each in given))
        summed = any(each in self._summed for each in given)
        result = func(*args, **(kwargs or {}))
        first = result[0] if isinstance(result, list | tuple) and result else result
        if not isinstance(first, Tensor):
            return result
        self.steps.multiply_adds[self.running[-1]] += _multiply_adds(plain, args, first)
        if plain in _ACTIVATIONS:
            called = _called(plain, args) + " of the sum" * summed
            for maker in makers:
                self.steps.activations.setdefault(maker, called)
            self._makers[first] = set()
        elif plain in _PASS_ON | _SUMS:
            self._makers[first] = makers
            if plain in _SUMS or summed:
                self._summed[first] = True
        return result


def watch_steps(module: nn.Module, size: tuple[int, int, int]) -> Steps:
    """Run a network once on an image of zeros, and count what each layer computes.

    Args:
        module: The network, in evaluation mode.
        size: (channels, height, width) of its input.
    """
    mode = _Watch()
    weight = next(module.parameters(), torch.zeros(()))
    image = torch.zeros((1, *size)).to(weight)
    with torch.no_grad(), _stack(module, mode), mode:
        module(image)
    return mode.steps


@contextmanager
def _stack(module: nn.Module, mode: _Watch) -> Iterator[None]:
    """Keep the names of the layers that run."""
    handles = []
    for name, layer in module.named_modules():
        if not name or isinstance(layer, torch.jit.ScriptModule):
            continue

        def begin(_layer: nn.Module, _inputs: Any, name: str = name) -> None:
            mode.running.append(name)

        def end(_layer: nn.Module, _inputs: Any, output: Any, name: str = name) -> None:
            mode.running.pop()
            mode.put_out(name, output)

        handles += [layer.register_forward_pre_hook(begin), layer.register_forward_hook(end)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _called(step: str, args: Sequence[Any]) -> str:
    if step == "hardtanh" and args[1:3] in ((0, 6), (0.0, 6.0)):
        return "relu6"
    return _ACTIVATIONS[step]


def _multiply_adds(step: str, args: Sequence[Any], result: Tensor) -> int:
    """Count the products that are summed up in a step, of a convolution or of matrices."""
    if step in ("convolution", "_convolution", "mkldnn_convolution"):
        weight, transposed = args[1], args[6]
        if transposed:  # each input goes into a window of outputs
            return int(args[0].numel() * math.prod(weight.shape[1:]))
        return int(result.numel() * math.prod(weight.shape[1:]))
    if step in ("mm", "bmm", "addmm", "baddbmm"):
        return int(result.numel() * args[step in ("addmm", "baddbmm")].shape[-1])
    if step == "linear":
        return int(result.numel() * args[1].shape[-1])
    if step.startswith("_scaled_dot_product"):
        query, key, value = args[:3]
        rows = query.numel() // query.shape[-1]
        return int(rows * key.shape[-2] * (query.shape[-1] + value.shape[-1]))
    return 0
