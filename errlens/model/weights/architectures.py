"""Find out from its tensors which of timm's or torchvision's architectures a checkpoint is for."""

import csv
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import resources
from operator import itemgetter
from typing import Any, Final, NamedTuple

import timm
import timm.models
import torch
import torchvision.models
from torch import nn

from errlens.model.weights.checkpoints import Checkpoint, StateDict

INDEX: Final = "timm_architectures.csv"
TORCHVISION_INDEX: Final = "torchvision_architectures.csv"
TORCHVISION: Final = "torchvision:"
MOST_DIFFERENT: Final = 2  # tensors more or fewer than the nearest architecture has
LEAST_SHARED: Final = 0.8


class Hashes(NamedTuple):
    """Hashes of the names of a network's tensors, and of names and shapes."""

    names: str
    shapes: str


class Fingerprint(NamedTuple):
    """An architecture of timm or torchvision by its tensors, less those of its classifier."""

    model: str
    classifier: str  # the names of the classifier layers, joined by a space
    names: str
    shapes: str
    tensors: str  # how many, its classifier included


def fitting_architectures(checkpoint: Checkpoint) -> list[str]:
    """Return the architectures with exactly these tensors, the size of the classifier aside.

    torchvision's are for those that none of timm's fits. Those that the file is called after come
    first, then those with pretrained weights, then the shorter name.
    """
    return _look_up(checkpoint, "shapes")


def similar_architectures(checkpoint: Checkpoint) -> list[str]:
    """Return the architectures whose tensors have these names, those with most shapes first."""
    names = _look_up(checkpoint, "names")
    shapes = {
        (name, tuple(tensor.shape))
        for part in _parts(checkpoint.state)
        for name, tensor in part.items()
    }

    def shared(model: str) -> int:
        try:
            own = _state(model)
        except NotImplementedError:  # torchvision's regnets reckon with tensors when they are built
            return 0
        return sum((name, tuple(tensor.shape)) in shapes for name, tensor in own.items())

    return sorted(names, key=shared, reverse=True)


def nearest_architecture(checkpoint: Checkpoint) -> str | None:
    """Return the timm architecture that shares most tensors, if it shares nearly all."""
    best: tuple[float, str | None] = (LEAST_SHARED, None)
    for part in _parts(checkpoint.state):
        shapes = {(name, tuple(tensor.shape)) for name, tensor in part.items()}
        for known in _fingerprints_of_timm():
            if abs(int(known.tensors) - len(part)) <= MOST_DIFFERENT:
                own = {(name, tuple(tensor.shape)) for name, tensor in _state(known.model).items()}
                shared = len(own & shapes) / len(own | shapes)
                best = max(best, (shared, known.model), key=itemgetter(0))
    return best[1]


def fingerprint(model: str) -> Fingerprint:
    """Return the fingerprint of an architecture; no memory is taken for its weights."""
    with torch.device("cpu" if model.startswith(TORCHVISION) else "meta"):  # some copy numbers
        module = _built(model)
    state = module.state_dict()
    classifier = " ".join(_classifiers(model, module))
    return Fingerprint(model, classifier, *_hashes(state, classifier), str(len(state)))


def torchvision_names() -> list[str]:
    """Return torchvision's classifiers as they are given to `--model`."""
    names = torchvision.models.list_models(module=torchvision.models)
    return [f"{TORCHVISION}{name}" for name in names]


def _classifiers(model: str, module: nn.Module) -> list[str]:
    if model.startswith(TORCHVISION):
        kinds = (nn.Linear, nn.Conv2d)
        layers = [name for name, layer in module.named_modules() if isinstance(layer, kinds)]
        return layers[-1:]
    config = timm.models.get_pretrained_cfg(model)
    layers_of_timm: Any = (config.classifier if config else None) or ()
    return [layers_of_timm] if isinstance(layers_of_timm, str) else [*layers_of_timm]


def _built(model: str) -> nn.Module:
    if model.startswith(TORCHVISION):
        module: nn.Module = torchvision.models.get_model(
            model.removeprefix(TORCHVISION), weights=None
        )
    else:
        module = timm.create_model(model)
    return module


def _state(model: str) -> StateDict:
    with torch.device("meta"):
        return _built(model).state_dict()


def _look_up(checkpoint: Checkpoint, kind: str) -> list[str]:
    """Return the architectures that agree with a checkpoint in one kind of hash."""
    for known in (_fingerprints_of_timm(), _fingerprints_of_torchvision()):
        if found := _among(known, checkpoint, kind):
            return found
    return []


def _among(known: Sequence[Fingerprint], checkpoint: Checkpoint, kind: str) -> list[str]:
    file = checkpoint.path.name
    most = max(int(entry.tensors) for entry in known)
    for part in _parts(checkpoint.state):
        if len(part) > 2 * most:
            continue
        hashes = {layer: _hashes(part, layer) for layer in {entry.classifier for entry in known}}
        fitting = [
            entry.model
            for entry in known
            if getattr(entry, kind) == getattr(hashes[entry.classifier], kind)
        ]
        if fitting:
            return sorted(
                fitting,
                key=lambda name: (
                    -len(name) if name.removeprefix(TORCHVISION) in file else 0,
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
    return hashlib.sha256("\n".join(lines).encode(errors="surrogatepass")).hexdigest()[:16]


@cache
def _fingerprints_of_timm() -> list[Fingerprint]:
    """Return the fingerprint of every architecture of the installed timm.

    Building all of them takes minutes, so those of the timm of a release are kept with it; a
    newer timm adds few.
    """
    return _kept_and_new(INDEX, timm.list_models())


@cache
def _fingerprints_of_torchvision() -> list[Fingerprint]:
    return _kept_and_new(TORCHVISION_INDEX, torchvision_names())


def _kept_and_new(index: str, listed: Sequence[str]) -> list[Fingerprint]:
    text = resources.files("errlens.model.weights").joinpath(index).read_text(encoding="utf-8")
    known = [Fingerprint(*row) for row in csv.reader(text.splitlines())]
    new = sorted({*listed} - {entry.model for entry in known})
    return [entry for entry in known if entry.model in listed] + [*map(fingerprint, new)]
