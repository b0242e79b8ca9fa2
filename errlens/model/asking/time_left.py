"""How long a model may be asked."""

import time
from typing import Final


class TimeLeft:
    """A time that runs from now on; None is without end.

    >>> TimeLeft(None).part(0.5).is_up, TimeLeft(0).is_up
    (False, True)
    """

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds

    @property
    def is_up(self) -> bool:
        """Whether nothing is left of it."""
        return self._end is not None and time.monotonic() >= self._end

    def part(self, share: float) -> "TimeLeft":
        """Return a share of what is left."""
        if self._end is None:
            return self
        return TimeLeft(share * max(0.0, self._end - time.monotonic()))


NO_LIMIT: Final = TimeLeft(None)
