"""Findings on images that do not count: not read, or with a label that the model lacks."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pyarrow.compute as pc

from errlens.analysis.findings.finding import RUN, THESE, Finding
from errlens.errors import some
from errlens.formats import count, counted
from errlens.predictions.table import LABEL_UNKNOWN, OK, Predictions

COLUMNS: Final = ("row", "path", "status", "error", "label_name")


def from_lost_images(images: Predictions) -> Iterator[Finding]:
    """Yield what is to be said of images that were not predicted, or not scored.

    `images` has the columns of `COLUMNS`.
    """
    table = images.table.select(list(COLUMNS))
    lost = table.filter(pc.not_equal(table["status"], OK)).to_pylist()
    unread = [row for row in lost if row["status"] != LABEL_UNKNOWN]
    unknown = [row for row in lost if row["status"] == LABEL_UNKNOWN]
    if unread:
        yield _unread(unread, len(images))
    if unknown:
        yield _unknown(unknown, len(images))


def _unread(lost: list[Mapping[str, Any]], n_images: int) -> Finding:
    first = lost[0]
    reasons = Counter(str(row["error"] or row["status"]) for row in lost)
    why = "; ".join(f"{count(n)}: {reason}" for reason, n in reasons.most_common(3))
    return Finding(
        kind="unreadable",
        statement=f"{count(len(lost))} of {counted(n_images, 'image')} could not be predicted, "
        f"such as {first['path']} ({first['error'] or first['status']}).",
        rows=tuple(row["row"] for row in lost),
        evidence=why,
        command=("report", RUN),
    )


def _unknown(lost: list[Mapping[str, Any]], n_images: int) -> Finding:
    labels = Counter(str(row["label_name"]) for row in lost)
    names = [label for label, _ in labels.most_common()]
    return Finding(
        kind="unknown_label",
        statement=f"{count(len(lost))} of {counted(n_images, 'image')} "
        f"{'has' if len(lost) == 1 else 'have'} a label that the model lacks: {some(names)}.",
        rows=tuple(row["row"] for row in lost),
        evidence="; ".join(f"{label}: {count(n)}" for label, n in labels.most_common(5)),
        command=("misclassified", RUN, "--select", THESE),
    )
