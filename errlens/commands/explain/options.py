"""Options of `errlens explain`, by what they are about."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from errlens.choices import SAMPLES, Fill, LayerWeights, Upsampling
from errlens.commands.options.budget import BudgetOptions
from errlens.commands.options.invocation import OutputOptions, OverwriteOption
from errlens.commands.options.model import DeviceOption, ModelOptions, TrustOption
from errlens.commands.options.panels import Panel
from errlens.commands.options.selecting import (
    ImagesOption,
    PhotoArguments,
    RunArgument,
    SelectOptions,
)

MATLAB = "matlab"
ORIGINAL = "original"


@dataclass(frozen=True, kw_only=True)
class MethodOptions:
    """What is explained, and how the methods go about it."""

    PANEL = Panel.METHOD

    method: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", show_default="grad-cam", help="How to explain; --list has the names."
        ),
    ] = None
    list_methods: Annotated[
        bool,
        typer.Option("--list", help="List the methods, and whether they fit the run or --model."),
    ] = False
    about: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What a method means, and when it misleads; no maps."),
    ] = None
    target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHAT",
            show_default="predicted, true (or second, where it is right), and why one rather than "
            "the other",
            help="What to explain: predicted, true, second, top3 or a class.",
        ),
    ] = None
    rather_than: Annotated[
        str | None,
        typer.Option(
            metavar="WHAT",
            help="Why the target rather than this: predicted, true, second or a class.",
        ),
    ] = None
    layer: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", show_default="the last with places", help="The layer to look at."
        ),
    ] = None
    mask: Annotated[
        str,
        typer.Option(
            metavar="X%|N",
            help="Side of the square that occlusion hides: a share of the image's, or pixels.",
        ),
    ] = "20%"
    stride: Annotated[
        str | None,
        typer.Option(
            metavar="X%|N",
            show_default="half a mask",
            help="How far occlusion goes from mask to mask.",
        ),
    ] = None
    value: Annotated[
        Fill,
        typer.Option(help="What hides a part of the image, for occlusion, lime, rise, score-cam."),
    ] = "mean"
    probability: Annotated[
        bool,
        typer.Option("--probability", help="Methods that hide parts explain this, not the logit."),
    ] = False
    steps: Annotated[
        int, typer.Option(min=1, metavar="N", help="Steps of integrated gradients.")
    ] = 50
    samples: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            show_default=", ".join(f"{name} {n}" for name, n in SAMPLES.items()),
            help="Noisy copies that smooth-grad averages; images partly hidden that lime and rise "
            "draw.",
        ),
    ] = None
    noise: Annotated[
        float,
        typer.Option(
            min=0, metavar="X", help="Noise of smooth-grad, as a share of the range of the input."
        ),
    ] = 0.15
    layer_weights: Annotated[
        LayerWeights,
        typer.Option(
            help="Gradients that layer-cam takes: those above zero, or elementwise all of them, "
            "which is HiResCAM."
        ),
    ] = "positive"
    seed: Annotated[int, typer.Option(metavar="N", help="Decides what is drawn at random.")] = 0


@dataclass(frozen=True, kw_only=True)
class StudyOptions:
    """What else is asked of each image or map."""

    PANEL = Panel.CHECKS

    compare: Annotated[
        bool,
        typer.Option(
            "--compare",
            help="Methods side by side, all that fit (but rise, which is slow) unless --method "
            "names some, and which of them to believe on this network.",
        ),
    ] = False
    cover: Annotated[
        bool,
        typer.Option(
            "--cover",
            help="The smallest part that, hidden, turns the wrong class into the right.",
        ),
    ] = False
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Occlusion with masks and strides of several sizes.")
    ] = False
    winners: Annotated[
        bool,
        typer.Option(
            "--winners",
            help="The class that occlusion makes win at each place, and the fall of the strongest "
            "feature map.",
        ),
    ] = False
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Try the maps: deletion, insertion, and with the model randomised."
        ),
    ] = False
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN",
            help="An older run: what its model sees in the same images, beside it; not with "
            "--compare or --overlay-only.",
        ),
    ] = None
    masks: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|DIR",
            help="Outlines of the objects (json), or mask images, white on black: adds the share "
            "of the evidence that lies on them, held against their share of the area.",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class PictureOptions:
    """How pictures look."""

    PANEL = Panel.PICTURES

    style: Annotated[
        Literal["errlens", "matlab"],
        typer.Option(help="Whose look; matlab's is of the whole image, squashed to the input."),
    ] = "errlens"
    on: Annotated[
        Literal["input", "original"],
        typer.Option(help="What maps lie on: the image as fed, or the photo as it is."),
    ] = "input"
    overlay_only: Annotated[
        bool, typer.Option("--overlay-only", help="Draw the overlay of the last map alone.")
    ] = False
    alpha: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            metavar="X",
            show_default="0.7, of matlab 0.5",
            help="Opacity of full colour.",
        ),
    ] = None
    colormap: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            show_default="by the method, of matlab jet",
            help="Such as jet or viridis.",
        ),
    ] = None
    upsampling: Annotated[
        Upsampling,
        typer.Option(help="How a coarse map is enlarged to the image."),
    ] = "bilinear"
    save_maps: Annotated[
        bool,
        typer.Option(
            "--save-maps",
            rich_help_panel=Panel.OUTPUT,
            help="Write also the maps, in raw units, as npz.",
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class LimitOptions(DeviceOption):
    """How much of it, and by what."""

    PANEL = Panel.RUN

    top: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            rich_help_panel=Panel.IMAGES,
            show_default="20 of a run, or all photos",
            help="Images at most, the first of the ranking.",
        ),
    ] = None
    batch_size: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", show_default="by their size", help="Images at a time."),
    ] = None


@dataclass(frozen=True, kw_only=True)
class ExplainOptions(
    RunArgument,
    PhotoArguments,
    SelectOptions,
    LimitOptions,
    BudgetOptions,
    MethodOptions,
    StudyOptions,
    PictureOptions,
    ImagesOption,
    ModelOptions,
    TrustOption,
    OutputOptions,
    OverwriteOption,
):
    """Show where in an image the network found its reasons.

    For each error a picture: the image as fed, what speaks for the predicted class, for the true
    one, and for the one rather than the other; red speaks for it, blue against it. Pictures and
    their index go to RUN/explain; a second call adds to them. A method that cannot explain a
    network honestly says why.

    With --model or --checkpoint, photos are explained that belong to no run; several with one
    --target are also put on one sheet. A run knows its own model; --select, --rank, --data-root,
    --cover and --against are for runs alone.

    Examples:
        errlens explain runs/sample --select worst:5
        errlens explain runs/sample --select pairs:1 --target true --save-maps
        errlens explain photo.jpg --model resnet50
    """

    PANEL = Panel.MODEL

    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            rich_help_panel=Panel.COMMON,
            help="Make the maps asked for anew; all others stay.",
        ),
    ] = False

    @property
    def of_photos(self) -> bool:
        """Whether photos are meant that belong to no run."""
        return bool(self.model or self.checkpoint) and not self.list_methods

    @property
    def methods(self) -> list[str]:
        """The methods asked for."""
        return list(dict.fromkeys(self.method or ["grad-cam"]))
