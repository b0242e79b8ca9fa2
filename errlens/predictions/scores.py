"""From a network's raw outputs to everything the predictions table says about an image."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from errlens.classes.names import Superclasses, class_parents

MOST_TOPK: Final = 20


class Scores(NamedTuple):
    """What the outputs for n images say; see `errlens.predictions.table.SCHEMA` for each column.

    Arrays of length n, but for the two top-k arrays of shape (n, k). Where `finite` is False the
    outputs held NaN or infinity and nothing else in the row means anything. `label` and the
    superclasses are `NO_CLASS` where there is none; columns about the label then mean nothing.
    """

    finite: NDArray[np.bool_]
    label: NDArray[np.int32]
    pred: NDArray[np.int32]
    confidence: NDArray[np.float32]
    label_prob: NDArray[np.float32]
    margin: NDArray[np.float32]
    loss: NDArray[np.float32]
    entropy: NDArray[np.float32]
    brier: NDArray[np.float32]
    label_rank: NDArray[np.int32]
    topk_index: NDArray[np.int32]
    topk_prob: NDArray[np.float32]
    logsumexp: NDArray[np.float32]
    super_pred: NDArray[np.int32]
    super_pred_prob: NDArray[np.float32]


def score(
    logits: NDArray[np.floating],
    label: NDArray[np.int32],
    *,
    topk: int,
    superclasses: Superclasses | None = None,
    bias: float = 0.0,
) -> Scores:
    """Score raw outputs of shape (n, classes) against labels of shape (n,).

    Probabilities are the softmax, computed in float64; equal outputs are ranked by class index. The
    classes are ranked by their outputs; of two classes the second must be ahead by more than
    `bias`, which changes no probability.
    """
    finite: NDArray[np.bool_] = np.asarray(np.isfinite(logits).all(axis=1))
    raw = np.where(finite[:, None], logits, 0).astype(np.float64)
    total = np.logaddexp.reduce(raw, axis=1)
    log_prob = raw - total[:, None]
    prob = np.exp(log_prob)
    rows = np.arange(len(raw))

    ranked = raw - [0.0, bias] if bias else raw
    order = np.argsort(-ranked, axis=1, kind="stable")[:, :topk]
    pred = order[:, 0]
    known = np.maximum(label, 0)  # any class will do where there is no label
    of_label = ranked[rows, known]
    label_prob = prob[rows, known]
    others = prob.copy()
    others[rows, known] = -np.inf
    before = np.arange(raw.shape[1]) < known[:, None]
    ahead = (ranked > of_label[:, None]) | ((ranked == of_label[:, None]) & before)
    parents = class_parents(superclasses, raw.shape[1])
    super_pred = parents[pred]
    inside = parents[None, :] == super_pred[:, None]
    return Scores(
        finite=finite,
        label=label,
        pred=pred.astype(np.int32),
        confidence=prob[rows, pred].astype(np.float32),
        label_prob=label_prob.astype(np.float32),
        margin=(label_prob - others.max(axis=1)).astype(np.float32),
        loss=-log_prob[rows, known].astype(np.float32),
        entropy=-(prob * log_prob).sum(axis=1).astype(np.float32),
        brier=((prob**2).sum(axis=1) - 2 * label_prob + 1).astype(np.float32),
        label_rank=(1 + ahead.sum(axis=1)).astype(np.int32),
        topk_index=order.astype(np.int32),
        topk_prob=np.take_along_axis(prob, order, axis=1).astype(np.float32),
        logsumexp=total.astype(np.float32),
        super_pred=super_pred,
        super_pred_prob=(prob * inside).sum(axis=1).astype(np.float32),
    )
