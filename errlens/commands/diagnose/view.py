"""How a diagnosis looks on the terminal."""

from errlens.analysis.findings.finding import CAUSES, as_tree
from errlens.analysis.findings.sentences import not_found
from errlens.commands import showing
from errlens.commands.diagnose.result import Diagnosis
from errlens.formats import count, counted, share
from errlens.run.folder import RunFolder
from errlens.terminal import Screen


def show(screen: Screen, run: RunFolder, diagnosis: Diagnosis) -> None:
    """Print the findings, what was looked for without any, and where everything is."""
    n, wrong = diagnosis.n_images, diagnosis.n_errors
    screen.say(f"{count(wrong)} of {counted(n, 'image')} wrong")
    screen.say()
    showing.show_findings(screen, run, diagnosis.findings)
    if not diagnosis.findings:
        screen.say("Nothing stands out." if wrong else "There is no error to explain.")
    for line in not_found(diagnosis.searches):
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


def in_short(diagnosis: Diagnosis) -> str:
    """Say in a line what was found."""
    causes = [finding for finding in diagnosis.findings if finding.kind in CAUSES]
    explained = sum(finding.excess_errors or 0 for finding in causes)
    if not causes:
        return "no cause found"
    part = min(1.0, explained / max(diagnosis.n_errors, 1))
    return f"{counted(len(causes), 'cause')}, {share(part)} of the errors"
