"""Options that say which model predicts, how it sees images, and on what it works."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from errlens.choices import CropMode, Device, Interpolation
from errlens.errors import UnfitOption, shortened

if TYPE_CHECKING:
    from errlens.classes.names import ClassNames
    from errlens.model.classifier import Classifier


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
    head: Annotated[
        str | None,
        typer.Option(
            metavar="LAYER",
            help="The last layer as the checkpoint calls it, like fc.1, where the architecture "
            "calls it otherwise.",
        ),
    ] = None
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
    crop_mode: Annotated[CropMode | None, typer.Option(help="How to crop.")] = None
    interpolation: Annotated[
        Interpolation | None,
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
        self,
        *,
        labels: Sequence[str],
        ordered: "ClassNames | None" = None,
        device: str,
        new_outputs: int | None = None,
    ) -> "Classifier":
        """Return the classifier these options describe; `labels` and `ordered` are the data's.

        Where the network has no classifier it gets an untrained one of `new_outputs`, if they are
        given.
        """
        from errlens.classes.files import read_classes
        from errlens.model.load import ModelSpec, load_classifier
        from errlens.model.networks.loading import HeadSpec

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
            head=HeadSpec(self.head, new_outputs),
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

    device: Annotated[Device, typer.Option(help="Where the model runs.")] = "auto"
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
