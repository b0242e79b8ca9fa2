"""A run folder is none, is not whole, or is not the one that it is taken for."""

from pathlib import Path

from errlens.errors.kinds import InputError
from errlens.errors.words import shortened
from errlens.escapes import shell_line


class NotARun(InputError):
    """A folder was named that errlens did not write."""


class ForeignCode(InputError):
    """A run names Python code that may be somebody else's."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(
            f"the run names the {what} {shortened(name)!r}, which is none of the current folder: "
            "a run from somebody else could name any code",
            hint="go to the folder where it lies, or add --trust-run where the run is yours",
        )


class NoModel(InputError):
    """A run was imported, and what is asked for takes the model that made its predictions."""

    def __init__(self, run: Path, *, table: str) -> None:
        super().__init__(
            f"{str(run)!r} was imported from {table!r}: it has no model",
            hint="errlens evaluate DATA --model NAME -o ANOTHER_RUN makes a run with its model",
        )


class NoLabels(InputError):
    """A run holds no image with a label and a prediction: nothing is right or wrong.

    `labelled`: there are labels, but their images failed or their classes are unknown.
    """

    def __init__(self, run: Path, *, imported: bool, labelled: bool) -> None:
        if labelled:
            hint = f"{shell_line(['errlens', 'report', run])} makes a page that says why of each"
        elif imported:
            hint = (
                "errlens import TABLE -o ANOTHER_RUN --label-column NAME takes a table with labels"
            )
        else:
            explain = shell_line(["errlens", "explain", run, "--select", "pred:CLASS"])
            hint = (
                "errlens evaluate DATA --model NAME -o ANOTHER_RUN takes labels from class folders "
                f"or a manifest; {explain} shows what speaks for a class, without any"
            )
        super().__init__(f"no image of {str(run)!r} has both a label and a prediction", hint=hint)


class IncompleteRun(InputError):
    """Parts of a run's predictions are missing or damaged."""


class StaleRun(InputError):
    """A run folder holds results made from other data or with other settings."""


class LabelSpaceMismatch(InputError):
    """The predictions say that labels of the data and outputs of the model are exchanged."""


class IncomparableRuns(InputError):
    """Two runs have no images or no classes in common, as far as what is asked for takes them."""


class NoResults(InputError):
    """A command builds on what another one writes, and that is not there or not of this run."""

    def __init__(self, what: str, *, command: str) -> None:
        super().__init__(what, hint=f"{command} makes it")
        self.command = command


class UnfitBaseline(InputError):
    """What a run should be compared with is no baseline, or one of other images or labels."""


class OutsideRun(InputError):
    """Something in a run folder leads out of it: nothing is read or written there."""

    def __init__(self, path: Path, *, folder: Path) -> None:
        super().__init__(
            f"{str(path)!r} leads out of {str(folder)!r}: nothing is read or written there",
            hint="remove it, or put a copy of what it leads to in its place",
        )
