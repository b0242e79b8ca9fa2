"""Options shared by commands, declared once for the command line and for configurations."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from errlens.errors import UnfitOption, shortened
from errlens.run.places import DEFAULT_RUNS, MAX_FILE_MB, data_set_name

if TYPE_CHECKING:
    from errlens.classes.names import ClassNames, Superclasses
    from errlens.data.samples import Samples
    from errlens.model.classifier import Classifier
    from errlens.run.folder import RunFolder
    from errlens.terminal import Screen

MaxFileMB = Annotated[
    int, typer.Option(min=1, metavar="N", help="Read no image file of more megabytes.")
]


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """What to predict."""

    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            help="Class folders, a .csv or .parquet manifest, a folder of photos, one photo or "
            "torchvision:NAME, a data set.",
        ),
    ]
    root: Annotated[
        Path | None,
        typer.Option(
            help="Where a manifest's relative paths start, or a data set lies.  "
            "[default: a manifest's folder]"
        ),
    ] = None
    path_column: Annotated[str, typer.Option(help="Manifest column of the paths.")] = "path"
    label_column: Annotated[str, typer.Option(help="Manifest column of the labels.")] = "label"
    split_column: Annotated[str, typer.Option(help="Manifest column of the splits.")] = "split"
    split: Annotated[
        str | None, typer.Option(help="Only this split of a manifest or a data set.")
    ] = None
    labels: Annotated[
        Literal["names", "indices"] | None,
        typer.Option(
            help="What the labels are.  [default: names; whole numbers in a manifest that are no "
            "names: indices]"
        ),
    ] = None
    allow_unknown: Annotated[
        bool,
        typer.Option(
            "--allow-unknown", help="Predict images whose label the model lacks; do not count them."
        ),
    ] = False
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="At most N images, each class in proportion.", metavar="N"),
    ] = None
    download: Annotated[
        bool, typer.Option("--download", help="Fetch a torchvision data set into --root.")
    ] = False
    max_file_mb: MaxFileMB = MAX_FILE_MB

    def find_samples(self, *, seed: int) -> "Samples":
        """Return the images these options describe."""
        from errlens.data.manifests import Columns
        from errlens.data.samples import find_samples, stratified

        name = data_set_name(self.data)
        if name is not None:
            from errlens.data.torchvision_sets import torchvision_samples

            samples = torchvision_samples(
                name, root=self.root, split=self.split, download=self.download
            )
            return samples if self.limit is None else stratified(samples, self.limit, seed)
        if self.download:
            raise UnfitOption("--download fetches data sets like torchvision:CIFAR10, nothing else")
        return find_samples(
            self.data,
            root=self.root,
            columns=Columns(self.path_column, self.label_column, self.split_column),
            split=self.split,
            limit=self.limit,
            seed=seed,
        )


@dataclass(frozen=True, kw_only=True)
class JudgementOptions:
    """How predictions are held against labels."""

    trust_labels: Annotated[
        bool,
        typer.Option("--trust-labels", help="Go on where labels and outputs seem exchanged."),
    ] = False
    superclasses: Annotated[
        Path | None, typer.Option(help="A csv file with class_name,superclass.", metavar="FILE")
    ] = None

    def read_superclasses(self, classes: "ClassNames") -> "Superclasses | None":
        """Return the superclasses of the classes, if there are any."""
        from errlens.classes.files import read_superclasses

        return read_superclasses(self.superclasses, classes) if self.superclasses else None


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """Which model, and how it sees images; the latter spelt as in timm's scripts."""

    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="A timm name, hf-hub:REPO, torchvision:NAME or package.module:function.  "
            "[default: what the checkpoint is for]",
        ),
    ] = None
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Weights, or a training's checkpoint, or a Hugging Face folder.  "
            "[default: pretrained]",
        ),
    ] = None
    use_ema: Annotated[
        bool, typer.Option("--use-ema", help="The moving average of the checkpoint's weights.")
    ] = False
    model_kwargs: Annotated[
        list[str] | None,
        typer.Option(metavar="K=V", help="Argument of the architecture; repeatable."),
    ] = None
    num_classes: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Outputs, where the checkpoint does not tell."),
    ] = None
    classes: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Class names in output order: txt, json, yaml or csv.  "
            "[default: the model's, else the labels of the data, sorted]",
        ),
    ] = None
    threshold: Annotated[
        float | None,
        typer.Option(
            min=0.0001,
            max=0.9999,
            metavar="X",
            help="Of two classes, predict the second where its probability is above this.  "
            "[default: 0.5]",
        ),
    ] = None
    img_size: Annotated[int | None, typer.Option(min=1, metavar="N", help="Pixels a side.")] = None
    crop_pct: Annotated[
        float | None, typer.Option(min=0.01, metavar="X", help="Share kept by the crop.")
    ] = None
    crop_mode: Annotated[
        Literal["center", "squash", "border"] | None, typer.Option(help="How to crop.")
    ] = None
    interpolation: Annotated[
        Literal["nearest", "bilinear", "bicubic", "box", "hamming", "lanczos"] | None,
        typer.Option(help="How to resize."),
    ] = None
    mean: Annotated[
        tuple[float, float, float] | None,
        typer.Option(metavar="R G B", help="Mean of each channel, 0 to 1."),
    ] = None
    std: Annotated[
        tuple[float, float, float] | None,
        typer.Option(metavar="R G B", help="Standard deviation of each channel."),
    ] = None
    bgr: Annotated[
        bool, typer.Option("--bgr", help="Feed blue first, to a model trained with OpenCV.")
    ] = False
    transform: Annotated[
        str | None,
        typer.Option(
            metavar="MODULE:FUNCTION",
            help="Your own function from a Pillow image to a tensor, instead of the above.",
        ),
    ] = None

    exif: Annotated[
        bool, typer.Option("--exif", help="Turn photos upright as EXIF says; timm does not.")
    ] = False
    scale_16bit: Annotated[
        bool,
        typer.Option(
            "--scale-16bit",
            help="Bring photos of 16 bits, or of fractions, to 0 to 255; timm makes them white.",
        ),
    ] = False

    @property
    def model_label(self) -> str:
        """What to call the model in the name of a run."""
        return self.model or (self.checkpoint.stem if self.checkpoint else "model")

    def load_classifier(
        self, *, labels: Sequence[str], ordered: "ClassNames | None" = None, device: str
    ) -> "Classifier":
        """Return the classifier these options describe; `labels` and `ordered` are the data's."""
        from errlens.classes.files import read_classes
        from errlens.model.load import ModelSpec, load_classifier

        names = ("img_size", "crop_pct", "crop_mode", "interpolation", "mean", "std")
        overrides = {name: getattr(self, name) for name in names}
        given = [f"--{name.replace('_', '-')}" for name in names if overrides[name] is not None]
        if self.transform and given:
            raise UnfitOption(f"--transform replaces {', '.join(given)}; give one or the other")
        spec = ModelSpec(
            name=self.model,
            checkpoint=self.checkpoint,
            use_ema=self.use_ema,
            arguments=dict(map(_assignment, self.model_kwargs or ())),
            num_classes=self.num_classes,
            overrides=overrides,
            transform=self.transform,
            exif=self.exif,
            bgr=self.bgr,
            scale_16bit=self.scale_16bit,
        )
        classes = read_classes(self.classes) if self.classes else None
        return load_classifier(spec, given=classes, labels=labels, ordered=ordered, device=device)


@dataclass(frozen=True, kw_only=True)
class ComputeOptions:
    """How to work; none of it changes what comes out."""

    device: Annotated[
        Literal["auto", "cpu", "cuda", "mps"], typer.Option(help="Where the model runs.")
    ] = "auto"
    batch_size: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Images at a time.  [default: 1 to 128, by their size]"
        ),
    ] = None
    workers: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Threads that decode and predict.  [default: cores]"),
    ] = None
    threads: Annotated[
        int, typer.Option(min=1, metavar="N", help="Threads of torch inside each worker.")
    ] = 1
    seed: Annotated[int, typer.Option(metavar="N", help="Decides what --limit keeps.")] = 0

    def resources(self) -> dict[str, Any]:
        """Return what is worth recording of these options."""
        return {"batch_size": self.batch_size, "workers": self.workers, "threads": self.threads}


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """What belongs to an invocation as a whole, not to one block of a configuration."""

    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only warnings and errors.")] = False
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="More remarks.")] = False

    def screen(self) -> "Screen":
        """Return the terminal as these options want it used."""
        from errlens.terminal import Screen

        return Screen(quiet=self.quiet, verbose=self.verbose, as_json=self.json)


@dataclass(frozen=True, kw_only=True)
class OverwriteOption:
    """For commands that go on with what is there."""

    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Start afresh, whatever the run folder holds.")
    ] = False


# What belongs to one invocation, not to what it is about.
INVOCATION = (OutputOptions, OverwriteOption)


@dataclass(frozen=True, kw_only=True)
class ConfigArguments:
    """Which configuration, and what of it is set otherwise."""

    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="A YAML configuration.")]
    set: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="BLOCK.KEY=VALUE",
            help="A setting that wins over the file; repeatable.",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class RunArgument:
    """Which run a command reads."""

    run: Annotated[
        Path | None,
        typer.Argument(metavar="RUN", help="A run folder.  [default: the newest below runs/]"),
    ] = None

    def open_run(self, screen: "Screen") -> "RunFolder":
        """Return the run that was named or, said on the screen, the newest one; it is complete."""
        from errlens.run.folder import newest_run, open_run

        run = open_run(self.run) if self.run else newest_run(DEFAULT_RUNS)
        if not self.run:
            screen.remark(f"the newest run: {run.path}")
        run.require_complete()
        return run


def _assignment(text: str) -> tuple[str, Any]:
    """Split K=V; the value is read as Python where it is a literal, else as text.

    >>> _assignment("img_size=64"), _assignment("global_pool=avg")
    (('img_size', 64), ('global_pool', 'avg'))
    """
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise UnfitOption(f"--model-kwargs {shortened(text)!r} is not of the form K=V")
    try:
        return key, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return key, value
    except (MemoryError, RecursionError) as error:  # what Python says of a thousand brackets
        raise UnfitOption(f"--model-kwargs {key}: the value is nested too deep") from error
