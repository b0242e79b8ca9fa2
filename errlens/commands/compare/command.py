"""`errlens compare`: is the new run better than the old one, and on which images?"""

import os
from collections.abc import Sequence
from pathlib import Path

from errlens.analysis.comparison import matching
from errlens.analysis.comparison.by_class import class_changes, class_differences
from errlens.analysis.comparison.by_image import ChangedImages, changed_images
from errlens.analysis.comparison.by_pair import pair_changes, pair_differences
from errlens.analysis.comparison.by_run import Comparison, best_run, compare_outcomes, run_table
from errlens.analysis.comparison.matching import outcomes, spelt_alike
from errlens.analysis.confusion import matrix
from errlens.analysis.confusion.matrix import ConfusionMatrix, confusion_matrix
from errlens.analysis.mistakes import ranking
from errlens.classes.names import ClassNames, Superclasses
from errlens.commands.compare import view
from errlens.commands.compare.options import LEAST_RUNS, CompareOptions
from errlens.commands.compare.pictures import change_posters
from errlens.commands.compare.result import ComparisonResult
from errlens.data.folders import readable
from errlens.galleries.drawing import Poster, write_posters
from errlens.run.folder import RunFolder
from errlens.run.results import renewed_folder
from errlens.terminal import Screen, StartProgress


def compare(options: CompareOptions, screen: Screen | None = None) -> ComparisonResult:
    """Compare runs: is the new one better than the old, and which images show it?"""
    screen = screen or options.screen()
    runs = options.open_runs()
    folder = options.folder(runs[-1])
    result = find(runs, folder, options, progress=screen.progress)
    view.show(screen, runs, folder, result, options)
    return result


def find(
    runs: Sequence[RunFolder], folder: Path, options: CompareOptions, *, progress: StartProgress
) -> ComparisonResult:
    """Find how the runs differ, and write tables and galleries to a folder."""
    result = _find(runs, options)
    with renewed_folder(
        folder, run_hash=runs[-1].info.run_hash, options=_decisive(runs, options)
    ) as results:
        for name, table in result.tables().items():
            results.csv(f"{name}.csv", table)
        if result.changed and not options.no_figures:
            wanted = _posters(runs[-1], result, options.images_root(runs[-1]))
            result = result._replace(absent=write_posters(results, wanted, progress=progress))
    return result._replace(files=results.written, folder=folder)


def _find(runs: Sequence[RunFolder], options: CompareOptions) -> ComparisonResult:
    """Return how the runs differ; of two, also in which classes, pairs and images."""
    images = [spelt_alike(outcomes(run), runs[-1].info.classes) for run in runs]
    for run, outcome in zip(runs, images, strict=True):
        if not len(outcome):
            raise run.no_labels()
    names = _names([run.path for run in runs])
    metrics = {name: run.metrics for name, run in zip(names, runs, strict=True)}
    old, *others = images
    comparisons = [compare_outcomes(old, new) for new in others]
    result = ComparisonResult(
        runs=run_table(metrics, comparisons),
        comparisons=comparisons,
        best=best_run(images),
        relabelled=sum(matching.relabelled(old, new) for new in others),
        other_files=sum(matching.other_files(old, new) for new in others),
    )
    if len(runs) > LEAST_RUNS:
        return result
    matrices = _matrices(runs)
    (comparison,) = comparisons
    if not comparison.on_same_images:
        return result._replace(
            classes=class_differences(old, others[0], runs[-1].info.classes),
            pairs=pair_differences(*matrices),
        )
    return result._replace(
        classes=class_changes(comparison.both, runs[-1].info.classes),
        pairs=pair_changes(comparison.both, *matrices),
        changed=_changed(runs, comparison, options),
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


def _changed(
    runs: Sequence[RunFolder], comparison: Comparison, options: CompareOptions
) -> ChangedImages:
    """Return the images that one of two runs has right and the other wrong."""
    old, new = (run.read_predictions(ranking.COLUMNS) for run in runs)
    return changed_images(comparison.both, old, new, options.ranking(old, new))


def _posters(run: RunFolder, result: ComparisonResult, root: Path) -> list[Poster]:
    """Return what to draw: the images that were fixed and those that broke."""
    hashes = run.read_predictions(("content_hash",)).table["content_hash"].to_pylist()
    return change_posters(
        result.changes(), hashes, root, names=result.names, max_mb=run.info.max_file_mb
    )


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
