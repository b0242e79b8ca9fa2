"""`errlens misclassified`: which images are wrong, by name, the worst first?"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from errlens.analysis.confusion.matrix import COLUMNS, ConfusionMatrix, confusion_matrix
from errlens.analysis.mistakes import collecting
from errlens.analysis.mistakes.image_page import image_page
from errlens.analysis.mistakes.repeats import systematic_table
from errlens.analysis.selection.notes import notes_table, read_notes
from errlens.commands.misclassified import view
from errlens.commands.misclassified.options import MisclassifiedOptions
from errlens.commands.misclassified.view import Found, show_copied, warn_of_absent
from errlens.commands.options.selecting import Selection
from errlens.commands.showing import show_files
from errlens.data.copies import Copy, copy_images, require_free
from errlens.data.photos.images import ImageFile
from errlens.data.photos.preprocess import Preprocessing
from errlens.errors import NoLabels, UnfitOption
from errlens.galleries.choice import galleries_of, sequence
from errlens.galleries.drawing import draw_posters, posters
from errlens.galleries.tiles import TileMaker, training_images
from errlens.run.folder import RunFolder
from errlens.run.results import ResultsWriter, renewed_results
from errlens.terminal import Screen

KIND = "misclassified"


def misclassified(options: MisclassifiedOptions) -> RunFolder:
    """Show the images that are wrong, the worst first, beside what they were taken for."""
    screen = options.screen()
    run = options.open_run(screen)
    if options.copy:
        require_free(options.copy)
    found = _find(run, options)
    with renewed_results(run, KIND, options=_decisive(options), keep=_is_gallery) as results:
        _write(results, found.tables, options.format)
        if not options.no_figures:
            _draw(screen, run, results, found, options)
    view.show_errors(screen, found)
    show_files(screen, run.path / KIND, results.written)
    if options.copy:
        _copy(screen, run, found.selection, options.copy, root=options.images_root(run))
    view.show_next(screen, run, found, selectors=options.select)
    view.print_json(screen, run, found, files=results.written)
    return run


def _find(run: RunFolder, options: MisclassifiedOptions) -> Found:
    """Return which images are wrong, which are meant, and what would help."""
    matrix = _count(run)
    selection = options.choose(run)
    if not options.select:
        selection = selection._replace(rows=selection.rows[: options.top])
    tables = {
        "worst": selection.worst.head(options.top or len(selection.worst)),
        "collect": collecting.collect_table(matrix),
        "unknown": collecting.unknown_table(run.read_parts(collecting.UNKNOWN_COLUMNS)),
    }
    if options.by_column is not None:
        tables["systematic"] = systematic_table(
            selection.images, run.read_extra(), options.by_column
        )
    notes = read_notes(options.notes, selection.among) if options.notes else []
    if options.notes:
        tables["notes"] = notes_table(notes, selection.among)
    pages = [image_page(run, row) for row in selection.single_rows]
    return Found(matrix, selection, selection.table(), tables, pages, notes)


def _count(run: RunFolder) -> ConfusionMatrix:
    """Return the confusion matrix of a run that has labels, be they unknown to the model."""
    matrix = confusion_matrix(run.read_parts(COLUMNS), run.info.classes, run.info.superclasses)
    if not matrix.total and not run.metrics.get("n_label_unknown"):
        raise NoLabels(run.path)
    return matrix


def _write(
    results: ResultsWriter, tables: Mapping[str, pd.DataFrame], extra_format: str | None
) -> None:
    """Write the tables; that of the errors in another format, too, if one is asked for."""
    for name, table in tables.items():
        results.csv(f"{name}.csv", table)
    if extra_format == "parquet":
        results.parquet("worst.parquet", tables["worst"])
    elif extra_format == "json":
        results.json("worst.json", tables["worst"])


def _draw(
    screen: Screen,
    run: RunFolder,
    results: ResultsWriter,
    found: Found,
    options: MisclassifiedOptions,
) -> None:
    """Draw the galleries that were selected; else of the worst and of the exceptional errors."""
    as_fed = _preprocessing(run) if options.as_fed else None
    training = training_images(options.train, run.info.classes) if options.train else {}
    root, among = options.images_root(run), found.selection.among
    if options.select:
        galleries = list(galleries_of(options.select, among, most=options.tiles))
    else:
        title = f"worst errors by {found.selection.rank}"
        galleries = [sequence("worst", found.selection.rows, most=options.tiles, title=title)]
        if among.exceptional is not None and len(among.exceptional):
            galleries += galleries_of(["exceptional"], among, most=options.tiles)
    maker = TileMaker(found.selection.images, root, training, found.notes, run.info.max_file_mb)
    wanted = posters(
        galleries, maker, alike={one.facts["row"]: one.alike or [] for one in found.pages}
    )
    absent: dict[str, str] = {}
    drawn: list[str] = []
    with screen.progress("drawing", total=sum(map(len, wanted))) as progress:
        for name, figure in draw_posters(wanted, as_fed=as_fed, absent=absent, progress=progress):
            results.png(name, figure)
            drawn.append(name)
    warn_of_absent(screen, absent, root, drawn=drawn)


def _is_gallery(name: str) -> bool:
    return name.startswith("gallery/")


def _copy(
    screen: Screen, run: RunFolder, selection: Selection, target: Path, *, root: Path
) -> None:
    """Copy the wrong images that are meant."""
    meant = selection.images.table.take(selection.rows).to_pylist()
    max_mb = run.info.max_file_mb
    copies = [
        Copy(
            ImageFile(root / one["path"], one["content_hash"], max_mb),
            (one["label_name"], one["pred_name"]),
        )
        for one in meant
        if one["correct"] is False
    ]
    with screen.progress("copying", total=len(copies)) as progress:
        failed = copy_images(copies, target, progress=progress) if copies else []
    show_copied(screen, target, len(copies) - len(failed), failed)


def _preprocessing(run: RunFolder) -> Preprocessing:
    """Return how a run saw its images.

    Raises:
        UnfitOption: It cannot be done again.
    """
    settings = run.require_model().settings.preprocessing
    if "transform" in settings:
        raise UnfitOption(
            f"--as-fed: the run was made with --transform {settings['transform']}, "
            "which only a program that imports it can repeat"
        )
    return Preprocessing.from_dict(settings)


def _decisive(options: MisclassifiedOptions) -> dict[str, object]:
    """Return the options that decide what the files hold."""
    return {name: getattr(options, name) for name in ("rank", "top", "by_column")}
