"""The commands that make, read and show runs, as functions."""

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

from errlens.commands.options.calls import hints_as_notes, made

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

    from errlens.commands.analyze.result import Analysis
    from errlens.commands.check.result import CheckResult
    from errlens.commands.compare.result import ComparisonResult
    from errlens.commands.confusion.result import ConfusionResult
    from errlens.commands.diagnose.result import Diagnosis
    from errlens.commands.misclassified.result import MisclassifiedResult
    from errlens.commands.notebook.run import Run
    from errlens.commands.report.result import ReportResult
    from errlens.commands.what_if.result import WhatIfResult

Place = str | PathLike[str]


def analyze(
    data: Place, *, model: str | None = None, out: Place | None = None, **options: Any
) -> "Analysis":
    """Do what evaluate, confusion, misclassified, explain and report do, one after the other.

    Args:
        data: As for `evaluate`, or a run folder.
        model: As for `evaluate`.
        out: The run folder; by default `runs/DATA-MODEL`.
        options: Any option of `errlens analyze`, such as `top=20`.

    Returns:
        `.verdict`, the sentences that the page begins with; `.page`, where it is; `.run`;
        `.results` by step, and why there is none of some in `.not_done`.
    """
    with hints_as_notes():
        from errlens.commands.analyze.command import analyze as command
        from errlens.commands.analyze.options import AnalyzeOptions

        given = {"data": data, "model": model, "out": out, **options}
        return command(made(AnalyzeOptions, given))


def evaluate(
    data: Place, *, model: str | None = None, out: Place | None = None, **options: Any
) -> "Run":
    """Predict every image of `data` and return the run, which a notebook shows as a card.

    Args:
        data: Class folders, a manifest, a folder of photos, one photo or `torchvision:NAME`.
        model: A timm name, `hf-hub:REPO`, `torchvision:NAME` or `package.module:function`; by
            default what the `checkpoint` is for.
        out: The run folder; by default `runs/DATA-MODEL`.
        options: Any option of `errlens evaluate`, such as `checkpoint="best.pth"`; `classes` may be
            a list of names, and `superclasses` a mapping.
    """
    with hints_as_notes():
        from errlens.commands.evaluate.command import evaluate as command
        from errlens.commands.evaluate.options import EvaluateOptions
        from errlens.commands.notebook.run import Run

        given = {"data": data, "model": model, "out": out, **options}
        return Run(command(made(EvaluateOptions, given)).run.path)


def import_predictions(table: Place, *, out: Place | None = None, **options: Any) -> "Run":
    """Make a run of predictions that were made elsewhere, and return its folder.

    Args:
        table: A csv, parquet or arrow file with a row for each image.
        out: The run folder; by default `runs/TABLE-imported`.
        options: Any option of `errlens import`, such as `classes="classes.txt"`.
    """
    with hints_as_notes():
        from errlens.commands.import_.command import import_predictions as command
        from errlens.commands.import_.options import ImportOptions
        from errlens.commands.notebook.run import Run

        given = {"table": table, "out": out, **options}
        return Run(command(made(ImportOptions, given)).run.path)


def confusion(run: Place | None = None, **options: Any) -> "ConfusionResult":
    """Find the classes that are mixed up; `.tables.pairs` are the pairs, best evidence first.

    `.counts` is the confusion matrix as a table.

    Args:
        run: The run folder; by default the newest below `runs/`.
        options: Any option of `errlens confusion`, such as `superclasses="superclasses.csv"`.
    """
    with hints_as_notes():
        from errlens.commands.confusion.command import confusion as command
        from errlens.commands.confusion.options import ConfusionOptions

        return command(made(ConfusionOptions, {"run": run, **options}))


def diagnose(run: Place | None = None, **options: Any) -> "Diagnosis":
    """Find out why images are wrong; `.findings` say so, the most errors explained first.

    `.tables["findings"]` are the same as a table, beside those behind them.

    Args:
        run: The run folder; by default the newest below `runs/`.
        options: Any option of `errlens diagnose`, such as `no_model=True`.
    """
    with hints_as_notes():
        from errlens.commands.diagnose.command import diagnose as command
        from errlens.commands.diagnose.options import DiagnoseOptions

        return command(made(DiagnoseOptions, {"run": run, **options}))


def misclassified(run: Place | None = None, **options: Any) -> "MisclassifiedResult":
    """Rank the images that are wrong; `.selected` has those asked for, the worst first.

    `.tables.worst` has all that are wrong.

    Args:
        run: The run folder; by default the newest below `runs/`.
        options: Any option of `errlens misclassified`, such as `select="cat~dog"`.
    """
    with hints_as_notes():
        from errlens.commands.misclassified.command import misclassified as command
        from errlens.commands.misclassified.options import MisclassifiedOptions

        return command(made(MisclassifiedOptions, {"run": run, **options}))


def explain(run: Place | Sequence[Place] | None = None, **options: Any) -> "pd.DataFrame":
    """Explain images, write their pictures, and return what is known of every map.

    Args:
        run: The run folder, by default the newest below `runs/`; with `model` or `checkpoint`, a
            photo, a folder of photos or several.
        options: Any option of `errlens explain`, such as `select="cat~dog"`, `method="occlusion"`
            or `save_maps=True`.

    Returns:
        The rows of `explain/index.csv` that were made now; `file` is relative to `explain/`.
    """
    with hints_as_notes():
        from errlens.commands.explain.command import explain as command
        from errlens.commands.explain.options import ExplainOptions
        from errlens.commands.options.python import plain

        places = plain(run)
        if isinstance(places, list) and places:
            run, *images = places
            options = {"images": images, **options}
        return command(made(ExplainOptions, {"run": run, **options})).maps


def compare(*runs: Place | Sequence[Place], **options: Any) -> "ComparisonResult":
    """Compare runs, the old one first; `.runs` is the table of runs, `.changed` the images.

    `.tables()` returns all tables by the names of their files.

    Args:
        runs: Two or more run folders, or a list of them.
        options: Any option of `errlens compare`, such as `out="comparison"`.
    """
    with hints_as_notes():
        from errlens.commands.compare.command import compare as command
        from errlens.commands.compare.options import CompareOptions

        given = runs[0] if len(runs) == 1 and not isinstance(runs[0], str | PathLike) else runs
        return command(made(CompareOptions, {"runs": given, **options}))


def check(run: Place | None = None, **options: Any) -> "CheckResult":
    """Hold a run against limits, and return what became of each: a gate that fails is no error.

    `.passed` tells whether all are kept, `.table` has a row a gate.

    Args:
        run: The run folder; by default the newest below `runs/`.
        options: Any option of `errlens check`, such as `fail_under={"top1": 0.8}`.
    """
    with hints_as_notes():
        from errlens.commands.check.command import check as command
        from errlens.commands.check.options import CheckOptions

        return command(made(CheckOptions, {"run": run, "exit_zero": True, **options}))


def what_if(run: Place | None = None, **options: Any) -> "WhatIfResult":
    """Count a run with classes merged or dropped, or with labels mended: `.old` and `.new`.

    `.table` has the metrics of both.

    Args:
        run: The run folder; by default the newest below `runs/`.
        options: Any option of `errlens what-if`, such as `drop="background"`.
    """
    with hints_as_notes():
        from errlens.commands.what_if.command import what_if as command
        from errlens.commands.what_if.options import WhatIfOptions

        return command(made(WhatIfOptions, {"run": run, **options}))


def write_report(run: Place | None = None, **options: Any) -> "ReportResult":
    """Put all that is known of a run on one page; `.page_file` is where, and a notebook shows it.

    Args:
        run: The run folder; by default the newest below `runs/`.
        options: Any option of `errlens report`, such as `select="cat~dog"`.
    """
    with hints_as_notes():
        from errlens.commands.report.command import report as command
        from errlens.commands.report.options import ReportOptions

        return command(made(ReportOptions, {"run": run, **options}))


def open_run(path: Place | None = None) -> "Run":
    """Open a run folder: `.predictions`, `.metrics`, `.classes`, `.info`, and `.report()`.

    Args:
        path: The run folder; by default the newest below `runs/`.

    Raises:
        NotARun: errlens did not write this folder.
    """
    with hints_as_notes():
        from errlens.commands.notebook.run import Run
        from errlens.commands.options.python import path_from
        from errlens.run.folder import newest_run
        from errlens.run.folder import open_run as open_folder
        from errlens.run.places import DEFAULT_RUNS

        found = newest_run(DEFAULT_RUNS) if path is None else open_folder(path_from("path", path))
        return Run(found.path)


def confused_pairs(
    label: "ArrayLike",
    pred: "ArrayLike",
    names: Sequence[str],
    superclasses: Mapping[str, str] | None = None,
) -> "pd.DataFrame":
    """Return the pairs of classes with errors both ways, best evidence first.

    `status` says which are more than chance and the errors of related classes explain (`mutual`,
    `likely`) and which may be chance (`candidate`, `untested`); see
    `errlens.analysis.confusion.pairs.pair_table` for the definition and the columns.

    Args:
        label: The true class of each image, an index into `names` or a name, shape (n,).
        pred: The predicted class of each image, likewise.
        names: The class names.
        superclasses: The superclass of each class that has one, by name.

    Raises:
        BadPredictions: A label or a prediction is none of the classes.
        BadClassFile: Names are repeated, or a superclass is given to no class.

    >>> import numpy as np
    >>> label = np.repeat(["cat", "dog", "cow", "pig"], 50)
    >>> pred = label.copy()
    >>> pred[:12], pred[50:58] = "dog", "cat"  # 12 cats are taken for dogs, 8 dogs for cats
    >>> pairs = confused_pairs(label, pred, ["cat", "dog", "cow", "pig"])
    >>> pairs[["class_a", "class_b", "a_as_b", "b_as_a"]].to_numpy().tolist()
    [['cat', 'dog', 12, 8]]
    """
    with hints_as_notes():
        from errlens.analysis.confusion.matrix import confusion_matrix_of_arrays
        from errlens.analysis.confusion.pairs import pair_table
        from errlens.classes.names import ClassNames, Superclasses

        classes = ClassNames(tuple(names))
        parents = superclasses and Superclasses.from_mapping(
            superclasses, classes, source="the mapping"
        )
        return pair_table(confusion_matrix_of_arrays(label, pred, classes, parents or None))
