"""Pictures of explanations: of one method, of all methods, of many images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Final, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from errlens.attribution.cases import Case, Explanation
from errlens.attribution.methods import load_method
from errlens.choices import Upsampling
from errlens.data.photos.preprocess import Box
from errlens.figures.maps.bars import Shades
from errlens.figures.maps.heatmaps import SIDE, Panel, draw_heatmaps
from errlens.figures.maps.overlay import common_scale, overlay
from errlens.figures.maps.words import detail, detail_of_method, how, score_words
from errlens.figures.paper.letters import LONGEST, shown_name
from errlens.figures.paper.sheet import Pixels
from errlens.formats import number, probability
from errlens.maps import Attribution

LONGEST_FILE: Final = 48  # letters of a file's name
LONGEST_HEADING: Final = 2 * LONGEST + 32  # two names, and the words between them
ENLARGED: Final = 1.5  # as MATLAB's examples show their pictures
MATLAB_NAMES: Final = {"occlusion": "Occlusion sensitivity", "grad-cam": "Grad-CAM"}


class Scene(NamedTuple):
    """An image, shape (H, W, 3), and where in it the input lies; None: everywhere."""

    image: Pixels
    box: Box | None


@dataclass(frozen=True, kw_only=True)
class Looks:
    """How pictures look, and by method how much of its maps is left of a randomised network."""

    alpha: float
    colormap: str | None
    upsampling: Upsampling
    matlab: bool = False
    left: Mapping[str, float] = field(default_factory=dict)

    def shades(self, *, signed: bool = True) -> Shades:
        """Return how maps are coloured; `signed` if their method can give negative values."""
        return {
            "alpha": self.alpha,
            "colormap": self.colormap,
            "signed": signed,
            "upsampling": self.upsampling,
        }

    def scene(self, explanation: Explanation) -> Scene:
        """Return the image that maps lie on: the photo where that was kept, else the input."""
        assert explanation.image is not None  # noqa: S101 - there is a map of it
        if explanation.photo is not None:
            return Scene(np.asarray(explanation.photo.image), explanation.photo.box)
        return Scene(_enlarged(explanation.image) if self.matlab else explanation.image, None)


class Tile(NamedTuple):
    """A map on a sheet of several images."""

    heading: str
    detail: str
    scene: Scene
    attribution: Attribution


def method_figure(explanation: Explanation, method: str, looks: Looks) -> Figure | None:
    """Draw the maps of one image by one method, below them those of an older network.

    None where there is none.
    """
    maps = [shown for shown in explanation.of_both(method) if isinstance(shown, Attribution)]
    if not maps:
        return None
    panels = _panels(explanation, method, looks)
    if explanation.before and explanation.before.image is not None:
        panels += _panels(explanation.before, method, looks)
    return draw_heatmaps(
        None,
        panels,
        title=title(explanation.case),
        subtitle="\n".join([file_and_row(explanation.case), how(maps), *_caveat(method, looks)]),
        unit=maps[0].unit,
        explained=not looks.matlab,
        side=round(SIDE * ENLARGED) if looks.matlab else SIDE,
        **looks.shades(signed=maps[0].signed),
    )


def _panels(explanation: Explanation, method: str, looks: Looks) -> list[Panel]:
    """Return the image, unless MATLAB's style leaves it out, and its maps."""
    scene = looks.scene(explanation)
    draw = _matlab_panel if looks.matlab else _panel
    headed = zip(
        explanation.maps[method], explanation.case.headings, explanation.case.chances, strict=True
    )
    panels = [
        draw(shown, heading, chance, scene)
        for shown, heading, chance in headed
        if isinstance(shown, Attribution)
    ]
    return panels if looks.matlab else [_seen(scene), *panels]


def overlay_pixels(explanation: Explanation, method: str, looks: Looks) -> Pixels | None:
    """Return the image under its last map, which by default is the difference."""
    maps = [shown for shown in explanation.maps[method] if isinstance(shown, Attribution)]
    if not maps:
        return None
    last, scene = maps[-1], looks.scene(explanation)
    scale, shades = common_scale([last.values]), looks.shades(signed=last.signed)
    return overlay(scene.image, last.values, scale=scale, box=scene.box, **shades)


def comparison_figure(explanation: Explanation, looks: Looks) -> Figure | None:
    """Draw the last map of each method, each on its own scale."""
    last = {name: maps[-1] for name, maps in explanation.maps.items()}
    known = {name: shown for name, shown in last.items() if isinstance(shown, Attribution)}
    if not known:
        return None
    scene = looks.scene(explanation)
    panels = [
        Panel(
            name,
            shown.values,
            "\n".join([*detail_of_method(shown), *_caveat(name, looks)]),
            box=scene.box,
            signed=shown.signed,
        )
        for name, shown in known.items()
    ]
    return draw_heatmaps(
        scene.image,
        [_seen(scene), *panels],
        title=title(explanation.case),
        subtitle=f"{file_and_row(explanation.case)}\n"
        f"{_heading(next(iter(known.values())), explanation.case.headings[-1])}; "
        "each method on a scale of its own",
        unit=None,
        **looks.shades(),
    )


def sheet_tile(explanation: Explanation, method: str, looks: Looks) -> Tile | None:
    """Return what a sheet shows of one image: its last map."""
    shown = explanation.maps[method][-1]
    if not isinstance(shown, Attribution):
        return None
    chance, facts = explanation.case.chances[-1], explanation.case.facts
    score = score_words(shown) if chance is None else probability(chance)
    heading = f"{_heading(shown, explanation.case.headings[-1])} ({score})"
    row_and_file = f"row {facts['row']}\n{_file(facts)}"
    return Tile(heading, row_and_file, looks.scene(explanation), shown)


def sheet_figure(tiles: Sequence[Tile], heading: str, looks: Looks) -> Figure:
    """Draw maps of several images on one scale."""
    maps = [tile.attribution for tile in tiles]
    panels = [
        Panel(tile.heading, tile.attribution.values, tile.detail, tile.scene.image, tile.scene.box)
        for tile in tiles
    ]
    return draw_heatmaps(
        None,
        panels,
        title=heading,
        subtitle="\n".join([f"{how(maps)}; one scale for all", *_caveat(maps[0].method, looks)]),
        unit=maps[0].unit,
        explained=not looks.matlab,
        **looks.shades(signed=maps[0].signed),
    )


def title(case: Case) -> str:
    """Return what an image is and was taken for; of one without a label, its likeliest classes."""
    facts = case.facts
    if facts["label_name"] is None:
        return "; ".join(f"{shown_name(name)} ({probability(chance)})" for name, chance in case.top)
    ends = (("true", "label_name", "label_prob"), ("predicted", "pred_name", "confidence"))
    return " → ".join(
        f"{what}: {shown_name(facts[name])}" + _in_brackets(facts.get(chance))
        for what, name, chance in ends
    )


def file_and_row(case: Case) -> str:
    """Return which image it is."""
    return f"{_file(case.facts)}, row {case.facts['row']}"


def _file(facts: Mapping[str, Any]) -> str:
    return shown_name(PurePosixPath(facts["path"]).name, longest=LONGEST_FILE)


def _in_brackets(chance: float | None) -> str:
    return "" if chance is None else f" ({probability(chance)})"


def _heading(shown: Attribution, heading: str) -> str:
    """Return what a map explains; two names of usual length are whole."""
    difference = "difference: " * (shown.target.name == "difference")
    return difference + shown_name(heading, longest=LONGEST_HEADING)


def _enlarged(image: Pixels) -> Pixels:
    size = (round(image.shape[1] * ENLARGED), round(image.shape[0] * ENLARGED))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))


def _caveat(method: str, looks: Looks) -> list[str]:
    """Return what a reader must know of all maps of a method, with its figure where it is known."""
    caveat, left = load_method(method).caveat, looks.left.get(method)
    if caveat is None or left is None:
        return [caveat] if caveat else []
    return [f"{caveat}; rank correlation with its maps of the randomised model {number(left)}"]


def _seen(scene: Scene) -> Panel:
    return Panel("as fed" if scene.box is None else "the photo", None, image=scene.image)


def _panel(shown: Attribution, heading: str, chance: float | None, scene: Scene) -> Panel:
    return Panel(
        _heading(shown, heading),
        shown.values,
        detail(shown, chance),
        scene.image,
        scene.box,
    )


def _matlab_panel(shown: Attribution, heading: str, chance: float | None, scene: Scene) -> Panel:
    del chance
    method = MATLAB_NAMES.get(shown.method, shown.method)
    name = shown_name(heading.removeprefix(f"{shown.target.name}: "))
    return Panel(f"{method} ({name})", shown.values, image=scene.image, box=scene.box)
