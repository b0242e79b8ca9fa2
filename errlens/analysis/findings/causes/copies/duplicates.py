"""Photos that are more than once among the images: under two labels, or so often that it counts."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from errlens.analysis.findings.causes.copies.near_copies import Pairs, near_pairs, pictures_of
from errlens.analysis.findings.finding import Finding, Outcome, Search, gain_of
from errlens.analysis.findings.scored import Scored
from errlens.formats import count, counted, points, share
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE, Columns

TABLE: Final = "duplicates"
EXACT: Final = "exact"
NEAR: Final = "near"

DUPLICATE_COLUMNS: Final[Columns] = {
    "group": WHOLE,
    "row": WHOLE,
    "sample_id": TEXT,
    "path": TEXT,
    "label_name": TEXT,
    "pred_name": TEXT,
    "kind": TEXT,
    "distance": NUMBER,  # 1 less the correlation with the first of the group
}

LEAST_NEAR: Final = 2  # photos; a single one under two labels may be two photos after all
LEAST_COPIES: Final = 10
LEAST_CHANGE: Final = 0.005  # of top-1, with each photo counted once


class _Groups(NamedTuple):
    """Images that show the same photo: their places, group by group, from 0 on."""

    at: NDArray[np.intp]
    group: NDArray[np.intp]
    distance: NDArray[np.float64]  # from the first of the group; nan where others stand between
    is_exact: NDArray[np.bool_]  # another one of the group is the very same file

    def where(self, chosen: NDArray[np.bool_]) -> "_Groups":
        """Return the groups chosen, numbered anew; `chosen` has one entry an image."""
        _, group = np.unique(self.group[chosen], return_inverse=True)
        return _Groups(self.at[chosen], group, self.distance[chosen], self.is_exact[chosen])


def search_duplicates(scored: Scored, properties: pd.DataFrame) -> Outcome:
    """Find photos that several images show; the table is `DUPLICATE_COLUMNS`.

    Args:
        scored: n images; equal content hashes are equal files.
        properties: `phash` and `coarse` of each image, for near copies.
    """
    pictures = pictures_of(properties)
    known = any(scored.content_hash)
    absent = "" if known or len(pictures.at) else "the images were not read"
    groups = _groups(scored, near_pairs(pictures))
    disputed = _disputed(scored, groups)
    of_two, of_one = groups.where(disputed), groups.where(~disputed)
    findings = [*_two_labels(scored, of_two), *_counted_twice(scored, of_one)]
    searches = [Search("duplicate", "duplicates", found=len(findings), absent=absent)]
    return Outcome(findings, searches, {TABLE: _table(scored, groups, disputed)})


def same_files(content_hash: Sequence[bytes | None]) -> Pairs:
    """Return each image that is the very file of an earlier one, with the first of these."""
    first: dict[bytes, int] = {}
    pairs = [
        (first.setdefault(content, at), at)
        for at, content in enumerate(content_hash)
        if content is not None
    ]
    kept = np.array([pair for pair in pairs if pair[0] != pair[1]], np.intp).reshape(-1, 2)
    return Pairs(kept[:, 0], kept[:, 1], np.zeros(len(kept)))


def _groups(scored: Scored, near: Pairs) -> _Groups:
    """Join all that are alike, in the order of the rows."""
    n = len(scored)
    exact = same_files(scored.content_hash)
    first, second, _ = (np.concatenate(both) for both in zip(near, exact, strict=True))
    joined = coo_array((np.ones(len(first), bool), (first, second)), shape=(n, n))
    _, component = connected_components(joined, directed=False)
    at = np.unique(np.concatenate([first, second]))
    heads, group = np.unique(component[at], return_inverse=True)
    at = at[np.argsort(group, kind="stable")]
    group = np.sort(group)
    head = at[np.searchsorted(group, np.arange(len(heads)))][group]
    twice = {int(place) for pair in exact[:2] for place in pair}
    is_exact = np.array([int(place) in twice for place in at], bool)
    distance = np.where(at == head, 0.0, _distance_to(near, exact, head, at))
    return _Groups(at, group, distance, is_exact)


def _distance_to(
    near: Pairs, exact: Pairs, head: NDArray[np.intp], at: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the distance from the first of a group, nan where others stand between."""
    known = {
        (int(first), int(second)): float(distance)
        for pairs in (near, exact)
        for first, second, distance in zip(*pairs, strict=True)
    }
    places = zip(head.tolist(), at.tolist(), strict=True)
    return np.array([known.get(pair, np.nan) for pair in places], np.float64)


def _disputed(scored: Scored, groups: _Groups) -> NDArray[np.bool_]:
    """Tell of each image of a group whether the group has several labels."""
    label = scored.label[groups.at]
    n_groups = groups.group.max(initial=-1) + 1
    lowest = np.full(n_groups, len(scored.classes))
    highest = np.full(n_groups, -1)
    np.minimum.at(lowest, groups.group, label)
    np.maximum.at(highest, groups.group, label)
    return np.asarray((lowest != highest)[groups.group])


def _two_labels(scored: Scored, groups: _Groups) -> list[Finding]:
    """Return the finding that photos stand under several labels, of which one can be right."""
    n_photos = len(np.unique(groups.group))
    if not n_photos or not (_any_exact(scored, groups) or n_photos >= LEAST_NEAR):
        return []
    suspects = np.zeros(len(groups.at), bool)
    certain = explained = 0
    for group in range(n_photos):
        members = np.flatnonzero(groups.group == group)
        at = groups.at[members]
        label = scored.label[at]
        suspects[members] = label != _accepted(scored, at)
        wrong_labels = len(at) - np.bincount(label).max()
        certain += wrong_labels
        explained += min(wrong_labels, scored.wrong[at].sum())
    rows, beside = groups.at[suspects], groups.at[~suspects]
    order = np.lexsort([rows, ~scored.wrong[rows]])
    n = len(scored)
    statement = (
        f"{counted(n_photos, 'photo')} {'stand' if n_photos > 1 else 'stands'} under more than one "
        f"label, as {counted(len(groups.at), 'image')}: at least {counted(int(certain), 'label')} "
        f"{'are' if certain > 1 else 'is'} wrong, and {counted(int(explained), 'error')} "
        f"({share(explained / max(scored.n_errors, 1))} of all) cannot be helped by any model."
    )
    return [
        Finding(
            kind="duplicate",
            statement=statement,
            rows=tuple(scored.row[rows[order]].tolist()),
            n_errors=int(scored.wrong[rows].sum()),
            excess_errors=float(explained),
            gain=gain_of(explained, 0, explained * (1 - explained / n), images=n),
            evidence=f"one photo, {_example(scored, groups)}",
            subject={"labels": "several", "photos": n_photos, "images": len(groups.at)},
            beside=tuple(scored.row[beside].tolist()),
        )
    ]


def _any_exact(scored: Scored, groups: _Groups) -> bool:
    """Tell whether one file itself stands under several labels."""
    labels: dict[bytes | None, set[int]] = {}
    for at in groups.at:
        labels.setdefault(scored.content_hash[at], set()).add(int(scored.label[at]))
    return any(len(of_file) > 1 for content, of_file in labels.items() if content is not None)


def _accepted(scored: Scored, at: NDArray[np.intp]) -> int:
    """Return the label of one photo that is to be believed.

    It is what the model is surest of, where that is one of the labels; else the commonest, and of
    these the lowest.
    """
    confidence = np.nan_to_num(scored.confidence[at])
    said = scored.pred[at[np.argmax(confidence)]]
    label = scored.label[at]
    return int(said if said in label else np.argmax(np.bincount(label)))


def _example(scored: Scored, groups: _Groups) -> str:
    first = groups.at[groups.group == 0][:2]
    names = [scored.classes[int(scored.label[at])] for at in first]
    return " and ".join(
        f"{scored.paths[at]} ({name})" for at, name in zip(first, names, strict=True)
    )


def _counted_twice(scored: Scored, groups: _Groups) -> list[Finding]:
    """Return the finding that copies change the accuracy."""
    n_photos = len(np.unique(groups.group))
    copies = len(groups.at) - n_photos
    weight = np.ones(len(scored))
    weight[groups.at] = 1 / np.bincount(groups.group)[groups.group]
    if not len(scored):
        return []
    top1 = 1 - scored.n_errors / len(scored)
    once = float(weight @ ~scored.wrong / weight.sum())
    if copies < LEAST_COPIES or abs(once - top1) < LEAST_CHANGE:
        return []
    n = len(scored)
    wrong = scored.wrong[groups.at]
    order = np.lexsort([groups.group, ~wrong if once > top1 else wrong])
    explained = (once - top1) * n if once > top1 else None
    statement = (
        f"{counted(copies, 'image')} {'repeat' if copies > 1 else 'repeats'} photos that are among "
        f"the images already ({counted(n_photos, 'photo')}): with each photo counted once, top-1 "
        f"is {share(once)} ({points(once - top1)})."
    )
    return [
        Finding(
            kind="duplicate",
            statement=statement,
            rows=tuple(scored.row[groups.at[order]].tolist()),
            n_errors=int(wrong.sum()),
            excess_errors=explained,
            gain=gain_of(explained, 0, explained, images=n) if explained else None,
            evidence=f"the largest group has {count(np.bincount(groups.group).max())} images",
            subject={"labels": "one", "photos": n_photos, "images": len(groups.at), "top1": once},
        )
    ]


def _table(scored: Scored, groups: _Groups, disputed: NDArray[np.bool_]) -> pd.DataFrame:
    """Return duplicates.csv: those under several labels first, then the largest groups."""
    size = np.bincount(groups.group, minlength=1)
    order = np.lexsort([groups.at, groups.group, -size[groups.group], ~disputed])
    _, first = np.unique(groups.group[order], return_index=True)
    rank = np.argsort(np.argsort(first))  # groups by where they come first
    kind = np.where(groups.is_exact, EXACT, NEAR)
    columns: dict[str, Any] = {
        "group": rank[groups.group[order]] + 1,
        "kind": pd.Series(kind[order], dtype="str"),
        "distance": groups.distance[order],
    }
    return scored.table_of(groups.at[order]).assign(**columns)[list(DUPLICATE_COLUMNS)]
