"""Everything that is asked of a network about places: which mislead it, and which it relies on."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.findings.causes.places import borrowed_evidence, off_object
from errlens.analysis.findings.causes.places.borrowed_evidence import (
    candidates,
    hindrance,
    search_borrowed_evidence,
)
from errlens.analysis.findings.causes.places.grid import PLACES
from errlens.analysis.findings.causes.places.hidden import Hidden, search_places
from errlens.analysis.findings.causes.places.off_object import search_off_object
from errlens.analysis.findings.finding import Finding, Outcome, Search
from errlens.analysis.findings.scored import Scored
from errlens.attribution.evidence import evidence_by_square, evidence_on_object, no_evidence
from errlens.data.outlines import RegionSource
from errlens.model.asking.hiding import AskedImage, ask_hidden
from errlens.model.classifier import Classifier

TOP: Final = 500  # errors asked about, and as many right images
MAPS: Final = 2_000  # right images whose evidence is mapped

Progress = Callable[..., AbstractContextManager[Callable[[int], None]]]


def search_places_of(
    classifier: Classifier,
    scored: Scored,
    root: Path,
    *,
    top: int = TOP,
    seed: int = 0,
    outlines: RegionSource | None = None,
    progress: Progress,
) -> Outcome:
    """Ask a network where in the images it is misled.

    Args:
        classifier: That of the run.
        scored: The images of the run.
        root: Where their paths start from.
        top: Errors asked about at most, and right images as control.
        seed: Of the choice of those, where there are more.
        outlines: Where the objects are; None if nobody knows.
        progress: `progress(what, total=...)` gives a function that is told of each step forward.

    Raises:
        UserCodeFailed, OutOfMemory: The network raised something.
        InputError: An outline is none.
    """
    rng = np.random.default_rng(seed)
    asking = _Asking(classifier, scored, root, progress)
    chosen = errors_and_controls(scored, top, rng)
    outcomes = [search_places(scored, asking.hidden(chosen))]
    why = no_evidence(classifier)
    if why:
        searches = [Search("place", borrowed_evidence.WHAT, absent=why)]
        if outlines:
            searches.append(Search("place", off_object.WHAT, absent=why))
        return _together([*outcomes, Outcome((), searches)])
    outcomes.append(asking.borrowed_evidence(_right_by_class(scored, MAPS, rng)))
    if outlines:
        outcomes.append(asking.off_object(chosen, outlines))
    return _together(outcomes)


def errors_and_controls(scored: Scored, top: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Choose at most `top` errors and as many right images, evenly of their classes.

    Returns:
        Places in `scored`, ascending.
    """
    errors = rng.permutation(np.flatnonzero(scored.wrong))[:top]
    return np.sort(np.concatenate([errors, _right_by_class(scored, len(errors), rng)]))


def _right_by_class(scored: Scored, most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Choose right images: the first of each class, then the second of each, and so on."""
    right = rng.permutation(np.flatnonzero(~scored.wrong))
    by_class = pd.Series(scored.label[right]).groupby(scored.label[right]).cumcount()
    return np.sort(right[np.argsort(by_class.to_numpy(), kind="stable")[:most]])


class _Asking:
    """The images of a run, and the network that is asked about them."""

    def __init__(
        self, classifier: Classifier, scored: Scored, root: Path, progress: Progress
    ) -> None:
        self.classifier, self.scored, self.progress = classifier, scored, progress
        self.images = [
            AskedImage(root / path, content)
            for path, content in zip(scored.paths, scored.content_hash, strict=True)
        ]

    def of(self, at: NDArray[np.int64]) -> list[AskedImage]:
        return [self.images[place] for place in at.tolist()]

    def hidden(self, at: NDArray[np.int64]) -> Hidden:
        """Hide all places of the grid; images that the network sees otherwise now are left out."""
        with self.progress("hiding places", total=len(at)) as step:
            answers = ask_hidden(self.classifier, self.of(at), [PLACES] * len(at), step=step)
        same = answers[:, 0] == self.scored.pred[at]
        # Of no image there is no answer, and yet a column for each place.
        return Hidden(at[same], answers[same, 1:].reshape(-1, len(PLACES)))

    def borrowed_evidence(self, at: NDArray[np.int64]) -> Outcome:
        """Cluster where the evidence lies, and hide the place of each cluster that stands apart."""
        if too_few := hindrance(self.scored):
            return Outcome((), [too_few])
        with self.progress("mapping evidence", total=len(at)) as step:
            evidence = evidence_by_square(
                self.classifier, self.of(at), self.scored.pred[at], step=step
            )
        asked = candidates(self.scored, at, evidence)
        answers = []
        total = sum(len(candidate.asked) for candidate in asked)
        with self.progress("hiding where evidence lies", total=total) as step:
            for candidate in asked:
                images = self.of(candidate.asked)
                pred = ask_hidden(
                    self.classifier, images, [candidate.places] * len(images), step=step
                )
                pred[pred[:, 0] != candidate.class_index] = -1
                answers.append(pred[:, 1:])
        return search_borrowed_evidence(self.scored, asked, answers)

    def off_object(self, at: NDArray[np.int64], outlines: RegionSource) -> Outcome:
        """Hold the evidence against the outlines."""
        with self.progress("holding evidence against outlines", total=len(at)) as step:
            found = evidence_on_object(
                self.classifier,
                self.of(at),
                [self.scored.paths[place] for place in at.tolist()],
                self.scored.pred[at],
                outlines,
                step=step,
            )
        return search_off_object(self.scored, at, found.evidence, found.area)


def _together(outcomes: Sequence[Outcome]) -> Outcome:
    findings: list[Finding] = [one for outcome in outcomes for one in outcome.findings]
    searches = [one for outcome in outcomes for one in outcome.searches]
    tables: Mapping[str, pd.DataFrame] = {
        name: table for outcome in outcomes for name, table in outcome.tables.items()
    }
    return Outcome(findings, searches, tables)
