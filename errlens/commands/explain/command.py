"""`errlens explain`: why this class and not that one, for the worst errors, in one batch."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from errlens.attribution.cases import Explainer, Explanation, PhotoCases, case_before
from errlens.attribution.explained_model import ExplainedModel
from errlens.attribution.methods import load_method, method_names
from errlens.commands.explain import view
from errlens.commands.explain.album import OK, Album
from errlens.commands.explain.index import IndexMaker
from errlens.commands.explain.job import (
    Job,
    errors_of_run,
    photos_without_run,
    refuse_what_does_not_fit,
)
from errlens.commands.explain.ledger import Key, Ledger
from errlens.commands.explain.options import ORIGINAL, ExplainOptions
from errlens.commands.explain.pictures import Looks
from errlens.commands.explain.studies import Studies
from errlens.commands.explain.tables import Tables, tables
from errlens.commands.options.budget import Budget
from errlens.data.outlines import Regions, read_outlines
from errlens.data.photos.preprocess import Preprocessing
from errlens.errors import Interrupted, NothingExplained, UnfitOption
from errlens.figures.maps.heatmaps import SIDE
from errlens.model.classifier import Classifier
from errlens.model.reload import reload_classifier, untrained_classifier, untrained_model
from errlens.run.folder import open_run
from errlens.run.results import ResultsWriter, renewed_folder
from errlens.terminal import Screen

DEFAULT_ALPHA = {"errlens": 0.7, "matlab": 0.5}
CTRL_C = "Ctrl-C"


def explain(options: ExplainOptions) -> Tables:
    """Show where in an image the network found its reasons."""
    screen = options.screen()
    refuse_what_does_not_fit(options)
    if options.list_methods:
        view.show_methods(screen, _bare_model(options, screen))
        return tables()
    start = photos_without_run if options.of_photos else errors_of_run
    job = start(options, screen)
    found = _explained(screen, job, options)
    view.show(screen, job.folder, found, asked=job.asked, left=len(job.cases))
    view.print_json(screen, job.folder, job.run_hash, found)
    if found.stopped == CTRL_C:
        raise Interrupted("stopped; what was done is kept")
    if len(found.maps) and not (found.maps["status"] == OK).any():
        raise NothingExplained(f"no map could be made: {found.maps['error'].iloc[0]}")
    return found


def _explained(screen: Screen, job: Job, options: ExplainOptions) -> Tables:
    """Explain the images, write all files, and return what is in the tables."""
    ledger = Ledger(job.folder, job.run_hash)
    try:
        with renewed_folder(
            job.folder, run_hash=job.run_hash, options=options.decisive(), keep=ledger.keeps
        ) as results:
            made = _made(screen, job, results, options) if job.cases else Made(tables(), {})
            results.when_alone(lambda: ledger.add(results, made.tables, made.sheets))
    except BaseException:
        if options.of_photos:
            ledger.forget([case.facts["sample_id"] for case in job.cases])
        raise
    return made.tables._replace(written=results.written)


class Made(NamedTuple):
    """What was found, and the sheet that each image is on, by row and method."""

    tables: Tables
    sheets: Mapping[Key, str]


def _made(screen: Screen, job: Job, results: ResultsWriter, options: ExplainOptions) -> Made:
    """Explain image by image, until all are done or it is time to stop."""
    explainer = _explainer(job, options)
    before = _explainer_before(job, options)
    methods = _fitting(explainer.model, options)
    looks = _looks(explainer.classifier, options)
    album = Album(results, looks, job, options)
    studies = Studies(explainer, album, looks, options)
    index = IndexMaker(_regions(job, explainer.classifier, options.masks), options.as_text())
    budget = Budget(seconds=options.seconds(), megabytes=options.max_mb)
    seconds: list[dict[str, float]] = []
    stopped = None
    try:
        with screen.progress("explaining", total=len(job.cases)) as progress:
            for batch in _batches(explainer, before, job, methods, budget.step):
                for found in batch:
                    index.add(found, album.add(found), studies.add(found))
                    seconds.append(found.seconds)
                    progress(1)
                budget.spend(results.size)
                if len(seconds) < len(job.cases) and (stopped := budget.exhausted()):
                    break
        album.finish()
        similarities = studies.similarities(methods) if options.check and not stopped else []
    except KeyboardInterrupt:
        stopped, similarities = CTRL_C, []
    made = tables(index.rows(), studies.covers, similarities, seconds=seconds, stopped=stopped)
    return Made(made, album.sheets)


def _explainer(job: Job, options: ExplainOptions) -> Explainer:
    """Load the classifier; as MATLAB's examples do, it may be shown the whole image."""
    classifier = job.load()
    if options.matlab:
        if not isinstance(classifier.preparation, Preprocessing):
            raise UnfitOption("--style matlab: a transform of one's own cannot be made to squash")
        whole = replace(classifier.preparation, crop_mode="squash", crop_pct=1.0)
        classifier = replace(classifier, preparation=whole)
    model = ExplainedModel.of(classifier, layer=options.layer)
    settings = options.settings(classifier)
    classifier.check_batch_size(settings.batch_size)
    return Explainer(
        classifier=classifier,
        model=model,
        settings=settings,
        root=job.root,
        complete=PhotoCases(model, job.wanted) if options.of_photos else None,
        photo_side=_photo_side(options),
        max_mb=job.max_mb,
    )


def _photo_side(options: ExplainOptions) -> int | None:
    """Return how long the longest side of a photo may be that maps lie on; 0: as it is."""
    if options.on != ORIGINAL:
        return None
    return 0 if options.overlay_only else 2 * SIDE


def _explainer_before(job: Job, options: ExplainOptions) -> Explainer | None:
    """Load the classifier of the older run, if there is one to hold this one against."""
    if options.against is None:
        return None
    run = open_run(options.against)
    run.require_complete()
    info = run.require_model()
    old = replace(
        job,
        load=lambda: reload_classifier(info, device=options.device, trusted=options.trust_run),
    )
    return _explainer(old, options)


def _batches(
    explainer: Explainer,
    before: Explainer | None,
    job: Job,
    methods: Sequence[str],
    step: int | None,
) -> Iterator[list[Explanation]]:
    """Yield a few explained images at a time, with what an older model sees in them if asked."""
    if before is None:
        yield from explainer.explain(job.cases, methods, at_most=step)
        return
    classes = explainer.classifier.classes, before.classifier.classes
    cases = [case_before(case, *classes) for case in job.cases]
    step = min(explainer.settings.batch_size, before.settings.batch_size, step or len(cases))
    both = zip(
        explainer.explain(job.cases, methods, at_most=step),
        before.explain(cases, methods, at_most=step),
        strict=True,
    )
    for batch in both:
        yield [one._replace(before=old) for one, old in zip(*batch, strict=True)]


def _fitting(model: ExplainedModel, options: ExplainOptions) -> list[str]:
    """Return the methods asked for; to compare them, by default all that fit the network."""
    if options.compare and not options.method:
        return [one for one in method_names() if not load_method(one).unsupported(model)]
    return options.methods


def _looks(classifier: Classifier, options: ExplainOptions) -> Looks:
    """Return how pictures look."""
    box_in = None
    if options.on == ORIGINAL:
        if not isinstance(classifier.preparation, Preprocessing):
            raise UnfitOption("--on original: what a transform of one's own crops is not known")
        box_in = classifier.preparation.source_box
    return Looks(
        alpha=DEFAULT_ALPHA[options.style] if options.alpha is None else options.alpha,
        colormap=options.colormap or ("jet" if options.matlab else None),
        upsampling=options.upsampling,
        matlab=options.matlab,
        box_in=box_in,
    )


def _regions(job: Job, classifier: Classifier, masks: Path | None) -> dict[int, Regions]:
    """Return where the object of each image is, by row, as far as outlines or masks say."""
    if masks is None:
        return {}
    if not isinstance(classifier.preparation, Preprocessing):
        raise UnfitOption("--masks: where a transform of one's own puts the object is not known")
    outlines = read_outlines(masks, photos=job.root, max_mb=job.max_mb)
    found = {
        one.facts["row"]: outlines.regions(one.facts["path"], classifier.preparation)
        for one in job.cases
    }
    if not any(found.values()):
        raise UnfitOption(f"--masks {str(masks)!r} has nothing of these images")
    return {row: regions for row, regions in found.items() if regions is not None}


def _bare_model(options: ExplainOptions, screen: Screen) -> ExplainedModel:
    """Return a network without its weights: enough to see which methods fit."""
    if options.model:
        classifier = untrained_model(options.model)
    else:
        info = options.open_run(screen).require_model()
        classifier = untrained_classifier(info, trusted=options.trust_run)
    return ExplainedModel.of(classifier, layer=options.layer)
