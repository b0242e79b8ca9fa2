"""Many short texts as one artist.

Measured with matplotlib 3.11: the 3,600 numbers of 60 classes take 5 s as its texts, 0.3 s as this.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D

from errlens.figures.paper.letters import FONT, font_families
from errlens.figures.paper.sheet import INK, to_pixels

CAPITAL: Final = 0.73  # the height of capitals and digits, of the font size
ALIGNED: Final = {"left": 0.0, "center": 0.5, "right": 1.0}


class Writing(PathCollection):
    """Texts at positions in an axes, shape (n, 2), each in its own colour or all in one.

    `upright` ones are read from below. They are centred across the direction of reading.
    """

    def __init__(
        self,
        axes: Axes,
        texts: Sequence[str],
        positions: Sequence[tuple[float, float]] | np.ndarray,
        *,
        size: float,
        align: str = "center",
        upright: bool = False,
        colours: Any = INK,
    ) -> None:
        self.texts = list(texts)
        points = Affine2D().scale(1 / 72) + axes.figure.dpi_scale_trans
        super().__init__(
            [_placed(text, size, align, upright) for text in self.texts],
            offsets=np.asarray(positions, float).reshape(-1, 2),
            offset_transform=axes.transData,
            facecolors=colours,
            linewidths=0,
            zorder=3,
        )
        self.set_transform(points)
        axes.add_collection(self, autolim=False)
        # Names are outside of their axes.
        self.set_clip_on(False)


def written_width(texts: Iterable[str], *, size: float) -> int:
    """Return the pixels that the widest of some texts takes as `Writing`; 0 without any."""
    edges = (_edges(text) for text in set(texts) if text)
    return to_pixels(size * max((right - left for left, right in edges), default=0.0)) + 1


@lru_cache(maxsize=20_000)
def _outline(text: str) -> Path:
    """Return a text of size 1.

    Plain letters are set one by one, without kerning: laid out as a line they take ten times as
    long.
    """
    if not text.isascii() or not text.strip():
        return _laid_out(text)
    points, codes, start = [], [], 0.0
    for letter in text:
        outline, advance = _letter(letter)
        if outline is not None:
            points.append(np.asarray(outline.vertices) + np.array([start, 0.0]))
            codes.append(np.asarray(outline.codes))
        start += advance
    return Path(np.concatenate(points), np.concatenate(codes))


def _laid_out(text: str) -> Path:
    return TextPath((0, 0), text, size=1, prop=FontProperties(family=font_families()))


@lru_cache(maxsize=128)
def _letter(letter: str) -> tuple[Path | None, float]:
    """Return a letter of size 1, None for a blank, and how far from it the next one starts."""
    font = get_font(findfont(FontProperties(family=[FONT])))
    font.set_size(1, 72)
    advance = font.load_char(ord(letter)).linearHoriAdvance / 2**16
    return None if letter.isspace() else _laid_out(letter), advance


@lru_cache(maxsize=20_000)
def _edges(text: str) -> tuple[float, float]:
    """Return the left and right edge of a text of size 1.

    The exact extents of its curves take matplotlib 18 ms; the points that steer them do.
    """
    outline = _outline(text)
    x = np.asarray(outline.vertices)[np.asarray(outline.codes) != Path.CLOSEPOLY, 0]
    return (float(x.min()), float(x.max())) if len(x) else (0.0, 0.0)


@lru_cache(maxsize=20_000)
def _placed(text: str, size: float, align: str, upright: bool) -> Path:  # noqa: FBT001
    """Return a text in points, relative to its position."""
    left, right = _edges(text)
    share = ALIGNED[align]
    place = Affine2D().translate(-left - share * (right - left), -CAPITAL / 2).scale(size)
    return _outline(text).transformed(place.rotate_deg(90) if upright else place)
