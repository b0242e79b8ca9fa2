"""Find out which architecture a checkpoint is for: from what it records, else from its tensors."""

import csv
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from operator import itemgetter
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import timm
import timm.models
import torch
import torchvision.models

from errlens.data.preprocess import CROP_MODES, INTERPOLATIONS
from errlens.errors import UnfitOption, some
from errlens.model.checkpoints import Checkpoint, StandIn, StateDict

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

INDEX: Final = "timm_architectures.csv"
MOST_DIFFERENT: Final = 2  # tensors more or fewer than the nearest architecture has
LEAST_SHARED: Final = 0.8


class Training(NamedTuple):
    """What a checkpoint records of its training, as far as it does.

    `models` are names for `load_network`, the likeliest first; `arguments` are those of the
    architecture; `preprocessing` uses timm's names; `class_names` are in output order.
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


class Hashes(NamedTuple):
    """Hashes of the names of a network's tensors, and of names and shapes."""

    names: str
    shapes: str


class Fingerprint(NamedTuple):
    """A timm architecture by its tensors, less those of its classifier."""

    model: str
    classifier: str  # the names of the classifier layers, joined by a space
    names: str
    shapes: str
    tensors: str  # how many, its classifier included


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
        arguments=next((one for one in values["arguments"] if isinstance(one, dict)), {}),
        preprocessing={
            key: value
            for level in reversed(levels)
            for key, value in level.items()
            if key in _IS_SETTING and _IS_SETTING[key](value)
        },
        class_names=next(filter(None, map(_class_names, values["classes"])), None),
    )


def choose_architecture(checkpoint: Checkpoint) -> str:
    """Return the one timm architecture that has the tensors of a checkpoint.

    Raises:
        UnfitOption: There are several, or none.
    """
    fitting = fitting_architectures(checkpoint)
    if len(fitting) == 1:
        return fitting[0]
    what = f"{checkpoint.path.name} does not say its architecture, and its tensors fit"
    if fitting:
        raise UnfitOption(
            f"{what} {len(fitting)} of timm's: {some(fitting, most=10)}",
            hint=f"add --model {fitting[0]}, or whichever was trained",
        )
    similar = similar_architectures(checkpoint)
    if similar:
        raise UnfitOption(
            f"{what} none of timm's; by name, but not by shape, {some(similar)}",
            hint=f"add --model {similar[0]} with the --model-kwargs of the training",
        )
    nearest = nearest_architecture(checkpoint)
    raise UnfitOption(
        f"{what} none of timm's" + (f"; nearest is {nearest!r}" if nearest else ""),
        hint=f"add --model {nearest} to see what differs"
        if nearest
        else "add --model NAME; for a network of your own, --model package.module:function",
    )


def fitting_architectures(checkpoint: Checkpoint) -> list[str]:
    """Return timm's architectures with exactly these tensors, the size of the classifier aside.

    Those that the file is called after come first, then those with pretrained weights, then the
    shorter name.
    """
    return _look_up(checkpoint, "shapes")


def similar_architectures(checkpoint: Checkpoint) -> list[str]:
    """Return timm's architectures whose tensors have these names, whatever their shapes."""
    return _look_up(checkpoint, "names")


def nearest_architecture(checkpoint: Checkpoint) -> str | None:
    """Return the timm architecture that shares most tensors, if it shares nearly all."""
    best: tuple[float, str | None] = (LEAST_SHARED, None)
    for part in _parts(checkpoint.state):
        shapes = {(name, tuple(tensor.shape)) for name, tensor in part.items()}
        for one in _fingerprints():
            if abs(int(one.tensors) - len(part)) <= MOST_DIFFERENT:
                own = {(name, tuple(tensor.shape)) for name, tensor in _state(one.model).items()}
                best = max(
                    best, (len(own & shapes) / len(own | shapes), one.model), key=itemgetter(0)
                )
    return best[1]


def fingerprint(model: str) -> Fingerprint:
    """Return the fingerprint of a timm architecture; no memory is taken for its weights."""
    state = _state(model)
    config = timm.models.get_pretrained_cfg(model)
    layers: Any = (config.classifier if config else None) or ()
    classifier = " ".join([layers] if isinstance(layers, str) else layers)
    return Fingerprint(model, classifier, *_hashes(state, classifier), str(len(state)))


def _state(model: str) -> StateDict:
    with torch.device("meta"):
        state: StateDict = timm.create_model(model).state_dict()
    return state


def _look_up(checkpoint: Checkpoint, kind: str) -> list[str]:
    """Return the architectures that agree with a checkpoint in one kind of hash."""
    file = checkpoint.path.name
    for part in _parts(checkpoint.state):
        known = _fingerprints()
        hashes = {layer: _hashes(part, layer) for layer in {one.classifier for one in known}}
        found = [
            one.model
            for one in known
            if getattr(one, kind) == getattr(hashes[one.classifier], kind)
        ]
        if found:
            return sorted(
                found,
                key=lambda name: (
                    -len(name) if name in file else 0,
                    not timm.models.is_model_pretrained(name),
                    len(name),
                    name,
                ),
            )
    return []


def _parts(state: StateDict) -> Iterator[StateDict]:
    """Yield a state dict, then the larger part of it without its prefix, as often as it has one."""
    while state:
        yield state
        prefix, count = Counter(name.partition(".")[0] for name in state).most_common(1)[0]
        if 2 * count < len(state):
            return
        state = {
            name.partition(".")[2]: tensor
            for name, tensor in state.items()
            if name.startswith(f"{prefix}.")
        }


def _hashes(state: StateDict, classifier: str) -> Hashes:
    """Return the hash of all names, and of all names and shapes, less the classifier's."""
    own = tuple(f"{layer}." for layer in classifier.split())
    body = sorted(
        (name, tuple(tensor.shape)) for name, tensor in state.items() if not name.startswith(own)
    )
    return Hashes(_hash(name for name, _ in body), _hash(map(str, body)))


def _hash(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


@cache
def _fingerprints() -> list[Fingerprint]:
    """Return the fingerprint of every architecture of the installed timm.

    Building all of them takes minutes, so those of the timm of a release are kept with it; a
    newer timm adds few.
    """
    text = resources.files("errlens.model").joinpath(INDEX).read_text(encoding="utf-8")
    known = [Fingerprint(*row) for row in csv.reader(text.splitlines())]
    listed = set(timm.list_models())
    new = sorted(listed - {one.model for one in known})
    return [one for one in known if one.model in listed] + [fingerprint(name) for name in new]


def _levels(recorded: Mapping[str, Any], depth: int = 0) -> Iterator[dict[str, Any]]:
    """Yield what is recorded, and the settings inside of it."""
    yield dict(recorded)
    for key in _SETTINGS:
        inner = recorded.get(key)
        inner = vars(inner) if isinstance(inner, StandIn) else inner
        if isinstance(inner, Mapping) and depth < 3:
            yield from _levels({str(name): value for name, value in inner.items()}, depth + 1)


def _models_called(name: str) -> Iterator[str]:
    short = name.removeprefix("hf-hub:").removeprefix("hf_hub:").removeprefix("timm/")
    if timm.models.is_model(short):
        yield short
    if short in torchvision.models.list_models(module=torchvision.models):
        yield f"torchvision:{short}"


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
            (index, name) if str(index).isdecimal() else (name, index)
            for index, name in value.items()
        ]
        if not all(str(index).isdecimal() for index, _ in pairs):
            return None
        value = [name for _, name in sorted((int(index), name) for index, name in pairs)]
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) for name in value):
        return None
    is_placeholder = all(re.fullmatch(r"LABEL_\d+", name) for name in value)  # transformers' own
    return None if is_placeholder else tuple(value)


def _is_sizes(value: object) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) == 3
        and all(isinstance(v, int) for v in value)
    )


def _is_colours(value: object) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) == 3
        and all(isinstance(v, int | float) and 0 <= v <= 1 for v in value)
    )


# What a recorded value must be to be taken for timm's setting of that name.
_IS_SETTING: Final[dict[str, Any]] = {
    "input_size": _is_sizes,
    "img_size": lambda value: isinstance(value, int) and value > 0,
    "crop_pct": lambda value: isinstance(value, float) and 0 < value <= 1,
    "crop_mode": lambda value: value in CROP_MODES,
    "interpolation": lambda value: value in INTERPOLATIONS,
    "mean": _is_colours,
    "std": lambda value: _is_colours(value) and all(value),
}
