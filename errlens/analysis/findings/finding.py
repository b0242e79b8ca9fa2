"""A finding: one sentence a person can act on, with its images and the errors it explains."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.statistics.intervals import Z95
from errlens.escapes import shell_line
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE, Columns

# What `diagnose` looks for; each may be a gate, `finding:KIND`.
CAUSES: Final = (
    "slice", "duplicate", "leakage", "label_issue", "patch", "repair", "place", "cluster",
)  # fmt: skip
# What the results of other commands say of errors, and what they say of a run as a whole: these
# explain no errors of their own.
RESULTS: Final = (
    "never_right", "group", "confusion", "likely_confusion", "one_way", "channel", "threshold",
)  # fmt: skip
GENERAL: Final = (
    "gate", "comparison", "calibration", "invariance", "patch_test", "unreadable", "unknown_label",
    "exceptional", "no_image",
)  # fmt: skip
KINDS: Final = (*CAUSES, *RESULTS, *GENERAL)

FIRST_TOLD: Final = 5  # of a run, on page and terminal

# What stands for the run, also at the start of a path, and for the images of the finding.
RUN: Final = "{run}"
THESE: Final = "{finding}"

FINDING_COLUMNS: Final[Columns] = {
    "rank": WHOLE,
    "kind": TEXT,
    "statement": TEXT,
    "n_images": WHOLE,
    "n_errors": WHOLE,
    "excess_errors": NUMBER,
    "gain_if_solved": NUMBER,
    "gain_low": NUMBER,
    "gain_high": NUMBER,
    "q_value": NUMBER,
    "selector": TEXT,
    "evidence": TEXT,
    "command": TEXT,
}


class Gain(NamedTuple):
    """The accuracy won by mending a cause, as a share of the images scored, with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One sentence a person can act on.

    Attributes:
        kind: One of `KINDS`.
        statement: The sentence, without the number of its rank.
        rows: The images it is about, those that tell most first.
        n_errors: How many of these are wrong.
        excess_errors: The errors it explains, beyond what is expected without the cause; None where
            it explains none of its own, as a calibration that is off.
        gain: What mending it would win; None where that is not known.
        q_value: How likely it is a false alarm, corrected for all that was tried; None where
            nothing had to be tested.
        evidence: The figures that the sentence rests on, in words.
        command: The next command by its words after `errlens`, with `RUN` and `THESE` for the run
            and the images.
        subject: What it is about, for programs: the property, the side, the class, the change.
        beside: Right images of the same classes to be shown next to `rows`.
        selector: Another selector of the images where there is one, such as `cat~dog`.
    """

    kind: str
    statement: str
    rows: tuple[int, ...] = ()
    n_errors: int = 0
    excess_errors: float | None = None
    gain: Gain | None = None
    q_value: float | None = None
    evidence: str = ""
    command: tuple[str, ...] = ("misclassified", RUN, "--select", THESE)
    subject: Mapping[str, Any] = field(default_factory=dict)
    beside: tuple[int, ...] = ()
    selector: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is no kind of finding")

    def selector_at(self, rank: int) -> str:
        """Return the selector of its images; `finding:N` means them only while the ranks hold."""
        return self.selector or f"finding:{rank}"

    def command_line(self, run: str, rank: int) -> str:
        """Return the next command, ready to be typed."""
        words = (
            self.selector_at(rank) if word == THESE else word.replace(RUN, run)
            for word in self.command
        )
        return shell_line(["errlens", *words])


class Search(NamedTuple):
    """What was looked for: `what` in words, as in "dark images", and how many findings came of it.

    `absent` says why it could not be looked for; `enough` is how many images would show a cause
    that these are too few for, None where these are enough. `part` says what of it was done where
    time was up before all was, as in "40 of 57 errors, changed".
    """

    kind: str
    what: str
    found: int = 0
    absent: str = ""
    enough: int | None = None
    part: str = ""


class Outcome(NamedTuple):
    """What the search for one kind of cause comes to; `tables` are to be written, by name."""

    findings: Sequence[Finding]
    searches: Sequence[Search]
    tables: Mapping[str, pd.DataFrame] = {}


def gain_of(observed: float, expected: float, variance: float, *, images: int) -> Gain:
    """Return what ending an excess of errors wins, with a 95 % interval.

    Args:
        observed: Errors there are.
        expected: Errors expected without the cause.
        variance: Of `observed` without the cause.
        images: All that are scored.

    >>> [round(part, 4) for part in gain_of(60, 20, 16.0, images=1000)]
    [0.04, 0.0322, 0.0478]
    """
    excess, half = observed - expected, Z95 * np.sqrt(variance)
    low, high = max(0.0, excess - half), min(float(observed), excess + half)
    return Gain(excess / images, float(low) / images, float(high) / images)


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings in the order they are told in: the most errors explained first.

    Those that explain none come last, in the order of `KINDS`; ties go by kind, then by statement.
    """

    def key(finding: Finding) -> tuple[float, int, str]:
        explained = finding.excess_errors
        order = KINDS.index(finding.kind), finding.statement
        return (np.inf if explained is None else -explained, *order)

    return sorted(findings, key=key)


def first_of(findings: Sequence[Finding], most: int = FIRST_TOLD) -> list[tuple[int, Finding]]:
    """Return the findings to be told first, with their ranks.

    One place is kept for the first that is about the run as a whole, which explains no errors of
    its own: a calibration that is off is not to be buried below the fifth confusion.
    """
    numbered = list(enumerate(findings, start=1))
    if len(numbered) <= most:
        return numbered
    general = [entry for entry in numbered[most:] if entry[1].excess_errors is None][:1]
    return [*numbered[: most - len(general)], *general]


def finding_table(findings: Sequence[Finding], run: str) -> pd.DataFrame:
    """Return findings.csv."""
    rows = [
        {
            "rank": rank,
            "kind": finding.kind,
            "statement": finding.statement,
            "n_images": len(finding.rows),
            "n_errors": finding.n_errors,
            "excess_errors": finding.excess_errors,
            "gain_if_solved": finding.gain.value if finding.gain else None,
            "gain_low": finding.gain.low if finding.gain else None,
            "gain_high": finding.gain.high if finding.gain else None,
            "q_value": finding.q_value,
            "selector": finding.selector_at(rank),
            "evidence": finding.evidence,
            "command": finding.command_line(run, rank),
        }
        for rank, finding in enumerate(findings, start=1)
    ]
    table = pd.DataFrame(rows, columns=list(FINDING_COLUMNS))
    numbers = [name for name, kind in FINDING_COLUMNS.items() if kind == NUMBER]
    return table.astype(dict.fromkeys(numbers, "float64"))


def as_tree(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON holds it."""
    return {
        "kind": finding.kind,
        "statement": finding.statement,
        "rows": list(finding.rows),
        "n_errors": finding.n_errors,
        "excess_errors": finding.excess_errors,
        "gain": list(finding.gain) if finding.gain else None,
        "q_value": finding.q_value,
        "evidence": finding.evidence,
        "command": list(finding.command),
        "subject": dict(finding.subject),
        "beside": list(finding.beside),
        "selector": finding.selector,
    }


def from_tree(tree: Mapping[str, Any]) -> Finding:
    """Return the finding that `as_tree` made JSON of.

    Raises:
        ValueError: It is none.
    """
    try:
        finding = Finding(**tree)
        gain = Gain(*map(float, tree["gain"])) if tree["gain"] else None
        command = tuple(map(str, finding.command))
        rows, beside = (tuple(map(int, these)) for these in (finding.rows, finding.beside))
    except (TypeError, KeyError) as error:
        raise ValueError(f"it holds no finding: {error}") from error
    return replace(finding, rows=rows, beside=beside, gain=gain, command=command)


def told_once(findings: Sequence[Finding], *, shared: float = 0.8) -> list[Finding]:
    """Leave out findings whose images, for the most part, an earlier one has told already.

    Args:
        findings: The plainest first, in the order in which they are to be believed.
        shared: The share of images in common that tells that the cause is the same: of the larger
            of both, but of a cluster's own, for a part of the dark images that look alike to the
            network is no cause of its own.
    """
    kept: list[Finding] = []
    for finding in findings:
        rows = set(finding.rows)
        others = [set(earlier.rows) for earlier in kept]
        if finding.kind == "cluster":
            same = [len(rows & earlier_rows) >= shared * len(rows) for earlier_rows in others]
        else:
            same = [
                len(rows & earlier_rows) >= shared * max(len(rows), len(earlier_rows))
                for earlier_rows in others
            ]
        if not rows or not any(same):
            kept.append(finding)
    return kept


def surest_right(
    rows: NDArray[np.int64], confidence: NDArray[np.float64], most: int
) -> tuple[int, ...]:
    """Return the first rows by confidence, then by row.

    >>> surest_right(np.array([4, 7, 9]), np.array([0.5, 0.9, 0.9]), 2)
    (7, 9)
    """
    order = np.lexsort([rows, -confidence])[:most]
    return tuple(rows[order].tolist())
