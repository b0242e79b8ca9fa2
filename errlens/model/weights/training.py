"""What a checkpoint records of the training it comes from, whichever script wrote it."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import timm
import timm.models
import torchvision.models

from errlens.data.photos.preprocess import CROP_MODES, INTERPOLATIONS
from errlens.errors import BadCheckpoint
from errlens.model.weights.checkpoints import Checkpoint
from errlens.model.weights.files import InertObject
from errlens.model.weights.plain_values import LARGEST_IMAGE, shown_value

# What training scripts call the architecture, its arguments, the classes, and where these lie.
_MODEL_KEYS: Final = ("architecture", "arch", "model_name", "model", "backbone")
_ARGUMENT_KEYS: Final = ("model_kwargs", "model_args")
_CLASS_KEYS: Final = (
    "label_names", "class_names", "classes", "CLASSES", "class_to_idx", "idx_to_class", "id2label",
)  # fmt: skip
_SETTINGS: Final = (
    "args", "hyper_parameters", "hparams", "config", "cfg", "pretrained_cfg",
    "meta", "dataset_meta",
)  # fmt: skip


LEAST_CROP: Final = 0.2  # of the resized image; with less, photos would be enlarged enormously
_LONGEST_NAME: Final = 300  # characters of an architecture or a class


class Training(NamedTuple):
    """What a checkpoint records of its training, as far as it does.

    `models` are names of timm's and torchvision's architectures, the likeliest first: nothing that
    is fetched, imported or opened. `arguments` are still to be checked by `recorded_arguments`;
    `preprocessing` uses timm's names; `class_names` are in output order.
    """

    models: tuple[str, ...] = ()
    arguments: Mapping[str, Any] = MappingProxyType({})
    preprocessing: Mapping[str, Any] = MappingProxyType({})
    class_names: tuple[str, ...] | None = None

    @property
    def img_size(self) -> int | None:
        """The image size in pixels, where it is one number."""
        size: int | None = self.preprocessing.get("img_size")
        return size or self.preprocessing.get("input_size", (None,))[-1]

    def refuse_large_images(self, origin: str) -> None:
        """Refuse images so large, or enlarged so much, that no memory would hold them.

        Raises:
            BadCheckpoint: The preprocessing says so, which `origin` holds.
        """
        for key in ("img_size", "input_size"):
            value = self.preprocessing.get(key, 0)
            if max(value if isinstance(value, list | tuple) else [value]) > LARGEST_IMAGE:
                raise BadCheckpoint(
                    f"{origin} records {key}={shown_value(value)}, and images have at most "
                    f"{LARGEST_IMAGE} pixels a side",
                    hint="--img-size N says it otherwise",
                )


def recorded_training(checkpoint: Checkpoint) -> Training:
    """Return what a checkpoint records beside its weights."""
    levels = list(_levels(checkpoint.recorded))
    values = {
        kind: [level[key] for level in levels for key in keys if key in level]
        for kind, keys in (
            ("models", _MODEL_KEYS),
            ("arguments", _ARGUMENT_KEYS),
            ("classes", _CLASS_KEYS),
        )
    }
    names = [name for name in values["models"] if isinstance(name, str)]
    models = list(dict.fromkeys(model for name in names for model in _models_called(name)))
    if any("val_crop_size" in level for level in levels):  # torchvision's own training script
        models.sort(key=lambda model: not model.startswith("torchvision:"))
    levels = [{**level, **_torchvision_settings(level)} for level in levels]
    return Training(
        models=tuple(models),
        arguments=next((value for value in values["arguments"] if isinstance(value, dict)), {}),
        preprocessing={
            key: value
            for level in reversed(levels)
            for key, value in level.items()
            if key in _IS_SETTING and _IS_SETTING[key](value)
        },
        class_names=next(filter(None, map(_class_names, values["classes"])), None),
    )


def _levels(recorded: Mapping[str, Any], depth: int = 0) -> Iterator[dict[str, Any]]:
    """Yield what is recorded, and the settings inside of it."""
    yield dict(recorded)
    for key in _SETTINGS:
        inner = recorded.get(key)
        inner = vars(inner) if isinstance(inner, InertObject) else inner
        if isinstance(inner, Mapping) and depth < 3:
            own = {name: value for name, value in inner.items() if isinstance(name, str)}
            yield from _levels(own, depth + 1)


def _models_called(name: str) -> Iterator[str]:
    if len(name) > _LONGEST_NAME:
        return
    short = name.removeprefix("hf-hub:").removeprefix("hf_hub:").removeprefix("timm/")
    if timm.models.is_model(short):
        # A newer timm may have trained it once more, and given that a tag of its own.
        yield short if has_tag(short) else short.partition(".")[0]
    short = name.removeprefix("torchvision:")
    if short in torchvision.models.list_models(module=torchvision.models):
        yield f"torchvision:{short}"


def has_tag(name: str) -> bool:
    """Tell whether timm knows an architecture with what follows the dot in its name."""
    tag = name.partition(".")[2]
    return not tag or name in timm.models.list_pretrained(name)


def _torchvision_settings(level: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sizes that torchvision's training script records, in timm's terms."""
    crop, resize = level.get("val_crop_size"), level.get("val_resize_size")
    if not (isinstance(crop, int) and isinstance(resize, int) and 0 < crop <= resize):
        return {}
    return {"img_size": crop, "crop_pct": crop / resize}


def _class_names(value: object) -> tuple[str, ...] | None:
    """Return class names in output order from a list, or a mapping in either direction."""
    if isinstance(value, Mapping):
        pairs = [
            (index, name) if _is_index(index) else (name, index) for index, name in value.items()
        ]
        if not all(_is_index(index) and isinstance(name, str) for index, name in pairs):
            return None
        value = [name for _, name in sorted((int(index), name) for index, name in pairs)]
    if not isinstance(value, list | tuple) or not all(
        isinstance(name, str) and len(name) <= _LONGEST_NAME for name in value
    ):
        return None
    is_placeholder = all(re.fullmatch(r"LABEL_\d+", name) for name in value)  # transformers' own
    return None if is_placeholder else tuple(value)


def _is_index(value: object) -> bool:
    """Tell whether a value is the place of an output, as a number or in decimal digits."""
    if isinstance(value, int):
        return 0 <= value < 10**9
    return isinstance(value, str) and len(value) <= 9 and value.isdecimal()


def _is_sizes(value: object) -> bool:
    return isinstance(value, list | tuple) and len(value) == 3 and all(map(_is_size, value))


def _is_size(value: object) -> bool:
    return type(value) is int and value > 0


def _is_colours(value: object) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) == 3
        and all(isinstance(number, int | float) and 0 <= number <= 1 for number in value)
    )


# What a recorded value must be to be taken for timm's setting of that name.
_IS_SETTING: Final[dict[str, Any]] = {
    "input_size": _is_sizes,
    "img_size": _is_size,
    "crop_pct": lambda value: isinstance(value, float) and LEAST_CROP <= value <= 1,
    "crop_mode": lambda value: isinstance(value, str) and value in CROP_MODES,
    "interpolation": lambda value: isinstance(value, str) and value in INTERPOLATIONS,
    "mean": _is_colours,
    "std": lambda value: _is_colours(value) and all(value),
}
