"""What came of `errlens view`."""

from typing import NamedTuple

from errlens.run.folder import RunFolder


class ViewResult(NamedTuple):
    """The run that was looked through, and how many of its images are marked now."""

    run: RunFolder
    n_marked: int
