"""`errlens import`: take over predictions that were made elsewhere."""

import hashlib

import pyarrow as pa

from errlens.analysis.accuracy.metrics import COLUMNS, class_table, measure
from errlens.analysis.confusion.label_space import (
    exchanged_labels,
    labels_and_predictions,
    renamed_classes,
)
from errlens.classes.names import Superclasses
from errlens.commands.evaluate import view
from errlens.commands.evaluate.label_space import describe_cycles
from errlens.commands.import_.options import ImportOptions, TableOptions
from errlens.commands.import_.view import show_table
from errlens.data.photos.images import quiet_pillow
from errlens.data.photos.loading import available_cores
from errlens.data.photos.oddities import Oddities
from errlens.data.samples import Samples, listed_samples
from errlens.imported.table import ImportedPredictions
from errlens.imported.writing import ShardImporter
from errlens.predictions.scores import MOST_TOPK
from errlens.predictions.table import Predictions
from errlens.run.folder import RunFolder
from errlens.run.identity import IMPORT_ENGINE, RunInfo, RunSettings, plan_hash
from errlens.run.places import default_run
from errlens.scale.plan import make_plan
from errlens.scale.resume import finish
from errlens.terminal import Screen

IMPORTED = "imported"  # stands where the name of the model would
MOST_RENAMED = 5  # classes named in warnings


def import_predictions(options: ImportOptions) -> RunFolder:
    """Make a run of predictions that were made elsewhere: Keras, JAX, your own program."""
    screen = options.screen()
    run = RunFolder(options.out or default_run(options.table, IMPORTED))

    # What does the table say, about which classes and images?
    table = options.read_predictions()
    superclasses = options.read_superclasses(table.classes)
    samples = listed_samples(table.manifest, options.root or options.table.parent)
    show_table(screen, table, samples)

    # Freeze that, and write whatever has not been written yet.
    importer = _begin(run, options, table, samples, superclasses)
    with run.in_work():
        with quiet_pillow():
            finish(importer, what="importing", progress=screen.progress)

        # What came out?
        predictions = run.read_predictions(COLUMNS)
        _warn_of_other_names(screen, predictions)
        metrics, classes = measure(predictions), class_table(predictions)
        run.complete(metrics.as_dict(), classes)
    view.show_photos(screen, run, Oddities())
    view.show_result(screen, run, metrics, classes)
    view.show_next(screen, run, metrics)
    view.print_json(screen, run, metrics, command="import")
    return run


def _warn_of_other_names(screen: Screen, predictions: Predictions) -> None:
    """Warn where labels and predictions seem to call the same classes otherwise."""
    classes = predictions.classes
    if cycles := exchanged_labels(predictions):
        screen.warn(
            f"labels and predicted classes seem exchanged: {describe_cycles(cycles, classes)}"
        )
    renamed_ones = renamed_classes(*labels_and_predictions(predictions), n_classes=len(classes))
    for renamed in renamed_ones[:MOST_RENAMED]:
        label, output = classes[renamed.label], classes[renamed.output]
        screen.warn(
            f"no image is predicted as {label!r}, and none is labelled {output!r}, but "
            f"{renamed.matched} of {renamed.n} {label!r} are predicted as {output!r}: if this is "
            "one class, call it alike in the table"
        )


def describe(
    options: ImportOptions,
    table: ImportedPredictions,
    samples: Samples,
    superclasses: Superclasses | None,
) -> tuple[RunInfo, pa.Table]:
    """Say which run, with which plan, a table makes."""
    plan = make_plan(samples, part_size=options.part_size)
    info = RunInfo(
        _settings(options, table, superclasses, plan_hash(plan)),
        data=str(options.table.absolute()),
        data_root=str(samples.root),
        n_images=len(samples),
    )
    return info, plan


def _begin(
    run: RunFolder,
    options: ImportOptions,
    table: ImportedPredictions,
    samples: Samples,
    superclasses: Superclasses | None,
) -> ShardImporter:
    """Make the run folder ready, or go on with it, and return what writes its shards."""
    info, plan = describe(options, table, samples, superclasses)
    plan = run.begin(info, plan, extra=samples.extra, overwrite=options.overwrite)
    return ShardImporter(
        run=run,
        plan=plan,
        info=info,
        table=table,
        superclasses=superclasses,
        workers=available_cores(),
    )


def _settings(
    options: TableOptions,
    table: ImportedPredictions,
    superclasses: Superclasses | None,
    plan_hash: str,
) -> RunSettings:
    """Return everything that decides the predictions of this run; the table is its weights."""
    with options.table.open("rb") as file:
        table_sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return RunSettings(
        model=IMPORTED,
        arguments=options.decisive(),
        weights_sha256=table_sha256,
        preprocessing={},
        decoder={"max_file_mb": options.max_file_mb},
        engine={"name": IMPORT_ENGINE},
        device="none",
        class_names=list(table.classes.names),
        superclasses=superclasses.as_mapping(table.classes) if superclasses else None,
        topk=0 if table.prob is None else min(len(table.classes), MOST_TOPK),
        plan_hash=plan_hash,
    )
