"""Pictures that show the same photo, recompressed, resized or lightened: found by their hashes.

Two pictures come into question where at most 7 of the 64 bits of their perceptual hashes differ.
Then one of the four quarters of the hash differs in one bit at most (of four numbers that add up to
7 the smallest is 0 or 1), so that it is enough to look up each quarter, as it is and with each bit
turned: exact, without comparing all with all. Among very many pictures it is three thirds, of which
more bits tell more apart, and 5 bits. Coarse pictures confirm it.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SIDE: Final = 32  # of a coarse picture
LEAST_CONTRAST: Final = 8.0  # standard deviation in grey levels; what is flatter is like anything
MOST_DISTANCE: Final = 0.07
# Where pictures resemble one another anyway, as digits do, copies are far more alike than these.
_SHARE_OF_USUAL: Final = 0.15
_USUAL_RANK: Final = 5  # the nearest ones may be copies
_SAMPLE: Final = 500

_BITS: Final = 64  # of a hash
_VERY_MANY: Final = 50_000  # pictures
_PAIRS: Final = 2**22  # hashes compared at once
_CONFIRMED: Final = 2**12  # pictures compared at once


class Pictures(NamedTuple):
    """The m pictures that can be compared.

    `at` holds their places in the table they are from; `phash` is uint64 and `coarse` uint8 of
    shape (m, 1024).
    """

    at: NDArray[np.intp]
    phash: NDArray[np.uint64]
    coarse: NDArray[np.uint8]


class Pairs(NamedTuple):
    """Pairs of places in two tables, and 1 less the correlation of the two coarse pictures."""

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    distance: NDArray[np.float64]


def pictures_of(properties: pd.DataFrame) -> Pictures:
    """Return the pictures that were measured and are not flat.

    Args:
        properties: Columns `phash` (8 bytes) and `coarse` (1,024 bytes), missing where there is no
            picture; without the columns there is none at all.
    """
    if not {"phash", "coarse"} <= {*properties.columns}:
        return Pictures(np.zeros(0, np.intp), np.zeros(0, np.uint64), np.zeros((0, SIDE**2), "u1"))
    phash, coarse = properties["phash"].tolist(), properties["coarse"].tolist()
    is_whole = [
        isinstance(hashed, bytes)
        and len(hashed) == 8
        and isinstance(picture, bytes)
        and len(picture) == SIDE**2
        for hashed, picture in zip(phash, coarse, strict=True)
    ]
    at = np.flatnonzero(is_whole)
    hashes = np.frombuffer(b"".join(phash[place] for place in at), np.uint64)
    grey = np.frombuffer(b"".join(coarse[place] for place in at), np.uint8).reshape(-1, SIDE**2)
    contrast = [block.std(axis=1) for block in np.array_split(grey, 1 + len(grey) // 2**14)]
    kept = np.concatenate(contrast) >= LEAST_CONTRAST
    return Pictures(at[kept], hashes[kept], grey[kept])


def near_pairs(pictures: Pictures, others: Pictures | None = None) -> Pairs:
    """Return which pictures show the same photo: each pair once, by its places.

    Args:
        pictures: One table.
        others: Another one, for pairs of one and one; else pairs are sought in the first, the lower
            place first.
    """
    right = pictures if others is None else others
    limit = most_distance(pictures)
    found: list[NDArray[np.float64]] = []
    for first, second in _alike(pictures.phash, right.phash, within=others is None):
        distance = _distances(pictures.coarse, right.coarse, first, second)
        near = distance <= limit
        found.append(np.array([first[near], second[near], distance[near]]))
    pairs = np.unique(np.concatenate([np.zeros((3, 0)), *found], axis=1), axis=1)
    first, second = pairs[:2].astype(np.intp)
    return Pairs(pictures.at[first], right.at[second], pairs[2])


def most_distance(pictures: Pictures) -> float:
    """Return how far apart copies may be, in pictures as alike as these usually are."""
    sample = np.random.default_rng(0).permutation(len(pictures.at))[:_SAMPLE]
    if len(sample) <= _USUAL_RANK:
        return MOST_DISTANCE
    unit = _standard(pictures.coarse[sample])
    alike = unit @ unit.T
    np.fill_diagonal(alike, -1)
    usual = 1 - np.partition(alike, -_USUAL_RANK, axis=1)[:, -_USUAL_RANK]
    return min(MOST_DISTANCE, _SHARE_OF_USUAL * float(np.median(usual)))


def _alike(
    left: NDArray[np.uint64], right: NDArray[np.uint64], *, within: bool
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield places of hashes that differ in few bits; a pair may come more than once."""
    n_parts = 4 if max(len(left), len(right)) <= _VERY_MANY else 3
    for low, high in pairwise(np.linspace(0, _BITS, n_parts + 1).astype(int)):
        mask = np.uint64((1 << int(high - low)) - 1)
        rows, keys = _sorted_by((left >> np.uint64(low)) & mask)
        others, other_keys = _sorted_by((right >> np.uint64(low)) & mask)
        for turned in (0, *(1 << bit for bit in range(high - low))):
            wanted = keys ^ np.uint64(turned)
            start = np.searchsorted(other_keys, wanted, "left")
            times = np.searchsorted(other_keys, wanted, "right") - start
            for some in _in_blocks(times):
                first = np.repeat(rows[some], times[some])
                before = np.cumsum(times[some]) - times[some]
                step = np.arange(len(first)) + np.repeat(start[some] - before, times[some])
                second = others[step]
                differ = np.bitwise_count(left[first] ^ right[second])
                kept = (differ <= 2 * n_parts - 1) & (first < second if within else True)
                yield first[kept], second[kept]


def _sorted_by(keys: NDArray[np.uint64]) -> tuple[NDArray[np.intp], NDArray[np.uint64]]:
    order = np.argsort(keys, kind="stable")
    return order, keys[order]


def _in_blocks(times: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """Yield the places that have something to be compared with, a bounded number at a time."""
    some = np.flatnonzero(times)
    block = np.cumsum(times[some]) // _PAIRS
    yield from np.split(some, np.flatnonzero(np.diff(block)) + 1)


def _distances(
    left: NDArray[np.uint8],
    right: NDArray[np.uint8],
    first: NDArray[np.intp],
    second: NDArray[np.intp],
) -> NDArray[np.float64]:
    distance = np.empty(len(first))
    for start in range(0, len(first), _CONFIRMED):
        block = slice(start, start + _CONFIRMED)
        both = _standard(left[first[block]]) * _standard(right[second[block]])
        distance[block] = 1 - both.sum(axis=1)
    return np.maximum(distance, 0)


def _standard(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return pictures of mean 0 and length 1, whose product is their correlation."""
    centred = grey.astype(np.float32) - grey.mean(axis=1, keepdims=True, dtype=np.float32)
    return np.asarray(centred / np.linalg.norm(centred, axis=1, keepdims=True))
