"""Features of images that a network is asked for, a few hundred images at a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from errlens.model.classifier import Classifier
from errlens.model.predict import as_kept
from errlens.network.features import read_features

_AT_ONCE: Final = 1024  # images whose features are held


class Part(NamedTuple):
    """The features of those of some images that could be read, and where these are in the list.

    `features` has shape (n, d), as a run keeps them; `content_hashes` are those of the n files.
    """

    places: NDArray[np.int64]
    features: NDArray[np.float16]
    content_hashes: list[bytes]


@dataclass(frozen=True)
class Asker:
    """A network, and how it is asked: none of it changes what comes out."""

    classifier: Classifier
    batch_size: int
    workers: int
    threads: int
    max_mb: int

    def parts(
        self, paths: Sequence[Path | None], *, advance: Callable[[int], None]
    ) -> Iterator[Part]:
        """Yield the features of images, part by part in their order.

        Raises:
            UnfitModel: The network has no features before its outputs.
        """
        for start in range(0, len(paths), _AT_ONCE):
            some = read_features(
                self.classifier,
                paths[start : start + _AT_ONCE],
                batch_size=self.batch_size,
                workers=self.workers,
                threads=self.threads,
                max_mb=self.max_mb,
                advance=advance,
            )
            yield Part(
                start + np.flatnonzero(some.read), as_kept(some.features), some.content_hashes
            )

    def all_of(
        self,
        paths: Sequence[Path],
        expected: Sequence[bytes | None],
        *,
        advance: Callable[[int], None],
    ) -> tuple[NDArray[np.float16], NDArray[np.bool_]]:
        """Return the features of images, and which of all they are.

        Args:
            paths: The images.
            expected: Content hashes; another file under an old name is left out.
            advance: Is told of each step.
        """
        read = np.zeros(len(paths), bool)
        values = []
        for part in self.parts(paths, advance=advance):
            same = np.array(
                [
                    expected[place] in (None, content)
                    for place, content in zip(part.places, part.content_hashes, strict=True)
                ],
                bool,
            )
            read[part.places[same]] = True
            values.append(part.features[same])
        return np.concatenate(values) if values else np.zeros((0, 0), np.float16), read
