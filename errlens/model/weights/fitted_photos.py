"""Which photos a head was fitted to: a sample of their contents, kept in its checkpoint.

The sample are the smallest hashes, a minimum-wise sample: of other photos, those with hashes below
its largest are in it or were not fitted to (A. Broder, On the resemblance and containment of
documents, SEQUENCES 1997).
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

KEY: Final = "fitted_to"  # of the configuration of a checkpoint
MOST: Final = 1000  # hashes that are kept; of no more photos, all
_BYTES: Final = 8  # of a hash


class Known(NamedTuple):
    """How many of the photos compared a head was fitted to."""

    n: int
    compared: int


def sampled(content_hashes: Iterable[bytes]) -> dict[str, Any]:
    """Return what a checkpoint keeps of the photos its head was fitted to, as plain values."""
    hashes = sorted({each[:_BYTES].hex() for each in content_hashes})
    return {"n": len(hashes), "smallest_hashes": hashes[:MOST]}


def known_photos(config: Mapping[str, Any], content_hashes: Iterable[bytes]) -> Known:
    """Count the photos that the head of a checkpoint was fitted to.

    Args:
        config: The configuration of the checkpoint.
        content_hashes: Of the photos; of many that were fitted to, only a sample is compared.

    >>> photos = [bytes([number]) * 8 for number in range(4)]
    >>> known_photos({KEY: sampled(photos[:2])}, photos)
    Known(n=2, compared=4)
    """
    kept = config.get(KEY)
    hashes = kept.get("smallest_hashes") if isinstance(kept, dict) else None
    if not isinstance(hashes, list) or not all(isinstance(each, str) for each in hashes):
        return Known(0, 0)
    photos = [each[:_BYTES].hex() for each in content_hashes]
    sample, largest = {*hashes}, max(hashes, default="")
    if len(hashes) == MOST:
        photos = [photo for photo in photos if photo <= largest]
    return Known(sum(photo in sample for photo in photos), len(photos))
