"""The classifier that an evaluation asks for; where it has no head, the command that fits one."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from errlens.classes.names import ClassNames
from errlens.commands.evaluate.options import EvaluateOptions
from errlens.commands.network.options import ProbeOptions
from errlens.commands.options.invocation import INVOCATION
from errlens.commands.options.shell import command_line
from errlens.data.samples import Samples
from errlens.errors import NoClassifier
from errlens.model.classifier import Classifier
from errlens.run.places import SPLIT_NAMES, data_set_name


def load_for(
    options: EvaluateOptions,
    samples: Samples,
    *,
    labels: Sequence[str],
    ordered: ClassNames | None,
) -> Classifier:
    """Return the classifier of an evaluation.

    Raises:
        NoClassifier: The network has no head; a head for the labels would be fitted by a command.
    """
    try:
        return options.load_classifier(labels=labels, ordered=ordered, device=options.device)
    except NoClassifier as error:
        if len(samples.labels) > 1:
            keeps = f"{error.hint.partition(';')[0]}; or" if ";" in error.hint else ""
            error.hint = f"{keeps} fit one to labelled images, others than those to judge it by:"
            error.hint = error.hint.strip()
            error.code = [_probe(options, error)]
        raise


def _probe(options: EvaluateOptions, error: NoClassifier) -> str:
    """Write the command that fits a head to the features of the network."""
    shared = {field.name for field in dataclasses.fields(ProbeOptions)}
    given = {
        field.name: getattr(options, field.name)
        for field in dataclasses.fields(options)
        if field.name in shared - {"num_classes", "head", "threshold"}
    }
    size = error.arguments.get("img_size")
    found = [f"{key}={value}" for key, value in error.arguments.items() if key != "img_size"]
    kept = [text for text in options.model_kwargs or () if text.partition("=")[0] != "num_classes"]
    source = options.checkpoint.stem if options.checkpoint else error.model.replace(":", "-")
    given |= {
        "data": _training_images(options.data),
        "model": options.model or error.model,
        "model_kwargs": [*kept, *found] or None,
        "img_size": size or options.img_size,
        "save_head": Path(f"{source}-probe.safetensors"),
    }
    return command_line("network probe", ProbeOptions(**given), without=INVOCATION)


def _training_images(data: Path) -> Path:
    """Return the training split beside another one; else the same images."""
    if data_set_name(data) is None and data.name.casefold() in SPLIT_NAMES:
        for name in ("train", "training"):
            if data.with_name(name).is_dir():
                return data.with_name(name)
    return data
