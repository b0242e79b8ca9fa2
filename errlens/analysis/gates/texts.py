"""How the numbers of a gate are written: alike on the terminal, the page and in the summary."""

from typing import NamedTuple

from errlens.analysis.gates.drop import METRIC as DROP
from errlens.formats import NOT_KNOWN, number, number_range, points, told_apart


class GateTexts(NamedTuple):
    """A value, its limit and its interval as they are written.

    A drop is in points; one that is none, but a gain, is called that.
    """

    value: str
    limit: str
    interval: str


def gate_texts(
    metric: str, value: float | None, threshold: float, low: float | None, high: float | None
) -> GateTexts:
    """Write the numbers of a gate, with as many digits as it takes to tell value and limit apart.

    >>> gate_texts("top1", 0.79996, 0.8, 0.75, 0.84)
    GateTexts(value='0.79996', limit='0.80000', interval='0.7500 to 0.8400')
    >>> gate_texts("drop:top1", 0.05, 0.005, 0.026365, None)
    GateTexts(value='5.0 pp', limit='0.5000 pp', interval='at least 2.6365 pp')
    >>> gate_texts("drop:top1", -0.05, 0.005, -0.0719, None)
    GateTexts(value='gain of 5.0 pp', limit='0.5000 pp', interval='at best a gain of 7.2 pp')
    """
    if metric == DROP:
        if value is None or low is None:
            return GateTexts(NOT_KNOWN, f"{number(100 * threshold)} pp", "")
        bound, limit = told_apart(100 * low, 100 * threshold)
        surely = f"at least {bound} pp" if low >= 0 else f"at best a {_gain(low)}"
        drop = _gain(value) if value < 0 else points(value).lstrip("+")
        return GateTexts(drop, f"{limit} pp", surely)
    if value is None:
        return GateTexts(NOT_KNOWN, number(threshold), "")
    return GateTexts(*told_apart(value, threshold), number_range(low, high))


def _gain(drop: float) -> str:
    return f"gain of {points(-drop).lstrip('+')}"
