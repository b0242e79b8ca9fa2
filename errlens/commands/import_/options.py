"""Options of `errlens import`."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from errlens.choices import LabelKind, Repeated
from errlens.commands.options.data import (
    MaxBad,
    MaxFileMB,
    SuperclassesFile,
    allowed_bad,
    given_classes,
    given_superclasses,
)
from errlens.commands.options.invocation import OutputOptions, OverwriteOption
from errlens.commands.options.panels import Panel
from errlens.run.places import MAX_FILE_MB

if TYPE_CHECKING:
    from errlens.classes.names import ClassNames, Superclasses
    from errlens.imported.imported_predictions import ImportedPredictions


@dataclass(frozen=True, kw_only=True)
class TableOptions:
    """Which table holds the predictions, and what it calls things."""

    PANEL = Panel.DATA

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
        typer.Option(
            metavar="DIR",
            show_default="the folder of TABLE",
            help="Where the images lie: relative paths start here.",
        ),
    ] = None
    path_column: Annotated[
        str,
        typer.Option(metavar="NAME", rich_help_panel=Panel.COLUMNS, help="Column of the paths."),
    ] = "path"
    id_column: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            rich_help_panel=Panel.COLUMNS,
            help="Column that names the images of a table without paths.",
        ),
    ] = "id"
    label_column: Annotated[
        str,
        typer.Option(metavar="NAME", rich_help_panel=Panel.COLUMNS, help="Column of the labels."),
    ] = "label"
    pred_column: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            rich_help_panel=Panel.COLUMNS,
            help="Column of the predicted classes.",
        ),
    ] = "pred"
    confidence_column: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            rich_help_panel=Panel.COLUMNS,
            help="Column of the probability of the predicted class, where a table has no others; "
            "it may be absent.",
        ),
    ] = "confidence"
    prob_prefix: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            rich_help_panel=Panel.COLUMNS,
            show_default="prob_, p_ or nothing",
            help="What stands before a class in the name of its column of probability; '' is "
            "nothing.",
        ),
    ] = None
    prob_column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=CLASS",
            rich_help_panel=Panel.COLUMNS,
            help="Column of the probability of a class, whatever it is called, such as score=dog; "
            "of two classes one will do. Repeatable.",
        ),
    ] = None
    split_column: Annotated[
        str,
        typer.Option(metavar="NAME", rich_help_panel=Panel.COLUMNS, help="Column of the splits."),
    ] = "split"
    split: Annotated[str | None, typer.Option(metavar="NAME", help="Only this split.")] = None
    labels: Annotated[
        LabelKind | None,
        typer.Option(
            show_default="names if all match a class, else indices",
            help="What labels and predicted classes are.",
        ),
    ] = None
    labels_from: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            show_default="0",
            help="Number of the first class, where labels are numbers.",
        ),
    ] = None
    preds_from: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            show_default="0",
            help="Number of the first class, where predicted classes are numbers.",
        ),
    ] = None
    logits: Annotated[
        bool,
        typer.Option(
            "--logits",
            help="The columns of probability hold raw outputs: take their softmax. Those called "
            "logit_CLASS do.",
        ),
    ] = False
    repeated: Annotated[
        Repeated,
        typer.Option(
            help="Several rows about one image: each counts, the first does, or the mean of their "
            "probabilities, as of views of it.",
        ),
    ] = "count"
    max_bad: MaxBad = "1%"
    allow_unknown: Annotated[
        bool,
        typer.Option(
            "--allow-unknown", help="Keep also images whose label is no class; do not count them."
        ),
    ] = False
    classes: Annotated[
        Path | list[str] | None,
        typer.Option(
            metavar="FILE",
            show_default="those of the columns of probability, else all labels and predictions, "
            "sorted",
            help="Class names in the order of the outputs: txt, json, yaml or csv.",
        ),
    ] = None
    superclasses: SuperclassesFile = None
    max_file_mb: MaxFileMB = MAX_FILE_MB

    def __post_init__(self) -> None:
        allowed_bad(str(self.max_bad), 1)  # a typo should be found before the work

    def read_predictions(self) -> "ImportedPredictions":
        """Return what the table says."""
        from errlens.data.numbering import Numbering
        from errlens.imported.columns import PredictionColumns
        from errlens.imported.probabilities import columns_by_class
        from errlens.imported.table import Wishes, read_predictions

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
            given=given_classes(self.classes),
            wishes=Wishes(
                prob_prefix=self.prob_prefix,
                prob_columns=columns_by_class(self.prob_column or ()),
                logits=self.logits,
                numbering=Numbering(self.labels, self.labels_from, self.preds_from),
                allow_unknown=self.allow_unknown,
                repeated=self.repeated,
                allowed_bad=partial(allowed_bad, str(self.max_bad)),
            ),
        )

    def read_superclasses(self, classes: "ClassNames") -> "Superclasses | None":
        """Return the superclasses of the classes, if there are any."""
        return given_superclasses(self.superclasses, classes)

    def decisive(self) -> dict[str, Any]:
        """Return the options that decide how the table is read."""
        names = ("label_column", "pred_column", "confidence_column", "prob_prefix", "labels")
        first = {
            name: number
            for name in ("labels_from", "preds_from")
            if (number := getattr(self, name)) is not None
        }
        unusual: dict[str, Any] = {"logits": True} if self.logits else {}
        unusual |= {"prob_column": self.prob_column} if self.prob_column else {}
        unusual |= {"repeated": self.repeated} if self.repeated != "count" else {}
        return {name: getattr(self, name) for name in names} | first | unusual


@dataclass(frozen=True, kw_only=True)
class ImportOptions(TableOptions, OutputOptions, OverwriteOption):
    r"""Make a run of predictions that were made elsewhere.

    Keras, JAX or your own program: TABLE becomes the run folder that `errlens evaluate` would have
    written, without a model. Images need not be there; those that lie below --root are hashed and
    measured.

    Examples:
        errlens import predictions.csv --root photos/val
        errlens import runs/sample/baseline.parquet --id-column sample_id \
            --label-column label_name --pred-column pred_name
    """

    PANEL = Panel.OUTPUT

    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="RUN",
            show_default="runs/TABLE-imported",
            help="The run folder.",
        ),
    ] = None
    part_size: Annotated[
        int, typer.Option(min=1, metavar="N", help="Images in a file of predictions.")
    ] = 4096
