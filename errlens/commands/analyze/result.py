"""What `errlens analyze` comes to."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from errlens.run.folder import RunFolder


class Analysis(NamedTuple):
    """What was found: the run, what there is to say of it, and the file of the page.

    `results` are what the commands return, by their names; `not_done` says why others have none.
    """

    run: RunFolder
    verdict: list[str]
    page: Path | None
    results: Mapping[str, Any]
    not_done: Mapping[str, str]

    def __repr__(self) -> str:
        """Return a few lines for a notebook: the verdict, and where the page is."""
        return "\n".join([*self.verdict, f"<{self.page or self.run.path}>"])
