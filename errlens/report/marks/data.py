"""What the script of the page needs to keep marks and to write files of them."""

from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from errlens.analysis.marks.mark import LONGEST_REMARK, VERDICTS
from errlens.escapes import is_printable, printable
from errlens.predictions.table import Predictions
from errlens.report.marks.given import GivenMarks
from errlens.report.shots import Shots
from errlens.report.sources import Sources

MARKED_SHOWN: Final = 200  # images that one file marks, with pictures


def page_marks(sources: Sources, shots: Shots) -> dict[str, Any]:
    """Return the marks that the page is given, and what it needs to keep others."""
    for source in sources.marks.sources:
        shots.want(list(source.marks)[:MARKED_SHOWN])
    is_judged = bool(sources.run.metrics.get("top1"))  # without labels nothing is right or wrong
    commands = {
        "what_if": sources.command("what-if", "--relabel", "labels.csv") if is_judged else "",
        "notes": sources.command("misclassified", "--notes", "notes.yaml") if is_judged else "",
        "report": sources.command("report", "--marks", "marks.json"),
    }
    return marks_data(
        sources.images,
        sources.marks,
        run_hash=sources.run.info.run_hash,
        root=sources.root,
        served=sources.served,
    ) | {"commands": commands}


def marks_data(
    images: Predictions, given: GivenMarks, *, run_hash: str, root: Path, served: bool = False
) -> dict[str, Any]:
    """Return the marks given, and the names that files of marks need as they are.

    Args:
        images: Of the run, with `sample_id`, `path` and `label_name`.
        given: Marks by their source.
        run_hash: That of the run, by which marks are kept.
        root: The folder that paths start from.
        served: The page asks for names when it needs them.
    """
    return {
        "run_hash": run_hash,
        "n": len(images),
        "root": str(root.absolute()),
        "verdicts": VERDICTS,
        "longest": LONGEST_REMARK,
        "classes": list(images.classes.names),
        "odd": {} if served else _odd_names(images.table),
        "given": [
            {"name": source.name, "marks": {str(row): mark for row, mark in source.marks.items()}}
            for source in given.sources
        ],
        "problem": given.problem,
    }


def _odd_names(table: pa.Table) -> dict[str, dict[str, str | None]]:
    """Return what images are called, by row, where a page that shows their path shows it otherwise.

    It escapes what cannot be seen; and an id is no path where a path stands twice.
    """
    names = table.select(["sample_id", "path", "label_name"]).to_pylist()
    texts = "".join(text for name in names for text in name.values() if text)
    if is_printable(texts) and table["sample_id"].equals(table["path"]):
        return {}
    return {
        str(row): name
        for row, name in enumerate(names)
        if name["sample_id"] != name["path"]
        or any(text != printable(text) for text in name.values() if text)
    }
