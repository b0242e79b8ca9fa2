"""`errlens confusion`: which classes does the model mix up?"""

from pathlib import Path

from errlens.analysis.accuracy.metrics import CLASS_COLUMNS
from errlens.analysis.confusion import exceptional
from errlens.analysis.confusion import soft as soft_confusion
from errlens.analysis.confusion.matrix import (
    COLUMNS,
    ConfusionMatrix,
    confusion_matrix,
    count_table,
)
from errlens.analysis.confusion.order import class_order, matrix_table
from errlens.analysis.confusion.tables import ConfusionTables, find_confusions
from errlens.commands.confusion import view
from errlens.commands.confusion.options import ConfusionOptions
from errlens.commands.confusion.pictures import draw_figures
from errlens.commands.confusion.result import ConfusionResult
from errlens.errors import StaleRun, UnfitOption
from errlens.run.folder import RunFolder
from errlens.run.identity import afresh
from errlens.run.results import ResultsWriter, renewed_results
from errlens.terminal import Screen

MOST_WRITTEN = 200  # classes of a matrix that a person would open


def confusion(options: ConfusionOptions, screen: Screen | None = None) -> ConfusionResult:
    """Find the classes a model mixes up: in pairs, in groups, and beyond their own kind."""
    screen = screen or options.screen()
    run = options.open_run(screen)
    result = find(run, options)
    view.show(screen, run, result, options)
    return result


def find(run: RunFolder, options: ConfusionOptions) -> ConfusionResult:
    """Find what the options ask for and write it to RUN/confusion."""
    # How often was which class taken for which?
    classes = run.info.classes
    superclasses = options.read_superclasses(run, classes)
    if options.by and not superclasses:
        raise UnfitOption(
            "--by superclass: the run knows no superclasses", hint="pass --superclasses FILE"
        )
    matrix = confusion_matrix(run.read_parts(COLUMNS), classes, superclasses)
    _check_sums(run, matrix)

    # Which of it is more than chance?
    tables = _find_tables(run, matrix, options)
    with renewed_results(run, "confusion", options=_decisive(options)) as results:
        _write(results, matrix, tables, options)
    return ConfusionResult(matrix, tables, results.written, run.results_folder("confusion"))


def _check_sums(run: RunFolder, matrix: ConfusionMatrix) -> None:
    """Refuse a run whose classes.csv does not agree with its predictions, or without labels."""
    if not matrix.total:
        raise run.no_labels()
    table = run.read_classes(CLASS_COLUMNS)
    recorded = dict(zip(table["class_name"], table["n"], strict=True))
    counted = dict(zip(matrix.classes.names, matrix.n.tolist(), strict=True))
    odd = [name for name in {**counted, **recorded} if recorded.get(name) != counted.get(name)]
    if odd:
        says, is_so = (counts.get(odd[0], "none") for counts in (recorded, counted))
        raise StaleRun(
            f"{str(run.classes_file)!r} counts {says} images of {odd[0]!r}, "
            f"the predictions {is_so}",
            hint=f"one of them was changed; {afresh(run.path)}",
        )


def _find_tables(
    run: RunFolder, matrix: ConfusionMatrix, options: ConfusionOptions
) -> ConfusionTables:
    """Look for everything that the options ask for."""
    tables = find_confusions(matrix)
    if matrix.superclasses:
        given = options.superclasses is not None
        columns = exceptional.COLUMNS + (exceptional.TOPK_COLUMNS if given else ())
        table = exceptional.exceptional_table(
            run.read_parts(columns), matrix.superclasses, from_topk=given
        )
        tables = tables._replace(exceptional=table)
    if options.soft:
        parts = run.read_parts(soft_confusion.COLUMNS)
        tables = tables._replace(soft=soft_confusion.soft_table(parts, len(matrix.classes)))
    return tables


def _write(
    results: ResultsWriter,
    matrix: ConfusionMatrix,
    tables: ConfusionTables,
    options: ConfusionOptions,
) -> None:
    """Write the matrix, the tables and the pictures."""
    order = class_order(
        matrix, options.order or ("superclass" if matrix.superclasses else "cluster")
    )
    results.parquet("matrix.parquet", count_table(matrix))
    if len(matrix.classes) <= MOST_WRITTEN:
        results.csv("matrix.csv", matrix_table(matrix, order, normalize=options.normalize))
    for name, table in tables.tables():
        if name == "soft":
            results.parquet("soft.parquet", table)
        else:
            results.csv(f"{name}.csv", table)
    if not options.no_figures:
        figures = draw_figures(
            matrix,
            tables,
            order,
            normalize=options.normalize,
            by_superclass=options.by is not None,
        )
        for name, figure in figures:
            results.png(name, figure)


def _decisive(options: ConfusionOptions) -> dict[str, object]:
    """Return the options that decide what the files hold."""
    names = ("superclasses", "by", "soft", "normalize", "order")
    chosen = {name: getattr(options, name) for name in names}
    return {
        name: str(value) if isinstance(value, Path) else value for name, value in chosen.items()
    }
