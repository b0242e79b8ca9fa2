"""`errlens misclassified`: which images are wrong, by name, the worst first?"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from errlens.commands._options import OutputOptions, RunArgument
from errlens.errors import NoLabels, UnfitOption

if TYPE_CHECKING:
    import pandas as pd

    from errlens.results import ResultsWriter
    from errlens.run import RunFolder


@dataclass(frozen=True, kw_only=True)
class MisclassifiedOptions(RunArgument, OutputOptions):
    """Options of `errlens misclassified`."""

    rank: Annotated[
        Literal["loss", "margin", "confidence", "entropy", "superclass"],
        typer.Option(
            help="What makes an error bad: a large loss, a negative margin, a high confidence, a "
            "low entropy, or the wrong superclass."
        ),
    ] = "loss"
    select: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHAT",
            help="Show only these: errors, worst:N, A~B, A/B, pairs:N, group:N, true:A, pred:A, "
            "correct:A, exceptional, row:N, path:GLOB; joined by +: all of it; repeatable.",
        ),
    ] = None
    top: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Only the first N errors.  [default: all]"),
    ] = None
    format: Annotated[
        Literal["parquet", "json"] | None,
        typer.Option(help="Write the table of errors in this format, too."),
    ] = None
    by_column: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="A further column of the manifest, such as a camera: what is wrong the same way "
            "in several images of one value?",
        ),
    ] = None


def misclassified(options: MisclassifiedOptions) -> "RunFolder":
    """List the images that are wrong, the worst first, and what to photograph next.

    Tables go to RUN/misclassified; neither the images nor the model are needed.
    """
    from errlens.analysis.collecting import UNKNOWN_COLUMNS, collect_table, unknown_table
    from errlens.analysis.confusion import COLUMNS as COUNTED
    from errlens.analysis.confusion import confusion_matrix
    from errlens.analysis.ranking import COLUMNS, worst_table
    from errlens.commands import _misclassified_view as view
    from errlens.results import renewed_results
    from errlens.terminal import Screen

    screen = Screen(quiet=options.quiet, verbose=options.verbose, as_json=options.json)
    run = options.open_run(screen)
    superclasses = run.info.superclasses
    if options.rank == "superclass" and not superclasses:
        raise UnfitOption(
            "--rank superclass: the run knows no superclasses",
            hint="evaluate with --superclasses FILE, or choose another ranking",
        )
    matrix = confusion_matrix(run.read_parts(COUNTED), run.info.classes, superclasses)
    if not matrix.total:
        raise NoLabels(run.path)

    # Which images are wrong, and what would help?
    worst = worst_table(run.read_parts(COLUMNS), options.rank)
    collect = collect_table(matrix)
    unknown = unknown_table(run.read_parts(UNKNOWN_COLUMNS))
    systematic = _systematic(run, options.by_column)

    tables = {"worst": worst.head(options.top or len(worst)), "collect": collect}
    tables |= {"unknown": unknown}
    if systematic is not None:
        tables["systematic"] = systematic
    shown = _selected(run, worst, options.select)
    with renewed_results(run, "misclassified", options=_decisive(options)) as results:
        _write(results, tables, options.format)
    view.show_errors(screen, run, matrix, tables, shown=shown)
    view.print_json(screen, run, matrix, tables, shown=shown, files=results.written)
    return run


def _selected(run: "RunFolder", worst: "pd.DataFrame", select: list[str] | None) -> "pd.DataFrame":
    """Return the images to show, as a table like that of the errors; right ones have no rank."""
    if not select:
        return worst
    import pandas as pd

    from errlens.analysis.ranking import COLUMNS, image_table
    from errlens.analysis.selection import Selectable, selected_rows
    from errlens.results import read_results

    images = run.read_predictions(COLUMNS)
    crossed = worst[["super_label", "super_pred"]].notna().all(axis=1)
    crossed &= worst["super_label"] != worst["super_pred"]
    among = Selectable(
        table=images.table,
        classes=images.classes,
        ranking=worst["row"].to_numpy(),
        exceptional=worst.loc[crossed, "row"].to_numpy() if run.info.superclasses else None,
        confusions=lambda name: read_results(run, "confusion", name),
    )
    rows = selected_rows(select, among)
    shown = image_table(images).iloc[rows]
    ranks = shown["row"].map(dict(zip(worst["row"], worst["rank"], strict=True))).astype("Int64")
    return pd.concat([ranks.rename("rank"), shown], axis=1)


def _systematic(run: "RunFolder", column: str | None) -> "pd.DataFrame | None":
    """Return what is wrong the same way in several images that share a value of a column."""
    if column is None:
        return None
    from errlens.analysis.collecting import systematic_table

    scored = run.read_predictions(("row", "label_name", "pred_name", "correct")).table
    scored = scored.filter(scored["correct"].is_valid())
    images = scored.select(["row", "label_name", "pred_name"]).to_pandas()
    names = {name: images[name].astype("str") for name in ("label_name", "pred_name")}
    return systematic_table(images.assign(**names), run.read_extra(), column)


def _write(
    results: "ResultsWriter", tables: "dict[str, pd.DataFrame]", extra_format: str | None
) -> None:
    """Write the tables; that of the errors in another format, too, if one is asked for."""
    for name, table in tables.items():
        results.csv(f"{name}.csv", table)
    if extra_format == "parquet":
        results.parquet("worst.parquet", tables["worst"])
    elif extra_format == "json":
        results.json("worst.json", tables["worst"])


def _decisive(options: MisclassifiedOptions) -> dict[str, object]:
    """Return the options that decide what the files hold."""
    return {name: getattr(options, name) for name in ("rank", "top", "by_column")}
