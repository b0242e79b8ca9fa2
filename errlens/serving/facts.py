"""What there is to say of single images, for as many as are asked for at a time."""

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any

from errlens.escapes import printable
from errlens.predictions.table import Predictions
from errlens.report.images.facts import ImageFacts

_NAMES = ("sample_id", "path", "label_name")


class RowFacts:
    """Says of rows what the page says of an image.

    Args:
        facts: What a page that holds its images says of them.
        images: All images of the run, with `sample_id`, `path` and `label_name`.
        findings: Rank, statement and rows of each finding.
    """

    def __init__(
        self,
        facts: ImageFacts,
        images: Predictions,
        findings: Sequence[tuple[int, str, Sequence[int]]],
    ) -> None:
        self._facts = facts
        self._names = images.table.select(_NAMES)
        self._findings = [(rank, title, frozenset(rows)) for rank, title, rows in findings]
        self._alone = Lock()  # what was found once stays known

    def of(self, rows: Sequence[int], *, brief: bool = False) -> dict[str, dict[str, Any]]:
        """Return facts by row, with `findings`; `odd` are names that are not as they are shown.

        What takes longest is left out where that is `brief`.
        """
        with self._alone:
            facts = self._facts.of(rows, brief=brief)
        names = self._names.take(rows).to_pylist()
        odd = {str(row): _odd(of_row) for row, of_row in zip(rows, names, strict=True)}
        return {
            row: {**said, "findings": self._about(int(row)), "odd": odd[row]}
            for row, said in facts.items()
        }

    def _about(self, row: int) -> list[dict[str, Any]]:
        """Return the findings that an image is in."""
        return [
            {"rank": rank, "title": title} for rank, title, rows in self._findings if row in rows
        ]


def _odd(names: Mapping[str, str | None]) -> Mapping[str, str | None] | None:
    """Return what an image is called, if a page would show it otherwise."""
    shown = all(text == printable(text) for text in names.values() if text)
    return None if shown and names["sample_id"] == names["path"] else names
