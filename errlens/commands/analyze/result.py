"""What `errlens analyze` comes to."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from errlens.commands.notebook.run import Run

_SHOWN: Final = 6  # sentences of the verdict in a notebook


class Analysis(NamedTuple):
    """What was found: the run, what there is to say of it, and the file of the page.

    `results` are what the commands return, by their names; `not_done` says why others have none.
    """

    run: Run
    verdict: list[str]
    page: Path | None
    results: Mapping[str, Any]
    not_done: Mapping[str, str]

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the card of the run."""
        return self.run._repr_html_()

    def __repr__(self) -> str:
        """Return a few lines for a notebook: how the verdict begins, and where the page is."""
        return "\n".join([*self.verdict[:_SHOWN], f"<{self.page or self.run.path}>"])
