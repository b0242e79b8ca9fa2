"""`errlens network invariance`: what transforms of a photo do to features and predictions."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from errlens.analysis.invariance.answers import Answers, Step
from errlens.analysis.invariance.breaking import lost_table, natural_table
from errlens.analysis.invariance.sentences import in_words, natural_losses
from errlens.analysis.invariance.tables import class_table, curve_table
from errlens.commands.network.images import ModelAndImages, drawn_images
from errlens.commands.network.invariance import view
from errlens.commands.network.invariance.asked import (
    answers_to,
    arrays_of,
    asked_corruptions,
    asked_severities,
    asked_transforms,
    facts_of,
    possible,
)
from errlens.commands.network.invariance.options import InvarianceOptions
from errlens.commands.network.invariance.pictures import curves_figure
from errlens.commands.network.invariance.result import InvarianceResult
from errlens.commands.network.invariance.severity.command import severities
from errlens.commands.network.invariance.severity.result import SeverityResult
from errlens.data.photos.transforms import Transform
from errlens.run.results import renewed_folder
from errlens.terminal import Screen


def invariance(
    options: InvarianceOptions, screen: Screen | None = None
) -> InvarianceResult | SeverityResult:
    """Measure how far transforms, or corruptions of some severities, move what a network says."""
    screen = screen or options.screen()
    if options.severity is not None:
        levels = asked_severities(options.severity)
        corruptions = asked_corruptions(options.transform)
        return severities(
            options,
            drawn_images(options, screen, command="invariance"),
            corruptions,
            levels,
            screen,
        )
    return moved(options, asked_transforms(options.transform), screen)


def moved(
    options: InvarianceOptions, transforms: Sequence[Transform], screen: Screen
) -> InvarianceResult:
    """Measure how far transforms move features and predictions."""
    subject = drawn_images(options, screen, command="invariance")
    transforms = possible(transforms, subject, options, screen)
    steps = [
        (Step(transform.name, size), partial(transform.apply, size=size))
        for transform in transforms
        for size in transform.sizes
    ]
    answers = answers_to(options, subject, steps, screen, doing="transforming photos")
    result = _written(options, subject, transforms, answers)
    view.show(screen, subject, result)
    view.print_json(screen, subject, result)
    return result


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
    arrays = arrays_of(subject, answers)
    natural = natural_table(answers, transforms, subject.classifier.classes.names)
    lost = lost_table(
        answers, transforms, subject.classifier.classes.names, arrays["rows"], natural
    )
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
        results.csv("natural.csv", natural)
        results.csv("lost.csv", lost)
        results.npz("invariance.npz", arrays)
        results.tree("invariance.json", parameters(options, subject, result))
    return result._replace(files=results.written)


def parameters(
    options: InvarianceOptions, subject: ModelAndImages, result: InvarianceResult
) -> dict[str, Any]:
    """Return all that the pictures and numbers depend on, and what they come to."""
    return {
        **facts_of(options, subject, result.answers),
        "transforms": [
            {
                "transform": transform.name,
                "scale": transform.scale,
                "sizes": list(transform.sizes),
                "identity": transform.identity,
                "natural": transform.natural,
            }
            for transform in result.transforms
        ],
        "borders": "mirrored",
        "sentences": result.sentences,
    }


def _decisive(options: InvarianceOptions) -> dict[str, Any]:
    names = ("transform", "layer", "limit", "select", "seed")
    return {name: getattr(options, name) for name in names}
