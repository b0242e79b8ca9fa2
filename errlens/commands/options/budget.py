"""How much time and disk space a command may take."""

import time
from dataclasses import dataclass
from typing import Annotated, Final

import typer

from errlens.commands.options.panels import Panel
from errlens.errors import UnfitOption

STEP: Final = 2


@dataclass(frozen=True, kw_only=True)
class TimeOption:
    """How much time."""

    PANEL = Panel.RUN

    time_budget: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Stop in time with what is done: 90s, 5m, 1h."),
    ] = None

    def seconds(self) -> float | None:
        """Return the time budget in seconds.

        Raises:
            UnfitOption: It is no time.
        """
        return None if self.time_budget is None else seconds_of(self.time_budget)


def seconds_of(text: str) -> float:
    """Return the seconds that a time budget says.

    Raises:
        UnfitOption: It is no time.

    >>> seconds_of("90s"), seconds_of("1.5m"), seconds_of("2")
    (90.0, 90.0, 2.0)
    """
    number, unit = text[:-1], text[-1:]
    scale = {"s": 1, "m": 60, "h": 3600}.get(unit)
    try:
        seconds = float(number) * scale if scale else float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        raise UnfitOption(f"--time-budget {text!r} is no time like 90s, 5m or 1h")
    return seconds


@dataclass(frozen=True, kw_only=True)
class BudgetOptions(TimeOption):
    """How much time and disk space."""

    PANEL = Panel.RUN

    max_mb: Annotated[
        float | None,
        typer.Option(min=0.1, metavar="X", help="Stop before more megabytes are written."),
    ] = None


class Budget:
    """Tells when to stop: when another step like the dearest so far would exceed a limit.

    `step` is how many images make a step; None where neither is limited.
    """

    def __init__(self, *, seconds: float | None, megabytes: float | None) -> None:
        self._limits = {
            "--time-budget": seconds,
            "--max-mb": None if megabytes is None else megabytes * 1e6,
        }
        self.step = None if seconds is None and megabytes is None else STEP
        self._start = time.monotonic()
        self._spent = dict.fromkeys(self._limits, 0.0)
        self._dearest = dict.fromkeys(self._limits, 0.0)

    def spend(self, written: int) -> None:
        """Take note that one more step is done; `written` are all bytes so far."""
        now = {"--time-budget": time.monotonic() - self._start, "--max-mb": float(written)}
        for name, value in now.items():
            self._dearest[name] = max(self._dearest[name], value - self._spent[name])
        self._spent = now

    def exhausted(self) -> str | None:
        """Return which option says stop, if one does."""
        for name, limit in self._limits.items():
            if limit is not None and self._spent[name] + self._dearest[name] > limit:
                return name
        return None
