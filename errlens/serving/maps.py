"""Heat maps on demand: one at a time, for a model may take all of the machine."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from http import HTTPStatus
from threading import BoundedSemaphore, Lock
from typing import Final

from errlens.errors import ErrlensError
from errlens.serving.answers import Answer, Refused, drawn_answer

MOST_WAITING: Final = 8
_KEPT: Final = 64  # maps that are remembered
DEFAULT_METHOD: Final = "grad-cam"

Make = Callable[[int, str], bytes]  # of a row, by a method: a picture as SVG or WebP


class Maps:
    """Makes heat maps of single images when they are asked for.

    Args:
        make: Makes one, and loads the model when it is called first; None where there is no model.
        methods: The names of all methods.
        why_none: The sentence why there are none.
    """

    def __init__(
        self, make: Make | None, methods: Sequence[str] = (), *, why_none: str = ""
    ) -> None:
        self._make = make
        self.methods = methods if make else ()
        self.why_none = why_none
        self._made: OrderedDict[tuple[int, str], bytes] = OrderedDict()
        self._alone = Lock()
        self._waiting = BoundedSemaphore(MOST_WAITING)

    def get(self, row: int, method: str) -> Answer:
        """Return the heat maps of an image.

        Raises:
            Refused: There can be none, and why; or too many were asked for.
        """
        if self._make is None:
            raise Refused(HTTPStatus.NOT_FOUND, self.why_none)
        if method not in self.methods:
            raise Refused(
                HTTPStatus.BAD_REQUEST, f"there is no such method; there are {self._named}"
            )
        if not self._waiting.acquire(blocking=False):
            raise Refused(
                HTTPStatus.SERVICE_UNAVAILABLE, "others are being explained: ask again in a while"
            )
        try:
            with self._alone:
                return drawn_answer(self._remembered(row, method, self._make))
        except ErrlensError as error:
            why = f"{error}; {error.hint}" if error.hint else str(error)
            raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, why) from error
        finally:
            self._waiting.release()

    def made(self, row: int) -> list[str]:
        """Return the methods whose heat maps of an image are remembered."""
        return [method for method in self.methods if (row, method) in self._made]

    @property
    def _named(self) -> str:
        return ", ".join(self.methods)

    def _remembered(self, row: int, method: str, make: Make) -> bytes:
        if (row, method) not in self._made:
            self._made[row, method] = make(row, method)
        while len(self._made) > _KEPT:
            self._made.popitem(last=False)
        return self._made[row, method]
