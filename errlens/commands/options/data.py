"""Options that say what there is to predict, and what its labels mean."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from errlens.choices import LabelKind
from errlens.commands.options.panels import Panel
from errlens.errors import UnfitOption
from errlens.run.places import DEFAULT_RUNS, MAX_FILE_MB, SPLIT_NAMES, data_set_name

if TYPE_CHECKING:
    from errlens.classes.names import ClassNames, Superclasses
    from errlens.data.samples import Samples

MaxFileMB = Annotated[
    int, typer.Option(min=1, metavar="N", help="Read no image file of more megabytes than this.")
]
MaxBad = Annotated[
    str, typer.Option(metavar="N|X%", help="Exit with 3 if more inputs fail than this.")
]
# In a shell these are files; YAML and Python may also say what would stand in them.
SuperclassesFile = Annotated[
    Path | dict[str, str] | None,
    typer.Option(metavar="FILE", help="A csv file with the columns class_name and superclass."),
]


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """What to predict."""

    PANEL = Panel.DATA

    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            help="A folder with a subfolder of photos for each class; a .csv or .parquet manifest; "
            "photos without labels, a folder or a file; or torchvision:NAME, a data set.",
        ),
    ]
    root: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            show_default="the manifest's folder",
            help="Where the relative paths of a manifest start, or where a data set of "
            "torchvision lies.",
        ),
    ] = None
    path_column: Annotated[
        str,
        typer.Option(
            metavar="NAME", rich_help_panel=Panel.COLUMNS, help="Manifest column of the paths."
        ),
    ] = "path"
    label_column: Annotated[
        str,
        typer.Option(
            metavar="NAME", rich_help_panel=Panel.COLUMNS, help="Manifest column of the labels."
        ),
    ] = "label"
    split_column: Annotated[
        str,
        typer.Option(
            metavar="NAME", rich_help_panel=Panel.COLUMNS, help="Manifest column of the splits."
        ),
    ] = "split"
    split: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only this split of a manifest or a data set."),
    ] = None
    labels: Annotated[
        LabelKind | None,
        typer.Option(
            show_default="names, but indices where a manifest has whole numbers that are no names",
            help="What the labels are: names of classes, or their places among the outputs.",
        ),
    ] = None
    allow_unknown: Annotated[
        bool,
        typer.Option(
            "--allow-unknown",
            help="Predict also images whose label the model lacks; do not count them.",
        ),
    ] = False
    limit: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="At most N images, of each class in proportion."),
    ] = None
    download: Annotated[
        bool, typer.Option("--download", help="Fetch a torchvision data set into --root.")
    ] = False
    max_file_mb: MaxFileMB = MAX_FILE_MB

    def find_samples(self, *, seed: int) -> "Samples":
        """Return the images these options describe."""
        from errlens.data.manifests import Columns
        from errlens.data.samples import find_samples, refuse_absent, stratified

        name = data_set_name(self.data)
        if name is not None:
            from errlens.data.torchvision_sets import torchvision_samples

            samples = torchvision_samples(
                name, root=self.root, split=self.split, download=self.download
            )
            return samples if self.limit is None else stratified(samples, self.limit, seed)
        if self.download:
            raise UnfitOption("--download fetches data sets like torchvision:CIFAR10, nothing else")
        samples = find_samples(
            self.data,
            root=self.root,
            columns=Columns(self.path_column, self.label_column, self.split_column),
            split=self.split,
            limit=self.limit,
            seed=seed,
        )
        refuse_absent(samples, self.data)
        return samples


@dataclass(frozen=True, kw_only=True)
class JudgementOptions:
    """How predictions are compared with labels."""

    PANEL = Panel.DATA

    trust_labels: Annotated[
        bool,
        typer.Option("--trust-labels", help="Go on where labels and outputs seem to be exchanged."),
    ] = False
    superclasses: SuperclassesFile = None

    def read_superclasses(self, classes: "ClassNames") -> "Superclasses | None":
        """Return the superclasses of the classes, if there are any."""
        return given_superclasses(self.superclasses, classes)


def given_superclasses(
    given: Path | dict[str, str] | None, classes: "ClassNames"
) -> "Superclasses | None":
    """Return superclasses that were given as a file or as they are, if they were."""
    from errlens.classes.files import read_superclasses
    from errlens.classes.names import Superclasses

    if isinstance(given, dict):
        return Superclasses.from_mapping(given, classes, source="superclasses")
    return None if given is None else read_superclasses(given, classes)


def given_classes(given: Path | list[str] | None) -> "ClassNames | None":
    """Return class names that were given as a file or as they are, if they were."""
    from errlens.classes.files import read_classes
    from errlens.classes.names import ClassNames

    if isinstance(given, list):
        return ClassNames(tuple(given), source="classes")
    return None if given is None else read_classes(given)


def allowed_bad(text: str, n: int) -> int:
    """Return how many of n inputs may fail, from a count or a share.

    >>> allowed_bad("20", 1000), allowed_bad("5%", 1000), allowed_bad("1%", 99)
    (20, 50, 0)
    """
    number, percent = text.removesuffix("%"), text.endswith("%")
    try:
        value = float(number) if percent else int(number)
    except ValueError:
        value = -1
    if not 0 <= value < float("inf"):
        raise UnfitOption(f"--max-bad {text!r} is neither a count like 20 nor a share like 5%")
    return int(n * value / 100) if percent else int(value)


def default_run(data: Path, model: str, split: str | None = None) -> Path:
    """Return where a run goes that was given no name: `runs/DATA-MODEL`.

    The split is part of the name of a torchvision data set.

    >>> default_run(Path("photos/pets/val"), "hf-hub:timm/resnet18").as_posix()
    'runs/pets-val-hf-hub_timm_resnet18'
    >>> default_run(Path("torchvision:DTD"), "resnet18", "val").as_posix()
    'runs/DTD-val-resnet18'
    """
    data_set = data_set_name(data)
    if data_set is not None:
        return _run_named(data_set, split, model)
    data = Path(os.path.normpath(data.absolute()))
    name = data.name if data.is_dir() else data.stem
    parts = [data.parent.name, name] if data.name.casefold() in SPLIT_NAMES else [name]
    return _run_named(*parts, model)


def _run_named(*parts: str | None) -> Path:
    return Path(DEFAULT_RUNS, re.sub(r"[^\w.-]+", "_", "-".join(filter(None, parts))))
