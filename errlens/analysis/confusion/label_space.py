"""Signs that the labels of the data and the outputs of the model do not mean the same classes.

Folders in another order than the outputs, or two that were swapped, give a plausible accuracy and
a wrong confusion matrix. What gives them away is that another naming of the outputs explains the
predictions far better than the one in use.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from errlens.analysis.statistics.significance import sign_test
from errlens.predictions.table import Predictions

LEAST_PER_CLASS: Final = 5  # scored images; classes with fewer keep their name
LEAST_SUSPECT: Final = 10  # images in a cycle
LEAST_CERTAIN: Final = 20
LEAST_MATCHED: Final = 0.6
MOST_GIVEN: Final = 0.2
# An untrained model that gives all images two or three classes matches these by chance.
LEAST_PRECISION: Final = 0.5
ALPHA: Final = 0.01


class Cycle(NamedTuple):
    """Classes whose labels and outputs seem to be exchanged in a ring.

    Images labelled `classes[k]` are taken for `classes[k + 1]`, those of the last for the first.
    Of their `n` images, `matched` are predicted so, `given` as they are labelled. `p_value` is the
    one-sided sign test of `matched` against `given`; `is_certain` where it is small even among as
    many tests as there are classes, on at least 20 images.
    """

    classes: tuple[int, ...]
    n: int
    matched: int
    given: int
    p_value: float
    is_certain: bool

    def pairs(self) -> list[tuple[int, int]]:
        """Return each label with the output it is taken for."""
        return list(zip(self.classes, (*self.classes[1:], self.classes[0]), strict=True))


def exchanged_labels(predictions: Predictions) -> list[Cycle]:
    """Find the classes whose labels seem exchanged in a table of predictions.

    Needs the columns `status`, `label` and `pred`; see `exchanged_classes`.
    """
    label, pred = labels_and_predictions(predictions)
    return exchanged_classes(label, pred, n_classes=len(predictions.classes))


def exchanged_classes(
    label: NDArray[np.integer], pred: NDArray[np.integer], *, n_classes: int
) -> list[Cycle]:
    """Find the classes whose names the predictions contradict, largest cycle of images first.

    The outputs are matched with the labels so that most images agree (Hungarian method; a tie goes
    to the name given). A cycle of that match is reported if it covers at least 10 images, agrees
    with at least 60 % of them where the given names agree with at most 20 %, at least half of what
    is predicted as these classes are the images it matches, and a one-sided sign test between
    matched and given has p < 0.01. It is certain from 20 images if p < 0.01 / classes: of a
    thousand classes that a poor model confuses in pairs, some pair reaches 0.01 by chance. A model
    that is merely bad, or untrained, has no cycle.

    Args:
        label: Class index of each image, shape (n,).
        pred: Predicted class index of each image, shape (n,).
        n_classes: Number of classes.

    >>> label = np.repeat([0, 1, 2], 20)
    >>> exchanged_classes(label, np.repeat([1, 0, 2], 20), n_classes=3)[0].classes
    (0, 1)
    """
    counts = np.bincount(label, minlength=n_classes)
    eligible = np.flatnonzero(counts >= LEAST_PER_CLASS)
    inside = np.isin(label, eligible)
    label, pred = label[inside], pred[inside]
    taken_for = np.arange(n_classes)
    taken_for[eligible] = eligible[_best_match(label, pred, eligible)]
    cycles = []
    for ring in _rings(taken_for):
        labelled, predicted = np.isin(label, ring), np.isin(pred, ring)
        is_matched = labelled & (taken_for[label] == pred)
        n, matched = int(labelled.sum()), int(is_matched.sum())
        given = int((labelled & (label == pred)).sum())
        p_value = float(sign_test(matched, given))
        rate = 1 / counts[label]  # every class counts the same, however many images it has
        if (
            n >= LEAST_SUSPECT
            and matched >= LEAST_MATCHED * n
            and given <= MOST_GIVEN * n
            and rate[is_matched].sum() >= LEAST_PRECISION * rate[predicted].sum()
            and p_value < ALPHA
        ):
            is_certain = n >= LEAST_CERTAIN and p_value < ALPHA / len(eligible)
            cycles.append(Cycle(tuple(ring), n, matched, given, p_value, is_certain))
    return sorted(cycles, key=lambda cycle: (-cycle.n, cycle.classes))


class Renamed(NamedTuple):
    """A class that is never predicted and one without images, which may be the same.

    Of the `n` images labelled `label`, `matched` are predicted as `output`.
    """

    label: int
    output: int
    n: int
    matched: int


def renamed_classes(
    label: NDArray[np.integer], pred: NDArray[np.integer], *, n_classes: int
) -> list[Renamed]:
    """Find classes that labels and predictions seem to call otherwise, most images first.

    One is never predicted, the other no label of any image; at least 60 % of the images of the one
    are predicted as the other, and at least half of what is predicted so are these.

    Args:
        label: Class index of each image, shape (n,).
        pred: Predicted class index of each image, shape (n,).
        n_classes: Number of classes.

    >>> renamed_classes(np.array([0] * 5 + [1]), np.array([2] * 5 + [1]), n_classes=3)
    [Renamed(label=0, output=2, n=5, matched=5)]
    """
    cells, count = np.unique(np.stack([label, pred]), axis=1, return_counts=True)
    n_labelled, n_predicted = (
        np.bincount(indices, minlength=n_classes) for indices in (label, pred)
    )
    return sorted(
        (
            Renamed(a, b, int(n_labelled[a]), matched)
            for (a, b), matched in zip(cells.T.tolist(), count.tolist(), strict=True)
            if n_labelled[a] >= LEAST_PER_CLASS
            and not n_predicted[a]
            and not n_labelled[b]
            and matched >= LEAST_MATCHED * n_labelled[a]
            and matched >= LEAST_PRECISION * n_predicted[b]
        ),
        key=lambda renamed: (-renamed.n, renamed.label),
    )


def labels_and_predictions(
    predictions: Predictions,
) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Return the labels and predicted classes of the images that count, as indices."""
    judged = predictions.judged
    return judged["label"].to_numpy(), judged["pred"].to_numpy()


def _best_match(
    label: NDArray[np.integer], pred: NDArray[np.integer], classes: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Return for each class the place of the one it is taken for, so that most images agree.

    A class is taken for another only where at least one image says so.
    """
    if not len(classes):
        return classes
    inside = np.isin(pred, classes)
    row, column = (np.searchsorted(classes, indices[inside]) for indices in (label, pred))
    # Counts first, and where they tie the number of classes that keep their name. The bonus also
    # makes each class's own output a cell, so that there is a match at all.
    own = np.arange(len(classes))
    weight = np.concatenate([np.full(len(row), len(classes) + 1.0), np.ones(len(classes))])
    cells = coo_array((weight, (np.append(row, own), np.append(column, own))))
    _, match = min_weight_full_bipartite_matching(cells.tocsr(), maximize=True)
    return np.asarray(match, np.intp)


def _rings(permutation: NDArray[np.intp]) -> list[list[int]]:
    """Return the cycles of a permutation but those of length one."""
    rings, seen = [], permutation == np.arange(len(permutation))
    for start in np.flatnonzero(~seen).tolist():
        ring, at = [], start
        while not seen[at]:
            seen[at] = True
            ring.append(at)
            at = int(permutation[at])
        if ring:
            rings.append(ring)
    return rings
