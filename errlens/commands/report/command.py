"""`errlens report`: everything that is known of a run, on one page."""

import os
from collections.abc import Sequence
from pathlib import Path

from errlens.commands.report.options import ReportOptions
from errlens.errors import OutOfReach
from errlens.formats import counted, file_size
from errlens.predictions.table import SCHEMA_VERSION
from errlens.report.html import render
from errlens.report.markdown import summary
from errlens.report.page import RunPage, SelectionPage, Sources, read_page, read_selection
from errlens.report.shots import Pictures
from errlens.run.disk import written_to
from errlens.run.file_names import file_name
from errlens.run.folder import RunFolder
from errlens.terminal import Screen, relative

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"


def report(options: ReportOptions) -> RunFolder:
    """Put everything that is known of a run on one page, RUN/report.html, for any browser."""
    screen = options.screen()
    run = options.open_run(screen)
    page = _read(run, options)
    with screen.progress("pictures", total=len(page.shots)) as progress:
        text, pictures = render(page, progress=progress)
    target = run.report_file(file_name("+".join(options.select)) if options.select else "")
    run.write_text(target, text)
    written = [target]
    if isinstance(page, RunPage):
        markdown = summary(page)
        run.write_text(run.summary_file, markdown)
        written.append(run.summary_file)
        _append_to_job(screen, markdown)
    _warn_of_absent(screen, page, pictures)
    _show(screen, run, written, pictures)
    return run


def _read(run: RunFolder, options: ReportOptions) -> RunPage | SelectionPage:
    """Read what the page is about: the run, or what was selected of it."""
    selection = options.choose(run)
    sources = Sources(
        run=run,
        images=selection.images,
        among=selection.among,
        rank=selection.rank,
        root=options.images_root(run),
    )
    if options.select:
        return read_selection(sources, options.select, selection.rows)
    return read_page(sources)


def _append_to_job(screen: Screen, markdown: str) -> None:
    """Add the summary to the page of a GitHub job, if this is one."""
    place = os.environ.get(STEP_SUMMARY)
    if not place:
        return
    try:
        with written_to(Path(place)), Path(place).open("a", encoding="utf-8") as file:
            file.write(f"{markdown}\n")
    except OutOfReach as error:
        screen.warn(f"{STEP_SUMMARY}: {error}")


def _warn_of_absent(screen: Screen, page: RunPage | SelectionPage, pictures: Pictures) -> None:
    """Name what cannot be shown; the page does, too."""
    if not pictures.absent:
        return
    facts = page.shots.facts()
    name, reason = next(iter(pictures.absent.items()))
    first = facts[name]["path"] if name in facts else name
    screen.warn(
        f"{len(pictures.absent)} of {len(page.shots)} pictures are not there: "
        f"{first!r} ({reason}); --data-root DIR says where the images lie now"
    )


def _show(screen: Screen, run: RunFolder, written: Sequence[Path], pictures: Pictures) -> None:
    """Say where the page is."""
    sizes = [f"{relative(path)} ({file_size(path.stat().st_size)})" for path in written]
    screen.say(counted(len(pictures.uris), "picture"))
    screen.say(f"Wrote {', '.join(sizes)}")
    screen.json(
        {
            "schema_version": SCHEMA_VERSION,
            "command": "report",
            "run": str(run.path),
            "run_hash": run.info.run_hash,
            "files": [str(one) for one in written],
            "n_pictures": len(pictures.uris),
            "n_absent": len(pictures.absent),
        }
    )
