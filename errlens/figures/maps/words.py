"""What is said of a map beside it: the score, how it was made, and how far it is to be believed."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from errlens.formats import number, probability, share, signed
from errlens.maps import LARGE_GAP, Attribution


def detail(shown: Attribution, chance: float | None) -> str:
    """Return what is worth knowing of a map: the score explained, its gap."""
    known = chance is not None and not shown.unit.startswith("probability")
    score = f"{f'p {probability(chance)}, ' * known}{score_words(shown)}"
    return "\n".join([score, *_fit(shown), *_sum(shown)])


def score_words(shown: Attribution) -> str:
    """Write the score that a map explains, a difference as such."""
    what = "p" if shown.unit.startswith("probability") else "logit"
    if shown.target.against is not None:
        return f"{what} difference {signed(shown.score)}"
    return f"{what} {probability(shown.score) if what == 'p' else number(shown.score)}"


def detail_of_method(shown: Attribution) -> list[str]:
    """Return what is worth knowing of a map beside those of other methods."""
    return [f"{size(shown.values)}, {shown.unit}", *layer_words(shown), *_fit(shown), *_sum(shown)]


def _sum(shown: Attribution) -> list[str]:
    """Return what did not arrive in a map, or that it does not add up to what it should."""
    if shown.absorbed is not None:
        arrived = float(shown.values.sum(dtype=np.float64))
        return [f"adds up to {number(arrived)}; absorbed {number(shown.absorbed)}"]
    gap = shown.completeness_gap
    if gap is None or gap <= LARGE_GAP:
        return []
    total, wanted = float(shown.values.sum(dtype=np.float64)), shown.total
    return [
        f"completeness gap {share(gap)}: adds up to {number(total)} instead of {number(wanted)}"
    ]


def _fit(shown: Attribution) -> list[str]:
    """Return how well a map fits the scores, of methods that fit one."""
    if shown.r_squared is None:
        return []
    return [f"{'poor fit: ' * shown.fits_poorly}R-squared {number(shown.r_squared)}"]


def size(values: NDArray[np.float32]) -> str:
    """Return the native size of a map."""
    return "{} x {}".format(*values.shape)


def how(maps: Sequence[Attribution]) -> str:
    """Return how maps were made, and their sizes."""
    first = maps[0]
    against = f" against {first.baseline}" if first.baseline else ""
    sizes = " and ".join(dict.fromkeys(size(shown.values) for shown in maps))
    return ", ".join([first.method + against, *layer_words(first), sizes])


def layer_words(shown: Attribution) -> list[str]:
    """Return the layer that a map is of, in words where there are any."""
    if shown.layer is None:
        return []
    words = shown.layer_words
    return [f"layer {shown.layer}" if words is None else f"{words} ({shown.layer})"]
