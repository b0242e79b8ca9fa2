"""A sheet of each finding: its images beside right ones, with a histogram of what they share."""

from typing import Any, Final

import numpy as np
import pandas as pd

from errlens.analysis.findings.finding import CAUSES, FIRST_TOLD, Finding
from errlens.analysis.mistakes.ranking import COLUMNS
from errlens.commands.diagnose.case import Case
from errlens.commands.diagnose.result import Diagnosis
from errlens.figures.gallery import Column, Line, Tile
from errlens.figures.histogram import histogram_pixels, limits
from errlens.formats import counted, of, significant
from errlens.galleries.choice import Gallery, Section
from errlens.galleries.drawing import Poster, write_posters
from errlens.galleries.tiles import TileMaker
from errlens.run.results import ResultsWriter

SHOWN: Final = 12  # images of a finding
BESIDE: Final = 6  # right ones


def draw(results: ResultsWriter, case: Case, diagnosis: Diagnosis) -> dict[str, str]:
    """Draw the causes and the findings told first; return what cannot be shown, and why.

    Where none of the images is there, the searches have said so, and nothing is drawn.
    """
    if not len(case.properties_if_any.columns):
        return {}
    run = case.run
    images = run.read_predictions((*COLUMNS, "status", "content_hash"))
    maker = TileMaker(images, case.root, max_mb=run.info.max_file_mb)
    posters = [
        _poster(rank, finding, case, maker)
        for rank, finding in enumerate(diagnosis.findings, start=1)
        if finding.rows and (finding.kind in CAUSES or rank <= FIRST_TOLD)
    ]
    return write_posters(results, posters, progress=case.progress) if posters else {}


def _poster(rank: int, finding: Finding, case: Case, maker: TileMaker) -> Poster:
    shown, beside = finding.rows[:SHOWN], finding.beside[:BESIDE]
    sections = [Section(f"{_images(len(shown), len(finding.rows))}", shown, len(finding.rows))]
    if beside:
        sections.append(Section("right ones of the same classes", beside, len(beside)))
    gallery = Gallery(f"finding-{rank}-{finding.kind}", finding.statement, tuple(sections))
    return Poster(
        gallery,
        f"{rank}. {finding.statement}",
        [maker.section(section) for section in sections],
        [],
        _histogram(finding, case),
    )


def _histogram(finding: Finding, case: Case) -> tuple[Column, ...]:
    """Return the property of a slice as a histogram, where it is a number."""
    name = finding.subject.get("property")
    values = _numbers(name, case)
    if values is None:
        return ()
    threshold: Any = finding.subject.get("threshold")
    wrong = case.scored.wrong
    pixels = histogram_pixels(values[wrong], values[~wrong], mark=threshold)
    low, high = limits(values[np.isfinite(values)])
    lines = (
        Line(f"{significant(low)} to {significant(high)}"),
        Line("up: wrong, down: right", dim=True),
    )
    return (Column(str(name), [Tile((pixels,), lines)]),)


def _numbers(name: object, case: Case) -> np.ndarray | None:
    """Return the numbers of a property, or of a column of the manifest; None where it has none."""
    for table in (case.properties_if_any, case.extra):
        if name in table and pd.api.types.is_numeric_dtype(table[name].dtype):
            return np.asarray(table[name].to_numpy(dtype=float, na_value=np.nan))
    return None


def _images(shown: int, total: int) -> str:
    return counted(total, "image") if shown == total else f"{of(shown, total)} images"
