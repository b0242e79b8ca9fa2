"""How much time and disk space a command may take."""

import time
from typing import Final

STEP: Final = 2


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
