"""What `errlens report` makes."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from errlens.report.images.pictures import Pictures
from errlens.report.page import RunPage, SelectionPage


class ReportResult(NamedTuple):
    """What is on the page, its pictures, and the files that were written.

    `not_appended` says why the summary could not be added to the page of a job on GitHub.
    """

    page: RunPage | SelectionPage
    pictures: Pictures
    files: Sequence[Path]
    not_appended: str | None

    def __repr__(self) -> str:
        """Return a line for a notebook: where the files are."""
        return f"<{', '.join(map(str, self.files))}>"

    @property
    def page_file(self) -> Path:
        """The page itself."""
        return self.files[0]
