"""Labels that are wrong: where a calibrated model and similar images both speak against them.

Only images that the model calls something else come into question. How sure it is, is judged by
what its probabilities mean once calibrated (`accuracy/temperature.py`); an image is `sure` where
the class it is taken for is 400 times as probable as the label, and no majority of its neighbours
in feature space bears the label. On sound labels about 2 of 1,000 images are: hence no finding
where there are not clearly more.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import log_softmax, pdtrc

from errlens.analysis.accuracy.temperature import certainty_logits, temperatures
from errlens.analysis.findings.causes.labels.neighbour_votes import neighbour_votes
from errlens.analysis.findings.finding import RUN, Finding, Outcome, Search, gain_of
from errlens.analysis.findings.scored import Scored
from errlens.formats import count, counted, expected_count, share
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE, Columns

TABLE: Final = "label_issues"
WHAT: Final = "wrong labels"
SURE: Final = "sure"
WORTH_A_LOOK: Final = "worth a look"

LABEL_ISSUE_COLUMNS: Final[Columns] = {
    "row": WHOLE,
    "sample_id": TEXT,
    "path": TEXT,
    "label_name": TEXT,
    "suggested_label": TEXT,  # where it is sure: what `what-if --relabel` takes as mended
    "list": TEXT,
    "score": NUMBER,  # natural logarithm of odds, neighbours counted in
    "looks_like": TEXT,
    "label_prob": NUMBER,  # calibrated
    "looks_like_prob": NUMBER,  # calibrated
    "neighbours": NUMBER,
    "neighbours_label": NUMBER,
    "neighbours_looks_like": NUMBER,
    "evidence": TEXT,
}

LEAST_IMAGES: Final = 100  # fewer tell no temperature
SURE_ODDS: Final = np.log(400.0)
SURE_PROBABILITY: Final = 0.9
LEAST_SCORE: Final = 5.0  # of what is worth a look, with neighbours
LEAST_ODDS: Final = 3.0  # the same without
NEIGHBOURS_WEIGH: Final = 3.0  # all for one class, none for the other: as odds of 20 to 1
SURE_BY_CHANCE: Final = 0.002  # of images whose labels are sound
ALPHA: Final = 0.001


class _Doubts(NamedTuple):
    """Images whose label is in doubt, by their places; all arrays of shape (m,)."""

    at: NDArray[np.intp]
    odds: NDArray[np.float64]  # natural logarithm, of the class predicted against the label
    label_prob: NDArray[np.float64]
    pred_prob: NDArray[np.float64]
    for_label: NDArray[np.float64]  # neighbours; nan where there are none
    for_pred: NDArray[np.float64]
    neighbours: NDArray[np.float64]

    @property
    def score(self) -> NDArray[np.float64]:
        with np.errstate(invalid="ignore", divide="ignore"):
            agreement = np.nan_to_num((self.for_pred - self.for_label) / self.neighbours)
        return self.odds + NEIGHBOURS_WEIGH * agreement

    @property
    def is_sure(self) -> NDArray[np.bool_]:
        contradicted = self.for_label >= self.for_pred
        certain = (self.odds >= SURE_ODDS) & (self.pred_prob >= SURE_PROBABILITY)
        return np.asarray(certain & ~contradicted)

    @property
    def is_listed(self) -> NDArray[np.bool_]:
        alone = np.isnan(self.for_label) & (self.odds >= LEAST_ODDS)
        return (self.score >= LEAST_SCORE) | alone | self.is_sure


def search_label_issues(
    scored: Scored,
    features: NDArray[np.floating] | None,
    logits: NDArray[np.floating] | None,
) -> Outcome:
    """List the labels that are wrong, or worth a look; the table is `LABEL_ISSUE_COLUMNS`.

    Args:
        scored: n images; without logits their `confidence` and `label_prob` count.
        features: Shape (n, d), in the order of `scored`; rows of nan where there are none.
        logits: Shape (n, k), of any offset a row.
    """
    absent, enough = "", None
    if not len(scored):
        absent = "no image has a label and a prediction"
    elif logits is None and not np.isfinite(scored.confidence * scored.label_prob).any():
        absent = "the run has no probabilities"
    elif len(scored) < LEAST_IMAGES:
        enough = LEAST_IMAGES
    if absent or enough:
        searches = [Search("label_issue", WHAT, absent=absent, enough=enough)]
        return Outcome([], searches, {TABLE: _table(scored, _nobody())})
    doubts = _doubts(scored, features, logits)
    finding = _finding(scored, doubts)
    searches = [Search("label_issue", WHAT, found=len(finding))]
    return Outcome(finding, searches, {TABLE: _table(scored, doubts)})


def _doubts(
    scored: Scored, features: NDArray[np.floating] | None, logits: NDArray[np.floating] | None
) -> _Doubts:
    """Return the doubts that are listed, the sure ones first, then by score."""
    odds, label_prob, pred_prob = _calibrated(scored, logits)
    # All votes of all neighbours lift odds to the least score from here.
    asked = np.flatnonzero(scored.wrong & (odds >= LEAST_SCORE - NEIGHBOURS_WEIGH))
    votes = np.full((3, len(asked)), np.nan)
    if features is not None and len(asked):
        votes[:] = _votes(scored, features, asked)
    votes[:, ~(votes[2] > 0)] = np.nan
    doubts = _Doubts(asked, odds[asked], label_prob[asked], pred_prob[asked], *votes)
    order = np.lexsort([doubts.at, -doubts.score, ~doubts.is_sure])
    kept = order[doubts.is_listed[order]]
    return _Doubts(asked[kept], *(values[kept] for values in doubts[1:]))


def _nobody() -> _Doubts:
    return _Doubts(np.zeros(0, np.intp), *np.zeros((6, 0)))


def _calibrated(
    scored: Scored, logits: NDArray[np.floating] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the log odds of the prediction against the label, and both probabilities.

    Dividing the logits by a temperature divides these log odds by it, so that they are known where
    nothing but two probabilities is; these themselves are then what they were.
    """
    if logits is None:
        with np.errstate(divide="ignore", invalid="ignore"):
            log_odds = np.log(scored.confidence) - np.log(np.maximum(scored.label_prob, 1e-30))
        sure = certainty_logits(scored.confidence)
        t = temperatures(sure, scored.wrong.astype(np.int32))
        confidence = np.exp(log_softmax(sure / t[:, np.newaxis], axis=1)[:, 0])
        odds = np.nan_to_num(log_odds / t, nan=-np.inf)
        return odds, confidence * np.exp(-np.maximum(odds, 0)), confidence
    t = temperatures(logits, scored.label)
    odds, label_prob, pred_prob = np.empty((3, len(scored)))
    for start in range(0, len(scored), 2**14):
        block = slice(start, start + 2**14)
        scaled = logits[block].astype(np.float64) / t[block, np.newaxis]
        logs = log_softmax(scaled, axis=1)
        own = np.arange(len(logs))
        label, pred = logs[own, scored.label[block]], logs[own, scored.pred[block]]
        odds[block] = np.nan_to_num(pred - label, nan=-np.inf)
        label_prob[block], pred_prob[block] = np.exp(label), np.exp(pred)
    return odds, label_prob, pred_prob


def _votes(
    scored: Scored, features: NDArray[np.floating], asked: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return how many neighbours have the label, the class predicted, and any label at all."""
    n_classes = len(scored.classes)
    present = len(np.unique(scored.label))
    k = int(np.clip(len(scored) / present / 4, 5, 50))
    votes = neighbour_votes(features, scored.label, asked, k=k, n_classes=n_classes)
    own = np.arange(len(asked))
    by_label, by_pred = votes[own, scored.label[asked]], votes[own, scored.pred[asked]]
    return np.array([by_label, by_pred, votes.sum(axis=1)], np.float64)


def _finding(scored: Scored, doubts: _Doubts) -> list[Finding]:
    """Return the finding, where more are sure than would be on sound labels."""
    sure = doubts.at[doubts.is_sure]
    by_chance = SURE_BY_CHANCE * len(scored)
    p_value = float(pdtrc(len(sure) - 1, by_chance)) if len(sure) else 1.0
    if p_value > ALPHA:
        return []
    chosen = np.zeros(len(scored), bool)
    chosen[sure] = True
    others = int((~doubts.is_sure).sum())
    statement = (
        f"The labels of {counted(len(sure), 'image')} are most likely wrong "
        f"({share(len(sure) / max(scored.n_errors, 1))} of all errors): the model is all but "
        f"certain of another class{_and_neighbours(doubts)}, where about "
        f"{expected_count(by_chance)} would be so among sound labels. Most often: "
        f"{_commonest(scored, sure)}."
    )
    return [
        Finding(
            kind="label_issue",
            statement=statement,
            rows=tuple(scored.row[sure].tolist()),
            n_errors=len(sure),
            excess_errors=len(sure) - by_chance,
            gain=gain_of(len(sure), by_chance, by_chance, images=len(scored)),
            q_value=p_value,
            evidence=f"another {counted(others, 'label')} are worth a look",
            command=("what-if", RUN, "--relabel", f"{RUN}/diagnosis/{TABLE}.csv"),
            subject={"sure": len(sure), "worth_a_look": others},
            beside=scored.right_beside(chosen),
        )
    ]


def _and_neighbours(doubts: _Doubts) -> str:
    known = np.isfinite(doubts.for_label[doubts.is_sure])
    return ", and so are the images most like them" if known.any() else ""


def _commonest(scored: Scored, sure: NDArray[np.intp]) -> str:
    cells, counts = np.unique(
        np.stack([scored.label[sure], scored.pred[sure]]), axis=1, return_counts=True
    )
    label, pred = cells[:, np.argmax(counts)]
    names = scored.classes
    return f"labelled {names[int(label)]}, but {names[int(pred)]} ({count(counts.max())})"


def _table(scored: Scored, doubts: _Doubts) -> pd.DataFrame:
    table = scored.table_of(doubts.at).drop(columns="pred_name")
    looks_like = scored.names(scored.pred[doubts.at])
    columns: dict[str, Any] = {
        "suggested_label": looks_like.where(pd.Series(doubts.is_sure), None),
        "list": pd.Series(np.where(doubts.is_sure, SURE, WORTH_A_LOOK), dtype="str"),
        "score": doubts.score,
        "looks_like": looks_like,
        "label_prob": doubts.label_prob,
        "looks_like_prob": doubts.pred_prob,
        "neighbours": doubts.neighbours,
        "neighbours_label": doubts.for_label,
        "neighbours_looks_like": doubts.for_pred,
        "evidence": pd.Series(_evidence(table, looks_like, doubts), dtype="str"),
    }
    return table.assign(**columns)[list(LABEL_ISSUE_COLUMNS)]


def _evidence(table: pd.DataFrame, looks_like: pd.Series, doubts: _Doubts) -> list[str]:
    texts = []
    for label, pred, *figures in zip(table["label_name"], looks_like, *doubts[2:], strict=True):
        label_prob, pred_prob, for_label, for_pred, neighbours = figures
        text = f"the model: {pred} {share(pred_prob)}, {label} {share(label_prob)}"
        if not np.isnan(neighbours):
            text += (
                f"; of the {count(neighbours)} images most like it {count(for_pred)} are labelled "
                f"{pred}, {count(for_label)} {label}"
            )
        texts.append(text)
    return texts
