"""How the numbers of a gate are written: alike on the terminal, the page and in the summary."""

from typing import NamedTuple

from errlens.analysis.gates.drop import METRIC as DROP
from errlens.formats import NOT_KNOWN, number, number_range, points, told_apart


class GateTexts(NamedTuple):
    """A value, its limit and its interval as they are written; a drop is in points."""

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
    """
    if metric == DROP:
        if value is None or low is None:
            return GateTexts(NOT_KNOWN, f"{number(100 * threshold)} pp", "")
        bound, limit = told_apart(100 * low, 100 * threshold)
        return GateTexts(points(value).lstrip("+"), f"{limit} pp", f"at least {bound} pp")
    if value is None:
        return GateTexts(NOT_KNOWN, number(threshold), "")
    return GateTexts(*told_apart(value, threshold), number_range(low, high))
