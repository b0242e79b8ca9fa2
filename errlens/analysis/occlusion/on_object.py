"""On the object or on its surroundings: where the falls of an occluded image lie."""

from typing import Final, NamedTuple

ODDS: Final = 2.0  # times as dense on the one as on the other: what counts as denser


class Falls(NamedTuple):
    """Shares of falls, of a probability or an activity, by position of the square.

    `on` lie where the middle of the square is on the object, and `touching` where the square covers
    any of it: a small object is hidden by squares whose middle lies beside it.
    """

    on: float
    touching: float


class OnObject(NamedTuple):
    """How the falls in an image are spread over an object and its surroundings.

    `area` is the share of the input that the object covers, and `touched` the share of positions at
    which the square covers any of it: what evenly spread falls would have. The falls are of the
    class followed, of that predicted of the image as it is, and of the activity; None where nothing
    falls by enough to say where. `peak` tells whether the middle of the square under which the
    class followed is least probable lies on the object.
    """

    area: float
    touched: float
    probability: Falls | None
    predicted: Falls | None
    activity: Falls | None
    peak: bool


def lies_where(falls: Falls, area: float) -> str:
    """Say in words where evidence lies.

    It lies on the object where it is twice as dense there and most of it goes when the object is
    touched; on the context where it is half as dense on the object, and most of it goes without
    touching that.

    Args:
        falls: Shares of the falls.
        area: Of the object, more than 0 and less than 1.

    >>> lies_where(Falls(0.9, 1.0), 0.3), lies_where(Falls(0.1, 0.3), 0.3)
    ('lies on the object', 'lies on the context')
    >>> lies_where(Falls(0.3, 0.4), 0.1)
    'is denser on the object, but most of it lies on the context'
    >>> lies_where(Falls(0.1, 0.8), 0.3)
    'lies along the edge of the object'
    >>> lies_where(Falls(0.35, 0.6), 0.3)
    'is about as dense on the object as around it'
    """
    inside, outside = falls.on * (1 - area), (1 - falls.on) * area
    touching = falls.touching >= 1 / 2
    if inside >= ODDS * outside:
        if touching:
            return "lies on the object"
        return "is denser on the object, but most of it lies on the context"
    if outside >= ODDS * inside:
        return "lies along the edge of the object" if touching else "lies on the context"
    return "is about as dense on the object as around it"
