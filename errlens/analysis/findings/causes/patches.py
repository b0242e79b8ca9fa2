"""A patch that many pictures share and that goes with errors: a watermark, a date, a ruler."""

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.findings.causes.near_copies import SIDE, pictures_of
from errlens.analysis.findings.causes.shared_blocks import (
    Stamp,
    bearers_of,
    n_places,
    shared_block,
    stamp_of,
)
from errlens.analysis.findings.finding import Finding, Outcome, Search, gain_of
from errlens.analysis.findings.scored import Scored
from errlens.analysis.statistics.strata import Excess, excess_errors
from errlens.formats import count, counted, expected_count, of, share
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE, Columns

TABLE: Final = "patches"

PATCH_COLUMNS: Final[Columns] = {
    "patch": WHOLE,
    "top": NUMBER,  # as shares of height and width
    "left": NUMBER,
    "bottom": NUMBER,
    "right": NUMBER,
    "n": WHOLE,
    "errors": WHOLE,
    "expected": NUMBER,
    "p_value": NUMBER,
    "predicted": TEXT,  # what its errors are taken for most often
    "predicted_errors": WHOLE,
}

LEAST_IMAGES: Final = 100
LEAST_ERRORS: Final = 20
MOST_PATCHES: Final = 3
MOST_TRIED: Final = 6  # blocks, among them those of backgrounds
LEAST_EXCESS: Final = 10
ALPHA: Final = 0.001
_SAMPLE: Final = 2_000  # errors that are compared with one another
_LEAST_SHARED: Final = 8  # errors with the same block
_LEAST_SHARE: Final = 0.01


def search_patches(scored: Scored, properties: pd.DataFrame) -> Outcome:
    """Find patches that pictures share and that go with errors; the table is `PATCH_COLUMNS`.

    The blocks are sought among the errors, and then in all pictures: a patch that does no harm is
    no cause.

    Args:
        scored: n images.
        properties: `coarse` and `phash` of each of them.
    """
    pictures = pictures_of(properties)
    wrong = scored.wrong[pictures.at]
    absent, enough = "", None
    if not len(pictures.at):
        absent = "the images were not measured"
    elif len(wrong) < LEAST_IMAGES:
        enough = LEAST_IMAGES
    patches = []
    if not absent and not enough and wrong.sum() >= LEAST_ERRORS:
        patches = _patches(scored, pictures.at, pictures.coarse.reshape(-1, SIDE, SIDE))
    found = [(patch, finding) for patch in patches for finding in _finding(scored, *patch)]
    findings = [finding for _, finding in found]
    searches = [
        Search("patch", "shared patches", found=len(findings), absent=absent, enough=enough)
    ]
    return Outcome(findings, searches, {TABLE: _table(scored, [patch for patch, _ in found])})


def _patches(
    scored: Scored, at: NDArray[np.intp], pictures: NDArray[np.uint8]
) -> list[tuple[Stamp, NDArray[np.bool_], Excess]]:
    """Return each patch with the images that bear it and their errors, the commonest first."""
    wrong = np.random.default_rng(0).permutation(np.flatnonzero(scored.wrong[at]))[:_SAMPLE]
    strata = scored.label
    patches: list[tuple[Stamp, NDArray[np.bool_], Excess]] = []
    for _ in range(MOST_TRIED):
        if len(patches) == MOST_PATCHES or len(wrong) < LEAST_ERRORS:
            break
        least = max(_LEAST_SHARED, int(_LEAST_SHARE * len(wrong)))
        block = shared_block(pictures[wrong], least=least)
        if not block:
            break
        told = bearers_of(block, pictures[wrong])
        stamp = stamp_of(told, pictures[wrong])
        if stamp:
            bearers = np.zeros(len(scored), bool)
            bearers[at] = stamp.is_on(pictures)
            patches.append((stamp, bearers, excess_errors(bearers, scored.wrong, strata)))
            told = told | bearers[at[wrong]]
        wrong = wrong[~told]
    return patches


def _finding(
    scored: Scored, stamp: Stamp, bearers: NDArray[np.bool_], excess: Excess
) -> list[Finding]:
    observed, expected, variance, p_value = (float(values[0]) for values in excess)
    q_value = min(1.0, p_value * n_places())
    if q_value > ALPHA or observed - expected < LEAST_EXCESS:
        return []
    taken_for, times = _commonest_prediction(scored, bearers)
    n = int(bearers.sum())
    statement = (
        f"{counted(n, 'image')} share a patch at the {_where(stamp)}: {count(observed)} of them "
        f"are wrong, where {expected_count(expected)} are expected of their classes: "
        f"{expected_count(observed - expected)} errors more "
        f"({share((observed - expected) / scored.n_errors)} of all errors). Of these errors "
        f"{of(times, int(observed))} are taken for {scored.classes[taken_for]}."
    )
    right = bearers & ~scored.wrong
    rows = np.concatenate([scored.row[bearers & scored.wrong], scored.row[right]])
    return [
        Finding(
            kind="patch",
            statement=statement,
            rows=tuple(rows.tolist()),
            n_errors=int(observed),
            excess_errors=observed - expected,
            gain=gain_of(observed, expected, variance, images=len(scored)),
            q_value=q_value,
            evidence=f"{of(n, len(scored))} images with the same pixels there",
            subject={"place": stamp.place, "predicted": scored.classes[taken_for]},
            beside=scored.right_beside(bearers),
        )
    ]


def _commonest_prediction(scored: Scored, bearers: NDArray[np.bool_]) -> tuple[int, int]:
    counts = np.bincount(scored.pred[bearers & scored.wrong], minlength=1)
    return int(np.argmax(counts)), int(counts.max())


def _where(stamp: Stamp) -> str:
    """Say where a patch is, as in "bottom right".

    >>> cells = np.zeros((32, 32), bool)
    >>> cells[26:30, 2:8] = True
    >>> _where(Stamp(cells, cells.astype(np.float32)))
    'bottom left'
    """
    top, left, bottom, right = stamp.place
    tall, wide = bottom - top > 2 / 3, right - left > 2 / 3
    if tall and wide:
        return "edges"
    row = "" if tall else ("top", "middle", "bottom")[min(2, int(3 * (top + bottom) / 2))]
    column = "" if wide else ("left", "middle", "right")[min(2, int(3 * (left + right) / 2))]
    if row == column == "middle":
        return "centre"
    words = [word for word in (row, column) if word and word != "middle"]
    return " ".join(words) or "middle"


def _table(scored: Scored, patches: list[tuple[Stamp, NDArray[np.bool_], Excess]]) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for number, (stamp, bearers, excess) in enumerate(patches, start=1):
        taken_for, times = _commonest_prediction(scored, bearers)
        place = dict(zip(("top", "left", "bottom", "right"), stamp.place, strict=True))
        rows.append(
            {
                "patch": number,
                **place,
                "n": int(bearers.sum()),
                "errors": int(excess.observed[0]),
                "expected": float(excess.expected[0]),
                "p_value": float(excess.p_value[0]),
                "predicted": scored.classes[taken_for],
                "predicted_errors": times,
            }
        )
    return pd.DataFrame(rows, columns=list(PATCH_COLUMNS))
