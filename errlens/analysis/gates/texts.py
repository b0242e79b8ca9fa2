"""How the numbers of a gate are written: alike on the terminal, the page and in the summary."""

from typing import NamedTuple

from errlens.analysis.gates.drop import METRIC as DROP
from errlens.analysis.gates.drop import drop_and_limit, in_points
from errlens.analysis.gates.limits import NOT_SURELY_MORE
from errlens.analysis.gates.metrics import FINDING
from errlens.formats import NOT_KNOWN, count, counted, number, number_range, points, told_apart


class GateTexts(NamedTuple):
    """A value, what is asked of it (`demand` and `limit`) and its interval as they are written.

    A drop is in points; one that is none, but a gain, is called that.
    """

    value: str
    demand: str
    limit: str
    interval: str


def gate_texts(
    metric: str,
    value: float | None,
    op: str,
    threshold: float,
    low: float | None,
    high: float | None,
) -> GateTexts:
    """Write the numbers of a gate, with as many digits as it takes to tell value and limit apart.

    The interval of a drop has one end: it may be that drop, or gain, or anything worse.

    >>> gate_texts("top1", 0.79996, ">=", 0.8, 0.75, 0.84)
    GateTexts(value='0.79996', demand='>=', limit='0.80000', interval='0.7500 to 0.8400')
    >>> tuple(gate_texts("drop:top1", 0.05, "low <=", 0.005, 0.026365, None))
    ('drop of 5.0 pp', 'not surely >', '0.5 pp', 'drop of 2.6 pp or worse')
    >>> tuple(gate_texts("drop:top1", -0.05, "low <=", 0.0, -0.0719, None))
    ('gain of 5.0 pp', 'not surely >', '0.0 pp', 'gain of 7.2 pp or worse')
    >>> tuple(gate_texts("finding:slice", None, "<=", 0.0, None, None))
    ('-', '<=', '0', '')
    """
    if metric == DROP:
        if value is None or low is None:
            return GateTexts(NOT_KNOWN, NOT_SURELY_MORE, in_points(threshold), "")
        bound, limit = drop_and_limit(low, threshold)
        return GateTexts(_told(value), NOT_SURELY_MORE, limit, f"{_told(low, bound)} or worse")
    if value is None:
        is_count = metric.startswith(f"{FINDING}:")
        limit = count(threshold) if is_count else number(threshold)
        return GateTexts(NOT_KNOWN, op, limit, "")
    shown, limit = told_apart(value, threshold)
    return GateTexts(shown, op, limit, number_range(low, high))


def _told(drop: float, size: str = "") -> str:
    """Call a drop one, and a gain one; `size` is how the drop is written, points by default."""
    if not drop:
        return "no change"
    size = size if size and drop > 0 else points(abs(drop)).lstrip("+")
    return f"{'drop' if drop > 0 else 'gain'} of {size}"


def verdict(failed: int, gates: int) -> str:
    """Say whether gates were passed.

    >>> verdict(0, 3), verdict(1, 3)
    ('Passed: 3 gates.', 'Failed: 1 of 3 gates.')
    """
    if failed:
        return f"Failed: {count(failed)} of {counted(gates, 'gate')}."
    return f"Passed: {counted(gates, 'gate')}."
