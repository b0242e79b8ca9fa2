"""On the object or on its surroundings: where the falls of an occluded image lie."""

from typing import Final, NamedTuple

ODDS: Final = 2.0  # times as dense on the one as on the other: what is called to lie there


class OnObject(NamedTuple):
    """Shares of falls inside of the outline of an object, beside its share of the input.

    They are of the probability of the class followed, of that predicted of the image as it is, and
    of the activity; None where nothing falls by enough to say where. `peak` tells whether the
    middle of the square under which the class followed is least probable lies on the object.
    """

    area: float
    probability: float | None
    predicted: float | None
    activity: float | None
    peak: bool


def lies_where(share: float, area: float) -> str | None:
    """Say in words where evidence lies, of which a share is on an object; None without an object.

    It lies where it is twice as dense and most of it is.

    >>> lies_where(0.9, 0.3)
    'lies on the object'
    >>> lies_where(0.1, 0.3)
    'lies on the context'
    >>> lies_where(0.3, 0.1)
    'is denser on the object, but most of it lies on the context'
    >>> lies_where(0.35, 0.3)
    'is about as dense on the object as on the context'
    """
    if not 0 < area < 1:
        return None
    inside, outside = share * (1 - area), (1 - share) * area
    if inside >= ODDS * outside:
        if share >= 1 / 2:
            return "lies on the object"
        return "is denser on the object, but most of it lies on the context"
    if outside >= ODDS * inside:
        if share < 1 / 2:
            return "lies on the context"
        return "is denser on the context, but most of it lies on the object"
    return "is about as dense on the object as on the context"
