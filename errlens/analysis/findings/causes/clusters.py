"""Unknown unknowns: images that look alike to the network and are wrong more often than others.

Features hold the prediction, so that errors of one class taken for another lie between the two: an
ordinary confusion. Therefore what the outputs tell is taken out of the features first, then they
are clustered without a look at the errors, and the errors of each cluster are tested. D. Eyuboglu
et al., "Domino: Discovering Systematic Errors with Cross-Modal Embeddings", ICLR 2022, cluster with
the errors, which cannot be tested on the same images.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.cluster import MiniBatchKMeans
from threadpoolctl import threadpool_limits

from errlens.analysis.findings.finding import (
    Finding,
    Outcome,
    Search,
    gain_of,
    told_once,
)
from errlens.analysis.findings.scored import Scored
from errlens.analysis.statistics.strata import Excess, excess_errors
from errlens.formats import count, counted, expected_count, of, share

SIZES: Final = (20, 40, 80, 160)  # images of a cluster, in the mean
MOST_CLUSTERS: Final = 400  # of one size
DIMENSIONS: Final = 20  # that clusters are sought in
OUTPUTS: Final = 50  # the most directions of the outputs that are taken out one by one
LEAST_EXCESS: Final = 8.0
LEAST_TURNED: Final = 0.4  # of the images of a cluster that would be right but for the cause
P_VALUE: Final = 0.005
LEAST_PART: Final = 4.0  # excess errors of a cluster that only enlarges another
P_VALUE_OF_PART: Final = 0.1
ALIKE: Final = 0.5  # cosine between the middles of the errors of two clusters that are one
WHAT: Final = "images that look alike to the network"
ENOUGH_ERRORS: Final = 30
_FEW: Final = 5.0  # images of a predicted class whose mean counts half
_AT_ONCE: Final = 64  # clusters tested, for the sake of memory


def search_clusters(
    scored: Scored, features: NDArray[np.floating] | None, logits: NDArray[np.floating] | None
) -> Outcome:
    """Find clusters of images that are wrong more often than their classes explain.

    Args:
        scored: The n images.
        features: What comes before the last layer, shape (n, d); None where not kept.
        logits: Shape (n, classes); None where not kept.
    """
    absent, enough = _hindrance(scored, features, logits)
    if absent or enough:
        return Outcome((), [Search("cluster", WHAT, absent=absent, enough=enough)])
    assert features is not None  # noqa: S101 - for the type checker
    assert logits is not None  # noqa: S101
    looks = beyond_outputs(features, logits, scored.pred)
    if looks is None:
        absent = "the features hold no more than the outputs of the model"
        return Outcome((), [Search("cluster", WHAT, absent=absent)])
    findings = _findings(scored, looks)
    return Outcome(findings, [Search("cluster", WHAT, len(findings))])


def _hindrance(
    scored: Scored, features: NDArray[np.floating] | None, logits: NDArray[np.floating] | None
) -> tuple[str, int | None]:
    """Say why clusters cannot be sought, or how many images would do."""
    missing = [name for name, kept in (("features", features), ("logits", logits)) if kept is None]
    if missing:
        return f"the run keeps no {' and no '.join(missing)}", None
    assert features is not None  # noqa: S101 - for the type checker
    if not features.shape[1]:
        return "the network has no features before its outputs", None
    if not len(scored) or scored.n_errors in (0, len(scored)):
        return "no image is " + ("wrong" if not scored.n_errors else "right"), None
    if scored.n_errors < ENOUGH_ERRORS:
        return "", int(np.ceil(len(scored) * ENOUGH_ERRORS / scored.n_errors))
    return "", None


def beyond_outputs(
    features: NDArray[np.floating], logits: NDArray[np.floating], pred: NDArray[np.integer]
) -> NDArray[np.float32] | None:
    """Return directions of features without what the outputs tell, shape (n, at most DIMENSIONS).

    Taken out are what depends linearly on logits, probabilities and confidence, and the mean of
    each predicted class. None where nothing is left.
    """
    values = _centred(np.nan_to_num(features.astype(np.float32)))
    scores = np.nan_to_num(logits.astype(np.float32))
    chances = softmax(scores, axis=1)
    told = [_main_directions(_centred(part), OUTPUTS) for part in (scores, chances)]
    told.append(_centred(chances.max(axis=1, keepdims=True)))
    explaining = np.concatenate(told, axis=1)
    size = float(np.linalg.norm(values))
    if len(values) <= 2 * explaining.shape[1]:
        explaining = _main_directions(explaining, len(values) // 4)
    values = values - explaining @ np.linalg.lstsq(explaining, values, rcond=None)[0]
    values = _without_class_means(values, pred)
    left = _main_directions(values, DIMENSIONS)
    if left.shape[1] < 2 or np.linalg.norm(left) <= 1e-3 * size:
        return None
    lengths = np.linalg.norm(left, axis=1, keepdims=True)
    directions: NDArray[np.float32] = left / np.maximum(lengths, np.finfo(np.float32).tiny)
    return directions


def _centred(values: NDArray[np.float32]) -> NDArray[np.float32]:
    centred: NDArray[np.float32] = values - values.mean(axis=0)
    return centred


def _main_directions(values: NDArray[np.float32], most: int) -> NDArray[np.float32]:
    """Return the principal components of centred values, shape (n, at most `most`)."""
    spread, directions = np.linalg.eigh(values.T.astype(np.float64) @ values)
    kept = np.flatnonzero(spread > 1e-9 * max(spread[-1], np.finfo(float).tiny))[::-1][:most]
    # The sign of a direction is an accident of the library.
    chosen = directions[:, kept]
    chosen = chosen * np.sign(chosen[np.abs(chosen).argmax(axis=0), np.arange(len(kept))])
    found: NDArray[np.float32] = values @ chosen.astype(np.float32)
    return found


def _without_class_means(
    values: NDArray[np.float32], pred: NDArray[np.integer]
) -> NDArray[np.float32]:
    """Subtract the mean of each predicted class, of a small one in part."""
    _, of_class, n = np.unique(pred, return_inverse=True, return_counts=True)
    sums = np.zeros((len(n), values.shape[1]), np.float32)
    np.add.at(sums, of_class, values)
    means = sums / (n[:, None] + np.float32(_FEW))
    return _centred(values - means[of_class])


class _Cluster(NamedTuple):
    members: NDArray[np.bool_]
    excess: Excess
    p_value: float  # corrected for all clusters

    @property
    def more(self) -> float:
        """Errors beyond those expected."""
        return float(self.excess.observed[0] - self.excess.expected[0])


def _findings(scored: Scored, looks: NDArray[np.float32]) -> list[Finding]:
    """Return clusters with too many errors; those that look alike are one."""
    strata = scored.label.astype(np.int64)
    found: list[_Cluster] = []
    for cluster in _clusters(scored, looks):
        alike = [_alike(looks, scored.wrong, cluster, earlier) for earlier in found]
        if any(alike):
            at = alike.index(True)
            members = found[at].members | cluster.members
            excess = excess_errors(members, scored.wrong, strata)
            found[at] = _Cluster(members, excess, found[at].p_value)
        elif cluster.more >= LEAST_EXCESS and cluster.p_value <= P_VALUE:
            found.append(cluster)
    return told_once([_finding(scored, looks, cluster) for cluster in found])


def _alike(
    looks: NDArray[np.float32], wrong: NDArray[np.bool_], one: _Cluster, other: _Cluster
) -> bool:
    """Say whether the errors of two clusters lie in the same direction."""
    first, second = (looks[each.members & wrong].mean(axis=0) for each in (one, other))
    lengths = float(np.linalg.norm(first) * np.linalg.norm(second))
    return bool(first @ second >= ALIKE * lengths)


def _clusters(scored: Scored, looks: NDArray[np.float32]) -> Iterator[_Cluster]:
    """Yield clusters that stand out, each against the classes without those before it."""
    choices = list(clusterings(looks))
    strata = scored.label.astype(np.int64)
    n_classes = int(strata.max()) + 1
    told = np.zeros(len(scored), bool)
    while True:
        best = _strongest(choices, scored.wrong, strata, ~told)
        if best is None:
            return
        yield best
        told |= best.members
        # What is explained makes strata of its own: no other cluster is better for holding it.
        strata = np.where(told, scored.label + n_classes, scored.label)


def _strongest(
    choices: list[NDArray[np.int64]],
    wrong: NDArray[np.bool_],
    strata: NDArray[np.int64],
    open_: NDArray[np.bool_],
) -> _Cluster | None:
    """Return the cluster least likely by chance, if it passes."""
    tests = sum(int(labels.max()) + 1 for labels in choices)
    best: _Cluster | None = None
    for members in _members(choices):
        chosen = members & open_
        excess = excess_errors(chosen, wrong, strata)
        more = excess.observed - excess.expected
        for at in np.flatnonzero(
            (excess.p_value * tests <= P_VALUE_OF_PART)
            & (more >= LEAST_PART)
            & (more >= LEAST_TURNED * (chosen.sum(axis=1) - excess.expected))
        ):
            p_value = float(excess.p_value[at]) * tests
            if best is None or p_value < best.p_value:
                of_one = Excess(*(values[at : at + 1] for values in excess))
                best = _Cluster(chosen[at], of_one, p_value)
    return best


def clusterings(looks: NDArray[np.float32]) -> Iterator[NDArray[np.int64]]:
    """Yield to which cluster each image belongs, shape (n,), for clusters of several sizes."""
    # Matrices this small are slower on many threads, above all where others want them, too.
    with threadpool_limits(1):
        for size in SIZES:
            k = min(MOST_CLUSTERS, len(looks) // size)
            if k >= 2:
                means = MiniBatchKMeans(
                    k, n_init=1, random_state=0, batch_size=4096, max_iter=30
                ).fit(looks)
                yield np.asarray(means.labels_, np.int64)


def _members(choices: list[NDArray[np.int64]]) -> Iterator[NDArray[np.bool_]]:
    """Yield a few clusters at a time, each as a choice of images."""
    for labels in choices:
        for start in range(0, int(labels.max()) + 1, _AT_ONCE):
            yield labels == np.arange(start, start + _AT_ONCE)[:, None]


def _finding(scored: Scored, looks: NDArray[np.float32], cluster: _Cluster) -> Finding:
    wrong = cluster.members & scored.wrong
    observed, expected = int(wrong.sum()), float(cluster.excess.expected[0])
    members = int(cluster.members.sum())
    at = np.flatnonzero(wrong)
    # Those nearest to the middle of the errors show best what they have in common.
    order = np.argsort(-(looks[at] @ looks[at].mean(axis=0)), kind="stable")
    gain = gain_of(observed, expected, float(cluster.excess.variance[0]), images=len(scored))
    return Finding(
        kind="cluster",
        statement=(
            f"{counted(members, 'image')} of {_classes(scored, cluster.members)} that look alike "
            f"to the network beyond their classes: {count(observed)} are wrong, where "
            f"{expected_count(expected)} are expected of their classes: "
            f"{expected_count(cluster.more)} errors more "
            f"({share(cluster.more / scored.n_errors)} of all errors)."
        ),
        rows=tuple(scored.row[at[order]].tolist()),
        n_errors=observed,
        excess_errors=cluster.more,
        gain=gain,
        q_value=min(1.0, cluster.p_value),
        evidence=f"{of(observed, members)} wrong, {expected_count(expected)} expected",
        subject={"classes": _names(scored, cluster.members), "images": members},
        beside=scored.right_beside(cluster.members),
    )


def _names(scored: Scored, members: NDArray[np.bool_], most: int = 3) -> list[str]:
    """Return the classes of a cluster's errors, the most frequent first."""
    classes, n = np.unique(scored.label[members & scored.wrong], return_counts=True)
    order = np.argsort(-n, kind="stable")[:most]
    return [scored.classes[int(at)] for at in classes[order]]


def _classes(scored: Scored, members: NDArray[np.bool_]) -> str:
    """Write the classes that most of a cluster's errors belong to."""
    names = _names(scored, members, most=len(scored.classes))
    told = [repr(name) for name in names[:3]]
    others = len(names) - len(told)
    told += [counted(others, "other class")] if others else []
    return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}"
