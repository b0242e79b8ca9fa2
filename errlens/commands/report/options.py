"""Options of `errlens report`."""

from dataclasses import dataclass

from errlens.commands.options.invocation import OpenOption, OutputOptions
from errlens.commands.options.selecting import ImagesOption, RunArgument, SelectOptions


@dataclass(frozen=True, kw_only=True)
class ReportOptions(RunArgument, SelectOptions, ImagesOption, OutputOptions, OpenOption):
    """Put everything that is known of a run on one page, RUN/report.html, for any browser.

    The page loads nothing from elsewhere. RUN/summary.md says the most important in a few lines.
    What other commands have not made yet is named with the command that does. `--select A~B`
    makes a page of its own about these images.
    """
