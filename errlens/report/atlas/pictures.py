"""The pictures of an atlas page, as many as there is room for."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from errlens.data.photos.images import Unread
from errlens.errors import shortened
from errlens.report.atlas.maps import SOURCES_SHOWN, AtlasMap
from errlens.report.atlas.tiles import Sheet, tiles_of
from errlens.report.images.drawn import on_any_page
from errlens.report.images.pictures import uri_of
from errlens.report.thumbnails import ThumbnailCache
from errlens.run.disk import inside
from errlens.run.folder import RunFolder

LARGEST: Final = 24_000_000  # bytes of all pictures of a page
STILL: Final = 900  # pixels to one side of the map for paper
PATCHES: Final = "patches.png"
ICONS: Final = "icons.png"
SOURCES: Final = "sources.png"
DRAWN: Final = "atlas.png"
DRAWN_ICONS: Final = "atlas-icons.png"
_PER_ROW: Final = 12  # tiles of a sheet of icons
_ICON: Final = 96  # pixels to one side, at most
_SOURCE: Final = 64
_ICON_QUALITY: Final = 70
_SOURCE_QUALITY: Final = 48
_FULL: Final = "the page is full"


class Pictures(NamedTuple):
    """The pictures of one map, and in sentences which are missing.

    `patches` and `icons` have a tile a cell, `sources` one a source in the order of the table,
    `still` is the map as a data URI; empty where there is none.
    """

    patches: Sequence[str]
    icons: Sequence[str]
    sources: Sequence[str]
    still: str
    missing: Sequence[str]

    @property
    def tree(self) -> dict[str, Any]:
        """What scripts need of it."""
        return {"patches": self.patches, "icons": self.icons, "sources": self.sources}


def pictures_of(run: RunFolder, maps: Sequence[AtlasMap]) -> Iterator[Pictures]:
    """Yield the pictures of each map in turn.

    Raises:
        OutsideRun: A picture is a link that leads out of its folder.
    """
    left = LARGEST
    for atlas in maps:
        made: dict[str, Sequence[str]] = {}
        missing = []
        for sheet in _sheets(atlas):
            name = sheet.path.name
            tiles = tiles_of(sheet, kept_in=run.thumbnails_folder) if left > 0 else _FULL
            made[name] = [] if isinstance(tiles, str) else tiles
            if isinstance(tiles, str):
                missing.append(f"{name} is not shown: {shortened(tiles, most=200)}.")
            left -= sum(map(len, made[name]))
        still = _still(run, atlas) if left > 0 else Unread("", _FULL)
        if isinstance(still, Unread):
            missing.append(f"{DRAWN} is not shown: {shortened(still.reason, most=200)}.")
            still = ""
        left -= len(still)
        yield Pictures(made[PATCHES], made.get(ICONS, []), made[SOURCES], still, missing)


def _sheets(atlas: AtlasMap) -> Iterator[Sheet]:
    """Yield the sheets of a map; one of optimised icons need not be there."""
    cells = range(len(atlas))
    for name in (PATCHES, ICONS):
        path = inside(atlas.folder / name, atlas.folder)
        if name == PATCHES or path.is_file():
            yield Sheet(path, atlas.made.icon_size, _PER_ROW, cells, _ICON, _ICON_QUALITY)
    sources = atlas.sources
    wanted = (sources["cell"] * SOURCES_SHOWN + sources["rank"] - 1).tolist()
    path = inside(atlas.folder / SOURCES, atlas.folder)
    yield Sheet(path, _SOURCE, SOURCES_SHOWN, wanted, _SOURCE, _SOURCE_QUALITY)


def _still(run: RunFolder, atlas: AtlasMap) -> str | Unread:
    """Return the map as it was drawn, for paper and for who runs no scripts."""
    path = inside(atlas.folder / DRAWN, atlas.folder)
    cache = ThumbnailCache(run.thumbnails_folder)
    drawn = on_any_page([path], cache.pictures([path], widest=STILL), widest=STILL, on_paper=True)
    picture = next(drawn)
    return picture if isinstance(picture, Unread) else uri_of(picture)
