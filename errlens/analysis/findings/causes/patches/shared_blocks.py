"""Blocks of pixels that many pictures share at the same place: a stamp, a date, a ruler.

Pictures are coarse ones, 32 x 32 grey levels, whatever their size was, so that a place is relative.
Two blocks are equal where they differ by no more than JPEG does. A block with texture is hardly
ever in two photos by chance; one without is wherever there is sky or a white background, which
come left as often as right and are therefore held against their mirror images.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

SIDE: Final = 32
SHAPES: Final = ((4, 4), (2, 8), (8, 2))  # compact, a line of writing, a ruler
STEP: Final = 2
TOLERANCE: Final = 10.0  # root mean square, in grey levels
TEXTURE: Final = 20.0  # standard deviation, in grey levels
FLAT: Final = 5.0
SEEDS: Final = 48  # blocks of a place that the others are compared with
_TIMES_MIRRORED: Final = 4
_SAME: Final = 12.0  # standard deviation of a cell of a stamp over the pictures that bear it
_MOST_CELLS: Final = 0.6  # more is no stamp but the photo itself
_LEAST_CELLS: Final = 12


class Block(NamedTuple):
    """A block that `bearers` pictures share with the picture at `seed`, itself counted."""

    bearers: int
    seed: int
    top: int
    left: int
    height: int
    width: int


class Stamp(NamedTuple):
    """What pictures share: which cells, shape (32, 32), and their grey levels there."""

    cells: NDArray[np.bool_]
    grey: NDArray[np.float32]

    def is_on(self, pictures: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Tell which pictures bear it, of shape (n, 32, 32)."""
        grey = self.grey[self.cells]
        borne = np.empty(len(pictures), bool)
        for start in range(0, len(pictures), 2**14):
            block = pictures[start : start + 2**14, self.cells].astype(np.float32)
            borne[start : start + 2**14] = ((block - grey) ** 2).mean(axis=1) <= TOLERANCE**2
        return borne


def shared_block(pictures: NDArray[np.uint8], *, least: int, seed: int = 0) -> Block | None:
    """Return the block that most pictures share; None where none is shared by so many.

    Args:
        pictures: Shape (n, 32, 32).
        least: How many have to.
        seed: Draws the blocks that the others are compared with.
    """
    rng = np.random.default_rng(seed)
    grey = pictures.astype(np.float32)
    mirrored = [grey[:, :, ::-1], grey[:, ::-1], grey[:, ::-1, ::-1]]
    best: Block | None = None
    for height, width, top, left in _places():
        window = np.s_[:, top : top + height, left : left + width]
        blocks = _flat(grey[window])
        contrast = blocks.std(axis=1)
        kinds = [contrast >= TEXTURE]
        if height == width:
            kinds.append(contrast <= FLAT)
        for kind, fit in enumerate(kinds):
            seeds = np.flatnonzero(fit)
            seeds = rng.choice(seeds, min(SEEDS, len(seeds)), replace=False)
            if len(seeds) == 0:
                continue
            counts = _equal(blocks[seeds], blocks)
            if kind and counts.max() >= least:
                others = [_equal(blocks[seeds], _flat(each[window])) for each in mirrored]
                counts = np.where(counts >= _TIMES_MIRRORED * np.max(others, axis=0), counts, 0)
            at = int(np.argmax(counts))
            if counts[at] >= max(least, best.bearers + 1 if best else 0):
                best = Block(int(counts[at]), int(seeds[at]), top, left, height, width)
    return best


def bearers_of(block: Block, pictures: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell which of the pictures have a block that was found among them."""
    window = np.s_[:, block.top : block.top + block.height, block.left : block.left + block.width]
    blocks = _flat(pictures[window].astype(np.float32))
    return np.asarray(_distances(blocks[[block.seed]], blocks)[0] <= TOLERANCE**2)


def stamp_of(bearers: NDArray[np.bool_], pictures: NDArray[np.uint8]) -> Stamp | None:
    """Return all that the pictures with a block share; None where that is no stamp.

    It is none where it is but a few cells, nearly the whole picture, or plain and as often on the
    other side.
    """
    usual = pictures.std(axis=0)
    stamp = None
    for _ in range(2):
        grey = pictures[bearers].astype(np.float32)
        spread = grey.std(axis=0)
        cells = (spread <= _SAME) & (spread <= usual / 2)
        if not _LEAST_CELLS <= cells.sum() <= _MOST_CELLS * SIDE**2:
            return None
        stamp = Stamp(cells, np.median(grey, axis=0).astype(np.float32))
        bearers = stamp.is_on(pictures)
        if not bearers.any():
            return None
    return stamp if stamp and not _is_background(stamp, pictures) else None


def _is_background(stamp: Stamp, pictures: NDArray[np.uint8]) -> bool:
    if stamp.grey[stamp.cells].std() >= TEXTURE:
        return False
    mirrored = stamp.is_on(pictures[:, :, ::-1]).sum()
    return bool(_TIMES_MIRRORED * mirrored > stamp.is_on(pictures).sum())


def n_places() -> int:
    """Return how many places are looked at."""
    return sum(1 for _ in _places())


def _places() -> Iterator[tuple[int, int, int, int]]:
    for height, width in SHAPES:
        for top in range(0, SIDE + 1 - height, STEP):
            for left in range(0, SIDE + 1 - width, STEP):
                yield height, width, top, left


def _flat(blocks: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.ascontiguousarray(blocks).reshape(len(blocks), -1)


def _distances(seeds: NDArray[np.float32], blocks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean square difference of each block from each seed."""
    squares = (seeds**2).sum(axis=1)[:, np.newaxis] + (blocks**2).sum(axis=1)
    return np.asarray((squares - 2 * seeds @ blocks.T) / seeds.shape[1])


def _equal(seeds: NDArray[np.float32], blocks: NDArray[np.float32]) -> NDArray[np.int64]:
    return np.asarray((_distances(seeds, blocks) <= TOLERANCE**2).sum(axis=1))
