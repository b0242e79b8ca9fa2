"""Pictures of explanations: of one method, of all methods, of many images."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from errlens.attribution.cases import Case, Explanation
from errlens.data.photos.preprocess import Box
from errlens.figures.maps.bars import Shades
from errlens.figures.maps.heatmaps import SIDE, Panel, draw_heatmaps
from errlens.figures.maps.overlay import Pixels, common_scale, overlay
from errlens.figures.paper.letters import shown_name
from errlens.formats import figure, probability, share, signed
from errlens.maps import LARGE_GAP, Attribution
from errlens.run.choices import Upsampling

ENLARGED: Final = 1.5  # as MATLAB's examples show their pictures
MATLAB_NAMES: Final = {"occlusion": "Occlusion sensitivity", "grad-cam": "Grad-CAM"}


class Scene(NamedTuple):
    """An image, shape (H, W, 3), and where in it the input lies; None: everywhere."""

    image: Pixels
    box: Box | None


@dataclass(frozen=True, kw_only=True)
class Looks:
    """How pictures look.

    `box_in` says where in a photo of some width and height the input lies; without it maps lie on
    the image as fed.
    """

    alpha: float
    colormap: str | None
    upsampling: Upsampling
    matlab: bool = False
    box_in: Callable[[int, int], Box] | None = None

    def shades(self, *, signed: bool = True) -> Shades:
        """Return how maps are coloured; `signed` if their method can give negative values."""
        return {
            "alpha": self.alpha,
            "colormap": self.colormap,
            "signed": signed,
            "upsampling": self.upsampling,
        }

    def scene(self, found: Explanation) -> Scene:
        """Return the image that maps lie on."""
        assert found.image is not None  # noqa: S101 - there is a map of it
        if self.box_in is None or found.photo is None:
            return Scene(_enlarged(found.image) if self.matlab else found.image, None)
        image, width, height = found.photo
        left, top, right, bottom = self.box_in(width, height)
        across, down = image.width / width, image.height / height
        box = (left * across, top * down, right * across, bottom * down)
        return Scene(np.asarray(image), box)


class Tile(NamedTuple):
    """A map on a sheet of several images."""

    heading: str
    detail: str
    scene: Scene
    found: Attribution


def method_figure(found: Explanation, method: str, looks: Looks) -> Figure | None:
    """Draw the maps of one image by one method, below them those of an older network.

    None where there is none.
    """
    maps = [one for one in found.of_both(method) if isinstance(one, Attribution)]
    if not maps:
        return None
    panels = _panels(found, method, looks)
    if found.before and found.before.image is not None:
        panels += _panels(found.before, method, looks)
    return draw_heatmaps(
        None,
        panels,
        title=title(found.case),
        subtitle=_subtitle(maps[0], found.case.facts),
        unit=maps[0].unit,
        side=round(SIDE * ENLARGED) if looks.matlab else SIDE,
        **looks.shades(signed=maps[0].signed),
    )


def _panels(found: Explanation, method: str, looks: Looks) -> list[Panel]:
    """Return the image, unless MATLAB's style leaves it out, and its maps."""
    scene = looks.scene(found)
    draw = _matlab_panel if looks.matlab else _panel
    headed = zip(found.maps[method], found.case.headings, found.case.chances, strict=True)
    panels = [
        draw(one, heading, chance, scene)
        for one, heading, chance in headed
        if isinstance(one, Attribution)
    ]
    return panels if looks.matlab else [_seen(scene), *panels]


def overlay_pixels(found: Explanation, method: str, looks: Looks) -> Pixels | None:
    """Return the image under its last map, which by default is the difference."""
    maps = [shown for shown in found.maps[method] if isinstance(shown, Attribution)]
    if not maps:
        return None
    last, scene = maps[-1], looks.scene(found)
    scale, shades = common_scale([last.values]), looks.shades(signed=last.signed)
    return overlay(scene.image, last.values, scale=scale, box=scene.box, **shades)


def comparison_figure(found: Explanation, looks: Looks) -> Figure | None:
    """Draw the last map of each method, each on its own scale."""
    last = {name: maps[-1] for name, maps in found.maps.items()}
    known = {name: one for name, one in last.items() if isinstance(one, Attribution)}
    if not known:
        return None
    scene = looks.scene(found)
    panels = [
        Panel(name, one.values, _detail_of_method(one), box=scene.box, signed=one.signed)
        for name, one in known.items()
    ]
    return draw_heatmaps(
        scene.image,
        [_seen(scene), *panels],
        title=title(found.case),
        subtitle=f"{found.case.headings[-1]}; each method on a scale of its own",
        unit=None,
        **looks.shades(),
    )


def sheet_tile(found: Explanation, method: str, looks: Looks) -> Tile | None:
    """Return what a sheet shows of one image: its last map."""
    one = found.maps[method][-1]
    if not isinstance(one, Attribution):
        return None
    chance, facts = found.case.chances[-1], found.case.facts
    score = _score(one) if chance is None else probability(chance)
    heading = f"{shown_name(found.case.headings[-1])} ({score})"
    detail = f"row {facts['row']}\n{PurePosixPath(facts['path']).name}"
    return Tile(heading, detail, looks.scene(found), one)


def sheet_figure(tiles: Sequence[Tile], heading: str, looks: Looks) -> Figure:
    """Draw maps of several images on one scale."""
    maps = [tile.found for tile in tiles]
    panels = [
        Panel(tile.heading, tile.found.values, tile.detail, tile.scene.image, tile.scene.box)
        for tile in tiles
    ]
    return draw_heatmaps(
        None,
        panels,
        title=heading,
        subtitle=f"{maps[0].method}, one scale for all",
        unit=maps[0].unit,
        **looks.shades(signed=maps[0].signed),
    )


def title(case: Case) -> str:
    """Return what an image is and was taken for; of one without a label, its likeliest classes."""
    facts = case.facts
    if facts["label_name"] is None:
        return "; ".join(f"{shown_name(name)} ({probability(chance)})" for name, chance in case.top)
    confidence = "" if facts["confidence"] is None else f" ({probability(facts['confidence'])})"
    return f"{shown_name(facts['label_name'])} → {shown_name(facts['pred_name'])}{confidence}"


def _enlarged(image: Pixels) -> Pixels:
    size = (round(image.shape[1] * ENLARGED), round(image.shape[0] * ENLARGED))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))


def _detail(one: Attribution, chance: float | None) -> str:
    """Return what is worth knowing of a map: the score explained, its native size, its gap."""
    known = chance is not None and one.unit != "probability"
    score = f"{f'p {probability(chance)}, ' * known}{_score(one)}"
    return "\n".join([score, size(one.values), *_gap(one)])


def _score(one: Attribution) -> str:
    """Write the score that a map explains, a difference as such."""
    what = "p" if one.unit == "probability" else "logit"
    if one.target.against is not None:
        return f"{what} difference {signed(one.score)}"
    return f"{what} {probability(one.score) if what == 'p' else figure(one.score)}"


def _detail_of_method(one: Attribution) -> str:
    """Return what is worth knowing of a map beside those of other methods."""
    layer = [f"layer {one.layer}"] if one.layer else []
    return "\n".join([f"{size(one.values)}, {one.unit}", *layer, *_gap(one)])


def _gap(one: Attribution) -> list[str]:
    """Return that a map does not add up to what it should, where that is so."""
    gap = one.completeness_gap
    if gap is None or gap <= LARGE_GAP:
        return []
    found = float(one.values.sum(dtype=np.float64))
    return [
        f"completeness gap {share(gap)}: adds up to {figure(found)} instead of {figure(one.total)}"
    ]


def size(values: NDArray[np.float32]) -> str:
    """Return the native size of a map."""
    return "{} x {}".format(*values.shape)


def _subtitle(one: Attribution, facts: Mapping[str, Any]) -> str:
    parts = [one.method]
    parts += [f"layer {one.layer}"] if one.layer else []
    parts += [f"against {one.baseline}"] if one.baseline else []
    parts.append(f"row {facts['row']}")
    return ", ".join(parts)


def _seen(scene: Scene) -> Panel:
    return Panel("as fed" if scene.box is None else "the photo", None, image=scene.image)


def _panel(one: Attribution, heading: str, chance: float | None, scene: Scene) -> Panel:
    return Panel(shown_name(heading), one.values, _detail(one, chance), scene.image, scene.box)


def _matlab_panel(one: Attribution, heading: str, chance: float | None, scene: Scene) -> Panel:
    del chance
    method = MATLAB_NAMES.get(one.method, one.method)
    name = shown_name(heading.removeprefix(f"{one.target.name}: "))
    return Panel(f"{method} ({name})", one.values, image=scene.image, box=scene.box)
