"""A second look at a result: do labels and outputs match, is the preprocessing the training's?"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from errlens.errors import Interrupted, LabelSpaceMismatch
from errlens.formats import count, counted, share

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from errlens.analysis.accuracy.doubts import Doubt
    from errlens.analysis.accuracy.metrics import Metrics
    from errlens.analysis.confusion.label_space import Cycle
    from errlens.analysis.confusion.suggestion import Suggestion
    from errlens.classes.names import ClassNames
    from errlens.data.counting import Shift
    from errlens.data.photos.oddities import Oddities
    from errlens.model.predict import ShardPredictor
    from errlens.model.restoring.restoration import Diagnosis
    from errlens.predictions.table import Predictions
    from errlens.run.folder import RunFolder
    from errlens.terminal import Screen

Again = Callable[..., str]  # writes the command that was given with some options changed

MOST_RESTORING = 3  # settings named in a message
MOST_EXCHANGED = 6  # classes named in a message
LEAST_IMAGES = 40  # half of them to choose a setting, half to confirm it


def check_label_space(
    screen: "Screen", run: "RunFolder", predictions: "Predictions", again: Again, *, trust: bool
) -> None:
    """Look whether the predictions contradict the names of the classes.

    `again` writes the command with other options; `trust` makes a warning of the error.

    Raises:
        LabelSpaceMismatch: They certainly do, and the user has not said to trust the labels.
    """
    import numpy as np

    from errlens.analysis.confusion.label_space import exchanged_labels, scored
    from errlens.analysis.confusion.suggestion import suggest_names
    from errlens.data.counting import as_numbers
    from errlens.data.labels import numbered

    label, pred = scored(predictions)
    names = predictions.classes
    indices = run.info.settings.labels == "indices"
    if indices:  # these the user may call otherwise, not reorder
        names = numbered(len(names))
    if shift := _shift_of_numbers(label, pred, names):
        problem, certain, advice = str(shift), True, ""
        # Called by the labels that are taken for them.
        numbers = as_numbers(np.arange(len(names)), names)
        lines = [str(number + shift.by) for number in numbers.tolist()]
    elif cycles := exchanged_labels(predictions):
        problem = "labels of the data and outputs of the model seem exchanged: "
        problem += describe_cycles(cycles, names)
        certain = any(cycle.is_certain for cycle in cycles)
        suggestion = suggest_names(label, pred, names, cycles)
        lines, advice = suggestion.lines, _advice(suggestion, run)
    else:
        return
    renamed = again(
        classes=run.suggested_classes_file,
        out=run.path.with_name(f"{run.path.name}-relabelled"),
        trust_labels=False,
        **({"labels": "names"} if indices or shift else {}),
    )
    if trust or not certain:
        run.suggest_classes(lines)
        screen.warn(f"{problem}. If the names are wrong: {advice}{renamed}")
        return
    run.withhold(lines)
    raise LabelSpaceMismatch(
        problem,
        hint="predictions are kept, but say nothing yet. Look at a few images; "
        + (advice or "with the names of the outputs put right:").removesuffix(" "),
        code=[renamed],
    )


def _shift_of_numbers(
    label: "NDArray[np.integer]", pred: "NDArray[np.integer]", names: "ClassNames"
) -> "Shift | None":
    """Tell whether labels that are numbers count from another one than the outputs.

    Only of enough images, and where a label is free at the end that would be left over.
    """
    import numpy as np

    from errlens.analysis.confusion.label_space import LEAST_CERTAIN
    from errlens.classes.spelling import as_number
    from errlens.data.counting import as_numbers, find_shift

    if len(label) < LEAST_CERTAIN or any(as_number(name) is None for name in names.names):
        return None
    numbers, labelled = as_numbers(np.arange(len(names)), names), as_numbers(label, names)
    shift = find_shift(labelled, as_numbers(pred, names))
    if shift is None:
        return None
    ends = (numbers.min(), labelled.min()) if shift.by > 0 else (labelled.max(), numbers.max())
    return shift if ends[0] < ends[1] else None


def _advice(suggestion: "Suggestion", run: "RunFolder") -> str:
    """Say which names the predictions make sure and what to do about the others, if there are any.

    Ends where a command follows.
    """
    from errlens.terminal import relative

    sure, of = int(suggestion.is_sure.sum()), len(suggestion.names)
    if sure == of:
        return ""
    text = f"{sure} of {of} names are sure"
    n_open = int(suggestion.is_open.sum())
    if not n_open:
        return f"{text}, the others stay as given: "
    are = "is" if n_open == 1 else "are"
    return (
        f"{text}; {n_open} {are} marked with a '?' in {relative(run.suggested_classes_file)}, to "
        "be decided by hand before this command takes it: "
    )


def describe_cycles(cycles: "Sequence[Cycle]", names: "ClassNames") -> str:
    """Say which classes are taken for which, and for how many images that holds."""
    taken = [
        f"{names[label]!r} is taken for {names[output]!r}"
        for cycle in cycles
        for label, output in cycle.pairs()
    ]
    n, matched, given = (
        sum(getattr(cycle, kind) for cycle in cycles) for kind in ("n", "matched", "given")
    )
    shown = ", ".join(taken[:MOST_EXCHANGED])
    rest = f" and {len(taken) - MOST_EXCHANGED} more" if len(taken) > MOST_EXCHANGED else ""
    return f"{shown}{rest} ({matched} of {n} images, against {given} by the names in use)"


def diagnose(
    screen: "Screen",
    predictor: "ShardPredictor",
    metrics: "Metrics",
    *,
    oddities: "Oddities",
    expected: float | None,
    seed: int,
) -> "Diagnosis | None":
    """Look for a better preprocessing where the result falls short of what the user expects.

    Raises:
        Interrupted: The user stopped it.
    """
    import pyarrow.compute as pc

    from errlens.model.restoring.doctor import Doctor

    top1 = metrics.top1
    if expected is None or top1 is None or top1.high >= expected:
        return None
    if top1.n < LEAST_IMAGES:
        screen.warn(
            f"top-1 falls short of the expected {expected:g}, but {counted(top1.n, 'image')} will "
            "not do to try other settings on"
        )
        return None
    table = predictor.run.read_predictions(("path", "label", "status", "correct")).table
    rows = table.filter(pc.field("correct").is_valid())
    root = Path(predictor.info.data_root)
    paths, labels = rows["path"].to_pylist(), rows["label"].to_pylist()
    doctor = Doctor(
        predictor.classifier,
        [(root / path, label) for path, label in zip(paths, labels, strict=True)],
        rows["correct"].to_numpy(),
        expected=expected,
        seed=seed,
        workers=predictor.workers,
        threads=predictor.threads,
        progress=screen.progress,
        turned=oddities.turned.n > 0,
        deep=bool(oddities.deep),
        max_mb=predictor.info.max_file_mb,
    )
    try:
        return doctor.diagnose()
    except KeyboardInterrupt as error:
        raise Interrupted(
            "stopped while other settings were tried", hint="the evaluation itself is complete"
        ) from error


def show_doubt(screen: "Screen", doubt: "Doubt | None", again: Again) -> None:
    """Say what looks odd in a result that no more was expected of, and how to look into it."""
    if doubt:
        screen.warn(
            f"{'; '.join(doubt.signs)}. If you expected more, say how much, and the preprocessing "
            f"that gives it is looked for: {_expecting(doubt, again)}"
        )


def doubt_as_dict(doubt: "Doubt", again: Again) -> dict[str, Any]:
    """Return a doubt as plain values for JSON, with the command that looks into it."""
    return {**doubt._asdict(), "command": _expecting(doubt, again)}


def _expecting(doubt: "Doubt", again: Again) -> str:
    return again(expect=f"top1={doubt.expect:g}")


def show_diagnosis(
    screen: "Screen", diagnosis: "Diagnosis | None", run: "RunFolder", again: Again
) -> None:
    """Name the settings that restore the expected accuracy, or say that none does."""
    if diagnosis is None:
        return
    expected, restoring, nearest = diagnosis.expected, diagnosis.restoring, diagnosis.nearest
    screen.say()
    if restoring:
        what = "this setting restores it" if len(restoring) == 1 else "these settings restore it"
        alike = " and cannot be told apart" if len(restoring) > 1 else ""
        some_of_them = "; or ".join(_settings(one.changes) for one in restoring[:MOST_RESTORING])
        more = len(restoring) - MOST_RESTORING
        rest = f"; or {count(more)} more" if more > 0 else ""
        screen.warn(
            f"top-1 falls short of the expected {expected:g}; {what}{alike}: {some_of_them}{rest}"
        )
        rows = [
            (_settings(trial.changes), share(trial.accuracy, trial.n), count(trial.n))
            for trial in restoring
        ]
        screen.table(("instead", ">top-1", ">images not used to choose it"), rows)
        screen.say()
        screen.say(f"Next: {_mended(run, restoring[0].changes, again)}")
        return
    screen.warn(
        f"top-1 falls short of the expected {expected:g}; none of {diagnosis.tried} other settings "
        "of the preprocessing restores it"
        + (
            f"; nearest comes {_settings(nearest.changes)} with "
            f"{share(nearest.accuracy, nearest.n)}"
            if nearest
            else ""
        )
    )


def diagnosis_as_dict(diagnosis: "Diagnosis", run: "RunFolder", again: Again) -> dict[str, Any]:
    """Return a diagnosis as plain values for JSON, with the command that uses what was found."""
    best = diagnosis.restoring[0].changes if diagnosis.restoring else None
    return {**diagnosis.as_dict(), "command": best and _mended(run, best, again)}


def _mended(run: "RunFolder", changes: Mapping[str, Any], again: Again) -> str:
    """Write the command that evaluates with other preprocessing."""
    if "img_size" in changes:
        changes = {**changes, "img_size": max(changes["img_size"])}
    return again(**changes, out=run.path.with_name(f"{run.path.name}-mended"))


def _settings(changes: Mapping[str, Any]) -> str:
    """Write changed settings as the options that change them.

    >>> _settings({"mean": (0.5, 0.5, 0.5), "bgr": False})
    '--mean 0.5 0.5 0.5, no --bgr'
    """
    return ", ".join(
        f"no --{key}"
        if value is False
        else " ".join([f"--{key.replace('_', '-')}", *_written(key, value)])
        for key, value in changes.items()
    )


def _written(key: str, value: Any) -> list[str]:
    if key == "img_size":
        return [str(max(value))]
    if value is True:
        return []
    return [
        f"{one:.4g}" if isinstance(one, float) else str(one)
        for one in (value if isinstance(value, tuple) else [value])
    ]
