"""From what the user says about a model to a classifier."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from errlens.classes.names import ClassNames
from errlens.data.labels import choose_classes
from errlens.errors import UnfitModel
from errlens.model.classifier import Classifier, choose_device
from errlens.model.names import carried_names
from errlens.model.networks.loading import HeadSpec, Network, bare_network, load_network
from errlens.model.networks.sources import size_argument
from errlens.model.outputs.dry_run import dry_run
from errlens.model.outputs.locating import SCORES_WANTED
from errlens.model.preparation import load_transform, resolve_preprocessing


@dataclass(frozen=True)
class ModelSpec:
    """What the user says about a model; see `load_network` and `resolve_preprocessing`.

    Without a checkpoint, `pretrained` weights are fetched, or the network is left untrained.
    """

    name: str | None = None
    checkpoint: Path | None = None
    use_ema: bool = False
    arguments: Mapping[str, Any] = field(default_factory=dict)
    num_classes: int | None = None
    head: HeadSpec | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    transform: str | None = None
    exif: bool = False
    bgr: bool = False
    scale_16bit: bool = False
    pretrained: bool = True


def load_classifier(
    spec: ModelSpec,
    *,
    given: ClassNames | None = None,
    labels: Sequence[str] = (),
    ordered: ClassNames | None = None,
    device: str = "auto",
) -> Classifier:
    """Load a model, try it once and name its outputs.

    Args:
        spec: The model.
        given: Class names from the user.
        labels: The labels of the data, which name the outputs if nothing else does.
        ordered: The classes of data that have an order of their own.
        device: `auto`, `cpu`, `cuda` or `mps`.

    Raises:
        UnfitModel: It has one output, but there are more or less than two classes.
    """
    place = choose_device(device)
    network = _network(spec)
    preparation = (
        load_transform(spec.transform, exif=spec.exif, scale_16bit=spec.scale_16bit)
        if spec.transform
        else resolve_preprocessing(
            network,
            overrides=spec.overrides,
            exif=spec.exif,
            bgr=spec.bgr,
            scale_16bit=spec.scale_16bit,
        )
    )
    known = len(given or ordered or labels) or None
    interface = dry_run(network, preparation, place, classes=known)
    if interface.reading.single and known not in (None, 2):
        raise UnfitModel(
            f"{network.name} gives one number an image, which tells two classes apart, but there "
            f"are {known}",
            hint="--classes FILE has the names of both"
            if known == 1
            else f"if it is the number of a class, {SCORES_WANTED}",
        )
    carried = carried_names(network, outputs=interface.outputs)
    classes = choose_classes(
        labels, given=given, carried=carried, outputs=interface.outputs, ordered=ordered
    )
    return Classifier(network, preparation, classes, place, interface)


def _network(spec: ModelSpec) -> Network:
    """Load the network of a model, or build it where it need not be trained."""
    img_size = spec.overrides.get("img_size")
    if spec.name and spec.checkpoint is None and not spec.pretrained:
        given = {**size_argument(spec.name, img_size), **spec.arguments}
        return bare_network(spec.name, given, spec.num_classes)
    return load_network(
        spec.name,
        checkpoint=spec.checkpoint,
        arguments=spec.arguments,
        num_classes=spec.num_classes,
        img_size=img_size,
        use_ema=spec.use_ema,
        head=spec.head,
    )
