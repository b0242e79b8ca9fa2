"""Pictures of explanations: of one method, of all methods, of many images, of what is hidden."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from errlens.attribution._cases import Case, Explanation
from errlens.attribution._cover import Cover
from errlens.attribution._masks import ChannelFall, Sweep
from errlens.attribution._subject import Settings
from errlens.data.preprocess import Box
from errlens.figures.heatmaps import SIDE, Colour, Panel, Shades, draw_heatmaps
from errlens.figures.letters import shown_name
from errlens.figures.overlay import RED, Pixels, Upsampling, common_scale, overlay
from errlens.maps import Attribution

ENLARGED: Final = 1.5  # as MATLAB's examples show their pictures
FRAME: Final = 2  # pixels
WHITE: Final = (255, 255, 255)
# Okabe and Ito, "Color Universal Design", without black: told apart by colour-blind readers, too.
TELLING: Final[tuple[Colour, ...]] = (
    (0, 114, 178), (230, 159, 0), (0, 158, 115), (204, 121, 167), (86, 180, 233), (213, 94, 0),
    (240, 228, 66),
)  # fmt: skip
OTHER: Final[Colour] = (150, 150, 150)
COVERED: Final = 0.55  # how far a telling colour covers the photo

MATLAB_NAMES: Final = {"occlusion": "Occlusion sensitivity", "grad-cam": "Grad-CAM"}


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

    def shades(self, maps: Iterable[NDArray[np.float32]]) -> Shades:
        """Return how some maps are coloured."""
        return {
            "alpha": self.alpha,
            "colormap": self.colormap,
            "signed": any((one < 0).any() for one in maps),
            "upsampling": self.upsampling,
        }

    def scene(self, found: Explanation, *, longest: int | None = None) -> "Scene":
        """Return the image that maps lie on, its longest side at most so many pixels."""
        assert found.image is not None  # noqa: S101 - there is a map of it
        if self.box_in is None or found.photo is None:
            return Scene(_enlarged(found.image) if self.matlab else found.image, None)
        photo = found.photo.convert("RGB")
        left, top, right, bottom = self.box_in(*photo.size)
        share = min(1.0, longest / max(photo.size)) if longest else 1.0
        size = (max(1, round(photo.width * share)), max(1, round(photo.height * share)))
        across, down = size[0] / photo.width, size[1] / photo.height
        small = photo.resize(size, Image.Resampling.LANCZOS) if share < 1 else photo
        return Scene(np.asarray(small), (left * across, top * down, right * across, bottom * down))


class Scene(NamedTuple):
    """An image, shape (H, W, 3), and where in it the input lies; None: everywhere."""

    image: Pixels
    box: Box | None


class Tile(NamedTuple):
    """A map on a sheet of several images."""

    heading: str
    detail: str
    scene: Scene
    found: Attribution


def method_figure(found: Explanation, method: str, looks: Looks) -> Figure | None:
    """Draw the maps of one image by one method; None where there is none."""
    headed = zip(found.maps[method], found.case.headings, found.case.chances, strict=True)
    known = [(one, text, chance) for one, text, chance in headed if isinstance(one, Attribution)]
    if not known:
        return None
    scene = looks.scene(found, longest=2 * SIDE)
    draw = _matlab_panel if looks.matlab else _panel
    panels = [draw(one, heading, chance, scene) for one, heading, chance in known]
    if not looks.matlab:
        panels = [_seen(scene), *panels]
    first = known[0][0]
    return draw_heatmaps(
        scene.image,
        panels,
        title=title(found.case),
        subtitle=_subtitle(first, found.case.facts),
        unit=first.unit,
        side=round(SIDE * ENLARGED) if looks.matlab else SIDE,
        **looks.shades(one.values for one, _, _ in known),
    )


def overlay_pixels(found: Explanation, method: str, looks: Looks) -> Pixels | None:
    """Return the image under its last map, which by default is the difference."""
    maps = [one.values for one in found.maps[method] if isinstance(one, Attribution)]
    if not maps:
        return None
    scene = looks.scene(found)
    scale = common_scale(maps[-1:])
    return overlay(scene.image, maps[-1], scale=scale, box=scene.box, **looks.shades(maps))


def comparison_figure(found: Explanation, looks: Looks) -> Figure | None:
    """Draw the last map of each method, each on its own scale."""
    last = {name: maps[-1] for name, maps in found.maps.items()}
    known = {name: one for name, one in last.items() if isinstance(one, Attribution)}
    if not known:
        return None
    scene = looks.scene(found, longest=2 * SIDE)
    panels = [
        Panel(name, one.values, f"{_size(one.values)}, {one.unit}", box=scene.box)
        for name, one in known.items()
    ]
    return draw_heatmaps(
        scene.image,
        [_seen(scene), *panels],
        title=title(found.case),
        subtitle=f"{found.case.headings[-1]}; each method on a scale of its own",
        unit=None,
        **looks.shades(one.values for one in known.values()),
    )


def sheet_tile(found: Explanation, method: str, looks: Looks) -> Tile | None:
    """Return what a sheet shows of one image: its last map."""
    one = found.maps[method][-1]
    if not isinstance(one, Attribution):
        return None
    chance, facts = found.case.chances[-1], found.case.facts
    score = f"logit {one.score:.3g}" if chance is None else f"{chance:.2f}"
    heading = f"{shown_name(found.case.headings[-1])} ({score})"
    detail = f"row {facts['row']}\n{PurePosixPath(facts['path']).name}"
    return Tile(heading, detail, looks.scene(found, longest=2 * SIDE), one)


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
        **looks.shades(one.values for one in maps),
    )


def cover_figure(found: Explanation, cover: Cover, hidden: Pixels) -> Figure:
    """Draw the part of an image that makes the network wrong, and the image without it."""
    assert found.image is not None  # noqa: S101 - a cover was found on it
    facts = found.case.facts
    wrong, right = shown_name(facts["pred_name"]), shown_name(facts["label_name"])
    told = (
        f"{wrong} {{:.3f}}\n{right} {{:.3f}}".format(*one) for one in (cover.before, cover.after)
    )
    panels = [
        Panel("as fed", None, next(told), framed(found.image, cover)),
        Panel("without it", None, next(told), framed(hidden, cover)),
    ]
    return draw_heatmaps(
        None,
        panels,
        title=title(found.case),
        subtitle=f"the smallest square found that makes it {right} when it is hidden",
        unit=None,
    )


def sweep_figure(
    found: Explanation, sweeps: Sequence[tuple[Settings, Sweep]], looks: Looks
) -> Figure:
    """Draw occlusion with several masks and strides, all on one scale."""
    target = found.case.targets[-1]
    panels, maps = [], []
    for settings, one in sweeps:
        drops = one.drops([target], probability=settings.probability)[0].float().cpu().numpy()
        maps.append(drops)
        heading = f"mask {settings.mask}, stride {settings.stride}"
        panels.append(Panel(heading, drops, _size(drops)))
    probability = sweeps[0][0].probability
    return draw_heatmaps(
        found.image,
        panels,
        title=title(found.case),
        subtitle=f"occlusion against {sweeps[0][0].fill}: {found.case.headings[-1]}",
        unit="probability" if probability else "logits",
        **looks.shades(maps),
    )


def winners_figure(
    found: Explanation, sweep: Sweep, fall: ChannelFall, names: Sequence[str], layer: str
) -> Figure:
    """Draw which class wins under each mask, and the fall of the strongest feature map."""
    assert found.image is not None  # noqa: S101 - it was swept over
    predicted = sweep.predicted()
    common = np.argsort(-np.bincount(predicted.ravel()), kind="stable")
    wins = [int(one) for one in common if (predicted == one).any()]
    colours = dict(zip(wins, TELLING, strict=False))
    counted = {one: int((predicted == one).sum()) for one in wins}
    legend = tuple(
        (colour, f"{shown_name(names[one])}: {counted[one]}") for one, colour in colours.items()
    )
    others = sum(counted[one] for one in wins if one not in colours)
    legend += ((OTHER, f"other classes: {others}"),) if others else ()
    rows, columns = predicted.shape
    panels = [
        Panel("as fed", None),
        Panel(
            "predicted under each mask",
            None,
            f"{rows} x {columns}",
            _coloured(found.image, predicted, colours),
            legend=legend,
        ),
        Panel(
            "fall of the strongest feature map",
            fall.drops,
            f"channel {fall.channel} of {layer}: activations {fall.base:.3g}",
        ),
    ]
    return draw_heatmaps(
        found.image, panels, title=title(found.case), subtitle="what occlusion changes", unit=None
    )


def title(case: Case) -> str:
    """Return what an image is and was taken for; of one without a label, its likeliest classes."""
    facts = case.facts
    if facts["label_name"] is None:
        return "; ".join(f"{shown_name(name)} ({chance:.2f})" for name, chance in case.top)
    confidence = "" if facts["confidence"] is None else f" ({facts['confidence']:.3f})"
    return f"{shown_name(facts['label_name'])} → {shown_name(facts['pred_name'])}{confidence}"


def framed(image: Pixels, cover: Cover) -> Pixels:
    """Return an image with a frame around what is covered."""
    found = image.copy()
    top, left, bottom, right = cover.box
    for inset, colour in ((0, WHITE), (FRAME, RED)):
        outer = np.zeros(image.shape[:2], bool)
        outer[top + inset : bottom - inset, left + inset : right - inset] = True
        inner = np.zeros_like(outer)
        edge = inset + FRAME
        inner[top + edge : bottom - edge, left + edge : right - edge] = True
        found[outer & ~inner] = colour
    return found


def _enlarged(image: Pixels) -> Pixels:
    size = (round(image.shape[1] * ENLARGED), round(image.shape[0] * ENLARGED))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))


def _coloured(image: Pixels, predicted: NDArray[np.int64], colours: Mapping[int, Colour]) -> Pixels:
    """Return an image in the colours of the classes that win, cell by cell."""
    cells = np.array([colours.get(one, OTHER) for one in predicted.ravel().tolist()], np.uint8)
    small = Image.fromarray(cells.reshape(*predicted.shape, 3))
    large = small.resize((image.shape[1], image.shape[0]), Image.Resampling.NEAREST)
    return np.asarray(Image.blend(Image.fromarray(image), large, COVERED))


def _detail(one: Attribution, chance: float | None) -> str:
    """Return what is worth knowing of a map: the score explained, and its native size."""
    if one.unit == "probability":
        return f"p {one.score:.3f}\n{_size(one.values)}"
    known = "" if chance is None else f"p {chance:.3f}, "
    return f"{known}logit {one.score:.3f}\n{_size(one.values)}"


def _size(values: NDArray[np.float32]) -> str:
    return "{} x {}".format(*values.shape)


def _subtitle(one: Attribution, facts: Mapping[str, Any]) -> str:
    parts = [one.method]
    parts += [f"layer {one.layer}"] if one.layer else []
    parts += [f"against {one.baseline}"] if one.baseline else []
    parts.append(f"row {facts['row']}")
    return ", ".join(parts)


def _seen(scene: Scene) -> Panel:
    return Panel("as fed" if scene.box is None else "the photo", None)


def _panel(one: Attribution, heading: str, chance: float | None, scene: Scene) -> Panel:
    return Panel(shown_name(heading), one.values, _detail(one, chance), box=scene.box)


def _matlab_panel(one: Attribution, heading: str, chance: float | None, scene: Scene) -> Panel:
    del chance
    method = MATLAB_NAMES.get(one.method, one.method)
    name = shown_name(heading.removeprefix(f"{one.target.name}: "))
    return Panel(f"{method} ({name})", one.values, box=scene.box)
