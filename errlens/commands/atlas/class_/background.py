"""How much of the points of a class lies outside of the objects, where `--masks` tells."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.atlas.classes.background import background_shares
from errlens.commands.atlas.class_.options import ClassOptions
from errlens.data.objects.outlines import read_outlines
from errlens.data.photos.preprocess import Preprocessing
from errlens.errors import UnfitOption
from errlens.model.classifier import Classifier
from errlens.run.folder import RunFolder
from errlens.terminal import Screen


def background_of(
    run: RunFolder,
    grid: tuple[int, int],
    points: pd.DataFrame,
    classifier: Classifier,
    options: ClassOptions,
    screen: Screen,
) -> NDArray[np.float64]:
    """Return the share of each point's place that is background, NaN where that is not known.

    Raises:
        UnfitOption: Photos are prepared by the user's own code, or none of them has an outline.
        MissingInput, InputError: As for `read_outlines`; or an outline cannot be used.
    """
    if options.masks is None:
        return np.full(len(points), np.nan)
    used = classifier.preparation
    if not isinstance(used, Preprocessing):
        raise UnfitOption("--masks: where a transform of one's own puts the object is not known")
    outlines = read_outlines(
        options.masks, photos=options.images_root(run), max_mb=run.info.max_file_mb
    )
    paths = run.read_predictions(("row", "path")).table.to_pydict()
    rows = sorted(set(points["row"].tolist()))
    of_rows = dict(zip(paths["row"], paths["path"], strict=True))
    with screen.progress("reading outlines", total=len(rows)) as advance:
        shares = background_shares(points, grid, of_rows, outlines, used, advance=advance)
    if np.isnan(shares).all():
        raise UnfitOption(f"--masks {str(options.masks)!r} has nothing of these images")
    return shares
