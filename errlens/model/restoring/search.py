"""Find the preprocessing that restores an expected accuracy, if the preprocessing is to blame."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from errlens.data.photos.preprocess import Preprocessing
from errlens.data.stratified import stratified_rows
from errlens.errors import UnfitOption
from errlens.formats import counted
from errlens.model.classifier import Classifier
from errlens.model.restoring.candidates import Candidate, candidate_settings
from errlens.model.restoring.hits import hits_by_setting, takes
from errlens.model.restoring.restoration import (
    Hits,
    Restoration,
    TriedSetting,
    contenders,
    is_out_of_reach,
    restores,
    sign_test,
)
from errlens.run.places import MAX_FILE_MB

SAMPLE: Final = 200
FIRST_FRESH: Final = 800  # images outside the sample, on which a choice is confirmed
MOST_FRESH: Final = 4000  # where the first do not decide
MOST_ROUNDS: Final = 3  # settings that may be wrong at a time
FIRST_PART: Final = 4  # a quarter of the sample shows which settings are hopeless


@dataclass(frozen=True)
class SettingsSearch:
    """Tries other preprocessing on the images of an evaluation.

    `images` are the files with their labels, `hits` says which the model has right as it is used.
    `turned` and `deep` tell whether any is turned by EXIF or has more than eight bits; none of
    more than `max_mb` megabytes is read.
    """

    classifier: Classifier
    images: Sequence[tuple[Path, int]]
    hits: Hits
    expected: float
    seed: int
    workers: int
    threads: int
    progress: Callable[..., AbstractContextManager[Callable[[int], None]]]
    turned: bool = False
    deep: bool = False
    max_mb: int = MAX_FILE_MB

    def run(self) -> Restoration:
        """Change one setting after the other, as long as that helps, until one restores the result.

        A setting is chosen on a stratified sample and confirmed on images outside of it.

        Raises:
            UnfitOption: The images are prepared by the user's function.
        """
        used = self.classifier.preparation
        if not isinstance(used, Preprocessing):
            raise UnfitOption("--expect cannot try other settings of a --transform of your own")
        sample, fresh = self._split()
        base, base_hits = Candidate({}, used), self.hits[sample]
        restoring: list[TriedSetting] = []
        nearest: TriedSetting | None = None
        tried = 0
        for _ in range(MOST_ROUNDS):
            candidates = self._candidates(base)
            tried += len(candidates)
            candidates, hits = self._try_on_sample(candidates, sample)
            if not candidates:
                break
            best = candidates[0]
            is_better = sign_test(hits[0], base_hits) < 0.05
            if not is_out_of_reach(hits[0], self.expected):
                confirmed, restored = self._confirm(candidates, hits, sample, fresh)
                restoring = confirmed if restored else []
                nearest = confirmed[0] if restored or is_better else nearest
            elif is_better:
                nearest = TriedSetting(best.changes, float(hits[0].mean()), len(sample))
            if restoring or not is_better:
                break
            base, base_hits = best, hits[0]
        return Restoration(self.expected, tried, len(sample), len(fresh), restoring, nearest)

    def _split(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the rows of the sample, and those outside that confirm."""
        labels = np.array([label for _, label in self.images])
        sample = stratified_rows(labels, min(SAMPLE, len(labels) // 2), seed=self.seed)
        rest = np.setdiff1d(np.arange(len(labels)), sample)
        fresh = rest[stratified_rows(labels[rest], MOST_FRESH, seed=self.seed)]
        # Rows come class by class, and the first of these are to stand for all.
        return sample, np.random.default_rng(self.seed).permutation(fresh)

    def _candidates(self, base: Candidate) -> list[Candidate]:
        """Return the settings to try that the network takes, with the changes made so far."""
        others = candidate_settings(base.preprocessing, turned=self.turned, deep=self.deep)
        by_size = {other.preprocessing.img_size: other.preprocessing for other in others}
        taken = {size for size, setting in by_size.items() if takes(self.classifier, setting)}
        return [
            Candidate({**base.changes, **other.changes}, other.preprocessing)
            for other in others
            if other.preprocessing.img_size in taken
        ]

    def _try_on_sample(
        self, candidates: list[Candidate], sample: NDArray[np.intp]
    ) -> tuple[list[Candidate], list[Hits]]:
        """Return the candidates that the sample cannot tell from the best, best first."""
        cut = max(1, len(sample) // FIRST_PART)
        shuffled = np.random.default_rng(self.seed).permutation(sample)
        first = self._hits(candidates, shuffled[:cut])
        kept = sorted(contenders(first))
        candidates = [candidates[place] for place in kept]
        rest = self._hits(candidates, shuffled[cut:])
        hits = [np.append(first[place], more) for place, more in zip(kept, rest, strict=True)]
        back = np.argsort(shuffled)
        best = contenders(hits)
        return [candidates[place] for place in best], [hits[place][back] for place in best]

    def _confirm(
        self,
        candidates: list[Candidate],
        hits: list[Hits],
        sample: NDArray[np.intp],
        fresh: NDArray[np.intp],
    ) -> tuple[list[TriedSetting], bool]:
        """Try the contenders on fresh images, more of them where few do not decide.

        Returns:
            Those that cannot be told apart, best first, and whether the best restores the result.
        """
        restored = False
        for seen, stop in ((0, FIRST_FRESH), (FIRST_FRESH, MOST_FRESH)):
            more = self._hits(candidates, fresh[seen:stop])
            hits = [np.append(*pair) for pair in zip(hits, more, strict=True)]
            best = contenders(hits)
            candidates, hits = (
                [candidates[place] for place in best],
                [hits[place] for place in best],
            )
            used = np.append(self.hits[sample], self.hits[fresh[:stop]])
            is_fresh = np.arange(len(used)) >= len(sample)
            restored = restores(used, hits[0], fresh=is_fresh, expected=self.expected)
            if restored or stop >= len(fresh):
                break
        gain = (self.expected - used.mean()) / 2
        confirmed = [
            TriedSetting(candidate.changes, float(tried[is_fresh].mean()), int(is_fresh.sum()))
            for candidate, tried in zip(candidates, hits, strict=True)
            if tried.mean() - used.mean() >= gain or not restored
        ]
        return confirmed, restored

    def _hits(self, candidates: Sequence[Candidate], rows: NDArray[np.intp]) -> list[Hits]:
        """Predict some images with each setting."""
        if not len(rows) or not candidates:
            return [np.zeros(0, bool)] * len(candidates)
        what = f"trying {counted(len(candidates), 'setting')}"
        with self.progress(what, total=len(rows), done=0) as advance:
            return hits_by_setting(
                self.classifier,
                [candidate.preprocessing for candidate in candidates],
                [self.images[row] for row in rows],
                workers=self.workers,
                threads=self.threads,
                max_mb=self.max_mb,
                progress=advance,
            )
