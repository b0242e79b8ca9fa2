"""Gates: limits for the metrics of a run, as they are written, and whether the run keeps to them.

Values are compared unrounded, and one that meets its limit passes. A metric that no image counts
for fails: nothing was shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from errlens import formats
from errlens.analysis.gates.metrics import (
    FINDING,
    OF_A_CLASS,
    PAIR,
    Measured,
    RunMetrics,
    names_of_metrics,
    read_metric,
)
from errlens.analysis.selection.parsing import parse_pair
from errlens.classes.names import ClassNames
from errlens.errors import UnfitGate, did_you_mean, nearest, some, which_of
from errlens.formats import told_apart

_SHARES: Final = ("top1", "top5", "super_top1", "ece", "ece_equal_mass", "macro_f1")

NOT_SURELY_MORE: Final = "not surely >"  # `low <=` in words

Op = Literal[">=", "<=", "low <="]


class Gate(NamedTuple):
    """A limit for one metric: `kind` is a name of metrics.json, or recall, ... of `classes`.

    `metric` is both as they are written. The value itself must keep to the threshold, or with
    `low <=` the lower bound of its interval.
    """

    metric: str
    op: Op
    threshold: float
    kind: str
    classes: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """The gate in a few words."""
        if self.op == "low <=":
            return f"{self.metric} {NOT_SURELY_MORE} {100 * self.threshold:g} pp"
        return f"{self.metric} {self.op} {repr(self.threshold).removesuffix('.0')}"


@dataclass(frozen=True)
class GateResult:
    """What became of a gate. `reason` is empty where there is nothing to say."""

    gate: Gate
    measured: Measured
    passed: bool
    reason: str = ""
    details: Mapping[str, Any] | None = None

    def __repr__(self) -> str:
        """Return a line for a notebook."""
        outcome = "passed" if self.passed else "failed"
        return f"<{self.gate.name}: {outcome}, {formats.number(self.measured.value)}>"

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        gate, measured = self.gate, self.measured
        return {
            "name": gate.name,
            "metric": gate.metric,
            "op": gate.op,
            "threshold": gate.threshold,
            "value": measured.value,
            "low": measured.low,
            "high": measured.high,
            "n": measured.n,
            "passed": self.passed,
            "reason": self.reason or None,
            **({"details": dict(self.details)} if self.details else {}),
        }


def read_gates(
    fail_under: Sequence[str], fail_over: Sequence[str], metrics: RunMetrics
) -> list[Gate]:
    """Read limits like `top1=0.80`, `recall:Bengal=60%` and `pair:A~B=0.05`; doubles count once.

    A class may be called anything: the limit is what follows the last `=`.

    Raises:
        UnfitGate: One of them names no metric or no class, or its limit is no number.
        UnfitSelection: A pair is no two classes, or may be several twos.
    """
    wanted: list[tuple[Literal[">=", "<="], str]] = [(">=", text) for text in fail_under]
    wanted += [("<=", text) for text in fail_over]
    return list(dict.fromkeys(_gate(text, op, metrics) for op, text in wanted))


def judge(gate: Gate, metrics: RunMetrics) -> GateResult:
    """Hold a gate against the metrics."""
    measured = read_metric(gate.kind, gate.classes, metrics)
    value = measured.value
    if value is None:
        return GateResult(gate, measured, passed=False, reason=measured.missing)
    under = gate.op == ">="
    passed = value >= gate.threshold if under else value <= gate.threshold
    shown, limit = told_apart(value, gate.threshold)
    reason = f"{gate.metric} is {shown}, {'under' if under else 'over'} {limit}"
    return GateResult(gate, measured, passed=passed, reason="" if passed else reason)


def read_number(text: str) -> float | None:
    """Return the float nearest to a number, or to a percentage like `60%`; None if it is neither.

    >>> read_number("0.60"), read_number("60%"), read_number("60 percent")
    (0.6, 0.6, None)
    """
    # A mapping in a configuration comes with its texts in quotes.
    stripped = text.strip().strip("'\"")
    try:
        exact = Decimal(stripped.removesuffix("%").rstrip())
        number = float(exact / 100 if stripped.endswith("%") else exact)
    except (ArithmeticError, ValueError):
        return None
    return number if np.isfinite(number) else None


def _gate(text: str, op: Literal[">=", "<="], metrics: RunMetrics) -> Gate:
    option = "--fail-under" if op == ">=" else "--fail-over"
    metric, equals, limit = text.rpartition("=")
    if not equals:
        raise UnfitGate(
            f"{option} {text!r} is not of the form METRIC=X", hint=f"like {option} top1=0.8"
        )
    threshold = read_number(limit)
    if threshold is None:
        raise UnfitGate(
            f"{option} {text!r}: {limit!r} is no number", hint="like 0.8, or 80% for a share"
        )
    gate = _named(metric, metrics)._replace(op=op, threshold=threshold)
    is_share = bool(gate.classes) or gate.kind in _SHARES
    if is_share and not 0 <= threshold <= 1:
        raise UnfitGate(
            f"{option} {text!r}: {gate.metric} lies between 0 and 1",
            hint=f"{limit} per cent is written {limit}%" if 1 < threshold <= 100 else "",
        )
    if not is_share and limit.rstrip("'\" ").endswith("%"):
        raise UnfitGate(f"{option} {text!r}: {gate.metric} is no share, so {limit!r} means nothing")
    return gate


def _named(metric: str, metrics: RunMetrics) -> Gate:
    """Return the gate of a metric that is named as on the command line, its limit still open."""
    names = metrics.classes
    kind, colon, rest = metric.partition(":")
    if colon and kind == PAIR:
        a, b = parse_pair(rest, names)
        return Gate(f"{PAIR}:{names[a]}~{names[b]}", ">=", 0, PAIR, (a, b))
    if colon and kind in OF_A_CLASS:
        index = _class_of(rest, metric, names)
        return Gate(f"{kind}:{names[index]}", ">=", 0, kind, (index,))
    if colon and kind == FINDING:
        if rest not in metrics.findings():
            raise UnfitGate(
                f"{metric!r}: {rest!r} is no kind of finding",
                hint=which_of(rest, [*metrics.findings()]),
            )
        return Gate(metric, ">=", 0, metric)
    known = names_of_metrics(metrics.overall())
    if metric in known:
        return Gate(metric, ">=", 0, metric)
    near = nearest(metric, [*known, *(f"{kind}:{rest}" for kind in (*OF_A_CLASS, PAIR))])
    raise UnfitGate(
        f"there is no metric {metric!r}",
        hint=did_you_mean(
            near,
            f"there are {', '.join(known)}, recall:CLASS, precision:CLASS, f1:CLASS, "
            f"pair:A~B and finding:KIND",
        ),
    )


def _class_of(name: str, metric: str, classes: ClassNames) -> int:
    meant = classes.meant(name)
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise UnfitGate(f"{metric!r} may mean any of {some([classes[index] for index in meant])}")
    raise UnfitGate(
        f"{metric!r}: {name!r} names no class",
        hint=which_of(name, classes.names),
    )
