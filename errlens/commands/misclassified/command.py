"""`errlens misclassified`: which images are wrong, by name, the worst first?"""

from pathlib import Path

from errlens.analysis.confusion.matrix import COLUMNS, ConfusionMatrix, confusion_matrix
from errlens.analysis.mistakes import collecting
from errlens.analysis.mistakes.image_page import image_page
from errlens.analysis.mistakes.repeats import systematic_table
from errlens.analysis.selection.notes import notes_table, read_notes
from errlens.commands.misclassified import view
from errlens.commands.misclassified.options import MisclassifiedOptions
from errlens.commands.misclassified.result import Copied, MisclassifiedResult, MisclassifiedTables
from errlens.commands.options.selecting import Selection
from errlens.data.copies import Copy, copy_images, require_free
from errlens.data.photos.images import ImageFile
from errlens.run.folder import RunFolder
from errlens.run.results import ResultsWriter, renewed_results
from errlens.terminal import Screen, StartProgress


def misclassified(
    options: MisclassifiedOptions, screen: Screen | None = None
) -> MisclassifiedResult:
    """Show the images that are wrong, the worst first, beside what they were taken for."""
    screen = screen or options.screen()
    run = options.open_run(screen)
    result = find(run, options, progress=screen.progress)
    view.show(screen, run, result, options)
    return result


def find(
    run: RunFolder, options: MisclassifiedOptions, *, progress: StartProgress
) -> MisclassifiedResult:
    """Find the images that are wrong, and write tables and galleries to RUN/misclassified."""
    if options.copy:
        require_free(options.copy)
    result = _find(run, options)
    with renewed_results(
        run, "misclassified", options=_decisive(options), keep=_is_gallery
    ) as results:
        _write(results, result.tables, options.format)
        if not options.no_figures:
            from errlens.commands.misclassified.pictures import draw  # tables need no matplotlib

            result = result._replace(absent=draw(run, results, result, options, progress=progress))
    if options.copy:
        copied = _copy(run, result.selection, options.copy, options.images_root(run), progress)
        result = result._replace(copied=copied)
    return result._replace(files=results.written, folder=run.results_folder("misclassified"))


def _find(run: RunFolder, options: MisclassifiedOptions) -> MisclassifiedResult:
    """Return which images are wrong, which are meant, and what would help."""
    matrix = _count(run)
    selection = options.choose(run)
    if not options.select:
        selection = selection._replace(rows=selection.rows[: options.top])
    by, notes = options.by_column, []
    if options.notes:
        notes = read_notes(options.notes, selection.among)
    tables = MisclassifiedTables(
        worst=selection.worst.head(options.top or len(selection.worst)),
        collect=collecting.collect_table(matrix),
        unknown=collecting.unknown_table(run.read_parts(collecting.UNKNOWN_COLUMNS)),
        systematic=None if by is None else systematic_table(selection.images, run.read_extra(), by),
        notes=notes_table(notes, selection.among) if options.notes else None,
    )
    pages = [image_page(run, row) for row in selection.single_rows]
    return MisclassifiedResult(matrix, selection, selection.table(), tables, pages, notes)


def _count(run: RunFolder) -> ConfusionMatrix:
    """Return the confusion matrix of a run that has labels, be they unknown to the model."""
    matrix = confusion_matrix(run.read_parts(COLUMNS), run.info.classes, run.info.superclasses)
    if not matrix.total and not run.metrics.get("n_label_unknown"):
        raise run.no_labels()
    return matrix


def _write(results: ResultsWriter, tables: MisclassifiedTables, extra_format: str | None) -> None:
    """Write the tables; that of the errors in another format, too, if one is asked for."""
    for name, table in tables.tables():
        results.csv(f"{name}.csv", table)
    if extra_format == "parquet":
        results.parquet("worst.parquet", tables.worst)
    elif extra_format == "json":
        results.json("worst.json", tables.worst)


def _is_gallery(name: str) -> bool:
    return name.startswith("gallery/")


def _copy(
    run: RunFolder, selection: Selection, folder: Path, root: Path, progress: StartProgress
) -> Copied:
    """Copy the wrong images that are meant."""
    max_mb = run.info.max_file_mb
    copies = [
        Copy(
            ImageFile(root / image["path"], image["content_hash"], max_mb),
            (image["label_name"], image["pred_name"]),
        )
        for image in selection.images.table.take(selection.rows).to_pylist()
        if image["correct"] is False
    ]
    with progress("copying", total=len(copies)) as advance:
        failed = copy_images(copies, folder, progress=advance) if copies else []
    return Copied(folder, len(copies) - len(failed), failed)


def _decisive(options: MisclassifiedOptions) -> dict[str, object]:
    """Return the options that decide what the files hold."""
    return {name: getattr(options, name) for name in ("rank", "top", "by_column")}
