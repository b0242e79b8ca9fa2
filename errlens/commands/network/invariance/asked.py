"""What transforms and corruptions share: which are asked for, and asking the network about them."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from errlens.analysis.invariance.answers import Answers, Step
from errlens.attribution.explained_model import ExplainedModel
from errlens.commands.network.channels import layer_names
from errlens.commands.network.images import ModelAndImages
from errlens.commands.network.invariance.options import InvarianceOptions
from errlens.data.photos.corruptions.kinds import (
    CORRUPTION_OF,
    CORRUPTIONS,
    SEVERITIES,
    Corruption,
)
from errlens.data.photos.preprocess import Preprocessing
from errlens.data.photos.transforms import TRANSFORM_OF, TRANSFORMS, Transform
from errlens.errors import UnfitOption, which_of
from errlens.network.invariance.layers import compared_layers
from errlens.network.invariance.responses import Asking, Change
from errlens.terminal import Screen

_Kind = TypeVar("_Kind", Transform, Corruption)


def asked_transforms(text: str | None) -> list[Transform]:
    """Return the transforms named, each once, all where none is.

    Raises:
        UnfitOption: There is none of a name, or no name.

    >>> [transform.name for transform in asked_transforms("rotate, blur")]
    ['rotate', 'blur']
    """
    if text is None:
        return list(TRANSFORMS)
    names = _listed(text)
    for name in names:
        if name in CORRUPTION_OF and name not in TRANSFORM_OF:
            raise UnfitOption(
                f"{name} is a corruption, which has severities",
                hint=f"--transform {name} --severity all",
            )
    return _named(names, TRANSFORM_OF, what="transform")


def asked_corruptions(text: str | None) -> list[Corruption]:
    """Return the corruptions named, each once, the fifteen published where none is.

    Raises:
        UnfitOption: There is none of a name, or no name.

    >>> [corruption.name for corruption in asked_corruptions("fog,snow")]
    ['fog', 'snow']
    """
    if text is None:
        return list(CORRUPTIONS)
    names = _listed(text)
    for name in names:
        if name in TRANSFORM_OF and name not in CORRUPTION_OF:
            raise UnfitOption(
                f"{name} is a transform, which has no severities", hint="leave --severity out"
            )
    return _named(names, CORRUPTION_OF, what="corruption")


def asked_severities(text: str) -> list[int]:
    """Return the severities named, in order.

    Raises:
        UnfitOption: It is none.

    >>> asked_severities("all"), asked_severities("5, 1")
    ([1, 2, 3, 4, 5], [1, 5])
    """
    if text.strip() == "all":
        return list(SEVERITIES)
    known = {str(severity): severity for severity in SEVERITIES}
    named = _listed(text)
    if not named or not known.keys() >= set(named):
        raise UnfitOption(f"--severity {text!r}: it is all, or of 1 to 5, as in 1,3,5")
    return sorted(known[name] for name in named)


def _listed(text: str) -> list[str]:
    return list(dict.fromkeys(filter(None, map(str.strip, text.split(",")))))


def _named(names: Sequence[str], known: Mapping[str, _Kind], *, what: str) -> list[_Kind]:
    if not names:
        raise UnfitOption(f"--transform names no {what}")
    for name in names:
        if name not in known:
            raise UnfitOption(f"there is no {what} {name!r}", hint=which_of(name, [*known]))
    return [known[name] for name in names]


def possible(
    kinds: Sequence[_Kind], subject: ModelAndImages, options: InvarianceOptions, screen: Screen
) -> list[_Kind]:
    """Leave out what changes nothing of what the network is fed.

    Raises:
        UnfitOption: That is all.
    """
    used = subject.classifier.preparation
    if not isinstance(used, Preprocessing):
        screen.remark(
            "what a transform of your own feeds is not known: photos are changed before it"
        )
    if used.image_mode != "L":
        return list(kinds)
    kept = [kind for kind in kinds if not kind.of_colour]
    if not kept:
        raise UnfitOption(
            f"--transform {options.transform}: the network is fed no colours, so that changes "
            "nothing; all other transforms do"
        )
    for kind in kinds:
        if kind.of_colour:
            screen.remark(f"{kind.name} is left out: the network is fed no colours")
    return kept


def answers_to(
    options: InvarianceOptions,
    subject: ModelAndImages,
    steps: Sequence[tuple[Step, Change]],
    screen: Screen,
    *,
    doing: str,
) -> Answers:
    """Ask the network about every image at every step."""
    classifier = subject.classifier
    model = ExplainedModel.of(classifier)
    if options.batch_size:
        classifier.check_batch_size(options.batch_size)
    asking = Asking(
        classifier=classifier,
        layers=compared_layers(model.module, model.size, layer_names(options.layer)),
        steps=steps,
        batch_size=options.batch_size,
        workers=options.workers,
        threads=options.threads,
        max_mb=subject.max_mb,
    )
    with screen.progress(doing, total=len(subject.images)) as advance:
        return asking.about(subject.images, subject.labels, advance=advance)


def arrays_of(subject: ModelAndImages, answers: Answers) -> dict[str, Any]:
    """Return what is said of each image at each step."""
    rows = [-1] * len(subject.images) if subject.rows is None else subject.rows
    return {
        "rows": np.array(rows, np.int64)[answers.at],
        "followed": answers.followed,
        "pred": answers.pred,
        "probability": answers.probability.astype(np.float32),
        "euclidean": answers.euclidean.astype(np.float32),
        "cosine": answers.cosine.astype(np.float32),
    }


def facts_of(
    options: InvarianceOptions, subject: ModelAndImages, answers: Answers
) -> dict[str, Any]:
    """Return what all numbers depend on: the network, its layers, the images, the steps."""
    return {
        "model": subject.classifier.network.name,
        "run_hash": subject.made_of,
        "layers": list(answers.layers),
        "seed": options.seed,
        "n_images": len(answers),
        "labelled": answers.labelled,
        "images": [subject.names[at] for at in answers.at],
        "unread": {subject.names[at]: reason for at, reason in answers.unread.items()},
        "steps": [list(step) for step in answers.steps],
    }
