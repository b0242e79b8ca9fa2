"""Find the preprocessing that restores an expected accuracy, if the preprocessing is to blame."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from errlens.data.photos.preprocess import Preprocessing
from errlens.data.samples import stratified_rows
from errlens.errors import UnfitOption
from errlens.model.classifier import Classifier
from errlens.model.restoring.restoration import (
    Diagnosis,
    Finding,
    contenders,
    is_out_of_reach,
    restores,
    sign_test,
)
from errlens.model.restoring.suspects import Suspect, usual_suspects
from errlens.model.restoring.trials import takes, try_settings
from errlens.run.places import MAX_FILE_MB

SAMPLE: Final = 200
FIRST_FRESH: Final = 800  # images a choice is confirmed on
MOST_FRESH: Final = 4000  # where the first do not decide
MOST_ROUNDS: Final = 3  # settings that may be wrong at a time
FIRST_LOOK: Final = 4  # a quarter of the sample shows what is hopeless

Hits = NDArray[np.bool_]


@dataclass(frozen=True)
class Doctor:
    """Tries the usual suspects on images of an evaluation.

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

    def diagnose(self) -> Diagnosis:
        """Change one setting after the other, as long as that helps, until one restores the result.

        A setting is chosen on a stratified sample and confirmed on images outside of it.

        Raises:
            UnfitOption: The images are prepared by the user's own function.
        """
        used = self.classifier.preparation
        if not isinstance(used, Preprocessing):
            raise UnfitOption("--expect cannot try other settings of a --transform of your own")
        sample, fresh = self._split()
        base, base_hits = Suspect({}, used), self.hits[sample]
        restoring: list[Finding] = []
        nearest: Finding | None = None
        tried = 0
        for _ in range(MOST_ROUNDS):
            suspects = self._suspects(base)
            tried += len(suspects)
            suspects, hits = self._try_on_sample(suspects, sample)
            if not suspects:
                break
            best = suspects[0]
            is_better = sign_test(hits[0], base_hits) < 0.05
            if not is_out_of_reach(hits[0], self.expected):
                findings, restored = self._confirm(suspects, hits, sample, fresh)
                restoring = findings if restored else []
                nearest = findings[0] if restored or is_better else nearest
            elif is_better:
                nearest = Finding(best.changes, float(hits[0].mean()), len(sample))
            if restoring or not is_better:
                break
            base, base_hits = best, hits[0]
        return Diagnosis(self.expected, tried, len(sample), len(fresh), restoring, nearest)

    def _split(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the rows of the sample, and those outside that confirm."""
        labels = np.array([label for _, label in self.images])
        sample = stratified_rows(labels, min(SAMPLE, len(labels) // 2), seed=self.seed)
        rest = np.setdiff1d(np.arange(len(labels)), sample)
        fresh = rest[stratified_rows(labels[rest], MOST_FRESH, seed=self.seed)]
        # Rows come class by class, and the first of these are to stand for all.
        return sample, np.random.default_rng(self.seed).permutation(fresh)

    def _suspects(self, base: Suspect) -> list[Suspect]:
        """Return the usual suspects that the network takes, with the changes made so far."""
        found = [
            Suspect({**base.changes, **suspect.changes}, suspect.preprocessing)
            for suspect in usual_suspects(base.preprocessing, turned=self.turned, deep=self.deep)
        ]
        sizes = {one.preprocessing.img_size: one.preprocessing for one in found}
        fine = {size for size, one in sizes.items() if takes(self.classifier, one)}
        return [one for one in found if one.preprocessing.img_size in fine]

    def _try_on_sample(
        self, suspects: list[Suspect], sample: NDArray[np.intp]
    ) -> tuple[list[Suspect], list[Hits]]:
        """Return the suspects that the sample cannot tell from the best, best first."""
        cut = max(1, len(sample) // FIRST_LOOK)
        shuffled = np.random.default_rng(self.seed).permutation(sample)
        first = self._hits(suspects, shuffled[:cut])
        kept = sorted(contenders(first))
        rest = self._hits([suspects[one] for one in kept], shuffled[cut:])
        hits = [np.append(first[one], more) for one, more in zip(kept, rest, strict=True)]
        back = np.argsort(shuffled)
        chosen = contenders(hits)
        return [suspects[kept[one]] for one in chosen], [hits[one][back] for one in chosen]

    def _confirm(
        self,
        suspects: list[Suspect],
        hits: list[Hits],
        sample: NDArray[np.intp],
        fresh: NDArray[np.intp],
    ) -> tuple[list[Finding], bool]:
        """Try the contenders on fresh images, more of them where few do not decide.

        Returns:
            Those that cannot be told apart, best first, and whether the best restores the result.
        """
        restored = False
        for seen, stop in ((0, FIRST_FRESH), (FIRST_FRESH, MOST_FRESH)):
            more = self._hits(suspects, fresh[seen:stop])
            hits = [np.append(*pair) for pair in zip(hits, more, strict=True)]
            best = contenders(hits)
            suspects, hits = [suspects[one] for one in best], [hits[one] for one in best]
            used = np.append(self.hits[sample], self.hits[fresh[:stop]])
            is_fresh = np.arange(len(used)) >= len(sample)
            restored = restores(used, hits[0], fresh=is_fresh, expected=self.expected)
            if restored or stop >= len(fresh):
                break
        gain = (self.expected - used.mean()) / 2
        findings = [
            Finding(suspect.changes, float(one[is_fresh].mean()), int(is_fresh.sum()))
            for suspect, one in zip(suspects, hits, strict=True)
            if one.mean() - used.mean() >= gain or not restored
        ]
        return findings, restored

    def _hits(self, suspects: Sequence[Suspect], rows: NDArray[np.intp]) -> list[Hits]:
        """Predict some images with each setting."""
        if not len(rows) or not suspects:
            return [np.zeros(0, bool)] * len(suspects)
        what = f"trying {len(suspects)} settings"
        with self.progress(what, total=len(rows), done=0) as advance:
            return try_settings(
                self.classifier,
                [one.preprocessing for one in suspects],
                [self.images[row] for row in rows],
                workers=self.workers,
                threads=self.threads,
                max_mb=self.max_mb,
                progress=advance,
            )
