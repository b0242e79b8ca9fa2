"""`errlens report`: everything that is known of a run, on one page."""

import os
from pathlib import Path

from errlens.commands.report import view
from errlens.commands.report.options import ReportOptions
from errlens.commands.report.result import ReportResult
from errlens.errors import OutOfReach
from errlens.report.atlas.page import write_atlas_page
from errlens.report.html import render
from errlens.report.markdown import summary
from errlens.report.marks.given import read_given
from errlens.report.page import RunPage, SelectionPage, read_page, read_selection
from errlens.report.sources import Sources
from errlens.run.disk import written_to
from errlens.run.file_names import file_name
from errlens.run.folder import RunFolder
from errlens.terminal import Screen, StartProgress

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"


def report(options: ReportOptions, screen: Screen | None = None) -> ReportResult:
    """Put everything that is known of a run on one page, RUN/report.html, for any browser."""
    screen = screen or options.screen()
    run = options.open_run(screen)
    result = write(run, options, progress=screen.progress)
    view.show(screen, run, result)
    options.open_page(screen, result.page_file)
    return result


def write(run: RunFolder, options: ReportOptions, *, progress: StartProgress) -> ReportResult:
    """Read what is known of a run and write the page; of the whole run, a summary too."""
    page = _read(run, options)
    with progress("pictures", total=len(page.shots)) as advance:
        text, pictures = render(page, progress=advance)
    target = run.report_file(file_name("+".join(options.select)) if options.select else "")
    run.write_text(target, text)
    if not isinstance(page, RunPage):
        return ReportResult(page, pictures, [target], None)
    markdown = summary(page)
    run.write_text(run.summary_file, markdown)
    files = [target, run.summary_file]
    if atlas := write_atlas_page(run):  # each of the two pages links to the other
        files.append(atlas)
    return ReportResult(page, pictures, files, _append_to_job(markdown))


def _read(run: RunFolder, options: ReportOptions) -> RunPage | SelectionPage:
    """Read what the page is about: the run, or what was selected of it."""
    selection = options.choose(run)
    sources = Sources(
        run=run,
        images=selection.images,
        among=selection.among,
        rank=selection.rank,
        root=options.images_root(run),
        marks=read_given(run, options.marks or (), selection.images, selection.among),
        room=options.room(),
    )
    if options.select:
        return read_selection(sources, options.select, selection.rows)
    return read_page(sources)


def _append_to_job(markdown: str) -> str | None:
    """Add the summary to the page of a GitHub job, if this is one; return why it cannot be."""
    place = os.environ.get(STEP_SUMMARY)
    if not place:
        return None
    try:
        with written_to(Path(place)), Path(place).open("a", encoding="utf-8") as file:
            file.write(f"{markdown}\n")
    except OutOfReach as error:
        return f"{STEP_SUMMARY}: {error}"
    return None
