"""Leakage: images that the model is judged by and was trained on."""

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.findings.causes.copies.near_copies import near_pairs, pictures_of
from errlens.analysis.findings.finding import Finding, Outcome, Search
from errlens.analysis.findings.scored import Scored
from errlens.formats import count, counted, of, points, share
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE, Columns

TABLE: Final = "leakage"

LEAKAGE_COLUMNS: Final[Columns] = {
    "row": WHOLE,
    "sample_id": TEXT,
    "path": TEXT,
    "label_name": TEXT,
    "pred_name": TEXT,
    "kind": TEXT,
    "distance": NUMBER,  # 1 less the correlation of the coarse pictures
    "train_path": TEXT,
}

LEAST_NEAR: Final = 5
LEAST_SHARE: Final = 0.005  # of the images, where no file itself was trained on


def search_leakage(scored: Scored, properties: pd.DataFrame, train: pd.DataFrame) -> Outcome:
    """Find images that were trained on, the very file or a near copy.

    Args:
        scored: n images, with their content hashes.
        properties: `phash` and `coarse` of each of them.
        train: `content_hash`, `phash` and `coarse` of the images trained on, and their `path` where
            that is known.
    """
    seen = _exact(scored, train)
    near = near_pairs(pictures_of(properties), pictures_of(train))
    best = np.lexsort([near.second, near.distance, near.first])
    for at in best[np.unique(near.first[best], return_index=True)[1]]:
        pair = int(near.second[at]), float(near.distance[at])
        seen.setdefault(int(near.first[at]), (*pair, "near"))
    finding = _finding(scored, seen)
    absent = "" if len(train) else "no image was given that was trained on"
    searches = [Search("leakage", "images trained on", found=len(finding), absent=absent)]
    return Outcome(finding, searches, {TABLE: _table(scored, seen, train)})


def _exact(scored: Scored, train: pd.DataFrame) -> dict[int, tuple[int, float, str]]:
    """Return the images whose file was trained on: where that is, its distance, what it is."""
    if "content_hash" not in train:
        return {}
    places = {
        content: at
        for at, content in enumerate(train["content_hash"])
        if isinstance(content, bytes)
    }
    return {
        at: (places[content], 0.0, "exact")
        for at, content in enumerate(scored.content_hash)
        if content is not None and content in places
    }


def _finding(scored: Scored, seen: dict[int, tuple[int, float, str]]) -> list[Finding]:
    n, n_exact = len(scored), sum(kind == "exact" for *_, kind in seen.values())
    if not n_exact and len(seen) < max(LEAST_NEAR, LEAST_SHARE * n):
        return []
    at = np.array(sorted(seen), np.intp)
    is_seen = np.zeros(n, bool)
    is_seen[at] = True
    right = of(int((~scored.wrong[at]).sum()), len(at))
    statement = (
        f"{counted(len(at), 'image')} ({share(len(at) / n)}) {'were' if len(at) > 1 else 'was'} "
        f"trained on: {count(n_exact)} the very file, {count(len(at) - n_exact)} a near copy, and "
        f"{right} right. {_without(scored, is_seen)}"
    )
    order = np.lexsort([at, scored.wrong[at]])
    return [
        Finding(
            kind="leakage",
            statement=statement,
            rows=tuple(scored.row[at[order]].tolist()),
            n_errors=int(scored.wrong[at].sum()),
            evidence=f"{of(n_exact, len(at))} by content hash",
            subject={"exact": n_exact, "near": len(at) - n_exact},
        )
    ]


def _without(scored: Scored, is_seen: NDArray[np.bool_]) -> str:
    others = scored.wrong[~is_seen]
    if not len(others):
        return "No other image is left to judge the model by."
    without, with_them = 1 - others.mean(), 1 - scored.wrong.mean()
    return f"Without them top-1 is {share(without)} ({points(without - with_them)})."


def _table(
    scored: Scored, seen: dict[int, tuple[int, float, str]], train: pd.DataFrame
) -> pd.DataFrame:
    at = np.array(sorted(seen), np.intp)
    facts = [seen[int(place)] for place in at]
    path = train["path"].tolist() if "path" in train else [None] * len(train)
    columns: dict[str, Any] = {
        "kind": pd.Series([kind for *_, kind in facts], dtype="str"),
        "distance": np.array([distance for _, distance, _ in facts], np.float64),
        "train_path": pd.Series([path[place] for place, *_ in facts], dtype="str"),
    }
    return scored.table_of(at).assign(**columns)[list(LEAKAGE_COLUMNS)]
