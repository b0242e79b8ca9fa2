"""Options of `errlens evaluate`."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from errlens.commands.options.data import (
    DataOptions,
    JudgementOptions,
    MaxBad,
    allowed_bad,
    default_run,
)
from errlens.commands.options.invocation import INVOCATION, OutputOptions, OverwriteOption
from errlens.commands.options.model import ComputeOptions, ModelOptions
from errlens.commands.options.panels import Panel
from errlens.commands.options.shell import command_line
from errlens.errors import UnfitOption

KEPT_UNASKED = 200_000_000  # bytes of logits and features


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(
    DataOptions, JudgementOptions, ModelOptions, ComputeOptions, OutputOptions, OverwriteOption
):
    r"""Predict every image and keep each prediction.

    Every input becomes a row of RUN/predictions, right or wrong, also the files that cannot be
    read. Metrics and a table of classes come with it. Stopped half-way, the same command goes on
    where it was. The model is that of --model, --checkpoint or both.

    Examples:
        errlens evaluate photos/val --model resnet50
        errlens evaluate sample_data/pets/val -o runs/small --img-size 160 \
            --checkpoint sample_data/pets/tf_efficientnet_lite0.pets.safetensors
    """

    PANEL = Panel.RUN

    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="RUN",
            rich_help_panel=Panel.OUTPUT,
            show_default="runs/DATA-MODEL",
            help="The run folder.",
        ),
    ] = None
    classes_subset: Annotated[
        bool,
        typer.Option(
            "--classes-subset",
            help="Choose among the classes of the data only: for data that have some of the "
            "model's, as ImageNet-R and ImageNet-A have 200 of 1,000.",
        ),
    ] = False
    max_bad: MaxBad = "1%"
    keep: Annotated[
        str,
        typer.Option(
            metavar="WHAT",
            rich_help_panel=Panel.OUTPUT,
            help="What to keep beside the predictions: logits, features, logits,features or none; "
            "auto is both, up to 200 MB.",
        ),
    ] = "auto"
    expect: Annotated[
        str | None,
        typer.Option(
            metavar="top1=X",
            rich_help_panel=Panel.PREPROCESSING,
            help="The accuracy expected, like top1=0.92: where the result falls short, look for "
            "the preprocessing that restores it; not with --transform.",
        ),
    ] = None
    part_size: Annotated[
        int,
        typer.Option(
            min=1, metavar="N", help="Images predicted between two savings: what a stop can cost."
        ),
    ] = 4096

    def __post_init__(self) -> None:
        # A typo should be found before the work, not after it.
        allowed_bad(str(self.max_bad), 1)  # in Python, a count may be a number
        sidecars_to_keep(self.keep, n=1, values=1)
        if expected_accuracy(self.expect) is not None and self.transform:
            raise UnfitOption("--expect cannot try other settings than those of --transform")

    COMMAND = "evaluate"  # without a type, it is no option

    @property
    def run_folder(self) -> Path:
        """Where the run goes."""
        return self.out or default_run(self.data, self.model_label, self.split)

    @property
    def model_label(self) -> str:
        """What to call the model in the name of a run: a choice among fewer classes is another."""
        return super().model_label + "-subset" * self.classes_subset

    def again(self, **changes: Any) -> str:
        """Write the command that was given, with some options changed."""
        changed = dataclasses.replace(self, **changes)
        return command_line(self.COMMAND, changed, without=INVOCATION)


def expected_accuracy(text: str | None) -> float | None:
    """Return the accuracy that `top1=X` asks for, None where nothing does.

    >>> expected_accuracy("top1=0.92")
    0.92
    """
    if text is None:
        return None
    name, _, value = text.partition("=")
    try:
        expected = float(value) if name.strip() == "top1" else -1
    except ValueError:
        expected = -1
    if not 0 < expected <= 1:
        raise UnfitOption(
            f"--expect {text!r} is not of the form top1=X, X above 0 and at most 1",
            hint="X is the accuracy that you expect, as your training log has it: --expect "
            "top1=0.92 is 92 %",
        )
    return expected


def sidecars_to_keep(text: str, *, n: int, values: int) -> tuple[str, ...]:
    """Return which arrays to keep beside the table; `values` is how many numbers an image has.

    >>> sidecars_to_keep("auto", n=100, values=1000), sidecars_to_keep("none", n=100, values=1000)
    (('logits', 'features'), ())
    """
    known = ("logits", "features")
    if text == "auto":
        return known if 2 * n * values <= KEPT_UNASKED else ()
    chosen = () if text == "none" else tuple(text.split(","))
    if not set(chosen) <= set(known):
        raise UnfitOption(
            f"--keep {text!r} is none of logits, features, logits,features, none, auto"
        )
    return chosen
