"""`errlens compare`: is the new run better than the old one, and on which images?"""

import os
from collections.abc import Sequence
from pathlib import Path

from errlens.analysis.comparison import matching
from errlens.analysis.comparison.by_class import class_changes, class_differences
from errlens.analysis.comparison.by_image import ChangedImages, changed_images
from errlens.analysis.comparison.by_pair import pair_changes, pair_differences
from errlens.analysis.comparison.by_run import Comparison, compare_outcomes, run_table
from errlens.analysis.comparison.matching import outcomes, spelt_alike
from errlens.analysis.confusion import matrix
from errlens.analysis.confusion.matrix import ConfusionMatrix, confusion_matrix
from errlens.analysis.mistakes import ranking
from errlens.classes.names import ClassNames, Superclasses
from errlens.commands.compare import view
from errlens.commands.compare.options import LEAST_RUNS, CompareOptions
from errlens.commands.compare.pictures import change_posters
from errlens.commands.compare.view import Found
from errlens.commands.misclassified.view import warn_of_absent
from errlens.commands.showing import show_files
from errlens.data.folders import readable
from errlens.errors import NoLabels
from errlens.galleries.drawing import draw_posters
from errlens.run.folder import RunFolder
from errlens.run.results import ResultsWriter, renewed_folder
from errlens.terminal import Screen


def compare(options: CompareOptions) -> RunFolder:
    """Compare runs: is the new one better than the old, and which images show it?"""
    screen = options.screen()
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
    show_files(screen, folder, results.written)
    view.show_next(screen, runs, found)
    view.print_json(screen, runs, folder, found, files=results.written)
    return runs[-1]


def _find(runs: Sequence[RunFolder], options: CompareOptions) -> Found:
    """Return how the runs differ; of two, also in which classes, pairs and images."""
    images = [spelt_alike(outcomes(run), runs[-1].info.classes) for run in runs]
    for run, outcome in zip(runs, images, strict=True):
        if not len(outcome):
            raise NoLabels(run.path)
    names = _names([run.path for run in runs])
    metrics = {name: run.metrics for name, run in zip(names, runs, strict=True)}
    old, *others = images
    comparisons = [compare_outcomes(old, new) for new in others]
    found = Found(
        runs=run_table(metrics, comparisons),
        comparisons=comparisons,
        relabelled=sum(matching.relabelled(old, new) for new in others),
        other_files=sum(matching.other_files(old, new) for new in others),
    )
    if len(runs) > LEAST_RUNS:
        return found
    matrices = _matrices(runs)
    (one,) = comparisons
    if not one.on_same_images:
        return found._replace(
            classes=class_differences(old, others[0], runs[-1].info.classes),
            pairs=pair_differences(*matrices),
        )
    return found._replace(
        classes=class_changes(one.both, runs[-1].info.classes),
        pairs=pair_changes(one.both, *matrices),
        changed=_changed(runs, one, options),
    )


def _matrices(runs: Sequence[RunFolder]) -> list[ConfusionMatrix]:
    """Return the confusion matrices of two runs, with the superclasses of the new one.

    These have a say in what is mutually confused: with two sets of them, pairs would come and go.
    """
    new = runs[-1].info
    mapping = new.superclasses.as_mapping(new.classes) if new.superclasses else None
    matrices = []
    for run in runs:
        classes = ClassNames(tuple(new.classes.spelling_of(run.info.classes.names).values()))
        superclasses = (
            Superclasses.from_mapping(mapping, classes, source="run.json") if mapping else None
        )
        matrices.append(confusion_matrix(run.read_parts(matrix.COLUMNS), classes, superclasses))
    return matrices


def _changed(runs: Sequence[RunFolder], one: Comparison, options: CompareOptions) -> ChangedImages:
    """Return the images that one of two runs has right and the other wrong."""
    old, new = (run.read_predictions(ranking.COLUMNS) for run in runs)
    return changed_images(one.both, old, new, options.ranking(old, new))


def _draw(
    screen: Screen,
    run: RunFolder,
    found: Found,
    results: ResultsWriter,
    options: CompareOptions,
) -> None:
    """Draw the images that were fixed and those that broke."""
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


def _names(paths: Sequence[Path]) -> list[str]:
    """Return what to call each run: the name of its folder, where that tells them apart.

    >>> _names([Path("runs/a"), Path("runs/b")]), _names([Path("1/run"), Path("2/run")])
    (['a', 'b'], ['1/run', '2/run'])
    """
    names = [Path(os.path.realpath(path)).name for path in paths]
    told_apart = len({*names}) == len(names)
    return [*map(readable, names if told_apart else (path.as_posix() for path in paths))]


def _decisive(runs: Sequence[RunFolder], options: CompareOptions) -> dict[str, object]:
    """Return which runs the files are of, and the options that decide what they hold."""
    return {"rank": options.rank, "run_hashes": [run.info.run_hash for run in runs]}
