"""RUN/atlas/atlas.html: all maps of a run as one file that loads nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from errlens.analysis.atlas.collected import KIND
from errlens.escapes import printable
from errlens.formats import counted, share, share_range
from errlens.report.atlas.data import image_tree, map_tree
from errlens.report.atlas.maps import AtlasMap, Fidelity, Maps, read_maps
from errlens.report.atlas.pastes import Pastes, read_pastes
from errlens.report.atlas.pictures import Pictures, pictures_of
from errlens.report.filling import environment, joined, policy_of
from errlens.run.folder import RunFolder

NAME: Final = "atlas.html"
_STYLES: Final = ("styles/base.css", "styles/atlas.css", "styles/narrow.css")
_SCRIPTS: Final = tuple(
    f"scripts/{name}.js"
    for name in (
        "base", "atlas/maps", "atlas/place", "atlas/weights", "atlas/tiles", "atlas/moving",
        "atlas/walking", "atlas/bars", "atlas/panel", "atlas/tools", "atlas/atlas",
    )
)  # fmt: skip


def write_atlas_page(run: RunFolder) -> Path | None:
    """Write the page of all maps of a run, and return where; nothing where there are none.

    Maps of older points, and damaged ones, are left out, and the page says so.

    Raises:
        OutsideRun: Something below RUN/atlas is a link that leads out of the run.
        OutOfReach: The page cannot be written.
    """
    maps = read_maps(run)
    if not maps.maps and not maps.left_out:
        return None
    target = run.results_folder(KIND) / NAME
    run.write_text(target, atlas_page(run, maps, read_pastes(run)))
    return target


def atlas_page(run: RunFolder, maps: Maps, pastes: Pastes) -> str:
    """Return the page as HTML."""
    names = run.info.classes.names
    pictures = [*pictures_of(run, maps.maps)]
    title = f"{run.path.name or run.path}: activation atlas"
    style, script = joined(_STYLES), joined(_SCRIPTS)
    return (
        environment()
        .get_template("atlas.html.j2")
        .render(
            page={"title": title, "run_hash": run.info.run_hash, "model": run.info.settings.model},
            maps=[_told(*of_map) for of_map in zip(maps.maps, pictures, strict=True)],
            layers=len({atlas.made.layer for atlas in maps.maps}),
            left_out=[*maps.left_out, *pastes.problems],
            report=f"../{run.report_file().name}" if run.report_file().is_file() else None,
            data={
                "names": [printable(name) for name in names],
                "maps": [map_tree(atlas, names, pastes) for atlas in maps.maps],
                "images": image_tree(run, maps.maps) if maps.maps else {},
            },
            pictures={"absent": {}, "uris": [made.tree for made in pictures]},
            style=style,
            script=script,
            policy=policy_of(style, script),
        )
    )


def _told(atlas: AtlasMap, pictures: Pictures) -> dict[str, Any]:
    """Return what the page says of a map in words, and the map as it was drawn."""
    made = atlas.made
    return {
        "title": f"{made.layer}: {made.title}",
        "still": pictures.still,
        "sentences": [*made.sentences, *_of_icons(made.fidelity), *pictures.missing],
    }


def _of_icons(fidelity: Fidelity | None) -> Sequence[str]:
    if fidelity is None:
        return []
    interval = share_range(fidelity.low, fidelity.high, fidelity.n)
    return [
        f"Of {counted(fidelity.n, 'optimised icon')}, {share(fidelity.value, fidelity.n)} "
        f"({interval}) are nearest to the cell that they were made for; by chance "
        f"{share(fidelity.chance)} would be."
    ]
