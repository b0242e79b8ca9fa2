"""How a diagnosis looks on the terminal."""

from collections.abc import Sequence
from typing import Final

from errlens.analysis.findings.finding import CAUSES, Finding, Search, as_tree, first_of
from errlens.commands import showing
from errlens.commands.diagnose.result import Diagnosis
from errlens.formats import count, counted, share
from errlens.run.folder import RunFolder
from errlens.terminal import Screen, relative

SHOWN: Final = 5


def show(screen: Screen, run: RunFolder, diagnosis: Diagnosis) -> None:
    """Print the findings, what was looked for without any, and where everything is."""
    n, wrong = diagnosis.n_images, diagnosis.n_errors
    screen.say(f"{count(wrong)} of {counted(n, 'image')} wrong")
    screen.say()
    show_findings(screen, run, diagnosis.findings, n_errors=wrong)
    for line in nothing_found(diagnosis.searches):
        screen.say(line)
    if diagnosis.absent:
        path, why = next(iter(diagnosis.absent.items()))
        screen.warn(f"not shown: {path!r} ({why}){showing.and_more(len(diagnosis.absent))}")
    showing.show_files(screen, run.path / "diagnosis", diagnosis.files)
    screen.step("diagnose", in_short(diagnosis))
    showing.say_next(screen, ["errlens", "report", run.path])
    showing.print_json(
        screen,
        "diagnose",
        run,
        n=n,
        n_errors=wrong,
        findings=[
            {**as_tree(finding), "command": finding.command_line(str(run.path), rank)}
            for rank, finding in enumerate(diagnosis.findings, start=1)
        ],
        searches=[search._asdict() for search in diagnosis.searches],
        files=list(diagnosis.files),
    )


def show_findings(
    screen: Screen, run: RunFolder, findings: Sequence[Finding], *, n_errors: int
) -> None:
    """Print the first findings, each with what it explains and the next command."""
    told = first_of(findings, SHOWN)
    for rank, finding in told:
        screen.say(f"{rank}. {finding.statement}")
        screen.whole(f"   {finding.command_line(relative(run.path), rank)}")
    showing.say_more(screen, len(findings), len(told), ": see findings.csv", noun="finding")
    if not findings:
        none = "Nothing stands out among" if n_errors else "Nothing to explain: there are"
        screen.say(f"{none} {counted(n_errors, 'error')}.")


def nothing_found(searches: Sequence[Search]) -> list[str]:
    """Say what was looked for without finding any, and what could not be looked for."""
    looked = [search for search in searches if not search.absent and not search.found]
    lines = []
    if looked:
        enough = [search.enough for search in looked if search.enough]
        few = f" (at this sample size; {count(max(enough))} images would do)" if enough else ""
        lines.append(f"Looked for and not found: {_listed(looked)}{few}.")
    absent: dict[str, list[Search]] = {}
    for search in searches:
        if search.absent:
            absent.setdefault(search.absent, []).append(search)
    lines += [f"Not looked for: {_listed(those)}: {why}." for why, those in absent.items()]
    return lines


def in_short(diagnosis: Diagnosis) -> str:
    """Say in a line what was found."""
    causes = [finding for finding in diagnosis.findings if finding.kind in CAUSES]
    explained = sum(finding.excess_errors or 0 for finding in causes)
    if not causes:
        return "no cause found"
    part = min(1.0, explained / max(diagnosis.n_errors, 1))
    return f"{counted(len(causes), 'cause')}, {share(part)} of the errors"


def _listed(searches: Sequence[Search]) -> str:
    return ", ".join(dict.fromkeys(search.what for search in searches))
