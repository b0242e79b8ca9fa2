"""Find out from its tensors which of timm's architectures a checkpoint is for."""

import csv
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from operator import itemgetter
from typing import Any, Final, NamedTuple

import timm
import timm.models
import torch

from errlens.errors import UnfitOption, some
from errlens.model.weights.checkpoints import Checkpoint, StateDict

INDEX: Final = "timm_architectures.csv"
MOST_DIFFERENT: Final = 2  # tensors more or fewer than the nearest architecture has
LEAST_SHARED: Final = 0.8


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
        else "add --model NAME, torchvision:NAME or, for a network of your own, "
        "package.module:function",
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
        for known in _fingerprints():
            if abs(int(known.tensors) - len(part)) <= MOST_DIFFERENT:
                own = {(name, tuple(tensor.shape)) for name, tensor in _state(known.model).items()}
                shared = len(own & shapes) / len(own | shapes)
                best = max(best, (shared, known.model), key=itemgetter(0))
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
    known = _fingerprints()
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
    return hashlib.sha256("\n".join(lines).encode(errors="surrogatepass")).hexdigest()[:16]


@cache
def _fingerprints() -> list[Fingerprint]:
    """Return the fingerprint of every architecture of the installed timm.

    Building all of them takes minutes, so those of the timm of a release are kept with it; a
    newer timm adds few.
    """
    text = resources.files("errlens.model.weights").joinpath(INDEX).read_text(encoding="utf-8")
    known = [Fingerprint(*row) for row in csv.reader(text.splitlines())]
    listed = set(timm.list_models())
    new = sorted(listed - {entry.model for entry in known})
    return [entry for entry in known if entry.model in listed] + [*map(fingerprint, new)]
