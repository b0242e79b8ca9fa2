"""How a report that was written looks on the terminal."""

from pathlib import Path

from errlens.commands.report.result import ReportResult
from errlens.commands.showing import and_more, print_json
from errlens.formats import count, counted, file_size
from errlens.run.folder import RunFolder
from errlens.terminal import Screen, relative


def show(screen: Screen, run: RunFolder, result: ReportResult) -> None:
    """Say what could not be done, and where the page is."""
    if result.not_appended:
        screen.warn(result.not_appended)
    marks = result.page.marks
    if marks["problem"]:
        screen.warn(f"the marks in the run folder are not shown: {marks['problem']}")
    for source in marks["given"]:
        screen.remark(f"{counted(len(source['marks']), 'mark')} of {source['name']!r} shown")
    n_pictures, n_absent = len(result.pictures.uris), len(result.pictures.absent)
    if n_absent:
        _warn_of_absent(screen, result)
    page, *others = result.files
    also = "".join(f", {relative(path)} ({_size(path)})" for path in others)
    screen.say(counted(n_pictures, "picture"))
    screen.say(f"Wrote {relative(page)} ({_size(page)}){also}")
    screen.say()
    screen.say_place("The page: ", page)
    screen.step("report", f"{counted(n_pictures, 'picture')}, {_size(page)}")
    files = [str(path) for path in result.files]
    print_json(screen, "report", run, files=files, n_pictures=n_pictures, n_absent=n_absent)


def _size(path: Path) -> str:
    return file_size(path.stat().st_size)


def _warn_of_absent(screen: Screen, result: ReportResult) -> None:
    """Name what cannot be shown; the page does, too."""
    pictures, facts = result.pictures, result.page.shots.facts()
    name = next(iter([*pictures.missing, *pictures.absent]))
    first = facts[name]["path"] if name in facts else name
    n_absent = len(pictures.absent)
    screen.warn(
        f"{count(n_absent)} of {counted(len(result.page.shots), 'picture')} "
        f"cannot be shown: {first!r} ({pictures.absent[name]}){and_more(n_absent)}"
    )
    if pictures.missing:
        screen.warn("--data-root DIR says where the images lie now")
