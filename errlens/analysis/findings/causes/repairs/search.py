"""Repairs: a change of the input under which more errors are right than luck explains."""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.findings.asked import Asked
from errlens.analysis.findings.causes.repairs.answers import Answers, answers_of
from errlens.analysis.findings.causes.repairs.mended import surest
from errlens.analysis.findings.causes.repairs.trials import (
    LEAST_RIGHT,
    Figures,
    Net,
    Repair,
    figures,
    half_width,
    might_be_told,
    net_of,
    strongest,
)
from errlens.analysis.findings.finding import Finding, Gain, Outcome, Search
from errlens.analysis.findings.scored import Scored
from errlens.analysis.statistics.intervals import Z95
from errlens.classes.names import NO_CLASS
from errlens.data.photos.changes import CHANGE_OF, CHANGES
from errlens.formats import count, of, points, points_range
from errlens.run.csv_tables import TEXT, TRUTH, WHOLE, Columns

KIND: Final = "repair"
TABLE: Final = "repairs"

# One row an image that was asked about; of each change what the model says then, if it is another
# class than without it, so that a filter on a column shows what the change does.
REPAIR_COLUMNS: Final[Columns] = {
    "row": WHOLE,
    "sample_id": TEXT,
    "path": TEXT,
    "label_name": TEXT,
    "pred_name": TEXT,
    "correct": TRUTH,
    "n_right": WHOLE,
    "right_with": TEXT,
    **{change.name: TEXT for change in CHANGES},
}

_MOST: Final = 12  # causes that are told
_MOST_SELECTIVE: Final = 0.5  # of all images, that a change makes other ones
_MOST_LUCK: Final = 0.1  # of the images listed, those that the change has right by luck
_ENOUGH_ERRORS: Final = 40  # among which a cause of a quarter of them is seen


def might_repair(scored: Scored, asked: Asked) -> list[str]:
    """Return the changes that repair enough errors to be told, if they break few right images."""
    answers = answers_of(scored, asked)
    if not _can_tell_in_run(answers):
        return []
    return [asked.changes[column] for column in might_be_told(answers)]


def names_any(scored: Scored, asked: Asked) -> bool:
    """Tell whether there is a repair by what is known of it."""
    answers = answers_of(scored, asked)
    told = np.zeros(len(answers.label), bool)
    return _can_tell(answers) and strongest(answers, told) is not None


def search_repairs(scored: Scored, asked: Asked) -> Outcome:
    """Find changes of the input that repair more errors than by luck.

    The strongest is told first, and the errors that it repairs are left out before the next one is
    sought: one cause that several changes mend is told once.

    Args:
        scored: The images of the run.
        asked: What the model says of some of them, changed.
    """
    answers = answers_of(scored, asked)
    repairs = _repairs(answers) if _can_tell(answers) else []
    findings = [_finding(repair, answers, scored, asked) for repair in repairs]
    told = [repair.change for repair in repairs]
    searches = [
        Search(
            KIND,
            change.words.rstrip(","),
            told.count(change.name),
            _absent(change.name, answers, asked),
            _enough(scored),
            asked.stopped,
        )
        for change in CHANGES
    ]
    return Outcome(findings, searches, {TABLE: repair_table(scored, asked)})


def _can_tell(answers: Answers) -> bool:
    return bool(answers.wrong.any() and (~answers.wrong).sum() >= LEAST_RIGHT)


def _can_tell_in_run(answers: Answers) -> bool:
    """Tell whether enough right images are there, asked about or not: see `might_repair`."""
    return bool(answers.wrong.any() and answers.n_right.sum() >= LEAST_RIGHT)


def _repairs(answers: Answers) -> list[Repair]:
    told = np.zeros(len(answers.label), bool)
    repairs: list[Repair] = []
    while len(repairs) < _MOST and (repair := strongest(answers, told)):
        repairs.append(repair)
        told |= _explained(repair, answers)
    return repairs


def _explained(repair: Repair, answers: Answers) -> NDArray[np.bool_]:
    """Return the errors that are not to be explained again, shape (m,).

    A change that leaves most images as they are, as one that EXIF asks for, tells by itself which
    images have the cause, also where it does not repair them.
    """
    column = answers.changes.index(repair.change)
    differs = answers.differs[:, column]
    explained = answers.hit[:, column] if differs.mean() > _MOST_SELECTIVE else differs
    return np.asarray(answers.wrong & answers.within(repair.scope) & explained)


def _finding(repair: Repair, answers: Answers, scored: Scored, asked: Asked) -> Finding:
    column = answers.changes.index(repair.change)
    wrong, right = (
        surest(answers, column, repair.scope, wrong=state, most_luck=_MOST_LUCK)
        for state in (True, False)
    )
    rows = asked.row[np.concatenate([wrong, right])]
    label = repair.scope.label
    name = None if label is None else scored.classes.names[label]
    told = _Told(repair, figures(answers, repair), net_of(answers, column), name)
    gain = _gain(told, answers)
    return Finding(
        kind=KIND,
        statement=_statement(told, answers),
        rows=tuple(rows.tolist()),
        n_errors=len(wrong),
        excess_errors=gain.value * len(scored),
        gain=gain,
        q_value=repair.p_value,
        evidence=_evidence(told, answers),
        subject={"change": repair.change, "class": name, "all_images": repair.of_all},
        beside=scored.right_beside(np.isin(scored.row, rows)),
    )


class _Told(NamedTuple):
    """A repair with what there is to say of it; `name` is that of its class."""

    repair: Repair
    counts: Figures
    net: Net
    name: str | None


def _gain(told: _Told, answers: Answers) -> Gain:
    """Return what mending wins: of all images the net, of some what is repaired beyond luck."""
    counts = told.counts
    if told.repair.of_all:
        half = float(Z95 * np.sqrt(told.net.variance))
        value = told.net.gain
        return Gain(value, max(0.0, value - half), min(1.0, value + half))
    scale = _errors_in_run(told.repair, answers) / counts.errors / answers.n
    excess = counts.repaired - counts.expected
    half = half_width(counts.errors, counts.repaired)
    low, high = max(0.0, excess - half), min(float(counts.errors), excess + half)
    return Gain(excess * scale, low * scale, high * scale)


def _errors_in_run(repair: Repair, answers: Answers) -> float:
    label = repair.scope.label
    return float(answers.n_wrong.sum() if label is None else answers.n_wrong[label])


def _statement(told: _Told, answers: Answers) -> str:
    change, counts = CHANGE_OF[told.repair.change], told.counts
    errors = f"{of(counts.repaired, counts.errors)} errors"
    if counts.errors < _errors_in_run(told.repair, answers):
        errors += " asked about"
    if told.name is not None:
        errors += f" of {told.name}"
    words = f"{change.words[0].upper()}{change.words[1:]}"
    said = f"{words} repairs {errors}, where {count(counts.expected)} are expected"
    if told.repair.of_all:
        said += f" ({points(told.net.gain)} of accuracy if done to all)"
    return f"{said}: these photos seem to {change.seems}."


def _evidence(told: _Told, answers: Answers) -> str:
    counts, net = told.counts, told.net
    half = float(Z95 * np.sqrt(net.variance))
    return (
        f"of {count(counts.surely)} repaired errors the model is surer than of most images it has "
        f"right, where {count(counts.surely_expected)} are expected; the change breaks "
        f"{of(counts.broken, counts.right)} right images; done to all images it would change the "
        f"accuracy by {points(net.gain)} ({points_range(net.gain - half, net.gain + half)}); "
        f"{of(int(answers.wrong.sum()), int(answers.n_wrong.sum()))} errors were asked about; "
        f"to mend it: {CHANGE_OF[told.repair.change].mend}"
    )


def _absent(change: str, answers: Answers, asked: Asked) -> str:
    """Return why a change could not be held against luck; nothing where it was."""
    if change in asked.left_out:
        return asked.left_out[change]
    if not answers.n_wrong.sum():
        return "no image is wrong"
    if not len(asked.row):
        gone = "the photos are gone, or others now" if asked.unread else "no image was asked about"
        return asked.stopped or gone
    if change not in asked.changes:
        return "it was not tried"
    if not answers.differs[:, answers.changes.index(change)].any():
        return "it changes none of the images"
    if not _can_tell_in_run(answers):
        return "too few images are right to hold it against"
    return ""


def _enough(scored: Scored) -> int | None:
    """Return of how many images as many are wrong as it takes to see a cause of some of them."""
    if not scored.n_errors or scored.n_errors >= _ENOUGH_ERRORS:
        return None
    return int(np.ceil(len(scored) * _ENOUGH_ERRORS / scored.n_errors))


def repair_table(scored: Scored, asked: Asked) -> pd.DataFrame:
    """Return repairs.csv: the images asked about, and what the model says of them changed."""
    place = np.searchsorted(scored.row, asked.row)
    label, pred = scored.label[place], scored.pred[place]
    hit = (asked.pred == label[:, None]) & asked.differs
    names = np.array([*scored.classes.names, ""], object)  # the last one where there is no answer
    changes = np.array(asked.changes, object)
    ids = scored.sample_id or scored.paths
    table: dict[str, object] = {
        "row": asked.row,
        "sample_id": [ids[each] for each in place],
        "path": [scored.paths[each] for each in place],
        "label_name": names[label],
        "pred_name": names[pred],
        "correct": pred == label,
        "n_right": hit.sum(axis=1),
        "right_with": ["; ".join(changes[each]) for each in hit],
    }
    for change in CHANGES:
        table[change.name] = _other_names(change.name, asked, pred, names)
    return pd.DataFrame(table, columns=list(REPAIR_COLUMNS))


def _other_names(
    change: str, asked: Asked, pred: NDArray[np.int32], names: NDArray[np.object_]
) -> NDArray[np.object_]:
    """Return the names of other classes that are predicted under a change, nothing elsewhere."""
    said = np.full(len(pred), None, object)
    if change in asked.changes:
        now = asked.pred[:, asked.changes.index(change)]
        other = (now != pred) & (now != NO_CLASS)
        said[other] = names[now[other]]
    return said
