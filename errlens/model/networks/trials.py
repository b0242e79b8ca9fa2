"""Try an architecture on a checkpoint: does it fit, and with which arguments?

What is found out is never guessed: it follows from a name or a shape, and the network built with it
has been compared with the weights.
"""

import math
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from torch import nn

from errlens.errors import UnfitModel
from errlens.model.networks.architecture import Architecture
from errlens.model.networks.building import blueprint, last_linear
from errlens.model.networks.sources import find_architecture, size_argument
from errlens.model.weights.checkpoints import Checkpoint, StateDict
from errlens.model.weights.fitting import (
    Difference,
    compare,
    count_outputs,
    find_prefix,
    matching_part,
)

_MOST_ROUNDS: Final = 4  # one argument may show only when another is right
_MANY: Final = 20  # tensors whose shapes agree hardly by chance
_SIZES: Final = (32, 64, 96, 112, 128, 160, 192, 224, 240, 256, 288, 320, 384, 448, 512)  # pixels
_OF_PLACES: Final = re.compile(r"(.*\.)?(\w*pos_\w+|pos\w*|rel_\w+|relative_\w+|attn_mask)(\..*)?")
_BLOCK: Final = re.compile(r"blocks\.(\d+)\.")
# What a tensor that only one of both has, tells of a transformer: its name there, and the argument.
_UNEXPECTED: Final[Mapping[str, tuple[str, Any]]] = {
    "blocks.0.ls1.gamma": ("init_values", 1e-5),
    "blocks.0.attn.q_norm.weight": ("qk_norm", True),
    "norm_pre.weight": ("pre_norm", True),
    "fc_norm.weight": ("global_pool", "avg"),
}
_MISSING: Final[Mapping[str, tuple[str, Any]]] = {
    "blocks.0.attn.qkv.bias": ("qkv_bias", False),
    "cls_token": ("class_token", False),
    "reg_token": ("reg_tokens", 0),
}


class Trial(NamedTuple):
    """An architecture that was compared with a checkpoint.

    `arguments` are those found out, beside the ones that were given; `heads` the names of its
    classifier layers, `state` the weights without their prefix, and `difference` what is left.
    """

    name: str
    arguments: Mapping[str, Any]
    heads: tuple[str, ...]
    own: StateDict
    state: StateDict
    difference: Difference

    @property
    def fits(self) -> bool:
        """Whether the weights are those of the network, by all names and shapes."""
        return not any(self.difference)

    @property
    def fits_but_for_head(self) -> bool:
        """Whether all but the classifier is there, which is not."""
        missing, _, misshaped = self.difference
        return bool(missing) and not misshaped and all(map(self.is_of_head, missing))

    @property
    def only_holds_more(self) -> bool:
        """Whether all of the network is there, and something besides."""
        missing, unexpected, misshaped = self.difference
        return bool(unexpected) and not (missing or misshaped)

    @property
    def told(self) -> str:
        """The arguments found out, in words."""
        return ", ".join(f"{key}={value}" for key, value in self.arguments.items())

    @property
    def options(self) -> str:
        """The arguments found out, as they are typed."""
        size = self.arguments.get("img_size")
        by_option = size_argument(self.name, size)  # else it only says how large images become
        words = [
            f"--model-kwargs {key}={value}"
            for key, value in self.arguments.items()
            if key not in by_option
        ]
        return " ".join([*words, f"--img-size {size}"] if size else words)

    def is_of_head(self, name: str) -> bool:
        """Tell whether a tensor lies in a classifier layer."""
        return name.startswith(tuple(f"{head}." for head in self.heads))

    def rest(self, checkpoint: Checkpoint) -> list[str]:
        """Return the names in a checkpoint that are not of the network without its classifier."""
        body = [name for name in self.own if not self.is_of_head(name)]
        prefix, _ = find_prefix(checkpoint, body)
        inside = {prefix + name for name in body}
        return [name for name in checkpoint.state if name not in inside]

    def in_other_words(self, checkpoint: Checkpoint) -> int | None:
        """Return the number of outputs where a checkpoint has these tensors under other names.

        Their shapes must be those of the network in the same order, the number of outputs aside.
        """
        own, theirs = list(self.own), list(checkpoint.state.values())
        if len(own) != len(theirs) or len(own) < _MANY:
            return None
        outputs = set()
        for name, tensor in zip(own, theirs, strict=True):
            free = int(self.is_of_head(name))  # the first dimension is the number of outputs
            if self.own[name].shape[free:] != tensor.shape[free:]:
                return None
            outputs |= {int(size) for size in tensor.shape[:free]}
        return outputs.pop() if len(outputs) == 1 else None

    def other_head(self, checkpoint: Checkpoint) -> str | None:
        """Name the layer that can only be the classifier: all that is there beside the body.

        It is linear, has a bias, and takes as many features as the network gives.
        """
        rest = self.rest(checkpoint)
        layer = rest[0].rpartition(".")[0] if rest else ""
        if len(self.heads) > 1 or {*rest} != {f"{layer}.weight", f"{layer}.bias"}:
            return None
        weight, bias = (checkpoint.state[f"{layer}.{kind}"] for kind in ("weight", "bias"))
        own = self.own.get(f"{self.heads[0]}.weight")
        fits = own is not None and own.ndim == weight.ndim == 2 and own.shape[1] == weight.shape[1]
        return layer if fits and bias.shape == weight.shape[:1] else None


def try_out(checkpoint: Checkpoint, name: str, given: Mapping[str, Any]) -> Trial | None:
    """Compare an architecture with a checkpoint; find out what arguments its tensors ask for.

    Args:
        checkpoint: The weights.
        name: The architecture.
        given: Arguments that are known; one that the tensors contradict is replaced.

    Returns:
        The last comparison; None where the architecture refuses the arguments given.

    Raises:
        BadCheckpoint: Several prefixes hold all tensors of the network.
    """
    architecture = find_architecture(name)
    trial = None
    try:
        module, trial = _compared(architecture, checkpoint, given, {})
        for _ in range(_MOST_ROUNDS):
            if trial.fits or architecture.by_user:
                break
            found = {**trial.arguments, **_asked_for(module, trial)}
            if found == trial.arguments:
                return _with_size(architecture, checkpoint, given, trial) or trial
            module, trial = _compared(architecture, checkpoint, given, found)
    except UnfitModel:
        pass  # it takes no such argument: what was compared before is left
    return trial


def _compared(
    architecture: Architecture,
    checkpoint: Checkpoint,
    given: Mapping[str, Any],
    found: Mapping[str, Any],
) -> tuple[nn.Module, Trial]:
    head = architecture.head
    arguments = {**given, **found}
    outputs = count_outputs(checkpoint.state, head) if head else None
    module = blueprint(architecture, arguments, outputs, checkpoint)
    if head is None:
        head = last_linear(module)
        if outputs := count_outputs(checkpoint.state, head):
            module = blueprint(architecture, arguments, outputs, checkpoint)
    own = module.state_dict()
    heads = (head, *architecture.further_heads)
    prefixes = tuple(f"{layer}." for layer in heads)
    state = matching_part(checkpoint, list(own))
    if compare(own, state).missing:  # it may lie under another prefix than the head, or have none
        body = [name for name in own if not name.startswith(prefixes)]
        inside = matching_part(checkpoint, body)
        state = inside if set(body) <= inside.keys() else state
    return module, Trial(architecture.name, found, heads, own, state, compare(own, state))


def _asked_for(module: nn.Module, trial: Trial) -> dict[str, Any]:
    """Return the arguments that the tensors tell, as far as they do without the image size."""
    own, state = trial.own, trial.state
    missing, unexpected, misshaped = trial.difference
    found = {
        _UNEXPECTED[name][0]: _UNEXPECTED[name][1] for name in unexpected if name in _UNEXPECTED
    }
    found |= {_MISSING[name][0]: _MISSING[name][1] for name in missing if name in _MISSING}
    if "class_token" in found and "pool" not in "".join(found):
        found["global_pool"] = "avg"
    if "reg_token" in unexpected:
        found["reg_tokens"] = int(state["reg_token"].shape[1])
    depths = [_depth(tensors) for tensors in (own, state)]
    if depths[0] != depths[1] and all(depths) and depths[1] <= len(state):  # names may say anything
        found["depth"] = depths[1]
    first = next((name for name, tensor in own.items() if tensor.ndim == 4), "")
    is_it = 2 * len(missing) < len(own)  # else a name may agree by chance
    if is_it and first in misshaped and state[first].ndim == 4:
        ours, theirs = own[first].shape, state[first].shape
        if ours[1] != theirs[1] and ours[0] == theirs[0]:
            found["in_chans"] = int(theirs[1])
        if "patch_embed." in first and ours[2:] != theirs[2:] and theirs[2] == theirs[3]:
            found["patch_size"] = int(theirs[2])
    return found or _size_told(module, trial)


def _size_told(module: nn.Module, trial: Trial) -> dict[str, int]:
    """Return the image size that positions tell once nothing else differs; a square is taken."""
    patches: Any = getattr(module, "patch_embed", None)
    if [name for name in trial.difference.misshaped if not trial.is_of_head(name)] != ["pos_embed"]:
        return {}
    ours, theirs = trial.own["pos_embed"].shape, trial.state["pos_embed"].shape
    grid = getattr(patches, "grid_size", None)
    if not grid or len(theirs) != 3 or ours[2] != theirs[2]:
        return {}
    side = math.isqrt(max(0, theirs[1] - (ours[1] - math.prod(grid))))
    return {"img_size": side * patches.patch_size[0]}


def _with_size(
    architecture: Architecture, checkpoint: Checkpoint, given: Mapping[str, Any], trial: Trial
) -> Trial | None:
    """Return the trial with the image size that makes it fit, where only places differ."""
    misshaped = [name for name in trial.difference.misshaped if not trial.is_of_head(name)]
    if not misshaped or not all(map(_OF_PLACES.fullmatch, misshaped)):
        return None
    for size in _SIZES:
        try:
            found = {**trial.arguments, "img_size": size}
            sized = _compared(architecture, checkpoint, given, found)[1]
        except UnfitModel:
            continue
        if sized.fits or sized.fits_but_for_head:
            return sized
    return None


def _depth(tensors: StateDict) -> int:
    """Return how many blocks a transformer has, if it has such."""
    return max((int(block[1]) + 1 for block in map(_BLOCK.match, tensors) if block), default=0)
