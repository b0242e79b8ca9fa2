"""Options of `errlens analyze`: all of `errlens evaluate`, and a few of its explanations."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

import typer

from errlens.commands.evaluate.options import EvaluateOptions
from errlens.commands.options.budget import seconds_of
from errlens.commands.options.invocation import OpenOption, OutputOptions, OverwriteOption
from errlens.commands.options.panels import Panel
from errlens.commands.options.selecting import ImagesOption
from errlens.errors import UnfitOption

# Options of evaluate that also mean something where there are predictions already.
_OF_A_RUN = frozenset({"data", "superclasses", "device", "batch_size"}) | {
    field.name for kind in (OutputOptions, OverwriteOption) for field in fields(kind)
}


@dataclass(frozen=True, kw_only=True)
class AnalyzeOptions(EvaluateOptions, ImagesOption, OpenOption):
    r"""Put on one page which of your photos are wrong, and why.

    It does what evaluate, confusion, misclassified, diagnose, explain and report do, one after the
    other. The same command goes on where it was stopped: what has been predicted or explained is
    not done again. A run folder as DATA is analyzed without predicting anything.

    Examples:
        errlens analyze photos/val --model resnet50 --open
        errlens analyze sample_data/pets/val -o runs/pets \
            --checkpoint sample_data/pets/tf_efficientnet_lite0.pets.safetensors
    """

    COMMAND = "analyze"

    top: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="N",
            help="Errors to explain at most, the worst first.",
            rich_help_panel=Panel.IMAGES,
        ),
    ] = 12
    time_budget: Annotated[
        str,
        typer.Option(
            metavar="TIME",
            help="Ask the model why, and explain, no longer than half of this each: 90s, 5m, 1h.",
            rich_help_panel=Panel.RUN,
        ),
    ] = "2m"
    method: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            show_default="grad-cam; occlusion where that does not fit",
            help="How to explain: see errlens explain.",
            rich_help_panel=Panel.METHOD,
        ),
    ] = None
    masks: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|DIR",
            help="Outlines (json) or mask images of the objects: is the evidence on them?",
            rich_help_panel=Panel.CHECKS,
        ),
    ] = None
    train: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The images that the model was trained on: which of those evaluated are among "
            "them?",
            rich_help_panel=Panel.CHECKS,
        ),
    ] = None

    @property
    def half_the_time(self) -> str:
        """The time there is to ask the model why, and the same again to explain.

        Raises:
            UnfitOption: The budget is no time.
        """
        return f"{seconds_of(self.time_budget) / 2:g}s"

    @property
    def of_run(self) -> bool:
        """Whether a run is meant, whose predictions are there.

        Raises:
            UnfitOption: There are options that mean nothing of what is meant.
        """
        if not (self.data / "run.json").is_file():
            if self.data_root:
                raise UnfitOption(
                    f"--data-root is for a run, and {str(self.data)!r} is none",
                    hint="DATA says where photos lie; --root, where paths in a manifest start",
                )
            return False
        given = [
            field.name
            for field in fields(EvaluateOptions)
            if field.name not in _OF_A_RUN and getattr(self, field.name) != field.default
        ]
        if given:
            raise UnfitOption(
                f"{str(self.data)!r} is a run, whose predictions are made: "
                f"--{given[0].replace('_', '-')} says how to make others",
                hint="give the folder of photos in its place, or leave the option out",
            )
        return True
