"""What there is to ask of a served page: each name, and what answers it."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from errlens.report.html import ServedPage
from errlens.serving.answers import HTML, Answer, Refused, json_answer
from errlens.serving.facts import RowFacts
from errlens.serving.finder import Finder
from errlens.serving.maps import DEFAULT_METHOD, Maps
from errlens.serving.marks import RunMarks
from errlens.serving.pictures import LARGEST, SIDES, RunPictures
from errlens.serving.queries import Query
from errlens.serving.server import Route
from errlens.serving.views import FIELDS, read_part, read_view

MOST_FACTS: Final = 500  # images of one answer


@dataclass(frozen=True, kw_only=True)
class Served:
    """A run as it is served: its page, and what the page asks for."""

    page: ServedPage
    finder: Finder
    facts: RowFacts
    pictures: RunPictures
    maps: Maps
    marks: RunMarks

    @property
    def routes(self) -> dict[str, Route]:
        """All that there is, by name; the page itself has none."""
        return {
            "": Route(self._page),
            "images": Route(self._images),
            "facts": Route(self._facts),
            "thumbnail": Route(self._thumbnail),
            "photo": Route(self._photo),
            "explained": Route(self._explained),
            "map": Route(self._map),
            "marks": Route(self._marks, self.marks.write),
        }

    def _page(self, text: str) -> Answer:
        Query(text, ())
        return Answer(self.page.text.encode(), HTML, policy=self.page.policy)

    def _images(self, text: str) -> Answer:
        query = Query(text, FIELDS)
        view, (start, most) = read_view(query), read_part(query)
        try:
            rows = self.finder.find(view)
        except KeyError as error:
            raise Refused(HTTPStatus.BAD_REQUEST, f"nothing is called {view.sort}") from error
        return json_answer({"total": len(rows), "rows": rows[start : start + most].tolist()})

    def _facts(self, text: str) -> Answer:
        query = Query(text, ("row", "brief"))
        rows = query.rows("row", n=self.finder.n)
        if len(rows) > MOST_FACTS:
            raise Refused(HTTPStatus.BAD_REQUEST, f"at most {MOST_FACTS} rows at a time")
        told = self.facts.of(rows, brief=query.flag("brief"))
        return json_answer(
            {row: {**said, "made": self.maps.made(int(row))} for row, said in told.items()}
        )

    def _thumbnail(self, text: str) -> Answer:
        return self.pictures.thumbnail(Query(text, ("row",)).row("row", n=self.finder.n))

    def _photo(self, text: str) -> Answer:
        query = Query(text, ("row", "side"))
        row = query.row("row", n=self.finder.n)
        is_largest = query.one_of("side", SIDES) == str(LARGEST)
        return self.pictures.whole_photo(row) if is_largest else self.pictures.photo(row)

    def _explained(self, text: str) -> Answer:
        return self.pictures.drawn(Query(text, ("file",)).text("file") or "")

    def _map(self, text: str) -> Answer:
        query = Query(text, ("row", "method"))
        row = query.row("row", n=self.finder.n)
        return self.maps.get(row, query.text("method") or DEFAULT_METHOD)

    def _marks(self, text: str) -> Answer:
        Query(text, ())
        return self.marks.read()
