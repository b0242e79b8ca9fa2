"""Options of `errlens evaluate`."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from errlens.commands.options.data import DataOptions, JudgementOptions, MaxBad, allowed_bad
from errlens.commands.options.invocation import INVOCATION, OutputOptions, OverwriteOption
from errlens.commands.options.model import ComputeOptions, ModelOptions
from errlens.commands.options.shell import command_line
from errlens.errors import UnfitOption

KEPT_UNASKED = 200_000_000  # bytes of logits and features


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(
    DataOptions, JudgementOptions, ModelOptions, ComputeOptions, OutputOptions, OverwriteOption
):
    """Predict every image of DATA and keep each prediction, right or wrong.

    Every input becomes a row of RUN/predictions, also the files that cannot be read. Metrics and
    a table of classes come with it. Stopped half-way, the same command goes on where it was.
    """

    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="RUN", help="The run folder.  [default: runs/DATA-MODEL]"
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
            metavar="WHAT", help="logits,features or one of them; none; auto: both, up to 200 MB."
        ),
    ] = "auto"
    expect: Annotated[
        str | None,
        typer.Option(
            metavar="top1=X",
            help="The accuracy expected: where the result falls short, look for the preprocessing "
            "that restores it.",
        ),
    ] = None
    part_size: Annotated[
        int, typer.Option(min=1, metavar="N", help="Images in a part: what a stop can cost.")
    ] = 4096

    def __post_init__(self) -> None:
        # A typo should be found before the work, not after it.
        allowed_bad(str(self.max_bad), 1)  # in Python, a count may be a number
        sidecars_to_keep(self.keep, n=1, values=1)
        if expected_accuracy(self.expect) is not None and self.transform:
            raise UnfitOption("--expect cannot try other settings than those of --transform")

    @property
    def model_label(self) -> str:
        """What to call the model in the name of a run: a choice among fewer classes is another."""
        return super().model_label + "-subset" * self.classes_subset

    def again(self, **changes: Any) -> str:
        """Write the command that was given, with some options changed."""
        return command_line("evaluate", dataclasses.replace(self, **changes), without=INVOCATION)


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
        raise UnfitOption(f"--expect {text!r} is not of the form top1=X, X above 0 and at most 1")
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
