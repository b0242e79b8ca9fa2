"""What the neighbours of errors come to, in sentences."""

from typing import Any, Final, cast

import pandas as pd

from errlens.analysis.embedding.neighbours import LABEL, NEITHER, PREDICTION, SAME_FILE
from errlens.analysis.embedding.trust import Trust
from errlens.formats import count, counted, number, share

NAMED: Final = 3  # errors
_WHAT: Final = {"right": "right images", "training": "training images"}


def sentences_of(neighbours: pd.DataFrame, standings: pd.DataFrame) -> list[str]:
    """Say among what errors lie, which labels may be wrong, and what was trained on.

    Args:
        neighbours: As `NEIGHBOUR_COLUMNS` has them, the worst error first.
        standings: What `standings` makes of them.
    """
    said = []
    for among, what in _WHAT.items():
        of_kind = standings[standings["among"] == among]
        if not len(of_kind):
            continue
        said.append(_where(of_kind, what))
        if among == "training":
            said.append(_nearest(of_kind))
        said += _doubtful(of_kind, neighbours[neighbours["among"] == among], what)
    return said + _copies(neighbours)


def trust_sentences(trust: Trust) -> list[str]:
    """Say how far a map can be believed; nothing of one that is too small to tell."""
    if trust.n < 4:
        return []
    return [
        f"The map: trustworthiness {number(trust.trustworthiness)} (1 is the most), and "
        f"{share(trust.kept)} of the {count(trust.k)} nearest of each image are its nearest on the "
        f"map, where chance would keep {share(trust.by_chance)} "
        f"({counted(trust.n, 'image')}). Neighbours are not taken from the map."
    ]


def _where(of_kind: pd.DataFrame, what: str) -> str:
    n = {
        stands: int((of_kind["stands"] == stands).sum()) for stands in (PREDICTION, LABEL, NEITHER)
    }
    lie = "lies" if len(of_kind) == 1 else "lie"
    return (
        f"{counted(len(of_kind), 'error')} {lie} among {what}: {count(n[PREDICTION])} mostly among "
        f"those of the class predicted, {count(n[LABEL])} among those of their own label, "
        f"{count(n[NEITHER])} among others."
    )


def _nearest(of_kind: pd.DataFrame) -> str:
    n = {first: int((of_kind["first"] == first).sum()) for first in (PREDICTION, LABEL, NEITHER)}
    return (
        f"The nearest training image has the class predicted for {counted(n[PREDICTION], 'error')}"
        f", the label of the error for {count(n[LABEL])}, another one for {count(n[NEITHER])}."
    )


def _doubtful(of_kind: pd.DataFrame, neighbours: pd.DataFrame, what: str) -> list[str]:
    """Name errors all of whose neighbours say what the model says: the label may be wrong."""
    doubtful = of_kind[of_kind["all_alike"] & (of_kind["stands"] == PREDICTION)]
    several = neighbours["rank"].max() > 1
    if not len(doubtful) or not several:
        return []
    ranked = doubtful.sort_values("similarity", ascending=False, kind="stable")["row"].tolist()
    first = {row["row"]: row for row in _records(neighbours.drop_duplicates("row"))}
    named = "; ".join(_named(first[row]) for row in ranked[:NAMED])
    more = f" and {count(len(ranked) - NAMED)} more" if len(ranked) > NAMED else ""
    which = "error" if len(ranked) == 1 else "errors"
    return [
        f"All nearest {what} of {count(len(ranked))} {which} are of the class predicted, so that "
        f"the label may be wrong: {named}{more}."
    ]


def _copies(neighbours: pd.DataFrame) -> list[str]:
    """Tell which errors are there a second time, and under which label."""
    said = []
    for among, found in neighbours[neighbours["copy"] != ""].groupby("among", sort=False):
        first = _records(found.drop_duplicates("row"))
        named = "; ".join(
            f"{_named(copied)} is "
            f"{'the very file' if copied['copy'] == SAME_FILE else 'the same to the network as'} "
            f"{copied['neighbour_path']!r}, labelled {copied['neighbour_label']!r}"
            for copied in first[:NAMED]
        )
        more = f" and {count(len(first) - NAMED)} more" if len(first) > NAMED else ""
        has = "has a copy" if len(first) == 1 else "have copies"
        some = f"{counted(len(first), 'error')} {has} among {_WHAT[str(among)]}"
        said.append(f"{some}: {named}{more}.")
    return said


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return cast(list[dict[str, Any]], table.to_dict("records"))


def _named(error: dict[str, Any]) -> str:
    return f"row {error['row']} ({error['label_name']!r} taken for {error['pred_name']!r})"
