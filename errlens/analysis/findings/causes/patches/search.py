"""A patch that many pictures share and that goes with errors: a watermark, a date, a ruler."""

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.findings.causes.copies.near_copies import SIDE, pictures_of
from errlens.analysis.findings.causes.patches.shared_blocks import (
    Stamp,
    bearers_of,
    n_places,
    shared_block,
    stamp_of,
)
from errlens.analysis.findings.causes.patches.writing import LOWEST, Writing, writing_on
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
_CLEARLY: Final = 1.25
# What is shared, which images bear it, and their errors.
_Patch = tuple[Stamp | Writing, NDArray[np.bool_], Excess]
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


def _patches(scored: Scored, at: NDArray[np.intp], pictures: NDArray[np.uint8]) -> list[_Patch]:
    """Return each patch with the images that bear it and their errors, the worst first found."""
    wrong = np.random.default_rng(0).permutation(np.flatnonzero(scored.wrong[at]))[:_SAMPLE]
    patches: list[_Patch] = []
    for _ in range(MOST_TRIED):
        if len(patches) == MOST_PATCHES or len(wrong) < LEAST_ERRORS:
            break
        candidates, told = _candidates(pictures[wrong])
        tested = [_tested(candidate, scored, at, pictures) for candidate in candidates]
        if tested:
            # What comes first is known pixel by pixel, and keeps its place if it explains as much.
            first, last = tested[0], tested[-1]
            worst = last if _more(last[2]) > _CLEARLY * _more(first[2]) else first
            if not any((worst[0].cells & earlier.cells).any() for earlier, *_ in patches):
                patches.append(worst)
            told = told | worst[1][at[wrong]]
        if not told.any():
            break
        wrong = wrong[~told]
    return patches


def _candidates(
    pictures: NDArray[np.uint8],
) -> tuple[list[Stamp | Writing], NDArray[np.bool_]]:
    """Return what some pictures may share, and those that need no second look."""
    least = max(_LEAST_SHARED, int(_LEAST_SHARE * len(pictures)))
    block = shared_block(pictures, least=least)
    told = bearers_of(block, pictures) if block else np.zeros(len(pictures), bool)
    stamp = stamp_of(told, pictures) if block else None
    found = [stamp, writing_on(pictures)]
    return [candidate for candidate in found if candidate], told


def _tested(
    candidate: Stamp | Writing, scored: Scored, at: NDArray[np.intp], pictures: NDArray[np.uint8]
) -> _Patch:
    bearers = np.zeros(len(scored), bool)
    bearers[at] = candidate.is_on(pictures)
    return candidate, bearers, excess_errors(bearers, scored.wrong, scored.label)


def _more(excess: Excess) -> float:
    return float(excess.observed[0] - excess.expected[0])


def _finding(
    scored: Scored, patch: Stamp | Writing, bearers: NDArray[np.bool_], excess: Excess
) -> list[Finding]:
    observed, expected, variance, p_value = (float(values[0]) for values in excess)
    q_value = min(1.0, p_value * (n_places() + len(LOWEST)))
    if q_value > ALPHA or observed - expected < LEAST_EXCESS:
        return []
    taken_for, times = _commonest_prediction(scored, bearers)
    place = _place(patch.cells)
    n = int(bearers.sum())
    statement = (
        f"{counted(n, 'image')} share a patch at the {_where(place)}: {count(observed)} of them "
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
            subject={"place": place, "predicted": scored.classes[taken_for]},
            beside=scored.right_beside(bearers),
        )
    ]


def _commonest_prediction(scored: Scored, bearers: NDArray[np.bool_]) -> tuple[int, int]:
    counts = np.bincount(scored.pred[bearers & scored.wrong], minlength=1)
    return int(np.argmax(counts)), int(counts.max())


def _place(cells: NDArray[np.bool_]) -> list[float]:
    """Return top, left, bottom and right of cells, as shares of height and width."""
    rows, columns = np.flatnonzero(cells.any(1)), np.flatnonzero(cells.any(0))
    edges = (rows[0], columns[0], rows[-1] + 1, columns[-1] + 1)
    return [float(edge / SIDE) for edge in edges]


def _where(place: list[float]) -> str:
    """Say where a patch is.

    >>> _where([0.8, 0.1, 1.0, 0.3]), _where([0.0, 0.9, 1.0, 1.0])
    ('bottom left', 'right')
    """
    top, left, bottom, right = place
    tall, wide = bottom - top > 2 / 3, right - left > 2 / 3
    if tall and wide:
        return "edges"
    row = "" if tall else ("top", "middle", "bottom")[min(2, int(3 * (top + bottom) / 2))]
    column = "" if wide else ("left", "middle", "right")[min(2, int(3 * (left + right) / 2))]
    if row == column == "middle":
        return "centre"
    words = [word for word in (row, column) if word and word != "middle"]
    return " ".join(words) or "middle"


def _table(
    scored: Scored, patches: list[tuple[Stamp | Writing, NDArray[np.bool_], Excess]]
) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for number, (patch, bearers, excess) in enumerate(patches, start=1):
        taken_for, times = _commonest_prediction(scored, bearers)
        place = dict(zip(("top", "left", "bottom", "right"), _place(patch.cells), strict=True))
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
