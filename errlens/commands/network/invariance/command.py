"""`errlens network invariance`: what transforms of a photo do to features and predictions."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from errlens.analysis.invariance.answers import Answers, Step
from errlens.analysis.invariance.sentences import in_words, natural_losses
from errlens.analysis.invariance.tables import class_table, curve_table
from errlens.attribution.explained_model import ExplainedModel
from errlens.commands.network.features.channels import layer_names
from errlens.commands.network.images import ModelAndImages, drawn_images
from errlens.commands.network.invariance import view
from errlens.commands.network.invariance.options import InvarianceOptions
from errlens.commands.network.invariance.pictures import curves_figure
from errlens.commands.network.invariance.result import InvarianceResult
from errlens.data.photos.preprocess import Preprocessing
from errlens.data.photos.transforms import TRANSFORM_OF, TRANSFORMS, Transform
from errlens.errors import UnfitOption, which_of
from errlens.network.invariance.layers import compared_layers
from errlens.network.invariance.responses import Asking
from errlens.run.results import renewed_folder
from errlens.terminal import Screen


def invariance(options: InvarianceOptions, screen: Screen | None = None) -> InvarianceResult:
    """Measure how far transforms move features and predictions."""
    screen = screen or options.screen()
    transforms = asked_transforms(options.transform)
    subject = drawn_images(options, screen, command="invariance")
    transforms = _possible(transforms, subject, options, screen)
    answers = _answers(options, subject, transforms, screen)
    result = _written(options, subject, transforms, answers)
    view.show(screen, subject, result)
    view.print_json(screen, subject, result)
    return result


def asked_transforms(text: str | None) -> list[Transform]:
    """Return the transforms named, each once, all where none is.

    Raises:
        UnfitOption: There is none of a name.

    >>> [transform.name for transform in asked_transforms("rotate, blur")]
    ['rotate', 'blur']
    """
    names = list(dict.fromkeys(filter(None, map(str.strip, (text or "").split(",")))))
    for name in names:
        if name not in TRANSFORM_OF:
            raise UnfitOption(
                f"there is no transform {name!r}", hint=which_of(name, [*TRANSFORM_OF])
            )
    return [TRANSFORM_OF[name] for name in names] or list(TRANSFORMS)


def _possible(
    transforms: Sequence[Transform],
    subject: ModelAndImages,
    options: InvarianceOptions,
    screen: Screen,
) -> list[Transform]:
    """Leave out what changes nothing of what the network is fed."""
    used = subject.classifier.preparation
    if not isinstance(used, Preprocessing):
        screen.remark(
            "what a transform of your own feeds is not known: photos are changed before it"
        )
    if used.image_mode != "L":
        return list(transforms)
    kept = [transform for transform in transforms if not transform.of_colour]
    if not kept:
        raise UnfitOption(
            f"--transform {options.transform}: the network is fed no colours, so that changes "
            "nothing; all other transforms do"
        )
    if len(kept) < len(transforms):
        screen.remark("hue is left out: the network is fed no colours")
    return kept


def _answers(
    options: InvarianceOptions,
    subject: ModelAndImages,
    transforms: Sequence[Transform],
    screen: Screen,
) -> Answers:
    """Ask the network about every image at every size."""
    classifier = subject.classifier
    model = ExplainedModel.of(classifier)
    if options.batch_size:
        classifier.check_batch_size(options.batch_size)
    asking = Asking(
        classifier=classifier,
        layers=compared_layers(model.module, model.size, layer_names(options.layer)),
        steps=[
            (Step(transform.name, size), partial(transform.apply, size=size))
            for transform in transforms
            for size in transform.sizes
        ],
        batch_size=options.batch_size,
        workers=options.workers,
        threads=options.threads,
        max_mb=subject.max_mb,
    )
    with screen.progress("transforming photos", total=len(subject.images)) as advance:
        return asking.about(subject.images, subject.labels, advance=advance)


def _written(
    options: InvarianceOptions,
    subject: ModelAndImages,
    transforms: Sequence[Transform],
    answers: Answers,
) -> InvarianceResult:
    """Write pictures, numbers and parameters."""
    curves = curve_table(answers, transforms)
    classes = class_table(answers, transforms, subject.classifier.classes.names)
    losses = natural_losses(answers, transforms)
    result = InvarianceResult(
        curves=curves,
        classes=classes,
        sentences=in_words(answers, losses, classes),
        losses=losses,
        transforms=transforms,
        answers=answers,
        folder=subject.folder,
    )
    made_of = subject.made_of
    with renewed_folder(subject.folder, run_hash=made_of, options=_decisive(options)) as results:
        results.png("invariance.png", curves_figure(subject, result))
        results.csv("invariance.csv", curves)
        results.csv("classes.csv", classes)
        results.npz("invariance.npz", _arrays(subject, answers))
        results.tree("invariance.json", parameters(options, subject, result))
    return result._replace(files=results.written)


def _arrays(subject: ModelAndImages, answers: Answers) -> dict[str, Any]:
    """Return what is said of each image at each size."""
    rows = [-1] * len(subject.images) if subject.rows is None else subject.rows
    return {
        "rows": np.array(rows, np.int64)[answers.at],
        "followed": answers.followed,
        "pred": answers.pred,
        "probability": answers.probability.astype(np.float32),
        "euclidean": answers.euclidean.astype(np.float32),
        "cosine": answers.cosine.astype(np.float32),
    }


def parameters(
    options: InvarianceOptions, subject: ModelAndImages, result: InvarianceResult
) -> dict[str, Any]:
    """Return all that the pictures and numbers depend on, and what they come to."""
    answers = result.answers
    return {
        "model": subject.classifier.network.name,
        "run_hash": subject.made_of,
        "layers": list(answers.layers),
        "seed": options.seed,
        "n_images": len(answers),
        "labelled": answers.labelled,
        "images": [subject.names[at] for at in answers.at],
        "unread": {subject.names[at]: reason for at, reason in answers.unread.items()},
        "transforms": [
            {
                "transform": transform.name,
                "unit": transform.unit,
                "sizes": list(transform.sizes),
                "identity": transform.identity,
                "natural": transform.natural,
            }
            for transform in result.transforms
        ],
        "steps": [list(step) for step in answers.steps],
        "borders": "mirrored",
        "sentences": result.sentences,
    }


def _decisive(options: InvarianceOptions) -> dict[str, Any]:
    names = ("transform", "layer", "limit", "select", "seed")
    return {name: getattr(options, name) for name in names}
