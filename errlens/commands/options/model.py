"""Options that say which model predicts, how it sees images, and on what it works."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from errlens.choices import CropMode, Device, Interpolation
from errlens.commands.options.data import given_classes
from errlens.commands.options.panels import Panel
from errlens.errors import UnfitOption, shortened

if TYPE_CHECKING:
    from errlens.classes.names import ClassNames
    from errlens.model.classifier import Classifier

_THE_MODELS: Final = "the model's"


@dataclass(frozen=True, kw_only=True)
class NetworkOptions:
    """Which model, with which weights, and what its outputs mean."""

    PANEL = Panel.MODEL

    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            show_default="what the checkpoint is for",
            help="A timm name, hf-hub:REPO, torchvision:NAME or package.module:function.",
        ),
    ] = None
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            show_default="pretrained weights of the model",
            help="Weights, a checkpoint of a training, or a Hugging Face folder.",
        ),
    ] = None
    use_ema: Annotated[
        bool, typer.Option("--use-ema", help="Take the moving average of a checkpoint's weights.")
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
        typer.Option(metavar="K=V", help="An argument of the architecture."),
    ] = None
    num_classes: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="How many outputs, where the weights do not tell."),
    ] = None
    classes: Annotated[
        Path | list[str] | None,
        typer.Option(
            metavar="FILE",
            show_default="the model's, else the labels of the data, sorted",
            help="Class names in the order of the outputs: txt, json, yaml or csv.",
        ),
    ] = None
    threshold: Annotated[
        float | None,
        typer.Option(
            min=0.0001,
            max=0.9999,
            metavar="X",
            show_default="0.5",
            help="Of two classes, predict the second where its probability is above this.",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class PreprocessingOptions:
    """How the model sees images; spelt as in timm's scripts."""

    PANEL = Panel.PREPROCESSING

    img_size: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            show_default=_THE_MODELS,
            help="Pixels on each side of what the network sees.",
        ),
    ] = None
    crop_pct: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            metavar="X",
            show_default=_THE_MODELS,
            help="Share of the resized photo's side that the crop keeps.",
        ),
    ] = None
    crop_mode: Annotated[
        CropMode | None,
        typer.Option(show_default=_THE_MODELS, help="How the photo is made square."),
    ] = None
    interpolation: Annotated[
        Interpolation | None,
        typer.Option(show_default=_THE_MODELS, help="How the photo is resized."),
    ] = None
    mean: Annotated[
        tuple[float, float, float] | None,
        typer.Option(
            metavar="R G B",
            show_default=_THE_MODELS,
            help="Mean of each channel, 0 to 1.",
        ),
    ] = None
    std: Annotated[
        tuple[float, float, float] | None,
        typer.Option(
            metavar="R G B",
            show_default=_THE_MODELS,
            help="Standard deviation of each channel.",
        ),
    ] = None
    bgr: Annotated[
        bool, typer.Option("--bgr", help="Feed blue first, to a model trained with OpenCV.")
    ] = False
    transform: Annotated[
        str | None,
        typer.Option(
            metavar="MODULE:FUNCTION",
            help="Your own function from a Pillow image to a tensor, in place of size, crop, "
            "interpolation, mean and std.",
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


@dataclass(frozen=True, kw_only=True)
class ModelOptions(NetworkOptions, PreprocessingOptions):
    """Which model, and how it sees images."""

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
        trained: bool = True,
    ) -> "Classifier":
        """Return the classifier these options describe; `labels` and `ordered` are the data's.

        Where the network has no classifier it gets an untrained one of `new_outputs`, if they are
        given. Where it need not be `trained`, no pretrained weights are fetched.
        """
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
            pretrained=trained,
        )
        classes = given_classes(self.classes)
        return load_classifier(spec, given=classes, labels=labels, ordered=ordered, device=device)


@dataclass(frozen=True, kw_only=True)
class TrustOption:
    """Whether to run what a run names."""

    PANEL = Panel.MODEL

    trust_run: Annotated[
        bool,
        typer.Option(
            "--trust-run",
            help="Run what code a run names, such as a model factory of an installed package.",
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class DeviceOption:
    """On what a model runs."""

    PANEL = Panel.RUN

    device: Annotated[
        Device,
        typer.Option(help="Where the model runs; auto takes a GPU where there is one."),
    ] = "auto"


@dataclass(frozen=True, kw_only=True)
class ComputeOptions(DeviceOption):
    """How to work; none of it changes what comes out."""

    PANEL = Panel.RUN

    batch_size: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", show_default="1 to 128, by their size", help="Images at a time."
        ),
    ] = None
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            show_default="one a core",
            help="Threads that decode photos and predict.",
        ),
    ] = None
    threads: Annotated[
        int, typer.Option(min=1, metavar="N", help="Threads of torch inside each worker.")
    ] = 1
    seed: Annotated[int, typer.Option(metavar="N", help="Decides which images --limit keeps.")] = 0

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
