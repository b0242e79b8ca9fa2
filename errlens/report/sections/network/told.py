"""What a kind of results of `errlens network` comes to on the page: sentences, pictures, tables."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from errlens.errors import shortened
from errlens.report.sections.network.scatter import Scatter

FEW: Final = 12  # rows of a table that is open from the start
_LONGEST: Final = 200  # characters of a cell


class Picture(NamedTuple):
    """A figure that a command drew, by its name on the page, and what it shows.

    `alt` is for who does not see it. One that `stays` stands on the page also without JavaScript.
    """

    name: str
    caption: str
    alt: str
    stays: bool = False


class Photos(NamedTuple):
    """Images of the run below a heading, each of which opens its record."""

    heading: str
    rows: Sequence[int]


class Cell(NamedTuple):
    """A text of a table, and by what its column is sorted where that is not the text.

    A cell with a `row` opens the record of that image, one with a `link` another page.
    """

    text: str
    value: float | None = None
    row: int | None = None
    link: str = ""


class Table(NamedTuple):
    """Heads, which end in `>` where their column holds numbers, and cells row by row.

    `rest` says where there is more.
    """

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    rest: str = ""

    @property
    def is_long(self) -> bool:
        """Whether it is folded at first."""
        return len(self.rows) > FEW


class Block(NamedTuple):
    """What is told together: of a layer, or of a photo.

    One block of a page may have a `scatter`, which the page draws from its data.
    """

    heading: str = ""
    sentences: Sequence[str] = ()
    pictures: Sequence[Picture] = ()
    photos: Sequence[Photos] = ()
    tables: Sequence[Table] = ()
    scatter: Scatter | None = None


class Told(NamedTuple):
    """One kind of results; `rest` says what is not shown of it.

    `finding` is the kind of findings that rest on it, `link` the page beside the report that shows
    all of it.
    """

    blocks: Sequence[Block]
    rest: str = ""
    finding: str = ""
    link: str = ""


def text_cell(text: str | None) -> Cell:
    """Return a cell of text that somebody else wrote, which may be long.

    >>> text_cell("conv1").text, len(text_cell("x" * 5_000).text)
    ('conv1', 199)
    """
    return Cell(shortened(text or "", most=_LONGEST))
