"""`errlens import`: take over predictions that were made elsewhere."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from errlens.commands._options import OutputOptions, OverwriteOption
from errlens.commands._second_look import describe_cycles
from errlens.places import default_run

if TYPE_CHECKING:
    import pyarrow as pa

    from errlens.classes import ClassNames, Superclasses
    from errlens.data.imported import ImportedPredictions
    from errlens.data.samples import Samples
    from errlens.identity import RunInfo, Settings
    from errlens.run import RunFolder
    from errlens.scale.importing import ShardImporter
    from errlens.terminal import Screen

IMPORTED = "imported"  # stands where the name of the model would


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

    def read_predictions(self) -> "ImportedPredictions":
        """Return what the table says."""
        from errlens.class_files import read_classes
        from errlens.data.imported import PredictionColumns, read_predictions

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
            labels=self.labels,
            allow_unknown=self.allow_unknown,
        )

    def read_superclasses(self, classes: "ClassNames") -> "Superclasses | None":
        """Return the superclasses of the classes, if there are any."""
        from errlens.class_files import read_superclasses

        return read_superclasses(self.superclasses, classes) if self.superclasses else None

    def decisive(self) -> dict[str, Any]:
        """Return the options that decide what the table is taken to say."""
        names = ("label_column", "pred_column", "confidence_column", "prob_prefix", "labels")
        return {name: getattr(self, name) for name in names}


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
    from errlens.analysis.label_space import exchanged_labels
    from errlens.analysis.metrics import COLUMNS, class_table, measure
    from errlens.commands import _evaluation_view as view
    from errlens.data.images import quiet_pillow
    from errlens.data.samples import listed_samples
    from errlens.run import RunFolder
    from errlens.scale.resume import finish
    from errlens.terminal import Screen

    screen = Screen(quiet=options.quiet, verbose=options.verbose, as_json=options.json)
    run = RunFolder(options.out or default_run(options.table, IMPORTED))

    # What does the table say, about which classes and images?
    table = options.read_predictions()
    superclasses = options.read_superclasses(table.classes)
    samples = listed_samples(table.manifest, options.root or options.table.parent)
    _show_table(screen, table, samples)

    # Freeze that, and write whatever has not been written yet.
    importer = _begin(run, options, table, samples, superclasses)
    with quiet_pillow():
        finish(importer, what="importing", progress=screen.progress)

    # What came out?
    predictions = run.read_predictions(COLUMNS)
    cycles = exchanged_labels(predictions)
    if cycles:
        screen.warn(
            "labels and predicted classes seem exchanged: "
            + describe_cycles(cycles, predictions.classes)
        )
    metrics, classes = measure(predictions), class_table(predictions)
    run.complete(metrics.as_dict(), classes)
    view.show_result(screen, run, metrics, classes)
    view.show_next(screen, run, metrics)
    view.print_json(screen, run, metrics, command="import")
    return run


def describe(
    options: ImportOptions,
    table: "ImportedPredictions",
    samples: "Samples",
    superclasses: "Superclasses | None",
) -> tuple["RunInfo", "pa.Table"]:
    """Say which run, with which plan, a table makes."""
    from errlens.identity import RunInfo, plan_hash
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
    from errlens.data.loading import available_cores
    from errlens.scale.importing import ShardImporter

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
    from errlens.analysis.scores import MOST_TOPK
    from errlens.identity import IMPORT_ENGINE, Settings

    with options.table.open("rb") as file:
        table_sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Settings(
        model=IMPORTED,
        arguments=options.decisive(),
        weights_sha256=table_sha256,
        preprocessing={},
        decoder={},
        engine={"name": IMPORT_ENGINE},
        device="none",
        class_names=list(table.classes.names),
        superclasses=superclasses.as_mapping(table.classes) if superclasses else None,
        topk=0 if table.prob is None else min(len(table.classes), MOST_TOPK),
        plan_hash=plan_hash,
    )


def _show_table(screen: "Screen", table: "ImportedPredictions", samples: "Samples") -> None:
    """Say what the table holds."""
    from errlens.data.labels import NO_LABEL
    from errlens.formats import count, counted
    from errlens.terminal import relative

    n = len(samples)
    what = "the predicted class" if table.prob is None else "the probability of every class"
    screen.remark(
        f"found {what} of {counted(n, 'image')}; {counted(len(table.classes), 'class')} named by "
        f"{table.classes.source}"
    )
    here = int(samples.frame["size_bytes"].notna().sum())
    screen.remark(f"{count(here)} of the images found in {relative(samples.root)}")
    unknown = int(table.unknown.sum())
    if unknown:
        screen.warn(f"{counted(unknown, 'label')} beyond the classes: not in the metrics")
    unlabelled = int((table.label == NO_LABEL).sum()) - unknown
    if unlabelled:
        screen.remark(f"{count(unlabelled)} of them without a label: not in the metrics")
