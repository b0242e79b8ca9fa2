"""What lies in a checkpoint in place of a network's weights, told by the names of its tensors."""

import re
from typing import Final

import torch

from errlens.errors import BadCheckpoint, some
from errlens.model.weights.checkpoints import Checkpoint

_ADAPTER: Final = re.compile(
    r"(^|.*\.)(lora_|ia3_|hada_|oft_|vera_lambda)\w*(\..*)?", re.IGNORECASE
)
# What torch, bitsandbytes, GPTQ, AWQ and torchao call what goes with rounded weights.
_ROUNDED: Final = re.compile(
    r".*(_packed_params|\.(SCB|absmax|quant_map|quant_state.*|qweight|qzeros|scales|weight_scale|"
    r"zero_point|weight_fake_quant.*|activation_post_process.*))(\..*)?"
)
_TRANSFORMERS: Final = re.compile(r"(\w+\.)?(encoder|embeddings|layernorm|pooler)\..*")


def refuse_substitutes(checkpoint: Checkpoint) -> None:
    """Refuse adapters, rounded weights and a head without its body, with what to do about each.

    Raises:
        BadCheckpoint: It is one of these.
    """
    names = list(checkpoint.state)
    what = f"checkpoint {str(checkpoint.path)!r}"
    adapters = [name for name in names if _ADAPTER.fullmatch(name)]
    if adapters:
        whole = "" if len(adapters) < len(names) else ", and not the network they change"
        raise BadCheckpoint(
            f"{what} holds adapters (LoRA or the like){whole}: {some(adapters, most=2)}",
            hint="merge them into the network where it was trained, and save that: "
            "model = model.merge_and_unload(); torch.save(model.state_dict(), PATH)",
        )
    rounded = [name for name in names if _ROUNDED.fullmatch(name)]
    rounded += [name for name in names if _is_rounded_weight(name, checkpoint.state[name])]
    if rounded:
        raise BadCheckpoint(
            f"{what} is quantised: {some(rounded, most=2)}",
            hint="evaluate the weights it was made from",
        )
    matrices = [name for name in names if checkpoint.state[name].ndim == 2]
    layers = {name.rpartition(".")[0] for name in names}
    if len(layers) == 1 and len(names) <= 2 and len(matrices) == 1:
        classes, features = checkpoint.state[matrices[0]].shape
        raise BadCheckpoint(
            f"{what} holds a head alone ({matrices[0]}: {classes} outputs of {features} features), "
            "without the network that makes its features",
            hint="save both together: torch.save(model.state_dict(), PATH)",
        )


def _is_rounded_weight(name: str, tensor: torch.Tensor) -> bool:
    """Tell whether a matrix is of whole numbers; indices, counters and masks are often, too."""
    whole = tensor.dtype in (torch.int8, torch.uint8) or tensor.is_quantized
    return whole and tensor.ndim >= 2 and name.endswith("weight")


def is_of_transformers(checkpoint: Checkpoint) -> bool:
    """Tell whether the names of most tensors are those of Hugging Face's transformers."""
    theirs = sum(bool(_TRANSFORMERS.fullmatch(name)) for name in checkpoint.state)
    return 2 * theirs > len(checkpoint.state)
