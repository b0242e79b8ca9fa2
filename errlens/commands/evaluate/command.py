"""`errlens evaluate`: predict every image and keep each prediction."""

import dataclasses
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from errlens.analysis.accuracy.doubts import doubt
from errlens.analysis.accuracy.metrics import COLUMNS, Metrics, class_table, measure
from errlens.classes.names import Superclasses
from errlens.commands.evaluate import view
from errlens.commands.evaluate.first_look import look_first
from errlens.commands.evaluate.label_space import Again, check_label_space
from errlens.commands.evaluate.options import (
    EvaluateOptions,
    allowed_bad,
    expected_accuracy,
    sidecars_to_keep,
)
from errlens.commands.evaluate.restoring import (
    diagnose,
    diagnosis_as_dict,
    doubt_as_dict,
    show_diagnosis,
    show_doubt,
)
from errlens.commands.options.invocation import INVOCATION
from errlens.commands.options.shell import command_line
from errlens.data.labels import are_indices, label_indices
from errlens.data.photos.loading import available_cores
from errlens.data.photos.oddities import Oddities, total
from errlens.data.samples import Samples
from errlens.errors import TooManyBadInputs
from errlens.formats import count, counted
from errlens.model.classifier import Classifier
from errlens.model.first_look import spread_photos
from errlens.model.predict import ShardPredictor, predict_missing
from errlens.model.restoring.restoration import Diagnosis
from errlens.run.folder import RunFolder
from errlens.run.identity import RunInfo, plan_hash
from errlens.run.places import as_recorded, default_run
from errlens.scale.plan import make_plan
from errlens.terminal import Screen


def evaluate(options: EvaluateOptions) -> RunFolder:
    """Predict every image of DATA and keep each prediction, right or wrong."""
    screen = options.screen()
    run = RunFolder(options.out or default_run(options.data, options.model_label, options.split))

    # What is there to predict, and by which model?
    work = prepare(options, screen)

    # Freeze that, and predict whatever has no prediction yet.

    predictor = _begin(run, options, work)
    with run.in_work():
        predict_missing(predictor, progress=screen.progress)

        # What came out?
        predictions = run.read_predictions(COLUMNS)
        again = partial(_command, options)
        check_label_space(screen, run, predictions, again, trust=options.trust_labels)
        metrics, classes = measure(predictions), class_table(predictions)
        oddities = total(map(Oddities.from_dict, run.read_photo_counts()))
        run.complete(metrics.as_dict(), classes, photos=oddities.as_dict())
    view.show_photos(screen, run, oddities)
    view.show_result(screen, run, metrics, classes)
    diagnosis = diagnose(
        screen,
        predictor,
        metrics,
        oddities=oddities,
        expected=expected_accuracy(options.expect),
        seed=options.seed,
    )
    # Other settings than those of a transform cannot be tried.
    doubted = None if options.expect or options.transform else doubt(metrics, classes)
    show_doubt(screen, doubted, again)
    _show_way_on(screen, run, metrics, diagnosis, again)
    more = {"diagnosis": diagnosis_as_dict(diagnosis, run, again)} if diagnosis else {}
    more |= {"doubt": doubt_as_dict(doubted, again)} if doubted else {}
    view.print_json(screen, run, metrics, more=more)
    _check_bad_inputs(run, metrics, options.max_bad)
    return run


def _show_way_on(
    screen: Screen,
    run: RunFolder,
    metrics: Metrics,
    diagnosis: Diagnosis | None,
    again: Again,
) -> None:
    """Name the next command: one with better settings, or the one that reads the run."""
    show_diagnosis(screen, diagnosis, run, again)
    if not diagnosis:
        view.show_next(screen, run, metrics)


def _check_bad_inputs(run: RunFolder, metrics: Metrics, max_bad: str) -> None:
    """Refuse a result that too many inputs are missing from."""
    if metrics.n_failed > allowed_bad(str(max_bad), metrics.n):
        raise TooManyBadInputs(
            f"{count(metrics.n_failed)} of {counted(metrics.n, 'input')} failed, --max-bad is "
            f"{max_bad}",
            hint=f"everything was written to {run.path}; see its columns status and error",
        )


def _command(options: EvaluateOptions, **changes: Any) -> str:
    """Write the command that was given with some options changed."""
    changed = dataclasses.replace(options, **changes)
    return command_line("evaluate", changed, without=INVOCATION)


class Work(NamedTuple):
    """What an evaluation is going to do: known before anything is predicted.

    `label` holds the class index of every row of the plan.
    """

    samples: Samples
    classifier: Classifier
    superclasses: Superclasses | None
    label: NDArray[np.int32]
    plan: pa.Table
    info: RunInfo


def prepare(options: EvaluateOptions, screen: Screen) -> Work:
    """Look at the data, load the model, and say which run these make."""
    samples = options.find_samples(seed=options.seed)
    view.show_samples(screen, samples)

    # It takes torch, which takes seconds to import: not before there are data.

    names = () if are_indices(samples, kind=options.labels) else samples.labels
    classifier = options.load_classifier(
        labels=names, ordered=samples.classes, device=options.device
    )
    view.show_classifier(screen, classifier)
    classifier = look_first(screen, classifier, spread_photos(samples), options)
    label = label_indices(
        samples, classifier.classes, kind=options.labels, allow_unknown=options.allow_unknown
    )
    indices = are_indices(samples, classifier.classes, kind=options.labels)
    view.show_labels(screen, samples, classifier.classes, label, are_names=not indices)

    superclasses = options.read_superclasses(classifier.classes)
    plan = make_plan(samples, part_size=options.part_size)
    kind = "indices" if indices else "names"
    info = RunInfo(
        classifier.settings(
            plan_hash(plan), superclasses, labels=kind, max_file_mb=options.max_file_mb
        ),
        data=as_recorded(options.data),
        data_root=str(samples.root),
        n_images=len(samples),
        keep=sidecars_to_keep(options.keep, n=len(samples), values=classifier.values_per_image),
        checkpoint=str(options.checkpoint.absolute()) if options.checkpoint else None,
        use_ema=options.use_ema,
        seed=options.seed,
        skipped=dict(samples.skipped),
        resources=options.resources(),
    )
    return Work(samples, classifier, superclasses, label, plan, info)


def _begin(run: RunFolder, options: EvaluateOptions, work: Work) -> ShardPredictor:
    """Make the run folder ready, or go on with it, and return what predicts its shards."""
    samples, classifier = work.samples, work.classifier
    batch_size = options.batch_size or classifier.good_batch_size
    classifier.check_batch_size(batch_size)
    plan = run.begin(work.info, work.plan, extra=samples.extra, overwrite=options.overwrite)
    return ShardPredictor(
        run=run,
        info=work.info,
        plan=plan,
        label=work.label,
        problems=samples.frame["problem"].tolist(),
        classifier=classifier,
        superclasses=work.superclasses,
        batch_size=batch_size,
        workers=options.workers or available_cores(),
        threads=options.threads,
    )
