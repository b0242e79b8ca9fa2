"""`errlens explain`: why this class and not that one, for the worst errors, in one batch."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager

from errlens.attribution.judging.choosing import advice, trials
from errlens.attribution.methods import load_method
from errlens.commands.explain import view
from errlens.commands.explain.earlier_calls import EarlierCalls
from errlens.commands.explain.explainers import (
    bare_model,
    explainer_of,
    explanations,
    fitting_methods,
)
from errlens.commands.explain.index_rows import IndexRows, regions_of
from errlens.commands.explain.job import (
    Explained,
    Job,
    errors_of_run,
    photos_without_run,
)
from errlens.commands.explain.options import ExplainOptions
from errlens.commands.explain.picture_files import PictureFiles
from errlens.commands.explain.refusals import refuse_what_does_not_fit
from errlens.commands.explain.studies import Studies
from errlens.commands.explain.tables import OK, Tables, tables
from errlens.commands.options.selecting import ANY_PHOTO
from errlens.commands.showing import say_next
from errlens.errors import Interrupted, NothingExplained
from errlens.run.folder import RunFolder, open_run
from errlens.run.results import ResultsWriter, renewed_folder
from errlens.signals import heard_once
from errlens.terminal import Screen, relative

CTRL_C = "Ctrl-C"
Progress = Callable[..., AbstractContextManager[Callable[[int], None]]]


def explain(options: ExplainOptions, screen: Screen | None = None) -> Tables:
    """Show where in an image the network found its reasons."""
    screen = screen or options.screen()
    if options.about:
        view.show_card(screen, load_method(options.about))
        return tables()
    refuse_what_does_not_fit(options)
    if options.list_methods:
        view.show_methods(screen, bare_model(options, screen))
        return tables()
    start = photos_without_run if options.of_photos else errors_of_run
    job = start(options, screen)
    explained = explain_job(job, screen.progress)
    view.show(screen, explained)
    view.print_json(screen, explained)
    maps = explained.tables.maps
    if explained.stopped == CTRL_C:
        raise Interrupted("stopped; what was done is kept")
    if len(maps) and not (maps["status"] == OK).any():
        raise NothingExplained(f"no map could be made: {maps['error'].iloc[0]}")
    if not job.of_photos:
        _show_next(screen, open_run(job.folder.parent), options)
    return explained.tables


def _show_next(screen: Screen, run: RunFolder, options: ExplainOptions) -> None:
    """Name the command that shows the maps; without labels, some are on a page of their own."""
    whole = run.metrics["top1"] or options.select == [ANY_PHOTO]
    selected = [] if whole else options.selection_words()
    words = ["errlens", "report", relative(run.path), *selected, *options.images_words()]
    say_next(screen, words)


def explain_job(job: Job, progress: Progress) -> Explained:
    """Explain the images, write all files, and return what came of it.

    Whoever stops it, and stops it again, still gets the index of what was made by then.
    """
    with heard_once() as end:
        return _explain_job(job, progress, end)


def _explain_job(job: Job, progress: Progress, end: Callable[[], None]) -> Explained:
    earlier = EarlierCalls(job.folder, job.run_hash)
    try:
        with renewed_folder(
            job.folder, run_hash=job.run_hash, options=job.how.decisive, keep=earlier.keeps
        ) as results:
            pictures = PictureFiles(results, job)
            if job.cases:
                explained = _explain_images(job, results, pictures, progress, end)
            else:
                explained = Explained(job, tables())
            results.when_alone(lambda: earlier.add(results, explained.tables, pictures.sheets))
    except BaseException:
        if job.of_photos:
            earlier.forget([case.facts["sample_id"] for case in job.cases])
        raise
    return explained._replace(written=results.written)


def _explain_images(
    job: Job,
    results: ResultsWriter,
    pictures: PictureFiles,
    progress: Progress,
    end: Callable[[], None],
) -> Explained:
    """Explain image by image, until all are done or it is time to stop; then call `end`."""
    explainer = explainer_of(job, job.load())
    older = explainer_of(job, job.load_older(), older=True) if job.load_older else None
    methods = fitting_methods(job.how, explainer.model)
    studies = Studies(explainer, pictures, job)
    index = IndexRows(regions_of(job, explainer.classifier), job.how.described)
    budget = job.how.budget()
    seconds: list[Mapping[str, float]] = []
    stopped = None
    try:
        pictures.tell(studies.left(methods))
        with progress("explaining", total=len(job.cases)) as step:
            for batch in explanations(job.cases, explainer, older, methods, budget.step):
                for explanation in batch:
                    index.add(explanation, pictures.add(explanation), studies.add(explanation))
                    seconds.append(explanation.seconds)
                    step(1)
                budget.spend(results.size)
                if len(seconds) < len(job.cases) and (stopped := budget.exhausted()):
                    break
        pictures.finish()
        similarities = [] if stopped else studies.similarities(methods, progress)
        end()
    except KeyboardInterrupt:
        stopped, similarities = CTRL_C, []
    made = tables(index.rows(), studies.covers, similarities)
    if not job.how.compare:
        return Explained(job, made, stopped=stopped)
    tried = trials(made.maps, made.similarities, studies.agreement, _means(seconds))
    judged = tables(methods=[trial._asdict() for trial in tried]).methods
    return Explained(job, made._replace(methods=judged), advice(tried), stopped)


def _means(seconds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean seconds of an image by method."""
    n = max(1, len(seconds))
    return {name: sum(each[name] for each in seconds) / n for name in (seconds or [{}])[0]}
