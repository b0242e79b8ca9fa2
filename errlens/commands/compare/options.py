"""Options of `errlens compare`."""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from errlens.commands.options.invocation import OutputOptions
from errlens.commands.options.panels import Panel
from errlens.commands.options.selecting import ImagesOption, RankOption
from errlens.errors import IncomparableRuns, UnfitOption, some
from errlens.escapes import shell_line

if TYPE_CHECKING:
    from errlens.run.folder import RunFolder

LEAST_RUNS = 2


@dataclass(frozen=True, kw_only=True)
class CompareOptions(RankOption, ImagesOption, OutputOptions):
    """Compare runs: what did the new one fix, what did it break?

    Of two runs over the same images: what was fixed and what broke, by image, class and pair, with
    exact tests. Runs over different images are compared as two samples. Of more than two: a table,
    each against the first. Everything goes to compare/ of the last run.

    Examples:
        errlens compare runs/sample runs/small
        errlens compare runs/sample runs/small --no-figures -o comparison
    """

    PANEL = Panel.OUTPUT

    runs: Annotated[
        list[Path], typer.Argument(metavar="OLD NEW...", help="Run folders, the old one first.")
    ]
    # Not `out`: that of a configuration is a run folder.
    into: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR",
            show_default="compare/ of the last run",
            help="Where to write.",
        ),
    ] = None
    no_figures: Annotated[bool, typer.Option("--no-figures", help="Write tables alone.")] = False

    def open_runs(self) -> "list[RunFolder]":
        """Return the runs; they are complete, and have the same classes."""
        from errlens.run.folder import open_run

        places = Counter(map(os.path.realpath, self.runs))
        twice = [path for path in self.runs if places[os.path.realpath(path)] > 1]
        if twice:
            raise UnfitOption(
                f"{str(twice[0])!r} is given twice; a run does not differ from itself",
                hint=_compared_with(twice[0]),
            )
        if not places:
            raise UnfitOption("no run is given; a comparison takes two or more")
        if len(places) < LEAST_RUNS:
            raise UnfitOption(
                f"{str(self.runs[0])!r} is one run; a comparison takes two or more",
                hint=_compared_with(self.runs[0]),
            )
        runs = [open_run(path) for path in self.runs]
        for run in runs:
            run.require_complete()
            _require_same_classes(run, runs[-1])
        return runs

    def folder(self, last: "RunFolder") -> Path:
        """Return where the results go.

        Raises:
            UnfitOption: A run is there, whose own tables have the same names.
            OutsideRun: The folder in the run is a link that leads out of it.
        """
        if self.into and (self.into / last.info_file.name).exists():
            raise UnfitOption(
                f"-o {str(self.into)!r} is a run folder",
                hint=f"a folder inside it is fine: {shell_line(['-o', self.into / 'compare'])}",
            )
        return self.into or last.results_folder("compare")


def _compared_with(run: Path) -> str:
    return f"{shell_line(['errlens', 'compare', 'OLD', run])} does, with OLD an earlier run"


def _require_same_classes(old: "RunFolder", new: "RunFolder") -> None:
    """Refuse runs whose models tell other classes apart.

    Raises:
        IncomparableRuns: They do.
    """
    now = new.info.classes.names
    before = list(new.info.classes.spelling_of(old.info.classes.names).values())
    gone = [name for name in before if name not in set(now)]
    added = [name for name in now if name not in set(before)]
    if gone or added:
        differences = [
            f"{some(names)} only in {str(run.path)!r}"
            for names, run in ((gone, old), (added, new))
            if names
        ]
        of_data = ["subset" in run.info.settings.outputs for run in (old, new)]
        raise IncomparableRuns(
            f"the runs have different classes: {'; '.join(differences)}",
            hint="evaluate both with --classes-subset, or neither of them"
            if any(of_data) and not all(of_data)
            else "where they mean the same, evaluate or import again with --classes FILE, spelt "
            "alike",
        )
