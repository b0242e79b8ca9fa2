"""The maps of `errlens atlas`: their pictures, and the cells that a class should not rely on."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, Final

from errlens.analysis.atlas.collected import KIND
from errlens.errors import shortened
from errlens.formats import NOT_KNOWN, counted, share, signed
from errlens.report.atlas.data import address_of
from errlens.report.atlas.maps import AtlasMap, read_maps
from errlens.report.atlas.page import NAME
from errlens.report.atlas.pastes import Pastes, read_pastes
from errlens.report.atlas.pictures import DRAWN, DRAWN_ICONS
from errlens.report.parts import Problem, records
from errlens.report.sections.network.told import Block, Cell, Picture, Table, Told, text_cell
from errlens.report.shots import Shots

FINDING: Final = "patch_test"  # its kind: a patch that misleads wherever it is pasted
TITLE: Final = "Activation atlas"
PICTURES: Final = 6  # of a layer
SUSPECTS: Final = 5  # of a class map
SENTENCES: Final = 6  # of a map
_HEADS: Final = (
    "class", "most for", "layer", "cell>", "adds to it>", "share>", "images>", "background>",
    "pasted elsewhere",
)  # fmt: skip


def tell(shots: Shots, *, linked: bool) -> tuple[Told | None, Sequence[Problem]]:
    """Return what the maps of a run come to, None where there are none, and why some are left out.

    Args:
        shots: Asked for the pictures of the maps.
        linked: The page of the atlas lies beside this one.

    Raises:
        OutsideRun: Something below RUN/atlas is a link that leads out of the run.
    """
    maps, left_out = read_maps(shots.run)
    pastes = read_pastes(shots.run)
    problems = [*left_out, *pastes.problems]
    if not maps:
        return None, problems
    by_layer = groupby(maps, key=lambda atlas: atlas.made.layer)
    blocks = [_layer(layer, [*of_layer], shots) for layer, of_layer in by_layer]
    link = f"{KIND}/{NAME}" if linked else ""
    suspects = _suspects(maps, pastes, page=link)
    if suspects.rows:
        blocks.append(Block(tables=[suspects]))
    return Told(blocks, finding=FINDING, link=link), problems


def _layer(layer: str, maps: Sequence[AtlasMap], shots: Shots) -> Block:
    """Tell of all maps of a layer."""
    said = [
        sentence if not made.of or sentence.startswith(made.title) else f"{made.title}: {sentence}"
        for made in (atlas.made for atlas in maps[:PICTURES])
        for sentence in made.sentences[:SENTENCES]
    ]
    left_out = len(maps) - PICTURES
    if left_out > 0:
        said.append(f"And {counted(left_out, 'further map')} on the page of the atlas.")
    return Block(
        heading=shortened(layer),
        sentences=[shortened(text, most=600) for text in said],
        pictures=[*_pictures(maps[:PICTURES], shots)],
    )


def _pictures(maps: Iterable[AtlasMap], shots: Shots) -> Iterable[Picture]:
    """Yield the maps as they were drawn; a run whose photos are gone has none."""
    for atlas in maps:
        title, layer = shortened(atlas.made.title), shortened(atlas.made.layer)
        for name, caption in ((DRAWN, title), (DRAWN_ICONS, f"{title}, optimised icons")):
            if (atlas.folder / name).is_file():
                alt = f"Cells of {layer}, {caption}: what is alike to the layer lies side by side"
                yield Picture(shots.figure(atlas.folder / name), caption, alt)


def _suspects(maps: Iterable[AtlasMap], pastes: Pastes, *, page: str) -> Table:
    """Return the first suspects of each class map, with links to a page of the atlas."""
    rows = [
        _row(atlas, suspect, pastes, page)
        for atlas in maps
        for suspect in records(atlas.suspects, SUSPECTS)
    ]
    left_out = sum(max(0, len(atlas.suspects) - SUSPECTS) for atlas in maps)
    rest = f"and {counted(left_out, 'further suspect')} on the page of the atlas"
    return Table(
        title="Suspects: cells that a class relies on and that add more to another",
        heads=_HEADS,
        rows=rows,
        rest=rest if left_out else "",
    )


def _row(atlas: AtlasMap, suspect: dict[str, Any], pastes: Pastes, page: str) -> list[Cell]:
    made, cell = atlas.made, int(suspect["cell"])
    pasted = pastes.of_cells(made.layer, made.of[0], atlas.suspects).get(cell, [])
    background = suspect["background_share"]
    return [
        text_cell(made.of[0]),
        text_cell(suspect["other_class"]),
        text_cell(made.layer),
        Cell(str(cell), cell, link=page and f"{page}{address_of(atlas, cell)}"),
        Cell(signed(suspect["attribution"]), suspect["attribution"]),
        Cell(share(suspect["share"]), suspect["share"]),
        Cell(str(suspect["n_images"]), suspect["n_images"]),
        Cell(NOT_KNOWN) if background is None else Cell(share(background), background),
        Cell(shortened("; ".join(pasted), most=400)),
    ]
