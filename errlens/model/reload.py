"""The classifier of a run, loaded again from what `run.json` says; or an architecture alone."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from errlens.data.labels import numbered
from errlens.data.photos.loading import Preparation
from errlens.data.photos.preprocess import CROP_MODES, INTERPOLATIONS, Preprocessing
from errlens.errors import (
    IncompatibleCheckpoint,
    NotARun,
    StaleRun,
    UnfitCheckpoint,
    UnfitModel,
    UnfitOption,
    some,
)
from errlens.formats import counted
from errlens.model.classifier import Classifier, choose_device
from errlens.model.networks.architecture import Architecture
from errlens.model.networks.arguments import recorded_arguments
from errlens.model.networks.building import check_size
from errlens.model.networks.loading import HeadSpec, Network, bare_network, load_network
from errlens.model.networks.sources import find_architecture
from errlens.model.outputs.dry_run import dry_run
from errlens.model.outputs.reading import Reading
from errlens.model.preparation import load_transform, resolve_preprocessing
from errlens.model.weights.checkpoints import hash_weights
from errlens.model.weights.plain_values import LARGEST_IMAGE, shown_value
from errlens.model.weights.training import LEAST_CROP
from errlens.run.identity import RunInfo

_TRUST: Final = "where the run is yours, add --trust-run"
_LARGEST_COLOUR: Final = 1000.0  # of a mean or a deviation; pixels lie between 0 and 1


def reload_classifier(info: RunInfo, *, device: str = "auto", trusted: bool = False) -> Classifier:
    """Load the classifier that made a run: same weights, same preprocessing, same names.

    A run may come from another person: arguments and the names of functions in its `run.json` are
    checked like those that a checkpoint records.

    Args:
        info: Of a run with a model, see `RunFolder.require_model`.
        device: `auto`, `cpu`, `cuda` or `mps`.
        trusted: Take them unchecked, as if the user had given them.

    Raises:
        StaleRun: The weights found under the recorded names are other ones by now.
        ForeignCode, BadCheckpoint: The run names code or arguments that no file may decide.
    """
    settings = info.settings
    architecture = _architecture(info, trusted=trusted)
    preparation = _preparation(info, trusted=trusted)
    checkpoint = Path(info.checkpoint) if info.checkpoint else None
    # Pretrained networks have the outputs that they have.
    has_own_head = checkpoint is not None or architecture.by_user
    network = load_network(
        settings.model,
        checkpoint=checkpoint,
        arguments=settings.arguments,
        num_classes=_outputs(info) if has_own_head else None,
        use_ema=info.use_ema,
        head=HeadSpec(info.head),
    )
    sha256 = hash_weights(network.module)
    if sha256 != settings.weights_sha256:
        raise StaleRun(
            f"the weights of {checkpoint or settings.model} are no longer those of the run "
            f"(sha256 {sha256[:12]}..., not {settings.weights_sha256[:12]}...)",
            hint="evaluate again, or bring the weights of the run back",
        )
    return _classifier(network, info, preparation, device=device)


def classifier_at(
    info: RunInfo, checkpoint: Path, *, device: str = "auto", trusted: bool = False
) -> Classifier:
    """Load other weights into the network of a run, with its preprocessing, names and rules.

    Args:
        info: Of a run with a model.
        checkpoint: The weights, such as those of another epoch.
        device: `auto`, `cpu`, `cuda` or `mps`.
        trusted: As for `reload_classifier`.

    Raises:
        UnfitCheckpoint: They are of another network, or of other classes.
        BadCheckpoint, MissingInput: They cannot be read, or must not be.
        ForeignCode: As `reload_classifier`.
    """
    settings = info.settings
    _architecture(info, trusted=trusted)
    preparation = _preparation(info, trusted=trusted)
    n = _outputs(info)
    try:
        network = load_network(
            settings.model,
            checkpoint=checkpoint,
            arguments=settings.arguments,
            num_classes=n,
            use_ema=info.use_ema,
            head=HeadSpec(info.head),
        )
    except IncompatibleCheckpoint as error:
        raise UnfitCheckpoint(checkpoint, error.reason) from error
    except (UnfitOption, UnfitModel) as error:
        reason = f"the run's network has {counted(n, 'output')}: {error}"
        raise UnfitCheckpoint(checkpoint, reason) from error
    _check_names(network, info, checkpoint)
    return _classifier(network, info, preparation, device=device)


def untrained_classifier(info: RunInfo, *, trusted: bool = False) -> Classifier:
    """Build the architecture of a run without its weights: enough to see what it consists of."""
    settings = info.settings
    _architecture(info, trusted=trusted)
    preparation = _preparation(info, trusted=trusted)
    network = bare_network(settings.model, settings.arguments, _outputs(info))
    return _classifier(network, info, preparation, device="cpu")


def untrained_model(name: str) -> Classifier:
    """Build the architecture of a name likewise; its classes are numbers.

    Raises:
        UnknownModel: No library knows the name.
    """
    network = bare_network(name, {})
    preparation = resolve_preprocessing(network, overrides={})
    place = choose_device("cpu")
    interface = dry_run(network, preparation, place)
    return Classifier(network, preparation, numbered(interface.outputs), place, interface)


def _architecture(info: RunInfo, *, trusted: bool) -> Architecture:
    """Return the architecture of a run whose arguments are those that a file may decide."""
    settings = info.settings
    architecture = find_architecture(settings.model, recorded=not trusted)
    if not trusted:
        recorded = recorded_arguments(
            settings.arguments, architecture, origin="run.json", hint=_TRUST
        )
        if recorded and not (info.checkpoint or architecture.by_user):
            check_size(architecture, recorded)
    return architecture


def _check_names(network: Network, info: RunInfo, checkpoint: Path) -> None:
    """Refuse weights that record the classes of a run in another order.

    Raises:
        UnfitCheckpoint: They do.
    """
    stored = network.data_config.get("label_names") if network.names_source else None
    names = [*map(str, stored.values() if isinstance(stored, dict) else stored or ())]
    own = list(info.classes.names)
    if names != own and sorted(names) == sorted(own):
        at = next(at for at, name in enumerate(names) if name != own[at])
        raise UnfitCheckpoint(
            checkpoint,
            f"its classes are in another order: output {at} is {shown_value(names[at])} there, "
            f"and {shown_value(own[at])} in the run",
        )


def _preparation(info: RunInfo, *, trusted: bool) -> Preparation:
    recorded = dict(info.settings.preprocessing)
    if "transform" in recorded:
        return load_transform(
            str(recorded["transform"]),
            exif=bool(recorded.get("exif")),
            scale_16bit=bool(recorded.get("scale_16bit")),  # older runs know no such thing
            recorded=not trusted,
        )
    if not trusted:
        _check_preprocessing(recorded)
    return Preprocessing.from_dict(recorded)


def _check_preprocessing(recorded: Mapping[str, Any]) -> None:
    """Refuse settings that are none, or would enlarge photos until no memory holds them."""
    for setting in fields(Preprocessing):
        value = recorded.get(setting.name, setting.default)  # an older run has fewer settings
        if not _IS_SETTING[setting.name](value):
            raise NotARun(
                f"run.json records the preprocessing {setting.name}={shown_value(value)}",
                hint=_TRUST,
            )
    unknown = recorded.keys() - _IS_SETTING.keys()
    if unknown:
        raise NotARun(f"run.json records the preprocessing {some(sorted(map(str, unknown)))}")


def _are_numbers(value: object, *, least: float) -> bool:
    return (
        isinstance(value, list)
        and len(value) in (1, 3)
        and all(
            type(number) in (int, float) and least <= number <= _LARGEST_COLOUR for number in value
        )
    )


_IS_SETTING: Final[Mapping[str, Callable[[Any], bool]]] = {
    "img_size": lambda value: (
        isinstance(value, list)
        and len(value) == 2
        and all(type(side) is int and 1 <= side <= LARGEST_IMAGE for side in value)
    ),
    "crop_pct": lambda value: type(value) in (int, float) and LEAST_CROP <= value <= 10,
    "crop_mode": lambda value: isinstance(value, str) and value in CROP_MODES,
    "interpolation": lambda value: isinstance(value, str) and value in INTERPOLATIONS,
    "mean": lambda value: _are_numbers(value, least=-_LARGEST_COLOUR),
    "std": lambda value: _are_numbers(value, least=1e-6),
    "exif": lambda value: isinstance(value, bool),
    "bgr": lambda value: isinstance(value, bool),
    "scale_16bit": lambda value: isinstance(value, bool),
}


def _reading(info: RunInfo) -> Reading:
    """Return how the outputs of a run are read.

    Raises:
        StaleRun: It says something that no errlens wrote.
    """
    try:
        reading = Reading(**info.settings.outputs)
        if reading.subset and len(reading.subset) != len(info.classes):
            raise ValueError(f"outputs chosen: {len(reading.subset)}, classes: {len(info.classes)}")
        return reading
    except (TypeError, ValueError) as error:
        raise StaleRun(
            f"run.json does not say how the outputs of the model are read: {error}",
            hint="evaluate again with --overwrite",
        ) from error


def _outputs(info: RunInfo) -> int:
    """Return how many outputs the network of a run has."""
    reading = _reading(info)
    return 1 if reading.single else reading.of or len(info.classes)


def _classifier(
    network: Network, info: RunInfo, preparation: Preparation, *, device: str
) -> Classifier:
    place = choose_device(device)
    interface = dry_run(network, preparation, place, reading=_reading(info))
    return Classifier(network, preparation, info.classes, place, interface)
