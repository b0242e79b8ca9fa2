"""The classifier that is asked for, as photos show it to be; without a head, the way to one."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from errlens.classes.names import ClassNames
from errlens.commands.evaluate.options import EvaluateOptions
from errlens.commands.network.probe.options import ProbeOptions
from errlens.commands.options.invocation import INVOCATION
from errlens.commands.options.model import ModelOptions
from errlens.commands.options.shell import command_line
from errlens.data.samples import Samples
from errlens.errors import NoClassifier
from errlens.model.classifier import Classifier
from errlens.model.outputs.on_photos import check_on_photos
from errlens.run.places import SPLIT_NAMES, data_set_name
from errlens.terminal import Screen

SOME_TRAINING: Final = Path("TRAIN")  # where nobody knows of any
_TRAINING: Final = ("train", "training")


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
            error.code = [probe_command(options, error.model, error.arguments)]
        raise


def look_first(
    screen: Screen,
    classifier: Classifier,
    photos: Sequence[Path],
    options: ModelOptions,
    *,
    at_once: int | None,
) -> Classifier:
    """Return a classifier that reads its outputs as they are; say what they are, if not logits.

    `at_once` is how many photos the network may be given at a time, where the user said so.
    """
    look = check_on_photos(classifier, photos, threshold=options.threshold, at_once=at_once)
    for remark in look.remarks:
        screen.remark(remark)
    for warning in look.warnings:
        screen.warn(warning)
    return look.classifier


def probe_command(
    options: EvaluateOptions, model: str | None = None, arguments: Mapping[str, Any] | None = None
) -> str:
    """Write the command that fits a head to the features of the network of an evaluation.

    Args:
        options: Those of the evaluation.
        model: The architecture, where the options do not say it.
        arguments: Those that it needs beside the ones in the options.
    """
    model, arguments = options.model or model, arguments or {}
    shared = {field.name for field in dataclasses.fields(ProbeOptions)}
    given = {
        field.name: getattr(options, field.name)
        for field in dataclasses.fields(options)
        if field.name in shared - {"num_classes", "head", "threshold"}
    }
    found = [f"{key}={value}" for key, value in arguments.items() if key != "img_size"]
    kept = [text for text in options.model_kwargs or () if text.partition("=")[0] != "num_classes"]
    source = (
        options.checkpoint.stem if options.checkpoint else re.sub(r"\W+", "-", model or "model")
    )
    given |= {
        "data": training_images(options.data),
        "model": model,
        "model_kwargs": [*kept, *found] or None,
        "img_size": arguments.get("img_size") or options.img_size,
        "save_head": Path(f"{source}-probe.safetensors"),
    }
    return command_line("network probe", ProbeOptions(**given), without=INVOCATION)


def training_images(data: Path) -> Path:
    """Return the training split itself or beside another one; the word TRAIN if none is there."""
    if data_set_name(data) is None and data.name.casefold() in SPLIT_NAMES:
        for name in _TRAINING:
            if data.with_name(name).is_dir():
                return data.with_name(name)
    return SOME_TRAINING
