"""The classifier of a run, loaded again from what `run.json` says; or an architecture alone."""

from pathlib import Path

from errlens.classes import ClassNames
from errlens.data.loading import Preparation
from errlens.data.preprocess import Preprocessing
from errlens.errors import StaleRun
from errlens.identity import RunInfo
from errlens.model.checkpoints import hash_weights
from errlens.model.classifier import Classifier, choose_device, run_once
from errlens.model.networks import Network, bare_network, load_network
from errlens.model.preparation import load_transform, resolve_preprocessing
from errlens.model.sources import find_architecture


def reload_classifier(info: RunInfo, *, device: str = "auto") -> Classifier:
    """Load the classifier that made a run: same weights, same preprocessing, same names.

    Args:
        info: Of a run with a model, see `RunFolder.require_model`.
        device: `auto`, `cpu`, `cuda` or `mps`.

    Raises:
        StaleRun: What is found under the recorded names has other weights by now.
    """
    settings = info.settings
    checkpoint = Path(info.checkpoint) if info.checkpoint else None
    # Pretrained networks have the outputs that they have.
    told = checkpoint is not None or find_architecture(settings.model).own
    network = load_network(
        settings.model,
        checkpoint=checkpoint,
        arguments=settings.arguments,
        num_classes=len(settings.class_names) if told else None,
        use_ema=info.use_ema,
    )
    found = hash_weights(network.module)
    if found != settings.weights_sha256:
        raise StaleRun(
            f"the weights of {checkpoint or settings.model} are no longer those of the run "
            f"(sha256 {found[:12]}..., not {settings.weights_sha256[:12]}...)",
            hint="evaluate again, or bring the weights of the run back",
        )
    return _classifier(network, _preparation(info), info.classes, device=device)


def untrained_classifier(info: RunInfo) -> Classifier:
    """Build the architecture of a run without its weights: enough to see what it consists of."""
    settings = info.settings
    network = bare_network(settings.model, settings.arguments, len(settings.class_names))
    return _classifier(network, _preparation(info), info.classes, device="cpu")


def untrained_model(name: str) -> Classifier:
    """Build the architecture of a name likewise; its classes are numbers.

    Raises:
        UnknownModel: No library knows the name.
    """
    network = bare_network(name, {})
    preparation = resolve_preprocessing(network, overrides={})
    outputs = run_once(network, preparation, choose_device("cpu")).outputs
    classes = ClassNames(tuple(map(str, range(outputs))))
    return _classifier(network, preparation, classes, device="cpu")


def _preparation(info: RunInfo) -> Preparation:
    recorded = info.settings.preprocessing
    if "transform" in recorded:
        return load_transform(str(recorded["transform"]), exif=bool(recorded.get("exif")))
    return Preprocessing.from_dict(recorded)


def _classifier(
    network: Network, preparation: Preparation, classes: ClassNames, *, device: str
) -> Classifier:
    place = choose_device(device)
    return Classifier(network, preparation, classes, place, run_once(network, preparation, place))
