"""`errlens confusion`: which classes does the model mix up?"""

from pathlib import Path

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
from errlens.commands.showing import show_files
from errlens.errors import NoLabels, StaleRun, UnfitOption
from errlens.run.folder import RunFolder
from errlens.run.results import ResultsWriter, renewed_results

MOST_WRITTEN = 200  # classes of a matrix that a person would open


def confusion(options: ConfusionOptions) -> RunFolder:
    """Find the classes a model mixes up: in pairs, in groups, and beyond their own kind."""
    screen = options.screen()
    run = options.open_run(screen)

    # How often was which class taken for which?
    classes = run.info.classes
    superclasses = options.read_superclasses(run, classes)
    if options.by and not superclasses:
        raise UnfitOption(
            "--by superclass: the run knows no superclasses", hint="pass --superclasses FILE"
        )
    matrix = confusion_matrix(run.read_parts(COLUMNS), classes, superclasses)
    _check_sums(run, matrix)
    view.show_matrix(screen, matrix, expected=options.expected)

    # Which of it is more than chance?
    findings = _find(run, matrix, options)
    with renewed_results(run, "confusion", options=_decisive(options)) as results:
        _write(results, matrix, findings, options)
    view.show_findings(screen, matrix, findings, by=options.by, top=options.top)
    show_files(screen, run.path / "confusion", results.written)
    view.show_next(screen, run, findings)
    view.print_json(screen, run, matrix, findings, files=results.written)
    return run


def _check_sums(run: RunFolder, matrix: ConfusionMatrix) -> None:
    """Refuse a run whose figures are not those of its predictions, or that has none."""
    if not matrix.total:
        raise NoLabels(run.path)
    table = run.read_classes()
    told = dict(zip(table["class_name"], table["n"], strict=True))
    counted = dict(zip(matrix.classes.names, matrix.n.tolist(), strict=True))
    odd = [name for name in {**counted, **told} if told.get(name) != counted.get(name)]
    if odd:
        says, is_so = (some_count.get(odd[0], "none") for some_count in (told, counted))
        raise StaleRun(
            f"{str(run.classes_file)!r} counts {says} images of {odd[0]!r}, "
            f"the predictions {is_so}",
            hint="one of them was changed; evaluate again with --overwrite",
        )


def _find(run: RunFolder, matrix: ConfusionMatrix, options: ConfusionOptions) -> ConfusionTables:
    """Look for everything that the options ask for."""
    findings = find_confusions(matrix)
    if matrix.superclasses:
        given = options.superclasses is not None
        columns = exceptional.COLUMNS + (exceptional.TOPK_COLUMNS if given else ())
        table = exceptional.exceptional_table(
            run.read_parts(columns), matrix.superclasses, from_topk=given
        )
        findings = findings._replace(exceptional=table)
    if options.soft:
        parts = run.read_parts(soft_confusion.COLUMNS)
        findings = findings._replace(soft=soft_confusion.soft_table(parts, len(matrix.classes)))
    return findings


def _write(
    results: ResultsWriter,
    matrix: ConfusionMatrix,
    findings: ConfusionTables,
    options: ConfusionOptions,
) -> None:
    """Write the matrix, the tables and the pictures."""
    order = class_order(
        matrix, options.order or ("superclass" if matrix.superclasses else "cluster")
    )
    results.parquet("matrix.parquet", count_table(matrix))
    if len(matrix.classes) <= MOST_WRITTEN:
        results.csv("matrix.csv", matrix_table(matrix, order, normalize=options.normalize))
    for name, table in findings.tables():
        if name == "soft":
            results.parquet("soft.parquet", table)
        else:
            results.csv(f"{name}.csv", table)
    if not options.no_figures:
        figures = draw_figures(
            matrix,
            findings,
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
