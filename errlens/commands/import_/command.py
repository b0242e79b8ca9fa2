"""`errlens import`: take over predictions that were made elsewhere."""

import hashlib
from typing import NamedTuple

import pyarrow as pa

from errlens.analysis.accuracy.metrics import COLUMNS
from errlens.classes.names import Superclasses
from errlens.commands.evaluate import view
from errlens.commands.evaluate.remarks import warn_of_result
from errlens.commands.evaluate.result import Evaluation, check_bad_inputs, complete
from errlens.commands.import_.options import ImportOptions
from errlens.commands.import_.remarks import show_table, warn_of_other_names
from errlens.commands.options.data import default_run
from errlens.data.photos.images import quiet_pillow
from errlens.data.photos.loading import available_cores
from errlens.data.samples import Samples, listed_samples
from errlens.imported.imported_predictions import ImportedPredictions
from errlens.imported.writing import ShardImporter
from errlens.predictions.scores import MOST_TOPK
from errlens.run.folder import RunFolder
from errlens.run.identity import IMPORT_ENGINE, RunInfo, RunSettings, plan_hash
from errlens.scale.plan import make_plan
from errlens.scale.resume import finish
from errlens.terminal import Screen

IMPORTED = "imported"  # stands where the name of the model would


def import_predictions(options: ImportOptions, screen: Screen | None = None) -> Evaluation:
    """Make a run of predictions that were made elsewhere: Keras, JAX, your own program."""
    screen = screen or options.screen()
    evaluation = imported(options, screen)
    view.show_result(screen, evaluation, step="import")
    view.show_next(screen, evaluation)
    view.print_json(screen, "import", evaluation)
    check_bad_inputs(evaluation, options.max_bad)
    return evaluation


def imported(options: ImportOptions, screen: Screen) -> Evaluation:
    """Write whatever of the table has not been written yet, and measure what came out."""
    run = RunFolder(options.out or default_run(options.table, IMPORTED))
    work = prepare(options)
    show_table(screen, work.table, work.samples, options.repeated)
    importer = ShardImporter(
        run=run,
        plan=run.begin(work.info, work.plan, extra=work.samples.extra, overwrite=options.overwrite),
        info=work.info,
        table=work.table,
        superclasses=work.superclasses,
        workers=available_cores(),
    )
    with run.in_work():
        with quiet_pillow():
            finish(importer, what="importing", progress=screen.progress)
        predictions = run.read_predictions(COLUMNS)
        warn_of_other_names(screen, predictions)
        evaluation = complete(run, predictions)
    warn_of_result(screen, evaluation)
    return evaluation


class Work(NamedTuple):
    """What a table says, about which classes and images, and which run these make."""

    table: ImportedPredictions
    samples: Samples
    superclasses: Superclasses | None
    plan: pa.Table
    info: RunInfo


def prepare(options: ImportOptions) -> Work:
    """Read the table, and say which run it makes."""
    table = options.read_predictions()
    superclasses = options.read_superclasses(table.classes)
    samples = listed_samples(table.manifest, options.root or options.table.parent)
    plan = make_plan(samples, part_size=options.part_size)
    info = RunInfo(
        _settings(options, table, superclasses, plan_hash(plan)),
        data=str(options.table.absolute()),
        data_root=str(samples.root),
        n_images=len(samples),
    )
    return Work(table, samples, superclasses, plan, info)


def _settings(
    options: ImportOptions,
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
