"""`errlens compare`: is the new run better than the old one, and on which images?"""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from errlens.commands.options.groups import OutputOptions
from errlens.commands.options.selecting import ImagesOption, RankOption
from errlens.errors import IncomparableRuns, NoLabels, UnfitOption, some

if TYPE_CHECKING:
    from errlens.analysis.comparison.changes import Changed, Comparison
    from errlens.analysis.confusion.matrix import ConfusionMatrix
    from errlens.commands.compare.view import Found
    from errlens.run.folder import RunFolder
    from errlens.run.results import ResultsWriter
    from errlens.terminal import Screen

KIND = "compare"
LEAST_RUNS = 2


@dataclass(frozen=True, kw_only=True)
class CompareOptions(RankOption, ImagesOption, OutputOptions):
    """Options of `errlens compare`."""

    runs: Annotated[
        list[Path], typer.Argument(metavar="OLD NEW...", help="Run folders, the old one first.")
    ]
    # Not `out`: that of a configuration is a run folder.
    into: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="DIR", help="Where to write.  [default: compare/ of the last]"
        ),
    ] = None
    no_figures: Annotated[bool, typer.Option("--no-figures", help="Tables only.")] = False

    def open_runs(self) -> "list[RunFolder]":
        """Return the runs; they are complete, and have the same classes."""
        from errlens.run.folder import open_run

        places = Counter(map(os.path.realpath, self.runs))
        twice = [path for path in self.runs if places[os.path.realpath(path)] > 1]
        if twice:
            raise UnfitOption(
                f"{str(twice[0])!r} is given twice; a run does not differ from itself"
            )
        if len(places) < LEAST_RUNS:
            raise UnfitOption(
                f"{str(self.runs[0])!r} is one run; a comparison takes two or more",
                hint="errlens compare OLD NEW",
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
                f"-o {str(self.into)!r} is a run folder", hint="a folder inside it is fine"
            )
        return self.into or last.results_folder(KIND)


def compare(options: CompareOptions) -> "RunFolder":
    """Compare runs: is the new one better than the old, and which images show it?

    Of two runs over the same images: what was fixed and what broke, by image, class and pair, with
    exact tests. Runs over different images are compared as two samples. Of more than two: a table,
    each against the first. Everything goes to compare/ of the last run.
    """
    from errlens.commands.compare import view
    from errlens.run.results import renewed_folder
    from errlens.terminal import Screen

    screen = Screen(quiet=options.quiet, verbose=options.verbose, as_json=options.json)
    runs = options.open_runs()
    folder = options.folder(runs[-1])
    found = _find(runs, options)
    view.show_spelling(screen, runs)
    view.warn_of_doubts(screen, found)
    with renewed_folder(
        folder, run_hash=runs[-1].info.run_hash, options=_decisive(runs, options)
    ) as results:
        for name, table in found.tables().items():
            results.csv(f"{name}.csv", table)
        if found.changed and not options.no_figures:
            _draw(screen, runs[-1], found, results, options)
    view.show(screen, found)
    view.show_files(screen, folder, results)
    view.show_next(screen, runs, found)
    view.print_json(screen, runs, folder, found, files=results.written)
    return runs[-1]


def _find(runs: "Sequence[RunFolder]", options: CompareOptions) -> "Found":
    """Return how the runs differ; of two, also in which classes, pairs and images."""
    from errlens.analysis.comparison import changes as comparison
    from errlens.analysis.comparison.matching import outcomes, spelt_alike
    from errlens.commands.compare.view import Found

    images = [spelt_alike(outcomes(run), runs[-1].info.classes) for run in runs]
    for run, outcome in zip(runs, images, strict=True):
        if not len(outcome):
            raise NoLabels(run.path)
    names = _names([run.path for run in runs])
    metrics = {name: run.metrics for name, run in zip(names, runs, strict=True)}
    old, *others = images
    comparisons = [comparison.compare_outcomes(old, new) for new in others]
    found = Found(
        runs=comparison.run_table(metrics, comparisons),
        comparisons=comparisons,
        relabelled=sum(comparison.relabelled(old, new) for new in others),
        other_files=sum(comparison.other_files(old, new) for new in others),
    )
    if len(runs) > LEAST_RUNS:
        return found
    matrices = _matrices(runs)
    (one,) = comparisons
    if not one.paired:
        return found._replace(
            classes=comparison.class_differences(old, others[0], runs[-1].info.classes),
            pairs=comparison.pair_differences(*matrices),
        )
    return found._replace(
        classes=comparison.class_changes(one.both, runs[-1].info.classes),
        pairs=comparison.pair_changes(one.both, *matrices),
        changed=_changed(runs, one, options),
    )


def _matrices(runs: "Sequence[RunFolder]") -> "list[ConfusionMatrix]":
    """Return the confusion matrices of two runs, with the superclasses of the new one.

    These have a say in what is mutually confused: with two sets of them, pairs would come and go.
    """
    from errlens.analysis.confusion.matrix import COLUMNS, confusion_matrix
    from errlens.classes.names import ClassNames, Superclasses

    new = runs[-1].info
    mapping = new.superclasses.as_mapping(new.classes) if new.superclasses else None
    matrices = []
    for run in runs:
        classes = ClassNames(tuple(new.classes.spelling_of(run.info.classes.names).values()))
        superclasses = (
            Superclasses.from_mapping(mapping, classes, source="run.json") if mapping else None
        )
        matrices.append(confusion_matrix(run.read_parts(COLUMNS), classes, superclasses))
    return matrices


def _changed(runs: "Sequence[RunFolder]", one: "Comparison", options: CompareOptions) -> "Changed":
    """Return the images that one of two runs has right and the other wrong."""
    from errlens.analysis.comparison.changes import changed_images
    from errlens.analysis.mistakes.ranking import COLUMNS

    old, new = (run.read_predictions(COLUMNS) for run in runs)
    return changed_images(one.both, old, new, options.ranking(old, new))


def _draw(
    screen: "Screen",
    run: "RunFolder",
    found: "Found",
    results: "ResultsWriter",
    options: CompareOptions,
) -> None:
    """Draw the images that were fixed and those that broke."""
    from errlens.commands.compare.pictures import change_posters
    from errlens.commands.misclassified.view import warn_of_absent
    from errlens.galleries.drawing import draw_posters

    root = options.images_root(run)
    hashes = run.read_predictions(("content_hash",)).table["content_hash"].to_pylist()
    wanted = change_posters(
        found.shown_changes(), hashes, root, names=found.names, max_mb=run.info.max_file_mb
    )
    absent: dict[str, str] = {}
    drawn: list[str] = []
    with screen.progress("drawing", total=sum(map(len, wanted))) as progress:
        for name, figure in draw_posters(wanted, as_fed=None, absent=absent, progress=progress):
            results.png(name, figure)
            drawn.append(name)
    warn_of_absent(screen, absent, root, drawn=drawn)


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
        told = [
            f"{some(names)} only in {str(run.path)!r}"
            for names, run in ((gone, old), (added, new))
            if names
        ]
        raise IncomparableRuns(
            f"the runs have different classes: {'; '.join(told)}",
            hint="where they mean the same, evaluate or import again with --classes FILE, spelt "
            "alike",
        )


def _names(paths: Sequence[Path]) -> list[str]:
    """Return what to call each run: the name of its folder, where that tells them apart.

    >>> _names([Path("runs/a"), Path("runs/b")]), _names([Path("1/run"), Path("2/run")])
    (['a', 'b'], ['1/run', '2/run'])
    """
    from errlens.data.folders import readable

    names = [Path(os.path.realpath(path)).name for path in paths]
    told_apart = len({*names}) == len(names)
    return [*map(readable, names if told_apart else (path.as_posix() for path in paths))]


def _decisive(runs: "Sequence[RunFolder]", options: CompareOptions) -> dict[str, object]:
    """Return which runs the files are of, and the options that decide what they hold."""
    return {"rank": options.rank, "run_hashes": [run.info.run_hash for run in runs]}
