"""`errlens import`: take over predictions that were made elsewhere."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from errlens.commands.evaluate.second_look import describe_cycles
from errlens.commands.options.groups import MaxFileMB, OutputOptions, OverwriteOption
from errlens.run.places import MAX_FILE_MB, default_run

if TYPE_CHECKING:
    import pyarrow as pa

    from errlens.classes.names import ClassNames, Superclasses
    from errlens.data.samples import Samples
    from errlens.imported.table import ImportedPredictions
    from errlens.imported.writing import ShardImporter
    from errlens.predictions.table import Predictions
    from errlens.run.folder import RunFolder
    from errlens.run.identity import RunInfo, Settings
    from errlens.terminal import Screen

IMPORTED = "imported"  # stands where the name of the model would
MOST_RENAMED = 5  # classes named in warnings


@dataclass(frozen=True, kw_only=True)
class TableOptions:
    """Which table holds the predictions, and what it calls things."""

    table: Annotated[
        Path,
        typer.Argument(
            metavar="TABLE",
            help="A .csv, .tsv or .parquet file: one row an image, with its label and the "
            "predicted class or the probability of every class.",
        ),
    ]
    root: Annotated[
        Path | None,
        typer.Option(help="Where the images lie: relative paths start here.  [default: TABLE's]"),
    ] = None
    path_column: Annotated[str, typer.Option(help="Column of the paths.")] = "path"
    id_column: Annotated[
        str, typer.Option(help="Column that names the images of a table without paths.")
    ] = "id"
    label_column: Annotated[str, typer.Option(help="Column of the labels.")] = "label"
    pred_column: Annotated[str, typer.Option(help="Column of the predicted classes.")] = "pred"
    confidence_column: Annotated[
        str,
        typer.Option(help="Column of their probabilities, where a table has no others; optional."),
    ] = "confidence"
    prob_prefix: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="What stands before a class in the name of its column of probability; '' is "
            "nothing.  [default: prob_, p_ or nothing]",
        ),
    ] = None
    split_column: Annotated[str, typer.Option(help="Column of the splits.")] = "split"
    split: Annotated[str | None, typer.Option(help="Only this split.")] = None
    labels: Annotated[
        Literal["names", "indices"] | None,
        typer.Option(
            help="What labels and predicted classes are.  "
            "[default: names if all match a class, else indices]"
        ),
    ] = None
    labels_from: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Number of the first class, where labels are numbers.  [default: 0]",
        ),
    ] = None
    preds_from: Annotated[
        int | None,
        typer.Option(metavar="N", help="Likewise of predicted classes.  [default: 0]"),
    ] = None
    allow_unknown: Annotated[
        bool,
        typer.Option(
            "--allow-unknown", help="Keep images whose label is no class, out of the metrics."
        ),
    ] = False
    classes: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Class names in output order: txt, json, yaml or csv.  [default: those of the "
            "columns of probability, else all labels and predictions, sorted]",
        ),
    ] = None
    superclasses: Annotated[
        Path | None, typer.Option(help="A csv file with class_name,superclass.", metavar="FILE")
    ] = None
    max_file_mb: MaxFileMB = MAX_FILE_MB

    def read_predictions(self) -> "ImportedPredictions":
        """Return what the table says."""
        from errlens.classes.files import read_classes
        from errlens.data.counting import Numbering
        from errlens.imported.table import PredictionColumns, read_predictions

        return read_predictions(
            self.table,
            PredictionColumns(
                path=self.path_column,
                id=self.id_column,
                label=self.label_column,
                pred=self.pred_column,
                confidence=self.confidence_column,
                split=self.split_column,
            ),
            split=self.split,
            given=read_classes(self.classes) if self.classes else None,
            prob_prefix=self.prob_prefix,
            numbering=Numbering(self.labels, self.labels_from, self.preds_from),
            allow_unknown=self.allow_unknown,
        )

    def read_superclasses(self, classes: "ClassNames") -> "Superclasses | None":
        """Return the superclasses of the classes, if there are any."""
        from errlens.classes.files import read_superclasses

        return read_superclasses(self.superclasses, classes) if self.superclasses else None

    def decisive(self) -> dict[str, Any]:
        """Return the options that decide what the table is taken to say."""
        names = ("label_column", "pred_column", "confidence_column", "prob_prefix", "labels")
        first = {
            name: number
            for name in ("labels_from", "preds_from")
            if (number := getattr(self, name)) is not None
        }
        return {name: getattr(self, name) for name in names} | first


@dataclass(frozen=True, kw_only=True)
class ImportOptions(TableOptions, OutputOptions, OverwriteOption):
    """Options of `errlens import`."""

    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="RUN", help="The run folder.  [default: runs/TABLE-imported]"
        ),
    ] = None
    part_size: Annotated[int, typer.Option(min=1, metavar="N", help="Images in a part.")] = 4096


def import_predictions(options: ImportOptions) -> "RunFolder":
    """Make a run of predictions that were made elsewhere: Keras, JAX, your own program.

    TABLE becomes the run folder that `errlens evaluate` would have written, without a model.
    Images need not be there; those that lie below --root are hashed and measured.
    """
    from errlens.analysis.accuracy.metrics import COLUMNS, class_table, measure
    from errlens.commands.evaluate import view
    from errlens.commands.import_.view import show_table
    from errlens.data.photos.images import quiet_pillow
    from errlens.data.photos.oddities import Oddities
    from errlens.data.samples import listed_samples
    from errlens.run.folder import RunFolder
    from errlens.scale.resume import finish
    from errlens.terminal import Screen

    screen = Screen(quiet=options.quiet, verbose=options.verbose, as_json=options.json)
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


def _warn_of_other_names(screen: "Screen", predictions: "Predictions") -> None:
    """Warn where labels and predictions seem to call the same classes otherwise."""
    from errlens.analysis.confusion.label_space import exchanged_labels, renamed_classes, scored

    classes = predictions.classes
    if cycles := exchanged_labels(predictions):
        screen.warn(
            f"labels and predicted classes seem exchanged: {describe_cycles(cycles, classes)}"
        )
    renamed_ones = renamed_classes(*scored(predictions), n_classes=len(classes))
    for renamed in renamed_ones[:MOST_RENAMED]:
        label, output = classes[renamed.label], classes[renamed.output]
        screen.warn(
            f"no image is predicted as {label!r}, and none is labelled {output!r}, but "
            f"{renamed.matched} of {renamed.n} {label!r} are predicted as {output!r}: if this is "
            "one class, call it alike in the table"
        )


def describe(
    options: ImportOptions,
    table: "ImportedPredictions",
    samples: "Samples",
    superclasses: "Superclasses | None",
) -> tuple["RunInfo", "pa.Table"]:
    """Say which run, with which plan, a table makes."""
    from errlens.run.identity import RunInfo, plan_hash
    from errlens.scale.plan import make_plan

    plan = make_plan(samples, part_size=options.part_size)
    info = RunInfo(
        _settings(options, table, superclasses, plan_hash(plan)),
        data=str(options.table.absolute()),
        data_root=str(samples.root),
        n_images=len(samples),
    )
    return info, plan


def _begin(
    run: "RunFolder",
    options: ImportOptions,
    table: "ImportedPredictions",
    samples: "Samples",
    superclasses: "Superclasses | None",
) -> "ShardImporter":
    """Make the run folder ready, or go on with it, and return what writes its shards."""
    from errlens.data.photos.loading import available_cores
    from errlens.imported.writing import ShardImporter

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
    table: "ImportedPredictions",
    superclasses: "Superclasses | None",
    plan_hash: str,
) -> "Settings":
    """Return everything that decides the predictions of this run; the table is its weights."""
    from errlens.predictions.scores import MOST_TOPK
    from errlens.run.identity import IMPORT_ENGINE, Settings

    with options.table.open("rb") as file:
        table_sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Settings(
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
