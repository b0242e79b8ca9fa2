"""A run as Python has it: the folder, and what a notebook shows of it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
from markupsafe import Markup

from errlens.analysis.accuracy.metrics import CLASS_COLUMNS
from errlens.analysis.findings.finding import first_of, ranked
from errlens.analysis.findings.reading import read_diagnosis
from errlens.commands.notebook.framed_page import link
from errlens.commands.notebook.markup import card
from errlens.commands.options.calls import hints_as_notes, made
from errlens.errors import ErrlensError, NoResults
from errlens.formats import counted, share, share_range
from errlens.report.sources import Verdict, verdict
from errlens.run.folder import RunFolder

if TYPE_CHECKING:
    from errlens.commands.report.result import ReportResult

LARGE: Final = 50_000  # images, of which no card shows what takes seconds to find out
_FINDINGS: Final = 3  # on the card
_NO_PAGE: Final = Markup(
    "<code>errlens.diagnose(run)</code> looks for causes, <code>run.report()</code> makes the page"
)


class Run(RunFolder):
    """A run folder: `.predictions.frame` has a row an image, `.metrics` and `.classes` sum it up.

    `.info` says what made it. Wherever a function takes a run, it takes this one.
    """

    @property
    def classes(self) -> pd.DataFrame:
        """The table of classes.csv: recall, precision and F1 of each class.

        Raises:
            IncompleteRun: There is no such file.
            StaleRun: It was changed.
        """
        return self.read_classes(CLASS_COLUMNS)

    def report(self, **options: Any) -> "ReportResult":
        """Write the page, which a notebook shows; as `errlens.write_report` does.

        Args:
            options: Any option of `errlens report`, such as `select="cat~dog"`.
        """
        from errlens.commands.report.command import report
        from errlens.commands.report.options import ReportOptions

        with hints_as_notes():
            return report(made(ReportOptions, {**options, "run": self}))

    def _repr_html_(self) -> str:
        """Return a card: model, data, how many are right, the first findings, and where it lies."""
        title = self.path.name or str(self.path)
        try:
            large = self.info.n_images > LARGE
            facts, found = [*self._facts()], _at_a_glance(self) if large else verdict(self)
        except (ErrlensError, OSError) as error:  # of a run in work or damaged, say so
            return card(title, [("run", str(self.path))], [str(error)], (), Markup())
        findings = [finding.statement for _, finding in first_of(found.findings, most=_FINDINGS)]
        page = self.report_file()
        last = link(page) if page.is_file() else _NO_PAGE
        return card(title, facts, found.sentences, findings, last)

    def _facts(self) -> Iterator[tuple[str, str]]:
        """Yield what was predicted, and by what."""
        info = self.info
        model = info.settings.model
        yield "model", f"{model}, {info.checkpoint}" if info.checkpoint else str(model)
        yield "data", f"{info.data}, {counted(info.n_images, 'image')}"
        yield "run", str(self.path)


def _at_a_glance(run: RunFolder) -> Verdict:
    """Return what is written of a run, without reading its predictions."""
    top1 = run.metrics["top1"]
    right = (
        f"{share(top1['value'], top1['n'])} right (95 % interval "
        f"{share_range(top1['low'], top1['high'], top1['n'])})."
        if top1
        else "Without labels, nothing is right or wrong here."
    )
    try:
        return Verdict([right], ranked(read_diagnosis(run).causes))
    except NoResults:
        return Verdict([right])
