"""`errlens evaluate`: predict every image and keep each prediction."""

import dataclasses
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from errlens.commands.evaluate.first_look import look_first
from errlens.commands.evaluate.second_look import (
    Again,
    check_label_space,
    diagnose,
    diagnosis_as_dict,
    doubt_as_dict,
    show_diagnosis,
    show_doubt,
)
from errlens.commands.options.groups import (
    INVOCATION,
    ComputeOptions,
    DataOptions,
    JudgementOptions,
    ModelOptions,
    OutputOptions,
    OverwriteOption,
)
from errlens.commands.options.shell import command_line
from errlens.errors import TooManyBadInputs, UnfitOption
from errlens.formats import count, counted
from errlens.run.places import as_recorded, default_run

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from errlens.analysis.accuracy.metrics import Metrics
    from errlens.classes.names import Superclasses
    from errlens.data.samples import Samples
    from errlens.model.classifier import Classifier
    from errlens.model.predict import ShardPredictor
    from errlens.model.restoring.restoration import Diagnosis
    from errlens.run.folder import RunFolder
    from errlens.run.identity import RunInfo
    from errlens.terminal import Screen

KEPT_UNASKED = 200_000_000  # bytes of logits and features


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(
    DataOptions, JudgementOptions, ModelOptions, ComputeOptions, OutputOptions, OverwriteOption
):
    """Options of `errlens evaluate`."""

    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="RUN", help="The run folder.  [default: runs/DATA-MODEL]"
        ),
    ] = None
    max_bad: Annotated[
        str, typer.Option(metavar="N|X%", help="Exit with 3 if more inputs fail than this.")
    ] = "1%"
    keep: Annotated[
        str,
        typer.Option(
            metavar="WHAT", help="logits,features or one of them; none; auto: both, up to 200 MB."
        ),
    ] = "auto"
    expect: Annotated[
        str | None,
        typer.Option(
            metavar="top1=X",
            help="The accuracy expected: where the result falls short, look for the preprocessing "
            "that restores it.",
        ),
    ] = None
    part_size: Annotated[
        int, typer.Option(min=1, metavar="N", help="Images in a part: what a stop can cost.")
    ] = 4096

    def __post_init__(self) -> None:
        # A typo should not wait for the end to be found.
        allowed_bad(str(self.max_bad), 1)  # in Python, a count may be a number
        sidecars_to_keep(self.keep, n=1, values=1)
        if expected_accuracy(self.expect) is not None and self.transform:
            raise UnfitOption("--expect cannot try other settings than those of --transform")


def evaluate(options: EvaluateOptions) -> "RunFolder":
    """Predict every image of DATA and keep each prediction, right or wrong.

    Every input becomes a row of RUN/predictions, also the files that cannot be read. Metrics and
    a table of classes come with it. Stopped half-way, the same command goes on where it was.
    """
    from errlens.analysis.accuracy.doubts import doubt
    from errlens.analysis.accuracy.metrics import COLUMNS, class_table, measure
    from errlens.commands.evaluate import view
    from errlens.data.photos.oddities import Oddities, total
    from errlens.run.folder import RunFolder
    from errlens.terminal import Screen

    screen = Screen(quiet=options.quiet, verbose=options.verbose, as_json=options.json)
    run = RunFolder(options.out or default_run(options.data, options.model_label, options.split))

    # What is there to predict, and by which model?
    work = prepare(options, screen)

    # Freeze that, and predict whatever has no prediction yet.
    from errlens.model.predict import predict_missing  # torch takes seconds to import

    predictor = _begin(run, options, work)
    with run.in_work():
        predict_missing(predictor, progress=screen.progress)

        # What came out?
        predictions = run.read_predictions(COLUMNS)
        again = partial(_command, options)
        check_label_space(screen, run, predictions, again, trust=options.trust_labels)
        metrics, classes = measure(predictions), class_table(predictions)
        oddities = total(map(Oddities.from_dict, run.read_photo_counts()))
        run.complete(metrics.as_dict(), classes, photos=oddities.as_dict())
    view.show_photos(screen, run, oddities)
    view.show_result(screen, run, metrics, classes)
    diagnosis = diagnose(
        screen,
        predictor,
        metrics,
        oddities=oddities,
        expected=expected_accuracy(options.expect),
        seed=options.seed,
    )
    # Other settings than those of a transform cannot be tried.
    doubted = None if options.expect or options.transform else doubt(metrics, classes)
    show_doubt(screen, doubted, again)
    _show_way_on(screen, run, metrics, diagnosis, again)
    more = {"diagnosis": diagnosis_as_dict(diagnosis, run, again)} if diagnosis else {}
    more |= {"doubt": doubt_as_dict(doubted, again)} if doubted else {}
    view.print_json(screen, run, metrics, more=more)
    _check_bad_inputs(run, metrics, options.max_bad)
    return run


def _show_way_on(
    screen: "Screen",
    run: "RunFolder",
    metrics: "Metrics",
    diagnosis: "Diagnosis | None",
    again: Again,
) -> None:
    """Name the next command: one with better settings, or the one that reads the run."""
    from errlens.commands.evaluate import view

    show_diagnosis(screen, diagnosis, run, again)
    if not diagnosis:
        view.show_next(screen, run, metrics)


def _check_bad_inputs(run: "RunFolder", metrics: "Metrics", max_bad: str) -> None:
    """Refuse a result that too many inputs are missing from."""
    if metrics.n_failed > allowed_bad(str(max_bad), metrics.n):
        raise TooManyBadInputs(
            f"{count(metrics.n_failed)} of {counted(metrics.n, 'input')} failed, --max-bad is "
            f"{max_bad}",
            hint=f"everything was written to {run.path}; see its columns status and error",
        )


def _command(options: EvaluateOptions, **changes: Any) -> str:
    """Write the command that was given with some options changed."""
    changed = dataclasses.replace(options, **changes)
    return command_line("evaluate", changed, without=INVOCATION)


class Work(NamedTuple):
    """What an evaluation is going to do: known before anything is predicted.

    `label` holds the class index of every row of the plan.
    """

    samples: "Samples"
    classifier: "Classifier"
    superclasses: "Superclasses | None"
    label: "NDArray[np.int32]"
    plan: "pa.Table"
    info: "RunInfo"


def prepare(options: EvaluateOptions, screen: "Screen") -> Work:
    """Look at the data, load the model, and say which run these make."""
    from errlens.commands.evaluate import view
    from errlens.data.labels import are_indices, label_indices
    from errlens.run.identity import RunInfo, plan_hash
    from errlens.scale.plan import make_plan

    samples = options.find_samples(seed=options.seed)
    view.show_samples(screen, samples)

    # It takes torch, which takes seconds to import: not before there are data.
    from errlens.model.first_look import spread_photos

    names = () if are_indices(samples, kind=options.labels) else samples.labels
    classifier = options.load_classifier(
        labels=names, ordered=samples.classes, device=options.device
    )
    view.show_classifier(screen, classifier)
    classifier = look_first(screen, classifier, spread_photos(samples), options)
    label = label_indices(
        samples, classifier.classes, kind=options.labels, allow_unknown=options.allow_unknown
    )
    indices = are_indices(samples, classifier.classes, kind=options.labels)
    view.show_labels(screen, samples, classifier.classes, label, are_names=not indices)

    superclasses = options.read_superclasses(classifier.classes)
    plan = make_plan(samples, part_size=options.part_size)
    kind = "indices" if indices else "names"
    info = RunInfo(
        classifier.settings(
            plan_hash(plan), superclasses, labels=kind, max_file_mb=options.max_file_mb
        ),
        data=as_recorded(options.data),
        data_root=str(samples.root),
        n_images=len(samples),
        keep=sidecars_to_keep(options.keep, n=len(samples), values=classifier.values_per_image),
        checkpoint=str(options.checkpoint.absolute()) if options.checkpoint else None,
        use_ema=options.use_ema,
        seed=options.seed,
        skipped=dict(samples.skipped),
        resources=options.resources(),
    )
    return Work(samples, classifier, superclasses, label, plan, info)


def _begin(run: "RunFolder", options: EvaluateOptions, work: Work) -> "ShardPredictor":
    """Make the run folder ready, or go on with it, and return what predicts its shards."""
    from errlens.data.photos.loading import available_cores
    from errlens.model.predict import ShardPredictor

    samples, classifier = work.samples, work.classifier
    batch_size = options.batch_size or classifier.good_batch_size
    classifier.check_batch_size(batch_size)
    plan = run.begin(work.info, work.plan, extra=samples.extra, overwrite=options.overwrite)
    return ShardPredictor(
        run=run,
        info=work.info,
        plan=plan,
        label=work.label,
        problems=samples.frame["problem"].tolist(),
        classifier=classifier,
        superclasses=work.superclasses,
        batch_size=batch_size,
        workers=options.workers or available_cores(),
        threads=options.threads,
    )


def expected_accuracy(text: str | None) -> float | None:
    """Return the accuracy that `top1=X` asks for, None where nothing does.

    >>> expected_accuracy("top1=0.92")
    0.92
    """
    if text is None:
        return None
    name, _, value = text.partition("=")
    try:
        expected = float(value) if name.strip() == "top1" else -1
    except ValueError:
        expected = -1
    if not 0 < expected <= 1:
        raise UnfitOption(f"--expect {text!r} is not of the form top1=X, X above 0 and at most 1")
    return expected


def allowed_bad(text: str, n: int) -> int:
    """Return how many of n inputs may fail, from a count or a share.

    >>> allowed_bad("20", 1000), allowed_bad("5%", 1000), allowed_bad("1%", 99)
    (20, 50, 0)
    """
    number, percent = text.removesuffix("%"), text.endswith("%")
    try:
        value = float(number) if percent else int(number)
    except ValueError:
        value = -1
    if not 0 <= value < float("inf"):
        raise UnfitOption(f"--max-bad {text!r} is neither a count like 20 nor a share like 5%")
    return int(n * value / 100) if percent else int(value)


def sidecars_to_keep(text: str, *, n: int, values: int) -> tuple[str, ...]:
    """Return what is kept beside the table; `values` is the number of float16 values an image has.

    >>> sidecars_to_keep("auto", n=100, values=1000), sidecars_to_keep("none", n=100, values=1000)
    (('logits', 'features'), ())
    """
    known = ("logits", "features")
    if text == "auto":
        return known if 2 * n * values <= KEPT_UNASKED else ()
    chosen = () if text == "none" else tuple(text.split(","))
    if not set(chosen) <= set(known):
        raise UnfitOption(
            f"--keep {text!r} is none of logits, features, logits,features, none, auto"
        )
    return chosen
