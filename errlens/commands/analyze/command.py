"""`errlens analyze`: from photos to the page, in one command."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from errlens.commands.analyze.options import AnalyzeOptions
from errlens.commands.analyze.result import Analysis
from errlens.commands.chain.view import show_end
from errlens.commands.chain.walk import Walk
from errlens.commands.confusion.options import ConfusionOptions
from errlens.commands.diagnose.options import DiagnoseOptions
from errlens.commands.explain.options import ExplainOptions
from errlens.commands.explain.refusals import refuse_what_does_not_fit
from errlens.commands.misclassified.options import MisclassifiedOptions
from errlens.commands.notebook.run import Run
from errlens.commands.options.selecting import ANY_PHOTO
from errlens.commands.report.options import ReportOptions
from errlens.errors import (
    ErrlensError,
    MissingInput,
    NoLabels,
    NoModel,
    NoSpatialLayer,
    UnfitMethod,
)
from errlens.run.folder import RunFolder, open_run
from errlens.terminal import Screen

# What data or a network are not made for is no failure: nobody has asked for it by name.
_PARDONED = (NoLabels, NoModel, NoSpatialLayer)
_FITS_ANY = "occlusion"


def analyze(options: AnalyzeOptions) -> Analysis:
    """Evaluate a model on photos, and put on one page what it gets wrong, and where it looked."""
    screen = options.screen()
    _refuse_what_does_not_fit(options)
    walk = Walk(screen, pardoned=_PARDONED)
    run = _predicted(walk, options)
    for name, step in _steps(run, options):
        walk.take(name, step, instead=partial(_by_another_method, screen))
    ending = walk.end(run)
    show_end(screen, "analyze", ending)
    walk.raise_failure()
    return Analysis(Run(run.path), ending.verdict.texts, ending.page, walk.results, ending.not_done)


def _refuse_what_does_not_fit(options: AnalyzeOptions) -> None:
    """Refuse before the work what explaining would refuse after it."""
    refuse_what_does_not_fit(_explanations(options, Path()))
    if options.masks and not options.masks.exists():
        raise MissingInput(options.masks, what="file of outlines, or folder of masks,")
    if options.train and not options.train.exists():
        raise MissingInput(options.train, what="training data")


def _predicted(walk: Walk, options: AnalyzeOptions) -> RunFolder:
    """Return the run of the photos; it goes on where it was, and may be there as a whole."""
    if not options.of_run:
        walk.take("evaluate", options)
    run = open_run(options.data if options.of_run else options.run_folder)
    run.require_complete()
    return run


def _steps(run: RunFolder, options: AnalyzeOptions) -> Sequence[tuple[str, Any]]:
    """Return what is done with predictions, one after the other.

    Of photos without labels, none of which is right or wrong, any are explained.
    """
    images: dict[str, Any] = {"run": run.path, "data_root": options.data_root}
    superclasses = options.superclasses if options.of_run else None  # else the run knows them
    explain, report = _explanations(options, run.path), ReportOptions(**images, open=options.open)
    metrics = run.metrics
    if not metrics["top1"] and metrics["n_failed"] < metrics["n"]:
        return [("explain", replace(explain, select=[ANY_PHOTO])), ("report", report)]
    return [
        ("confusion", ConfusionOptions(run=run.path, superclasses=superclasses)),
        ("misclassified", MisclassifiedOptions(**images)),
        ("diagnose", _causes(run, options)),
        ("explain", explain),
        ("report", report),
    ]


def _causes(run: RunFolder, options: AnalyzeOptions) -> DiagnoseOptions:
    return DiagnoseOptions(
        run=run.path,
        data_root=options.data_root,
        masks=options.masks,
        time_budget=options.half_the_time,
        train=options.train,
        device=options.device,
        trust_run=not options.of_run,
    )


def _by_another_method(screen: Screen, step: Any, error: ErrlensError) -> Any:
    """Return how to explain a network that is not fit for the method that nobody asked for."""
    if not isinstance(error, UnfitMethod) or step.method:
        return None
    screen.warn(f"{error}; {_FITS_ANY} does")
    return replace(step, method=[_FITS_ANY])


def _explanations(options: AnalyzeOptions, run: Path) -> ExplainOptions:
    return ExplainOptions(
        run=run,
        data_root=options.data_root,
        top=options.top,
        time_budget=options.half_the_time,
        method=options.method,
        masks=options.masks,
        device=options.device,
        batch_size=options.batch_size,
        overwrite=options.overwrite,
        # Code that the run names was named by this very command, unless it is somebody's run.
        trust_run=not options.of_run,
    )
