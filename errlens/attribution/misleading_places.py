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
    LEAST_MAPS,
    candidates,
    hindrance,
    search_borrowed_evidence,
)
from errlens.analysis.findings.causes.places.grid import PLACES, Place
from errlens.analysis.findings.causes.places.hidden import Hidden, search_places
from errlens.analysis.findings.causes.places.off_object import search_off_object
from errlens.analysis.findings.finding import Finding, Outcome, Search
from errlens.analysis.findings.scored import Scored
from errlens.attribution.evidence import evidence_by_square, evidence_on_object, no_evidence
from errlens.data.objects.outlines import RegionSource
from errlens.formats import of
from errlens.model.asking.hiding import AskedImage, ask_hidden
from errlens.model.asking.time_left import NO_LIMIT, TimeLeft
from errlens.model.classifier import Classifier

TOP: Final = 500  # errors asked about, and as many right images
MAPS: Final = 2_000  # right images whose evidence is mapped

Progress = Callable[..., AbstractContextManager[Callable[[int], None]]]


def search_places_of(  # noqa: PLR0913 - one name for each thing that can be chosen
    classifier: Classifier,
    scored: Scored,
    root: Path,
    *,
    top: int = TOP,
    seed: int = 0,
    outlines: RegionSource | None = None,
    progress: Progress,
    time: TimeLeft = NO_LIMIT,
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
        time: For all of it; when it is up, what was asked is a fair sample.

    Raises:
        UserCodeFailed, OutOfMemory: The network raised something.
        InputError: An outline is none.
    """
    rng = np.random.default_rng(seed)
    asking = _Asking(classifier, scored, root, progress, time)
    errors, right = errors_and_controls(scored, top, rng)
    outcomes = [asking.misleading(errors, right)]
    why = no_evidence(classifier)
    if why:
        searches = [Search("place", borrowed_evidence.WHAT, absent=why)]
        if outlines:
            searches.append(Search("place", off_object.WHAT, absent=why))
        return _together([*outcomes, Outcome((), searches)])
    outcomes.append(asking.borrowed_evidence(to_map(scored, MAPS, rng)))
    if outlines:
        outcomes.append(asking.off_object(errors, right, outlines))
    return _together(outcomes)


def errors_and_controls(
    scored: Scored, top: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Choose at most `top` errors and as many right images, evenly of their classes.

    Returns:
        Their places in `scored`; so many of the first are a fair sample of each.
    """
    errors = rng.permutation(np.flatnonzero(scored.wrong))[:top]
    return errors, _right_by_class(scored, len(errors), rng)


def _right_by_class(scored: Scored, most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Choose right images: the first of each class, then the second of each, and so on."""
    right = rng.permutation(np.flatnonzero(~scored.wrong))
    by_class = pd.Series(scored.label[right]).groupby(scored.label[right]).cumcount()
    return right[np.argsort(by_class.to_numpy(), kind="stable")[:most]]


def to_map(scored: Scored, most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Choose right images to map: of each class as many as tell something, then as many again.

    Of classes that have fewer nothing would be told.
    """
    right = rng.permutation(np.flatnonzero(~scored.wrong))
    label = scored.label[right]
    right = right[np.bincount(label)[label] >= LEAST_MAPS]
    label = scored.label[right]
    turn = pd.Series(label).groupby(label).cumcount().to_numpy() // LEAST_MAPS
    order = np.lexsort((label, turn))
    return np.asarray(right[order][:most], np.int64)


def _by_turns(errors: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
    """Take one of each after the other, as far as they go."""
    turn = np.concatenate([np.arange(len(errors)), np.arange(len(right))])
    return np.concatenate([errors, right])[np.argsort(turn, kind="stable")]


class _Asking:
    """The images of a run, and the network that is asked about them."""

    def __init__(
        self,
        classifier: Classifier,
        scored: Scored,
        root: Path,
        progress: Progress,
        time: TimeLeft,
    ) -> None:
        self.classifier, self.scored, self.progress = classifier, scored, progress
        self.root, self.time = root, time

    def of(self, at: NDArray[np.int64]) -> list[AskedImage]:
        scored = self.scored
        return [
            AskedImage(self.root / scored.paths[place], scored.content_hash[place])
            for place in at.tolist()
        ]

    def misleading(self, errors: NDArray[np.int64], right: NDArray[np.int64]) -> Outcome:
        """Hide all places of the grid in errors, and in right images those that are suspect."""
        time = self.time.part(2 / 3)
        hidden = self.hidden(errors, PLACES, time)
        n = len(hidden.at)
        part = (
            f"{of(n, len(errors))} errors, with places hidden"
            if time.is_up and n < len(errors)
            else ""
        )

        def ask(place: int) -> Hidden:
            return self.hidden(right[:n], [PLACES[place]], self.time.part(1 / 2))

        return search_places(self.scored, hidden, ask=ask, part=part)

    def hidden(self, at: NDArray[np.int64], places: Sequence[Place], time: TimeLeft) -> Hidden:
        """Hide places; images that the network sees otherwise now are left out."""
        with self.progress("hiding places", total=len(at)) as step:
            answers = ask_hidden(
                self.classifier, self.of(at), [places] * len(at), step=step, time=time
            )
        known = np.flatnonzero(answers[:, 0] == self.scored.pred[at])
        known = known[np.argsort(at[known], kind="stable")]
        pred = answers[known, 1:].reshape(len(known), len(places))  # also of no image at all
        return Hidden(at[known], pred, places)

    def borrowed_evidence(self, at: NDArray[np.int64]) -> Outcome:
        """Cluster where the evidence lies, and hide the place of each cluster that stands apart."""
        if too_few := hindrance(self.scored):
            return Outcome((), [too_few])
        time = self.time.part(1 / 2)
        with self.progress("mapping evidence", total=len(at)) as step:
            evidence = evidence_by_square(
                self.classifier, self.of(at), self.scored.pred[at], step=step, time=time
            )
        order = np.argsort(at, kind="stable")
        asked = candidates(self.scored, at[order], evidence[order])
        answers = []
        total = sum(len(candidate.asked) for candidate in asked)
        with self.progress("hiding where evidence lies", total=total) as step:
            for candidate in asked:
                images = self.of(candidate.asked)
                pred = ask_hidden(
                    self.classifier,
                    images,
                    [candidate.places] * len(images),
                    step=step,
                    time=self.time,
                )
                pred[pred[:, 0] != candidate.class_index] = -1
                answers.append(pred[:, 1:])
        return search_borrowed_evidence(self.scored, asked, answers)

    def off_object(
        self, errors: NDArray[np.int64], right: NDArray[np.int64], outlines: RegionSource
    ) -> Outcome:
        """Hold the evidence against the outlines."""
        at = _by_turns(errors, right)
        with self.progress("holding evidence against outlines", total=len(at)) as step:
            found = evidence_on_object(
                self.classifier,
                self.of(at),
                [self.scored.paths[place] for place in at.tolist()],
                self.scored.pred[at],
                outlines,
                step=step,
                time=self.time,
            )
        return search_off_object(self.scored, at, found.evidence, found.area)


def _together(outcomes: Sequence[Outcome]) -> Outcome:
    findings: list[Finding] = [finding for outcome in outcomes for finding in outcome.findings]
    searches = [search for outcome in outcomes for search in outcome.searches]
    tables: Mapping[str, pd.DataFrame] = {
        name: table for outcome in outcomes for name, table in outcome.tables.items()
    }
    return Outcome(findings, searches, tables)
