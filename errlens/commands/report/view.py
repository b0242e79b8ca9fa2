"""How a report that was written looks on the terminal."""

from pathlib import Path

from errlens.commands.report.result import ReportResult
from errlens.commands.showing import and_more, print_json
from errlens.escapes import printable
from errlens.formats import count, counted, file_size, of
from errlens.run.folder import RunFolder
from errlens.terminal import Screen, relative


def show(screen: Screen, run: RunFolder, result: ReportResult) -> None:
    """Say what could not be done, and where the page is."""
    if result.not_appended:
        screen.warn(result.not_appended)
    _warn_of_marks(screen, result)
    pictures, shots = result.pictures, result.page.shots
    n_pictures, n_absent = len(pictures.uris), len(pictures.absent)
    if n_absent:
        _warn_of_absent(screen, result)
    if pictures.is_full and (n_absent or shots.room.all_first):
        screen.warn("not every picture has a place: --max-mb gives the page more room")
    page, *others = result.files
    also = "".join(f", {relative(path)} ({_size(path)})" for path in others)
    of_images = f"{of(len(pictures.rows), len(shots.images))} images have one"
    screen.say(f"{counted(n_pictures, 'picture')}; {of_images}")
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
    pictures, shots = result.pictures, result.page.shots
    name = next(iter([*pictures.missing, *pictures.absent]))
    first = printable(shots.path_of(name))
    n_absent = len(pictures.absent)
    screen.warn(
        f"{count(n_absent)} of {counted(len(shots), 'picture')} "
        f"cannot be shown: {first!r} ({pictures.absent[name]}){and_more(n_absent)}"
    )
    if pictures.missing:
        screen.warn("--data-root DIR says where the images lie now")


def _warn_of_marks(screen: Screen, result: ReportResult) -> None:
    """Say which files of marks have nothing to show."""
    marks = result.page.marks
    if marks["problem"]:
        screen.warn(f"the marks in the run folder are not shown: {marks['problem']}")
    for source in marks["given"]:
        if not source["marks"]:
            screen.warn(f"there are no marks in {source['name']!r}: it says nothing of images")
