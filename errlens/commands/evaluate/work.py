"""What an evaluation is going to do, as it is known before anything is predicted."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from errlens.classes.names import Superclasses
from errlens.commands.evaluate import remarks
from errlens.commands.evaluate.classifier import (
    SOME_TRAINING,
    load_for,
    look_first,
    probe_command,
    training_images,
)
from errlens.commands.evaluate.options import (
    EvaluateOptions,
    expected_accuracy,
    sidecars_to_keep,
)
from errlens.commands.evaluate.subset import Judged, among_classes_of_data
from errlens.data.labels import are_indices, label_indices
from errlens.data.photos.loading import available_cores
from errlens.data.samples import Samples, folders_of_folders
from errlens.errors import ClassCountMismatch, UnknownLabels
from errlens.escapes import shell_line
from errlens.model.classifier import Classifier
from errlens.model.outputs.on_photos import spread_photos
from errlens.model.predict import ShardPredictor
from errlens.run.folder import RunFolder
from errlens.run.identity import RunInfo, plan_hash
from errlens.run.places import as_recorded
from errlens.scale.plan import make_plan
from errlens.terminal import Screen

MOST_DEEPER: Final = 3  # folders named where classes seem to lie one level deeper


class Work(NamedTuple):
    """Which images are to be predicted, by which model, and which run these make.

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
    remarks.show_samples(screen, samples)
    with _other_classes_answered(options, samples):
        return _prepared(options, screen, samples)


def _prepared(options: EvaluateOptions, screen: Screen, samples: Samples) -> Work:
    labels = () if are_indices(samples, kind=options.labels) else samples.labels
    classifier = load_for(options, samples, labels=labels, ordered=samples.classes)
    remarks.show_classifier(screen, classifier)
    classifier = look_first(
        screen, classifier, spread_photos(samples), options, at_once=options.batch_size
    )
    label = label_indices(
        samples, classifier.classes, kind=options.labels, allow_unknown=options.allow_unknown
    )
    indices = are_indices(samples, classifier.classes, kind=options.labels)
    remarks.show_labels(
        screen,
        samples,
        classifier.classes,
        label,
        are_names=not indices,
        subset=options.classes_subset,
    )
    superclasses = options.read_superclasses(classifier.classes)
    if options.classes_subset:
        judged = Judged(classifier, superclasses, label)
        judged = among_classes_of_data(screen, judged, samples, indices=indices)
        classifier, superclasses, label = judged
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
        head=options.head,
        seed=options.seed,
        skipped=dict(samples.skipped),
        resources=options.resources(),
        expected_top1=expected_accuracy(options.expect),
    )
    return Work(samples, classifier, superclasses, label, plan, info)


@contextmanager
def _other_classes_answered(options: EvaluateOptions, samples: Samples) -> Iterator[None]:
    """Where the classes are not the model's, name the commands that may put that right."""
    try:
        yield
    except (ClassCountMismatch, UnknownLabels) as error:
        deeper = folders_of_folders(samples)
        if deeper:
            error.hint = "the folders of DATA hold folders: if these are the classes, pass " + (
                "the one above them:" if len(deeper) == 1 else "one of those above them:"
            )
            data = options.data
            error.code = [options.again(data=data / name) for name in deeper[:MOST_DEEPER]]
        elif "network probe" in error.hint and len(samples.labels) > 1:
            train = training_images(options.data)
            if train != options.data:
                error.hint = error.hint.replace("TRAIN", shell_line([train]))
            unknown = "; TRAIN are photos to fit it to, others than these:"
            error.hint += unknown if train == SOME_TRAINING else ":"
            error.code = [probe_command(dataclasses.replace(options, classes=None))]
        raise


def begin(run: RunFolder, options: EvaluateOptions, work: Work) -> ShardPredictor:
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
