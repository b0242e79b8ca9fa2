"""Do labels and outputs mean the same classes? If not, names for the outputs are suggested."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.confusion.label_space import (
    LEAST_CERTAIN,
    Cycle,
    exchanged_labels,
    labels_and_predictions,
)
from errlens.analysis.confusion.suggestion import Suggestion, suggest_names
from errlens.classes.names import ClassNames
from errlens.classes.spelling import as_number
from errlens.commands.evaluate.options import EvaluateOptions
from errlens.commands.showing import first_few
from errlens.data.labels import numbered
from errlens.data.numbering import Shift, as_numbers, find_shift
from errlens.errors import LabelSpaceMismatch
from errlens.predictions.table import Predictions
from errlens.run.folder import RunFolder
from errlens.terminal import Screen, relative

MOST_EXCHANGED = 6  # classes named in a message


def contradicts_labels(
    screen: Screen,
    run: RunFolder,
    predictions: Predictions,
    options: EvaluateOptions,
    *,
    outputs: ClassNames,
) -> bool:
    """Tell whether the predictions seem to contradict the names of the classes, and say so.

    Args:
        screen: Is warned where they seem to.
        run: Gets names that fit better.
        predictions: Those of the run.
        options: What the user asked for.
        outputs: The names of all outputs of the model, which need not be all classes of the run.

    Raises:
        LabelSpaceMismatch: They certainly do, and the user has not said to trust the labels.
    """
    label, pred = labels_and_predictions(predictions)
    names = predictions.classes
    indices = run.info.settings.labels == "indices"
    chosen = run.info.settings.outputs.get("subset") or range(len(outputs))
    if indices:  # the user may give these other names, but not another order
        outputs = numbered(len(outputs))
        names = outputs.among(chosen, source=outputs.source)
    if shift := _shift_of_numbers(label, pred, names):
        problem, certain, advice = str(shift), True, ""
        # Each output gets the number of the label it seems to mean.
        numbers = as_numbers(np.arange(len(outputs)), outputs)
        lines = [str(number + shift.by) for number in numbers.tolist()]
    elif cycles := exchanged_labels(predictions):
        problem = "labels of the data and outputs of the model seem exchanged: "
        problem += describe_cycles(cycles, names)
        certain = any(cycle.is_certain for cycle in cycles)
        suggestion = suggest_names(label, pred, names, cycles)
        suggested = dict(zip(chosen, suggestion.lines, strict=True))
        lines = [suggested.get(output, name) for output, name in enumerate(outputs.names)]
        advice = _advice(suggestion, run)
    else:
        return False
    renamed = options.again(
        classes=run.suggested_classes_file,
        out=run.path.with_name(f"{run.path.name}-relabelled"),
        trust_labels=False,
        **({"labels": "names"} if indices or shift else {}),
    )
    if options.trust_labels or not certain:
        run.suggest_classes(lines)
        screen.warn(f"{problem}. If the names are wrong: {advice}{renamed}")
        return True
    run.withhold(lines)
    raise LabelSpaceMismatch(
        problem,
        hint="predictions are kept, but say nothing yet. Look at a few images; "
        + (advice or "with the names of the outputs put right:").removesuffix(" "),
        code=[renamed],
    )


def _shift_of_numbers(
    label: NDArray[np.integer], pred: NDArray[np.integer], names: ClassNames
) -> Shift | None:
    """Return by how much labels that are numbers are shifted against the outputs, if they are.

    Only of enough images, and only where no image has a label that would then mean no output.
    """
    if len(label) < LEAST_CERTAIN or any(as_number(name) is None for name in names.names):
        return None
    numbers, labelled = as_numbers(np.arange(len(names)), names), as_numbers(label, names)
    shift = find_shift(labelled, as_numbers(pred, names))
    if shift is None:
        return None
    ends = (numbers.min(), labelled.min()) if shift.by > 0 else (labelled.max(), numbers.max())
    return shift if ends[0] < ends[1] else None


def _advice(suggestion: Suggestion, run: RunFolder) -> str:
    """Say how many names are sure, and what to do about the others; nothing if all are sure.

    A command is to follow the text.
    """
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


def describe_cycles(cycles: Sequence[Cycle], names: ClassNames) -> str:
    """Say which classes are taken for which, and for how many images that holds."""
    taken = [
        f"{names[label]!r} is taken for {names[output]!r}"
        for cycle in cycles
        for label, output in cycle.pairs()
    ]
    n, matched, given = (
        sum(getattr(cycle, kind) for cycle in cycles) for kind in ("n", "matched", "given")
    )
    return (
        f"{first_few(taken, MOST_EXCHANGED)} ({matched} of {n} images, against {given} by the "
        "names in use)"
    )
