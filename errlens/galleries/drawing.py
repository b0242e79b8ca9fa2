"""The galleries of a run, drawn from its image files."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from errlens.analysis.mistakes.image_page import Likeness
from errlens.data.photos.images import Unread
from errlens.data.photos.preprocess import Preprocessing
from errlens.data.photos.thumbnails import Thumbnail, load_thumbnails
from errlens.figures.gallery import SIDE, Column, Correctness, Picture, Tile, draw_gallery
from errlens.figures.paper.letters import shown_name
from errlens.galleries.choice import Gallery
from errlens.galleries.tiles import Shot, TileMaker
from errlens.run.results import ResultsWriter
from errlens.terminal import StartProgress

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ACROSS: Final = 6  # pictures in a row of a sequence
LEAST_ACROSS: Final = 2  # tiles
LONGEST: Final = 168  # letters of a heading: two names, and the words between them
LONGEST_TITLE: Final = 400  # which is wrapped

_MEANING: Final[dict[Correctness, str]] = {
    "wrong": "orange: wrong", "right": "blue: right", "other": "grey: training, or no known label",
}  # fmt: skip


class Poster(NamedTuple):
    """A gallery with its tiles, one list a section, before the image files are read.

    `further` columns stand behind the sections as they are.
    """

    gallery: Gallery
    title: str
    shots: list[list[Shot]]
    remarks: list[str]
    further: tuple[Column, ...] = ()

    def across(self, *, as_fed: bool) -> int:
        """Return how many tiles stand side by side below a heading, for a page of good shape."""
        sections, longest = len(self.shots), max(map(len, self.shots))
        beside = max((len(shot.beside) for section in self.shots for shot in section), default=0)
        pictures = 1 + as_fed + beside
        if sections == 1:
            return max(LEAST_ACROSS, ACROSS // pictures)
        return max(1, round(math.sqrt(longest / sections / pictures)))

    def __len__(self) -> int:
        return sum(map(len, self.shots))


def posters(
    galleries: Sequence[Gallery], maker: TileMaker, alike: Mapping[int, Sequence[Likeness]]
) -> list[Poster]:
    """Decide what is on each tile; `alike` has the images most similar to a row, by that row."""
    wanted = []
    for gallery in galleries:
        about = gallery.about
        near = alike.get(about.number, ()) if about and about.kind == "row" else ()
        shots = (
            [maker.section(section) for section in gallery.sections]
            if len(gallery.sections) > 1
            else [maker.sequence(gallery, near)]
        )
        title = gallery.title + ", and the nearest that are right" * bool(near)
        wanted.append(Poster(gallery, title, shots, maker.remarks(gallery)))
    return wanted


def write_posters(
    results: ResultsWriter,
    wanted: Sequence[Poster],
    *,
    as_fed: Preprocessing | None = None,
    progress: StartProgress,
) -> dict[str, str]:
    """Draw galleries and write them; return the path of each image that cannot be shown, and why.

    See `draw_posters`; `progress` is told how many tiles there are.
    """
    absent: dict[str, str] = {}
    with progress("drawing", total=sum(map(len, wanted))) as advance:
        for name, figure in draw_posters(wanted, as_fed=as_fed, absent=absent, progress=advance):
            results.png(name, figure)
    return absent


def draw_posters(
    wanted: Sequence[Poster],
    *,
    as_fed: Preprocessing | None,
    absent: dict[str, str],
    progress: Callable[[int], None],
) -> "Iterator[tuple[str, Figure]]":
    """Yield the pictures with their file names, but for those of which no image can be shown.

    Args:
        wanted: What to draw.
        as_fed: Also show what this preprocessing leaves of each image.
        absent: Gets the path of each image that cannot be shown, and why.
        progress: Told of each tile.
    """
    for poster in wanted:
        across = poster.across(as_fed=as_fed is not None)
        columns = [
            Column(
                shown_name(section.heading, longest=LONGEST) if section.heading else "",
                _tiles(shots, as_fed, absent, progress),
                across,
            )
            for section, shots in zip(poster.gallery.sections, poster.shots, strict=True)
        ]
        if all(isinstance(tile.pictures[0], str) for column in columns for tile in column.tiles):
            continue
        figure = draw_gallery(
            [*columns, *poster.further],
            title=shown_name(poster.title, longest=LONGEST_TITLE),
            legend=_legend(poster, as_fed=as_fed is not None),
            remarks=poster.remarks,
        )
        yield f"gallery/{poster.gallery.name}.png", figure


def _tiles(
    shots: Sequence[Shot],
    as_fed: Preprocessing | None,
    absent: dict[str, str],
    progress: Callable[[int], None],
) -> list[Tile]:
    """Read the files of some tiles."""
    files = [file for shot in shots for file in (shot.file, *shot.beside) if file]
    thumbnails = load_thumbnails(files, side=SIDE, preprocessing=as_fed)
    tiles = []
    for shot in shots:
        first = next(thumbnails)
        if isinstance(first, Unread):
            absent[str(shot.file.path)] = first.reason
        pictures = [_picture(first)]
        if as_fed:
            pictures.append(_fed(first))
        pictures += [
            _picture(next(thumbnails)) if file else "no training image" for file in shot.beside
        ]
        tiles.append(shot.tile._replace(pictures=tuple(pictures)))
        progress(1)
    return tiles


def _picture(thumbnail: Thumbnail | Unread) -> Picture:
    return thumbnail.reason if isinstance(thumbnail, Unread) else thumbnail.shown


def _fed(thumbnail: Thumbnail | Unread) -> Picture:
    fed = thumbnail if isinstance(thumbnail, Unread) else thumbnail.as_fed
    if fed is None:
        return ""
    return fed.reason if isinstance(fed, Unread) else fed


def _legend(poster: Poster, *, as_fed: bool) -> str:
    """Say how to read a tile, as far as it does not explain itself."""
    shots = [shot for section in poster.shots for shot in section]
    pictures = ["the photo"]
    if as_fed:
        pictures.append("as the network saw it")
    if any(shot.beside for shot in shots):
        pictures += ["training: true class", "training: predicted class"]
    texts = [f"from left to right: {', '.join(pictures)}"] if len(pictures) > 1 else []
    present = {shot.tile.correctness for shot in shots}
    if len(present) > 1:
        texts.append(
            ", ".join(text for correctness, text in _MEANING.items() if correctness in present)
        )
    return "; ".join(texts)
