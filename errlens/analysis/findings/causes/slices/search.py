"""Slices: images at one end of a property, or of one value, that are wrong more often than others.

Others are images of the same class. The strongest slice is named first, then its images, their
neighbours and all others are strata of their own, so that one cause is told once.
"""

from collections.abc import Sequence
from typing import Final

import pandas as pd

from errlens import formats
from errlens.analysis.findings.causes.slices.bands import SHARES, Bands
from errlens.analysis.findings.causes.slices.choice import Slice, Tested, as_slice, tested_in
from errlens.analysis.findings.causes.slices.columns import (
    Column,
    number_column,
    read_column,
    repeats_the_model,
)
from errlens.analysis.findings.causes.slices.evidence import ALL, VALUE, Strata
from errlens.analysis.findings.causes.slices.power import enough_images
from errlens.analysis.findings.causes.slices.words import NUMBER as A_NUMBER
from errlens.analysis.findings.causes.slices.words import (
    Properties,
    looked_for,
    statement,
    subject,
)
from errlens.analysis.findings.finding import Finding, Outcome, Search, gain_of
from errlens.analysis.findings.scored import Scored
from errlens.analysis.statistics.strata import explained_errors
from errlens.run.csv_tables import NUMBER, TEXT, TRUTH, WHOLE, Columns

SLICE_COLUMNS: Final[Columns] = {
    "property": TEXT,
    "measured": TRUTH,  # in the images; else it is a column of the manifest
    "class_name": TEXT,
    "side": TEXT,
    "threshold": NUMBER,
    "value": TEXT,
    "n": WHOLE,
    "n_errors": WHOLE,
    "expected": NUMBER,  # errors, were they as often wrong as others of their classes
    "p_value": NUMBER,
    "q_value": NUMBER,
    "named": TRUTH,
}

_KIND: Final = "slice"
_MOST: Final = 10  # slices named
_SAME: Final = 0.8  # of the images of two slices that are one
_RIVALS: Final = 0.7  # of the strength of the strongest, to be the better name of its images


def search_slices(
    scored: Scored, properties: pd.DataFrame, extra: pd.DataFrame, *, known: Properties
) -> Outcome:
    """Look for slices with more errors than the classes of their images explain.

    Args:
        scored: The n images that are right or wrong.
        properties: What was measured in them, n rows; columns that are not `known` are passed over.
        extra: Further columns of the manifest, n rows.
        known: The properties there are, those first that are to be named first.
    """
    columns = _columns(scored, properties, extra, known)
    if why := _nothing_to_compare(scored):
        return _outcome(scored, columns, [], [], known, absent=why)
    all_bands = [Bands.of(column, scored.label) for column in columns if not column.absent]
    strata = Strata.of_classes(scored.label, scored.wrong)
    first = tested_in(all_bands, strata, len(scored.classes))
    found: list[Slice] = []
    tested = first
    while len(found) < _MOST and (chosen := _plainest(tested, strata, scored, columns)):
        found.append(chosen)
        strata = strata.split(chosen.parts)
        tested = tested_in(all_bands, strata, len(scored.classes))
    return _outcome(scored, columns, found, first, known)


def _columns(
    scored: Scored, properties: pd.DataFrame, extra: pd.DataFrame, known: Properties
) -> list[Column]:
    """Read all columns; those that come from the model itself say so."""
    columns = [
        number_column(properties[name], name)
        if known[name].kind == A_NUMBER
        else read_column(properties[name], name, measured=True)
        for name in known
        if name in properties
    ]
    for name in extra.columns:
        column = read_column(extra[name], str(name))
        if why := repeats_the_model(column, scored):
            column = Column(name=column.name, measured=False, absent=why)
        columns.append(column)
    return columns


def _nothing_to_compare(scored: Scored) -> str:
    if not len(scored):
        return "no image is right or wrong"
    if not scored.n_errors:
        return "no image is wrong"
    return "every image is wrong" if scored.n_errors == len(scored) else ""


def _plainest(
    tested: Sequence[Tested],
    strata: Strata,
    scored: Scored,
    columns: Sequence[Column],
) -> Slice | None:
    """Return the strongest slice under the plainest name of its images; None without evidence."""
    telling = sorted(
        (candidate for candidate in tested if candidate.is_evidence),
        key=lambda candidate: (candidate.q_value, -candidate.strength),
    )
    if not telling:
        return None
    strongest = as_slice(telling[0], strata, scored)
    best_of_each: dict[tuple[str, bool, bool], Tested] = {}
    for candidate in telling:
        if candidate.strength >= _RIVALS * telling[0].strength:
            key = (
                candidate.bands.column.name,
                candidate.bands.column.measured,
                candidate.class_index == ALL,
            )
            best_of_each.setdefault(key, candidate)
    rivals = [as_slice(candidate, strata, scored) for candidate in best_of_each.values()]
    same = [rival for rival in rivals if strongest.shares(rival) >= _SAME]

    def plainness(rival: Slice) -> tuple[bool, bool, int]:
        column = rival.tested.bands.column
        return rival.tested.class_index != ALL, rival.tested.side != VALUE, columns.index(column)

    named, *others = sorted(same, key=plainness)
    return named._replace(also=tuple(others), q_value=telling[0].q_value)


def _outcome(
    scored: Scored,
    columns: Sequence[Column],
    found: Sequence[Slice],
    first: Sequence[Tested],
    known: Properties,
    *,
    absent: str = "",
) -> Outcome:
    """Put together what is named, what was looked for, and the table of both."""
    enough = enough_images(scored.n_errors / max(len(scored), 1), _n_tests(first, columns))
    lacking = enough if enough and enough > len(scored) else None
    searches = [
        Search(
            _KIND,
            looked_for(column, known),
            found=sum(named.tested.bands.column is column for named in found),
            absent=column.absent or absent,
            enough=None if column.absent or absent else lacking,
        )
        for column in columns
    ]
    findings = [_finding(named, scored, known) for named in found]
    return Outcome(findings, searches, {"slices": _table(scored, found, first)})


def _n_tests(tested: Sequence[Tested], columns: Sequence[Column]) -> int:
    """Return how many slices over all classes are tried, or would be of more images."""
    tails = 2 * len(SHARES) * sum(column.order is not None for column in columns)
    return max(
        [tails, *(candidate.n_tests for candidate in tested if candidate.class_index == ALL)]
    )


def _finding(one: Slice, scored: Scored, known: Properties) -> Finding:
    """Say what a slice explains."""
    inside = one.parts == 1
    explained = explained_errors(inside, scored.wrong, scored.label)
    images = _subject(one, scored, known)
    also = [_subject(other, scored, known) for other in one.also]
    return Finding(
        kind=_KIND,
        statement=statement(
            images, len(one.images), explained.observed, explained.errors, scored.n_errors
        ),
        rows=tuple(scored.row[one.images].tolist()),
        n_errors=explained.observed,
        excess_errors=explained.errors,
        gain=gain_of(
            explained.observed,
            explained.observed - explained.errors,
            explained.variance,
            images=len(scored),
        ),
        q_value=one.q_value,
        evidence=_evidence(one, also),
        subject=_for_programs(one, scored),
        beside=scored.right_beside(inside),
    )


def _evidence(one: Slice, also: Sequence[str]) -> str:
    """Return what the sentence rests on."""
    tried = formats.counted(one.tested.n_tests, "slice")
    test = f"{formats.p_value(one.q_value)} within classes, corrected for {tried} tried"
    return f"{test}; much the same images: {'; '.join(also)}" if also else test


def _subject(one: Slice, scored: Scored, known: Properties) -> str:
    index = one.tested.class_index
    return subject(
        one.tested.bands.column,
        known,
        side=one.tested.side,
        edge=one.edge,
        class_name=None if index == ALL else scored.classes[index],
    )


def _for_programs(one: Slice, scored: Scored) -> dict[str, object]:
    """Return what a slice is about; tails include their threshold."""
    column, index = one.tested.bands.column, one.tested.class_index
    about: dict[str, object] = {"property": column.name, "measured": column.measured}
    if one.tested.side == VALUE:
        about["value"] = one.edge
    else:
        about |= {"side": one.tested.side, "threshold": one.edge}
    return {**about, "class": None if index == ALL else scored.classes[index]}


def _table(scored: Scored, found: Sequence[Slice], first: Sequence[Tested]) -> pd.DataFrame:
    """Return slices.csv: those named, then the strongest of each other column."""
    strata = Strata.of_classes(scored.label, scored.wrong)
    named = {id(named_slice.tested.bands) for named_slice in found}
    strongest: dict[int, Tested] = {}
    for tested in sorted(first, key=lambda candidate: -candidate.strength):
        if id(tested.bands) not in named:
            strongest.setdefault(id(tested.bands), tested)
    others = [as_slice(tested, strata, scored) for tested in strongest.values()]
    rows = []
    for row_slice in (*found, *others):
        explained = explained_errors(row_slice.parts == 1, scored.wrong, scored.label)
        about = _for_programs(row_slice, scored)
        rows.append(
            {
                "property": about["property"],
                "measured": about["measured"],
                "class_name": about["class"],
                "side": row_slice.tested.side,
                "threshold": about.get("threshold"),
                "value": about.get("value"),
                "n": len(row_slice.images),
                "n_errors": explained.observed,
                "expected": explained.observed - explained.errors,
                "p_value": row_slice.tested.p_value,
                "q_value": row_slice.tested.q_value,
                "named": any(row_slice is named_slice for named_slice in found),
            }
        )
    table = pd.DataFrame(rows, columns=list(SLICE_COLUMNS))
    return table.astype({"threshold": "float64", "expected": "float64"})
