"""All findings of a run: what its other results say, and the causes that `diagnose` found."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from errlens.analysis.findings.finding import (
    CAUSES,
    KINDS,
    RESULTS,
    Finding,
    Search,
    as_tree,
    from_tree,
    ranked,
)
from errlens.analysis.findings.known.collecting import known_findings
from errlens.documents import parse_json, read_text
from errlens.errors import NoResults
from errlens.escapes import shell_line
from errlens.run.disk import inside
from errlens.run.folder import RunFolder

KIND: Final = "diagnosis"  # the folder of `errlens diagnose`
FILE: Final = "findings.json"
_WHY: Final = {*CAUSES, *RESULTS} - {"never_right"}


class Findings(NamedTuple):
    """What is known of a run: `findings`, the most errors explained first.

    `searches` say what `diagnose` looked for, `costs` what it was told errors cost, by class;
    `unread` why nothing is known of that.
    """

    findings: list[Finding]
    searches: Sequence[Search] = ()
    unread: NoResults | None = None
    costs: Mapping[str, float] = {}

    @property
    def say_why(self) -> bool:
        """Whether some say why images are wrong, or which classes are mixed up."""
        return any(finding.kind in _WHY for finding in self.findings)


def read_findings(run: RunFolder) -> Findings:
    """Collect the findings of a run; what `diagnose` did not look for yet is not among them."""
    try:
        diagnosed = read_diagnosis(run)
    except NoResults as error:
        return Findings(ranked(known_findings(run)), unread=error)
    known = known_findings(run, diagnosed.costs)
    return Findings(ranked([*known, *diagnosed.causes]), diagnosed.searches, costs=diagnosed.costs)


class Diagnosed(NamedTuple):
    """The causes that `diagnose` found, what it looked for, and what it was told errors cost."""

    causes: list[Finding]
    searches: list[Search]
    costs: dict[str, float]


def read_diagnosis(run: RunFolder) -> Diagnosed:
    """Return what `diagnose` found.

    Raises:
        NoResults: It was not run, looked at other predictions, or its file is damaged.
    """
    path = run.results_folder(KIND) / FILE
    command = shell_line(["errlens", "diagnose", run.path])
    if not path.exists():
        raise NoResults(f"{str(path)!r} is not there", command=command)
    try:
        tree = parse_json(read_text(inside(path, run.path)))
        if tree["run_hash"] != run.info.run_hash:
            raise NoResults(f"{str(path)!r} was made of other predictions", command=command)
        findings = [from_tree(finding) for finding in tree["findings"]]
        searches = [Search(**search) for search in tree["searches"]]
        costs = {str(name): float(cost) for name, cost in tree["costs"].items()}
        _check_rows(findings, run.info.n_images)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise NoResults(f"{str(path)!r} is damaged", command=command) from error
    causes = [finding for finding in findings if finding.kind in CAUSES]
    return Diagnosed(causes, searches, costs)


def counts_by_kind(run: RunFolder) -> dict[str, int | str]:
    """Return how many findings of each kind there are, or why that is not known.

    A gate that failed is no finding to gate on: it would be its own reason.
    """
    found = read_findings(run)
    counts: dict[str, int | str] = {
        kind: sum(finding.kind == kind for finding in found.findings)
        for kind in KINDS
        if kind != "gate"
    }
    if found.unread:
        counts |= dict.fromkeys(CAUSES, f"{found.unread}: {found.unread.hint}")
    counts |= {
        search.kind: f"{search.what}: not looked for, {search.absent}"
        for search in found.searches
        if search.absent and not counts[search.kind]
    }
    return counts


def _check_rows(findings: list[Finding], n_images: int) -> None:
    """Refuse findings about images that the run has not."""
    rows = [row for finding in findings for row in (*finding.rows, *finding.beside)]
    if rows and not 0 <= min(rows) <= max(rows) < n_images:
        raise ValueError("a finding is about an image that the run has not")


def findings_tree(
    findings: Sequence[Finding],
    searches: Sequence[Search],
    run_hash: str,
    costs: Mapping[str, float],
) -> dict[str, object]:
    """Return findings.json."""
    return {
        "run_hash": run_hash,
        "costs": dict(costs),
        "findings": [as_tree(finding) for finding in findings],
        "searches": [search._asdict() for search in searches],
    }
