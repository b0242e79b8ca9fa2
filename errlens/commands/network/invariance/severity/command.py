"""What corruptions of photos cost, by severity."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from errlens.analysis.invariance.answers import Answers, Step
from errlens.analysis.invariance.severities import (
    CLEAN,
    corruption_table,
    cost_of,
    distance_table,
    in_words,
    severity_table,
)
from errlens.commands.network.images import ModelAndImages
from errlens.commands.network.invariance.asked import answers_to, arrays_of, facts_of, possible
from errlens.commands.network.invariance.options import InvarianceOptions
from errlens.commands.network.invariance.severity import view
from errlens.commands.network.invariance.severity.pictures import severity_figure
from errlens.commands.network.invariance.severity.result import SeverityResult
from errlens.data.photos.corruptions.kinds import Corruption
from errlens.run.results import renewed_folder
from errlens.terminal import Screen

KIND = "severity"  # the folder beside that of transforms


def severities(
    options: InvarianceOptions,
    subject: ModelAndImages,
    corruptions: Sequence[Corruption],
    levels: Sequence[int],
    screen: Screen,
) -> SeverityResult:
    """Measure what corruptions cost at some severities."""
    subject = subject._replace(folder=subject.folder.with_name(KIND))
    corruptions = possible(corruptions, subject, options, screen)
    steps = [(CLEAN, lambda picture: picture)] + [
        (
            Step(corruption.name, level),
            partial(corruption.apply, severity=level, seed=options.seed),
        )
        for corruption in corruptions
        for level in levels
    ]
    answers = answers_to(options, subject, steps, screen, doing="corrupting photos")
    result = _written(options, subject, corruptions, answers)
    view.show(screen, subject, result)
    view.print_json(screen, subject, result)
    return result


def _written(
    options: InvarianceOptions,
    subject: ModelAndImages,
    corruptions: Sequence[Corruption],
    answers: Answers,
) -> SeverityResult:
    """Write the picture, numbers and parameters."""
    of_corruptions, cost = corruption_table(answers, corruptions), cost_of(answers)
    result = SeverityResult(
        severities=severity_table(answers, corruptions),
        corruptions=of_corruptions,
        distances=distance_table(answers),
        cost=cost,
        sentences=in_words(answers, cost, of_corruptions),
        kinds=corruptions,
        answers=answers,
        folder=subject.folder,
    )
    names = ("severity", "transform", "layer", "limit", "select", "seed")
    decisive = {name: getattr(options, name) for name in names}
    made_of = subject.made_of
    with renewed_folder(subject.folder, run_hash=made_of, options=decisive) as results:
        results.png("severity.png", severity_figure(subject, result))
        results.csv("severity.csv", result.severities)
        results.csv("corruptions.csv", result.corruptions)
        results.csv("distances.csv", result.distances)
        results.npz("severity.npz", arrays_of(subject, answers))
        results.tree("severity.json", _parameters(options, subject, result))
    return result._replace(files=results.written)


def _parameters(
    options: InvarianceOptions, subject: ModelAndImages, result: SeverityResult
) -> dict[str, Any]:
    """Return all that the picture and numbers depend on, and what they come to."""
    return {
        **facts_of(options, subject, result.answers),
        "corruptions": [
            {
                "corruption": corruption.name,
                "family": corruption.family,
                "published_constants": np.array(corruption.how, dtype=object).tolist(),
            }
            for corruption in result.kinds
        ],
        "clean_error": result.cost.clean.facts(),
        "mean_corruption_error": result.cost.corrupted.facts(),
        "more_than_clean": result.cost.more.facts(),
        "sentences": result.sentences,
    }
