"""Which arguments of an architecture a file may decide: plain values, of its own constructor.

A checkpoint, the `config.json` beside it and the `run.json` of a run are data that may come from
anybody. `timm.create_model` takes the address of a file to fetch, and the folder to write it to,
from the same arguments as the size of a patch: only such as the latter are taken from a file.
"""

import inspect
import re
from collections.abc import Mapping
from typing import Any, Final

from errlens.errors import BadCheckpoint, shortened
from errlens.model.networks.architecture import Architecture
from errlens.model.networks.parameters import Parameters, accepted_parameters
from errlens.model.weights.plain_values import (
    LARGEST_IMAGE,
    LARGEST_NUMBER,
    is_plain,
    numbers,
    shown_value,
)

_OF_BUILDERS: Final = ("bn_eps", "bn_momentum")  # timm's builders take them for the constructors
# What loads, fetches, writes or places something, should a constructor ever have it.
_NEVER: Final = re.compile(
    r"(?!pretrained_window_sizes$)pretrained.*|(.*_)?(file|filename|path|url|dir|cache)|hf_hub.*|"
    r"weights|state_dict|device|dtype|scriptable|exportable|no_jit|pruned|features_only"
)
_BY_NAME: Final = re.compile(r"(.*_)?(layers?|fn|cls|func|mixers?|blocks?)(_.*)?")


def recorded_arguments(
    recorded: Mapping[str, Any], architecture: Architecture, *, origin: str, hint: str = ""
) -> dict[str, Any]:
    """Return the arguments that a file records for an architecture, if all are harmless.

    Args:
        recorded: Arguments by name, as they were read.
        architecture: What takes them.
        origin: The file that holds them, for messages.
        hint: What to do about it, if not to say the same by `--model-kwargs`.

    Raises:
        BadCheckpoint: One is not the constructor's, or no plain value of ordinary size.
    """
    takes = (
        accepted_parameters(architecture.create, by_user=architecture.by_user) if recorded else {}
    )
    for name, value in recorded.items():
        reason = _refusal(name, value, takes)
        if reason:
            if not hint and isinstance(name, str) and name.isidentifier() and len(name) < 60:
                hint = f"where you know what it does, say it yourself: --model-kwargs {name}=VALUE"
            raise BadCheckpoint(
                f"{origin} records {shortened(str(name), most=60)}={shown_value(value)} for "
                f"{architecture.name}, which no file may decide: {reason}",
                hint=hint,
            )
    return dict(recorded)


def _refusal(name: object, value: object, takes: Parameters) -> str:
    """Say why a recorded argument is not used; nothing if it is."""
    if not isinstance(name, str) or _NEVER.fullmatch(name):
        return "it says where something is loaded from, or how"
    if name not in {*takes, *_OF_BUILDERS} and "**" not in takes:
        return "it is none of its constructor's"
    by_name = isinstance(value, str) and _BY_NAME.fullmatch(name)
    if by_name or (value is not None and _is_callable(takes.get(name))):
        return "it stands for a function or a class"
    if not is_plain(value):
        return "it is no number, truth value, short text or list of them"
    if name in ("img_size", "image_size", "input_size") and not all(
        number <= LARGEST_IMAGE for number in numbers(value)
    ):
        return f"images have at most {LARGEST_IMAGE} pixels a side"
    if sum(map(abs, numbers(value))) > LARGEST_NUMBER:
        return f"it goes beyond {LARGEST_NUMBER:,}"
    return ""


def _is_callable(parameter: inspect.Parameter | None) -> bool:
    """Tell whether a function or a class is what belongs into a parameter."""
    if parameter is None or parameter.kind is parameter.VAR_KEYWORD:
        return False
    if parameter.default is not parameter.empty and callable(parameter.default):
        return True
    kinds = str(parameter.annotation)
    return "Callable" in kinds or "Type[" in kinds or "Module" in kinds
