"""Load a network: an architecture, and pretrained weights or those of a checkpoint."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from torch import nn

from errlens.errors import (
    IncompatibleCheckpoint,
    NoClassifier,
    UnfitOption,
    WeightsUnavailable,
    some,
)
from errlens.model.networks.architecture import Architecture
from errlens.model.networks.arguments import recorded_arguments
from errlens.model.networks.building import build_for, build_with_new_head, head_renamed
from errlens.model.networks.remedies import choose_architecture, raise_better
from errlens.model.networks.sources import (
    LOCAL_PREFIX,
    find_architecture,
    quiet_hub,
    size_argument,
)
from errlens.model.weights.checkpoints import Checkpoint, read_checkpoint
from errlens.model.weights.fitting import apply_checkpoint
from errlens.model.weights.training import Training, recorded_training


@dataclass(frozen=True)
class Network:
    """A network with its weights, and what is known of the preprocessing.

    `data_config` uses timm's keys (`input_size`, `mean`, `crop_pct` ...); empty where nothing is
    known. `arguments` are what it was built with. `remarks` say what a checkpoint decided, by what
    it records or by its tensors; `names_source` is the file its `label_names` come from.
    """

    module: nn.Module
    name: str
    arguments: Mapping[str, Any]
    data_config: Mapping[str, Any]
    remarks: list[str] = field(default_factory=list)
    names_source: str = ""


class HeadSpec(NamedTuple):
    """What a checkpoint calls the last layer, where the architecture calls it otherwise.

    A network without a classifier is given an untrained one of `new_outputs`, if they are said.
    """

    layer: str | None = None
    new_outputs: int | None = None


def load_network(
    name: str | None = None,
    *,
    checkpoint: Path | None = None,
    arguments: Mapping[str, Any] | None = None,
    num_classes: int | None = None,
    img_size: int | None = None,
    use_ema: bool = False,
    head: HeadSpec | None = None,
) -> Network:
    """Load a network ready for inference, on the CPU.

    Args:
        name: A timm name, `hf-hub:REPOSITORY`, `torchvision:NAME` or `package.module:function`;
            without one, the checkpoint must tell.
        checkpoint: Weights to use instead of the pretrained ones: a file, or a Hugging Face folder.
        arguments: Further arguments of the architecture.
        num_classes: Number of outputs where no checkpoint tells it.
        img_size: Image size; networks that are built for one size are built for this one.
        use_ema: Take the moving average of the weights in the checkpoint.
        head: What to know of the classifier of a checkpoint, and what to do where there is none.

    Raises:
        UnknownModel: No library knows the name.
        NoClassifier: The network gives features, and no scores of classes.
        UnfitOption: `num_classes` contradicts the checkpoint, or would give untrained outputs;
            there is neither name nor checkpoint, or it does not tell the architecture.
        WeightsUnavailable: Pretrained weights do not exist or cannot be fetched.
        UnfitModel: The architecture refuses its arguments.
        BadCheckpoint, IncompatibleCheckpoint, MissingInput: The checkpoint cannot be used.
    """
    given = dict(arguments or {})
    head = head or HeadSpec()
    if head.new_outputs and given.get("num_classes") == 0:
        del given["num_classes"]
    if checkpoint is None and name and name.startswith(LOCAL_PREFIX):
        # timm would load the weights unchecked; here they are a checkpoint like any other.
        read = read_checkpoint(Path(name.removeprefix(LOCAL_PREFIX)), use_ema=use_ema)
        wanted = _Wanted(given, num_classes, img_size, head)
        return replace(_trained(read, None, wanted), name=name)
    if checkpoint is not None:
        read = read_checkpoint(checkpoint, use_ema=use_ema)
        return _trained(read, name, _Wanted(given, num_classes, img_size, head))
    if name is None:
        raise UnfitOption("which model?", hint="add --model NAME, --checkpoint FILE or both")
    if use_ema:
        raise UnfitOption("--use-ema chooses among the weights of a --checkpoint; there is none")
    architecture = find_architecture(name)
    given = {**size_argument(name, img_size), **given}
    module = _pretrained(architecture, given, num_classes, head.new_outputs)
    return _classifying(Network(module.eval(), name, given, _data_config(architecture, module)))


def bare_network(
    name: str, arguments: Mapping[str, Any], num_classes: int | None = None
) -> Network:
    """Build an architecture with the weights it starts with; nothing is fetched.

    Raises:
        UnknownModel: No library knows the name.
        UnfitModel: The architecture refuses its arguments.
    """
    architecture = find_architecture(name)
    module = architecture.build(architecture.create, arguments, num_classes)
    return Network(module.eval(), name, arguments, _data_config(architecture, module))


class _Wanted(NamedTuple):
    """What the user says of the network of a checkpoint; see `load_network`."""

    arguments: Mapping[str, Any]
    num_classes: int | None
    img_size: int | None
    head: HeadSpec


def _trained(checkpoint: Checkpoint, name: str | None, wanted: _Wanted) -> Network:
    """Load the network of a checkpoint, as the user says or else as the checkpoint does."""
    training = recorded_training(checkpoint)
    names = [name] if name else list(training.models) or [_by_tensors(checkpoint, wanted)]
    if not set(names) & set(training.models):
        training = Training(models=(), class_names=training.class_names)  # of another network
    if wanted.img_size is None:
        training.refuse_large_images(checkpoint.origin)

    def load(model: str) -> Network:
        given = _arguments_of(model, checkpoint, training, wanted)
        architecture = find_architecture(model)
        module, remarks = _with_weights(architecture, given, checkpoint, wanted)
        config = {**_data_config(architecture, module), **training.preprocessing}
        if training.class_names:
            config["label_names"] = training.class_names
        return Network(module.eval(), model, given, config, remarks, checkpoint.origin)

    try:
        network = _first_that_fits(names, load)
    except IncompatibleCheckpoint as error:
        given = _arguments_of(names[0], checkpoint, training, wanted)
        new_head = wanted.head.new_outputs is not None
        raise_better(error, checkpoint, names[0], given, new_head=new_head)
    if not name:
        whose = f"the only one with the tensors of {checkpoint.path.name}"
        source = f"recorded in {checkpoint.origin}" if training.models else whose
        network.remarks.append(f"architecture {network.name}: {source}")
    network.remarks.extend(_remarks(checkpoint, training, given=wanted.arguments))
    return _classifying(network)


def _by_tensors(checkpoint: Checkpoint, wanted: _Wanted) -> str:
    size = {} if wanted.img_size is None else {"img_size": wanted.img_size}
    return choose_architecture(checkpoint, {**size, **wanted.arguments})


def _arguments_of(
    model: str, checkpoint: Checkpoint, training: Training, wanted: _Wanted
) -> dict[str, Any]:
    """Return the arguments of an architecture: the user's, else those that are recorded."""
    known = wanted.arguments
    left = {key: value for key, value in training.arguments.items() if key not in known}
    recorded = recorded_arguments(left, find_architecture(model), origin=checkpoint.origin)
    size = size_argument(model, wanted.img_size or training.img_size)
    return {**size, **recorded, **known}


def _remarks(
    checkpoint: Checkpoint, training: Training, *, given: Mapping[str, Any]
) -> Iterator[str]:
    """Say what a checkpoint decided, and the user did not."""
    recorded = [
        *(f"{key}={value}" for key, value in training.arguments.items() if key not in given),
        *training.preprocessing,
    ]
    if recorded:
        yield f"{', '.join(recorded)}: recorded in {checkpoint.origin}, unless given here"
    if checkpoint.has_average:
        yield "a moving average of the weights is there too: --use-ema takes it"


def _first_that_fits(names: Sequence[str], load: Callable[[str], Network]) -> Network:
    first, *others = names
    try:
        return load(first)
    except IncompatibleCheckpoint:
        for name in others:
            with suppress(IncompatibleCheckpoint):
                return load(name)
        raise


def _data_config(architecture: Architecture, module: nn.Module) -> Mapping[str, Any]:
    if architecture.data_config is not None:
        return architecture.data_config
    return getattr(module, "pretrained_cfg", None) or {}


def _pretrained(
    architecture: Architecture,
    arguments: Mapping[str, Any],
    num_classes: int | None,
    new_outputs: int | None,
) -> nn.Module:
    if num_classes is not None and not architecture.by_user:
        raise UnfitOption(
            f"--num-classes {num_classes} would give {architecture.name} an untrained classifier",
            hint="add --checkpoint FILE with weights for these classes, or leave it out",
        )
    if not architecture.has_weights:
        raise WeightsUnavailable(
            f"timm has no pretrained weights for {architecture.name!r}",
            hint="add --checkpoint FILE",
        )
    try:
        with quiet_hub():
            module = architecture.build(architecture.fetch, arguments, num_classes)
            if new_outputs and getattr(module, "num_classes", None) == 0:
                module = architecture.build(architecture.fetch, arguments, new_outputs)
        return module
    except OSError as error:  # what every failure to reach a hub or to write its cache is
        raise WeightsUnavailable(
            f"the pretrained weights of {architecture.name} could not be fetched: {error}",
            hint="check the network, or add --checkpoint FILE",
        ) from error


def _with_weights(
    architecture: Architecture,
    arguments: Mapping[str, Any],
    checkpoint: Checkpoint,
    wanted: _Wanted,
) -> tuple[nn.Module, list[str]]:
    """Build a network with as many outputs as the checkpoint has, and load it.

    Return it with what there is to say of its head.
    """
    if wanted.head.layer:
        checkpoint = head_renamed(checkpoint, wanted.head.layer, architecture, arguments)
    try:
        module, state = build_for(checkpoint, architecture, arguments, wanted.num_classes)
    except IncompatibleCheckpoint:
        if wanted.head.new_outputs is None:
            raise
        module, left_out = build_with_new_head(
            checkpoint, architecture, arguments, wanted.head.new_outputs
        )
        rest = f" ({some(left_out, most=3)} left out)" if left_out else ""
        return module, [f"{checkpoint.path.name} has no classifier that fits{rest}"]
    apply_checkpoint(module, state, path=checkpoint.path, model=architecture.name)
    return module, []


def _classifying(network: Network) -> Network:
    """Return a network; refuse one of timm's that was built without a classifier.

    Raises:
        NoClassifier: That is so.
    """
    if getattr(network.module, "num_classes", None) == 0:
        left = {key: value for key, value in network.arguments.items() if key != "num_classes"}
        raise NoClassifier(
            f"{network.name} has no classifier: it gives features and no scores of classes",
            model=network.name,
            arguments=left,
        )
    return network
