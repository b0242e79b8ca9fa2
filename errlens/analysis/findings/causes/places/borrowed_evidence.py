"""Right for a wrong reason: images whose evidence lies where that of their class does not.

S. Lapuschkin et al., "Unmasking Clever Hans predictors and assessing what machines really learn",
Nature Communications 10:1096 (2019), cluster heat maps of one class (SpRAy), and look at the
clusters. Here a cluster counts only if hiding the place of its evidence turns its predictions, and
hiding other places, or that place in other images of the class, does not.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import hypergeom
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from errlens.analysis.findings.causes.places.grid import FRAME, PLACES, SIXTHS, Place
from errlens.analysis.findings.finding import Finding, Outcome, Search
from errlens.analysis.findings.scored import Scored
from errlens.formats import count, expected_count, of, share

WHAT: Final = "images that are right for another reason than their class"
CLUSTERS: Final = (2, 3, 5, 8)  # of the maps of one class
LEAST_MAPS: Final = 20  # of a class
LEAST_CLUSTER: Final = 8  # images
LARGEST: Final = 0.6  # of the images of the class
LEAST_MORE: Final = 0.1  # of the evidence lies in the place, more than of the others'
MOST_CANDIDATES: Final = 2  # of a class
MOST_ASKED: Final = 40  # images inside a cluster, and as many outside
LEAST_TURNED: Final = 0.3  # of the images of a cluster, more than of the others
LEAST_TIMES: Final = 3.0  # as many turned as of the others
P_VALUE: Final = 0.001


class Candidate(NamedTuple):
    """A cluster of the right images of a class, and the place of its evidence, to be tested.

    `inside` and `outside` are places in `Scored` of images to ask about: with `places` hidden, of
    which the first is that of the evidence and the others are as large and lie elsewhere.
    """

    class_index: int
    places: tuple[Place, ...]
    inside: NDArray[np.int64]
    outside: NDArray[np.int64]
    size: int  # of the cluster
    evidence: float  # mean share of it in the place
    evidence_outside: float

    @property
    def asked(self) -> NDArray[np.int64]:
        """Those inside, then those outside."""
        return np.concatenate([self.inside, self.outside])


def hindrance(scored: Scored) -> Search | None:
    """Say why no class has enough right images to be clustered, and how many would do."""
    right = np.bincount(scored.label[~scored.wrong])
    if not len(right):
        return Search("place", WHAT, absent="no image is right")
    most = int(right.max())
    if most >= LEAST_MAPS:
        return None
    return Search("place", WHAT, enough=int(np.ceil(len(scored) * LEAST_MAPS / most)))


def candidates(
    scored: Scored, at: NDArray[np.int64], evidence: NDArray[np.float32]
) -> list[Candidate]:
    """Return clusters of right images whose evidence lies where that of their class does not.

    Args:
        scored: The n images.
        at: Places in `scored` of images with maps, shape (m,); wrong ones are left out.
        evidence: Shares by square, shape (m, SIXTHS, SIXTHS); nan without a map.
    """
    usable = ~scored.wrong[at] & np.isfinite(evidence).all(axis=(1, 2))
    at, flat = at[usable], evidence[usable].reshape(-1, SIXTHS * SIXTHS)
    found: list[Candidate] = []
    for class_index in np.unique(scored.label[at]).tolist():
        of_class = scored.label[at] == class_index
        if of_class.sum() >= LEAST_MAPS:
            found += _of_class(class_index, at[of_class], flat[of_class])
    return found


def _of_class(
    class_index: int, at: NDArray[np.int64], flat: NDArray[np.float32]
) -> list[Candidate]:
    """Return the clusters of one class that stand apart the most, for different places."""
    covered = np.stack([place.covered.ravel() for place in PLACES]).astype(np.float32)
    by_place = flat @ covered.T
    spread = by_place.std(axis=0) + 1e-6
    apart: list[tuple[float, int, NDArray[np.bool_]]] = []
    for members in _clusters(flat):
        if not LEAST_CLUSTER <= members.sum() <= LARGEST * len(at):
            continue
        more = by_place[members].mean(axis=0) - by_place[~members].mean(axis=0)
        # A large place has more of any evidence: the smallest that has nearly all of it is meant.
        place = int((more / np.sqrt(covered.sum(axis=1))).argmax())
        if more[place] >= LEAST_MORE:
            apart.append((float(more[place] / spread[place]), place, members))
    apart.sort(key=lambda one: -one[0])
    chosen: list[Candidate] = []
    for _, place, members in apart:
        if any(PLACES[place].overlaps(earlier.places[0]) for earlier in chosen):
            continue
        chosen.append(_candidate(class_index, at, by_place, place, members))
        if len(chosen) == MOST_CANDIDATES:
            break
    return chosen


def _clusters(flat: NDArray[np.float32]) -> Iterator[NDArray[np.bool_]]:
    """Yield clusters of maps; square roots, so that one bright square is not all there is to it."""
    roots = np.sqrt(flat)
    with threadpool_limits(1):
        for k in CLUSTERS:
            if len(flat) >= k * LEAST_CLUSTER:
                labels = KMeans(k, n_init=3, random_state=0).fit(roots).labels_
                yield from (labels == at for at in range(k))


def _candidate(
    class_index: int,
    at: NDArray[np.int64],
    by_place: NDArray[np.float32],
    place: int,
    members: NDArray[np.bool_],
) -> Candidate:
    """Choose which images are asked: those with the most and the least evidence in the place."""
    here = by_place[:, place]
    inside, outside = np.flatnonzero(members), np.flatnonzero(~members)
    inside = inside[np.argsort(-here[inside], kind="stable")[:MOST_ASKED]]
    outside = outside[np.argsort(here[outside], kind="stable")[:MOST_ASKED]]
    return Candidate(
        class_index,
        (PLACES[place], *_elsewhere(PLACES[place])),
        at[inside],
        at[outside],
        int(members.sum()),
        float(here[members].mean()),
        float(here[~members].mean()),
    )


def _elsewhere(place: Place) -> list[Place]:
    """Return a place mirrored each way, where it comes to lie apart from itself.

    What is compared has the same size and the same distance from the middle.
    """
    if place.frame or place == FRAME:
        return []
    top, left, bottom, right = place[:4]
    mirrored = [
        Place(top, 1 - right, bottom, 1 - left),
        Place(1 - bottom, left, 1 - top, right),
        Place(1 - bottom, 1 - right, 1 - top, 1 - left),
    ]
    return [other for other in dict.fromkeys(mirrored) if not place.overlaps(other)]


def search_borrowed_evidence(
    scored: Scored, asked: Sequence[Candidate], answers: Sequence[NDArray[np.int32]]
) -> Outcome:
    """Test by hiding whether clusters of right images are right for their class.

    Args:
        scored: The n images.
        asked: The clusters.
        answers: For each, the class predicted of its `asked` images with its `places` hidden,
            shape (images, places), negative where it could not be asked.
    """
    findings = []
    for candidate, pred in zip(asked, answers, strict=True):
        finding = _tested(scored, candidate, pred, tests=len(asked))
        if finding is not None:
            findings.append(finding)
    return Outcome(findings, [Search("place", WHAT, len(findings))])


def _tested(
    scored: Scored, candidate: Candidate, pred: NDArray[np.int32], *, tests: int
) -> Finding | None:
    known = (pred >= 0).all(axis=1)
    turned = pred != candidate.class_index
    inside = np.arange(len(pred)) < len(candidate.inside)
    here, there = turned[inside & known], turned[~inside & known]
    if len(here) < LEAST_CLUSTER or not len(there):
        return None
    n, observed = len(here), int(here[:, 0].sum())
    rates = [float(there[:, 0].mean()), *here[:, 1:].mean(axis=0).tolist()]
    expected = n * max(rates)
    p_value = tests * max(
        _fisher(observed, n, int(there[:, 0].sum()), len(there)),
        *(_fisher(observed, n, int(column.sum()), n) for column in here[:, 1:].T),
        0.0,
    )
    more = observed - expected
    if more < LEAST_TURNED * n or observed < LEAST_TIMES * expected or p_value > P_VALUE:
        return None
    of_cluster = candidate.asked[inside & known]
    rows = scored.row[of_cluster[np.argsort(~here[:, 0], kind="stable")]]
    name = scored.classes[candidate.class_index]
    place = candidate.places[0]
    others = int(there[:, 0].sum())
    return Finding(
        kind="place",
        statement=(
            f"{count(candidate.size)} right images of {name!r} are known by {place.name}: hiding "
            f"it turns {of(observed, n)} of them, and {of(others, len(there))} of the other right "
            f"images of the class."
        ),
        rows=tuple(rows[:observed].tolist()),
        n_errors=0,
        excess_errors=more * candidate.size / n,
        q_value=min(1.0, p_value),
        evidence=(
            f"{share(candidate.evidence)} of the evidence lies there, "
            f"{share(candidate.evidence_outside)} of that of the others; "
            f"{expected_count(expected)} expected to turn"
        ),
        subject={"place": list(place[:4]), "frame": place.frame, "right_of": name},
        beside=tuple(scored.row[candidate.outside[:12]].tolist()),
    )


def _fisher(hits: int, n: int, other_hits: int, others: int) -> float:
    """Return Fisher's one-sided p of so many hits of n or more, against others."""
    return float(hypergeom.sf(hits - 1, n + others, hits + other_hits, n))
