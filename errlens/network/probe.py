"""A linear probe: what the features of a frozen network tell of classes it was not made for."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn

from errlens.analysis.accuracy.metrics import Proportion
from errlens.analysis.probing.classifier import STRENGTHS, USUAL_STRENGTH, fit_linear, held_out
from errlens.analysis.statistics.intervals import wilson_interval
from errlens.classes.names import ClassNames
from errlens.data.photos.preprocess import Preprocessing
from errlens.errors import IncompatibleCheckpoint, NoImages, UnfitModel, UnfitOption, some
from errlens.formats import counted
from errlens.model.classifier import Classifier
from errlens.model.networks.sources import find_architecture
from errlens.model.weights import fitted_photos
from errlens.model.weights.files import CONFIG_KEY, metadata_config
from errlens.model.weights.fitting import apply_checkpoint
from errlens.network.features import ImageFeatures
from errlens.run.disk import atomically, written_to

MOST_FOLDS: Final = 5
LEAST_TO_CHOOSE: Final = 5  # images of each class

_MADE_BY: Final = "errlens network probe"


class Head(NamedTuple):
    """A linear layer, and how well it does.

    `weight` has shape (classes, features), `bias` (classes,). `held_out` is the accuracy on images
    that the head of each of `folds` parts was not fitted to, None where a class has one image.
    `chosen` says that the `strength` (scikit-learn's C) was chosen by these same parts.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    strength: float
    chosen: bool
    train: Proportion
    held_out: Proportion | None
    folds: int


def fit_head(
    features: NDArray[np.floating], label: NDArray[np.integer], classes: ClassNames, *, seed: int
) -> Head:
    """Fit a multinomial logistic regression to features of shape (n, features).

    Features are standardised, and the head made to take them as they come. Where every class has
    five images, cross-validation chooses how much large weights are punished: the strength that
    gets most right, the strongest punishment of those that tie. Else it is the usual one.

    Args:
        features: What the last layer is fed.
        label: The class of each image, shape (n,).
        classes: The classes; each must have an image.
        seed: Decides the folds.

    Raises:
        NoImages: A class has none.
    """
    counts = np.bincount(label, minlength=len(classes))
    if not counts.all():
        empty = [classes[index] for index in np.flatnonzero(counts == 0).tolist()]
        raise NoImages(f"no image to fit a head to: {some(empty)}")
    folds = min(MOST_FOLDS, int(counts.min()))
    chosen = folds >= LEAST_TO_CHOOSE
    hits = {
        strength: int(
            np.sum(held_out(features, label, folds=folds, seed=seed, strengths=[strength]) == label)
        )
        for strength in (STRENGTHS if chosen else (USUAL_STRENGTH,))
        if folds > 1
    }
    strength = max(hits, key=hits.__getitem__) if hits else USUAL_STRENGTH
    weight, bias = fit_linear(features, label, strength=strength)
    right = int(np.sum((features @ weight.T + bias).argmax(axis=1) == label))
    return Head(
        weight.astype(np.float32),
        bias.astype(np.float32),
        strength,
        chosen,
        _proportion(right, len(label)),
        _proportion(hits[strength], len(label)) if hits else None,
        folds if hits else 0,
    )


def require_linear_head(classifier: Classifier, images: ImageFeatures) -> nn.Linear:
    """Return the layer that makes the outputs of the features, and nothing else does.

    Raises:
        UnfitModel: The network does not end in such a layer.
    """
    name = classifier.network.name
    head = classifier.network.module.get_submodule(classifier.interface.head or "")
    if not isinstance(head, nn.Linear):
        raise UnfitModel(
            f"the outputs of {name} come from a {type(head).__name__}, not a linear layer"
        )
    if head.bias is None:
        raise UnfitModel(f"the last layer of {name} has no bias: a fitted head has no place in it")
    if images.features.shape[1] != head.in_features:
        raise UnfitModel(f"the last layer of {name} is fed more than one vector an image")
    with torch.inference_mode():
        fed = torch.from_numpy(images.features[:8]).to(head.weight)
        again = classifier.reading.of_values(head(fed).float()).cpu().numpy()
    if not np.allclose(again, images.logits[:8], rtol=1e-3, atol=1e-3):
        raise UnfitModel(f"{name} does more with the outputs of its last layer than to return them")
    return head


def with_head(classifier: Classifier, head: Head) -> dict[str, Tensor]:
    """Return the weights of a network with another last layer.

    Raises:
        UnfitModel: The architecture with this number of outputs differs in more than that layer.
    """
    network, layer = classifier.network, classifier.interface.head
    state = {name: tensor.cpu() for name, tensor in network.module.state_dict().items()}
    dtype = state[f"{layer}.weight"].dtype
    state[f"{layer}.weight"] = torch.from_numpy(head.weight).to(dtype)
    state[f"{layer}.bias"] = torch.from_numpy(head.bias).to(dtype)
    architecture = find_architecture(network.name)
    built = architecture.build(architecture.create, network.arguments, len(head.bias))
    try:
        apply_checkpoint(built, state, path=Path(), model=network.name)
    except IncompatibleCheckpoint as error:
        raise UnfitModel(
            f"{network.name} with {counted(len(head.bias), 'output')} differs in more than its "
            f"last layer "
            f"{layer}: {some([*error.missing, *error.unexpected, *error.misshaped])}"
        ) from error
    return state


def check_target(path: Path, *, source: Path | None) -> None:
    """Refuse to write a head where something else would be lost.

    Args:
        path: Where it is to go.
        source: The checkpoint of the body.

    Raises:
        UnfitOption: It is not called .safetensors, or this command did not write what is there.
    """
    if path.suffix.lower() != ".safetensors":
        raise UnfitOption(f"--save-head {str(path)!r} must end in .safetensors")
    if not path.exists():
        return
    is_source = source is not None and source.exists() and path.samefile(source)
    if is_source or path.is_dir() or metadata_config(path).get("made_by") != _MADE_BY:
        raise UnfitOption(
            f"--save-head {str(path)!r} exists and was not made by {_MADE_BY}",
            hint="choose another name, or move it away",
        )


def save_head(
    path: Path,
    state: dict[str, Tensor],
    classifier: Classifier,
    classes: ClassNames,
    *,
    content_hashes: Iterable[bytes] = (),
) -> None:
    """Write a checkpoint that says what it is: architecture, preprocessing and class names.

    The file appears whole or not at all. Of the `content_hashes` of the photos fitted to, it keeps
    a sample.

    Raises:
        OutOfReach: It cannot be written.
    """
    network, preparation = classifier.network, classifier.preparation
    config: dict[str, Any] = {
        "made_by": _MADE_BY,
        "architecture": network.name,
        "model_args": dict(network.arguments),
        "num_classes": len(classes),
        "label_names": list(classes.names),
        fitted_photos.KEY: fitted_photos.sampled(content_hashes),
    }
    if isinstance(preparation, Preprocessing):
        settings = preparation.as_dict()
        size = settings.pop("img_size")
        kept = ("crop_pct", "crop_mode", "interpolation", "mean", "std")
        config["pretrained_cfg"] = {
            "input_size": [len(preparation.mean), *size],
            **{key: settings[key] for key in kept},
        }
    metadata = {"format": "pt", CONFIG_KEY: json.dumps(config, ensure_ascii=False, sort_keys=True)}
    tensors = {name: tensor.contiguous() for name, tensor in state.items()}
    with written_to(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with atomically(path, folder=path.parent) as temporary:
        save_file(tensors, temporary, metadata)


def _proportion(hits: int, n: int) -> Proportion:
    low, high = wilson_interval(hits, n)
    return Proportion(hits / n, float(low), float(high), n)
