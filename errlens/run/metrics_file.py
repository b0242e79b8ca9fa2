"""What those who read `metrics.json` rely on; its meaning: `errlens.analysis.accuracy.metrics`."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, NonNegativeInt, ValidationError, model_validator


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")


class _Mean(_Strict):
    value: float
    n: NonNegativeInt


class _Loss(_Strict):
    value: float | None  # none: it is infinite
    n: NonNegativeInt


class _Share(_Mean):
    low: float
    high: float


class _OfSuperclass(_Strict):
    superclass: str
    top1: _Share | None
    super_top1: _Share | None


class _Bin(_Strict):
    low: float
    high: float
    n: NonNegativeInt
    confidence: float | None
    accuracy: float | None


class _Metrics(_Strict):
    n: NonNegativeInt
    n_ok: NonNegativeInt = 0
    n_failed: NonNegativeInt = 0
    n_unlabelled: NonNegativeInt = 0
    n_label_unknown: NonNegativeInt = 0
    top1: _Share | None = None
    top5: _Share | None = None
    super_top1: _Share | None = None
    nll: _Loss | None = None
    n_infinite_loss: NonNegativeInt = 0
    brier: _Mean | None = None
    ece: _Mean | None = None
    ece_equal_mass: _Mean | None = None
    macro_f1: _Mean | None = None
    by_superclass: list[_OfSuperclass] = []
    reliability: list[_Bin] = []

    @model_validator(mode="after")
    def _infinite_for_a_reason(self) -> Self:
        if self.nll is not None and self.nll.value is None and not self.n_infinite_loss:
            raise ValueError("nll has no value, and no image an infinite loss")
        return self


def require_metrics(tree: Any) -> Mapping[str, Any]:
    """Return what was read if it is what metrics.json holds.

    Raises:
        ValueError: It is not; the message says where.
    """
    try:
        _Metrics.model_validate(tree)
    except ValidationError as error:
        raise ValueError(first_problem(error)) from error
    metrics: Mapping[str, Any] = tree
    return metrics


def first_problem(error: ValidationError) -> str:
    """Say where the first thing is that does not fit, and why, without repeating it."""
    first = error.errors(include_input=False, include_url=False)[0]
    place = ".".join(str(step) for step in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]
