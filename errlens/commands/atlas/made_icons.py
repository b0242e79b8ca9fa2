"""Icons of the cells of a map that are made by optimisation, with how well they stand for them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.atlas.collected import Collected
from errlens.analysis.atlas.fidelity import Fidelity, fidelity
from errlens.analysis.atlas.mapped import AtlasMap
from errlens.analysis.atlas.whitening import second_moments
from errlens.atlas.icons.colours import read_colours
from errlens.atlas.icons.optimising import IconMaker
from errlens.atlas.icons.recipe import Recipe
from errlens.atlas.patches import resized
from errlens.attribution.explained_model import ExplainedModel
from errlens.commands.atlas.options import MapOptions
from errlens.formats import count, counted, duration, of, share, share_range
from errlens.model.asking.hiding import AskedImage
from errlens.model.classifier import Classifier
from errlens.model.layers.places import find_layer
from errlens.terminal import Screen

KEPT: str = (
    ".icons"  # below the folder of the layer: what was made, to go on from, and to take again
)


class MadeIcons(NamedTuple):
    """Icons of m cells.

    Attributes:
        pixels: uint8 of shape (m, icon size, icon size, 3).
        fidelity: Which cell each is nearest to, shown to the network again.
        recipe: How they were made.
    """

    pixels: NDArray[np.uint8]
    fidelity: Fidelity
    recipe: dict[str, Any]

    @property
    def table(self) -> pd.DataFrame:
        """A row an icon: its cell, the one it is nearest to, and the cosine to its own."""
        return pd.DataFrame(
            {
                "cell": np.arange(self.fidelity.n),
                "nearest_cell": self.fidelity.nearest,
                "own": self.fidelity.own,
                "similarity": self.fidelity.similarity,
            }
        )

    @property
    def sentence(self) -> str:
        """How many are nearest to their own cell, beside chance."""
        told = self.fidelity
        own = of(int(told.own.sum()), told.n)
        return (
            f"{own} icons ({share(told.value)}, {share_range(told.low, told.high)}) are nearest to "
            f"their own cell, by chance 1 in {count(told.n)}."
        )


def made_icons(
    collected: Collected,
    drawn: AtlasMap,
    photos: Sequence[AskedImage],
    classifier: Classifier,
    options: MapOptions,
    screen: Screen,
    *,
    max_mb: int,
) -> MadeIcons:
    """Make an icon of each cell; those made before, also by a call broken off, are taken again.

    Args:
        collected: All points of the layer.
        drawn: The map.
        photos: Those whose colours icons are painted in.
        classifier: The network.
        options: The size of icons, how many steps are taken, and the seed.
        screen: Is told how long it takes, how far it is, and how good they are.
        max_mb: Megabytes of a file above which it is not read.
    """
    model = ExplainedModel.of(classifier)
    recipe = Recipe(size=options.icon_size, steps=options.steps, seed=options.seed)
    maker = IconMaker(
        classifier=classifier,
        layer=find_layer(model.module, model.size, collected.layer),
        moments=second_moments(collected.activations),
        colours=read_colours(photos, classifier.preparation, max_mb=max_mb),
        recipe=recipe,
        kept_in=collected.folder / KEPT,
        workers=options.workers,
    )
    means = drawn.means.activation
    seconds = maker.estimate(means)
    if seconds:
        screen.remark(
            f"{counted(len(means), 'icon')} of {collected.layer}: about {duration(seconds)}"
        )
    total = len(means) * recipe.steps
    with screen.progress(f"making icons of {collected.layer}", total=total) as advance:
        icons = maker.make(means, advance=advance)
    made = MadeIcons(
        np.stack([resized(_square(icon), options.icon_size) for icon in icons.pixels]),
        fidelity(icons.encoded, means),
        recipe.as_dict(),
    )
    screen.remark(made.sentence)
    return made


def _square(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the middle of a picture, as wide as it is high."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return np.ascontiguousarray(pixels[top : top + side, left : left + side])
