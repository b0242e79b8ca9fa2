"""Views: which images are meant, and in which order. `scripts/store.js` reads them alike."""

from typing import Final, NamedTuple

from errlens.serving.queries import Query

SIDES: Final = {"right": 1, "wrong": 0, "none": -1}
MOST_ROWS: Final = 5_000  # of one answer
FIELDS: Final = (
    "true", "pred", "side", "from", "to", "finding", "text", "marked", "sort", "down",
    "start", "most",
)  # fmt: skip


class View(NamedTuple):
    """What is absent filters nothing; without `sort` the order is that of the rows.

    `true` and `pred` are names of classes, of which any may hold; `side` is one of `SIDES`;
    `lowest` and `highest` are confidences; `finding` is a rank, `marked` a verdict.
    """

    true: tuple[str, ...] = ()
    pred: tuple[str, ...] = ()
    side: str | None = None
    lowest: float | None = None
    highest: float | None = None
    finding: int | None = None
    text: str | None = None
    marked: str | None = None
    sort: str | None = None
    down: bool = False


class Part(NamedTuple):
    """Some of the images of a view: `most` of them, after the first `start`."""

    start: int
    most: int


def read_view(query: Query) -> View:
    """Return the view that a query of `FIELDS` asks for.

    Raises:
        Refused: A field holds what it cannot.
    """
    return View(
        true=query.all("true"),
        pred=query.all("pred"),
        side=query.one_of("side", SIDES),
        lowest=query.number("from"),
        highest=query.number("to"),
        finding=query.whole("finding"),
        text=query.text("text"),
        marked=query.text("marked"),
        sort=query.text("sort"),
        down=query.flag("down"),
    )


def read_part(query: Query) -> Part:
    """Return which images of a view a query asks for.

    Raises:
        Refused: A field holds what is no number.
    """
    most = query.whole("most")
    return Part(query.whole("start") or 0, MOST_ROWS if most is None else min(most, MOST_ROWS))
