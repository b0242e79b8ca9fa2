"""Why it is wrong: the findings of a run, as the page tells them."""

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from errlens.analysis.findings.finding import Finding, first_of
from errlens.analysis.findings.reading import Findings
from errlens.analysis.findings.sentences import not_found
from errlens.formats import points, points_range, probability
from errlens.report.parts import Problem
from errlens.report.shots import Shots

MOST: Final = 30
IMAGES: Final = 12  # in the section
BESIDE: Final = 6


class ToldFinding(NamedTuple):
    """A finding as it is written; `rows` and `beside` are images that are shown of it.

    There is no command where the page is what there is to see.
    """

    rank: int
    kind: str
    statement: str
    numbers: str
    command: str
    rows: Sequence[int]
    beside: Sequence[int]
    total: int


class Why(NamedTuple):
    """The findings of a run, those to be told first apart.

    `nothing` are sentences on what was looked for in vain; `problem` says why causes are not known.
    """

    first: Sequence[ToldFinding]
    findings: Sequence[ToldFinding]
    n_findings: int
    nothing: Sequence[str]
    problem: Problem | None

    def without(self, kinds: Collection[str]) -> "Why":
        """Return the same but for findings of some kinds, which are told elsewhere."""
        first, findings = (
            [finding for finding in those if finding.kind not in kinds]
            for those in (self.first, self.findings)
        )
        left_out = len(self.findings) - len(findings)
        return self._replace(first=first, findings=findings, n_findings=self.n_findings - left_out)


def why(found: Findings, run: str, shots: Shots) -> Why:
    """Return what the page tells of the findings, and ask for its images."""
    numbered = list(enumerate(found.findings, start=1))
    unread = found.unread
    return Why(
        first=[_told(entry, run, shots) for entry in first_of(found.findings)],
        findings=[_told(entry, run, shots) for entry in numbered[:MOST]],
        n_findings=len(numbered),
        nothing=not_found(found.searches),
        problem=Problem(str(unread), unread.command, "looks for causes") if unread else None,
    )


def _told(entry: tuple[int, Finding], run: str, shots: Shots) -> ToldFinding:
    rank, finding = entry
    return ToldFinding(
        rank,
        finding.kind,
        finding.statement,
        _numbers(finding),
        "" if finding.command[0] == "report" else finding.command_line(run, rank),
        shots.want(finding.rows[:IMAGES]),
        shots.want(finding.beside[:BESIDE]),
        len(finding.rows),
    )


def _numbers(finding: Finding) -> str:
    """Write what a finding rests on, unless it has said so, and what mending it would gain."""
    is_said = f" {finding.evidence} " in finding.statement
    texts = [] if is_said else [finding.evidence]
    if finding.gain:
        interval = points_range(finding.gain.low, finding.gain.high)
        texts.append(f"gain if solved {points(finding.gain.value)} ({interval})")
    if finding.q_value is not None:
        texts.append(f"false alarm {probability(finding.q_value)}")
    return " · ".join(filter(None, texts))
