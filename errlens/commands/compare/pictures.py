"""The galleries of a comparison: what was fixed, and what broke."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from errlens.commands.showing import first_rows
from errlens.data.photos.images import ImageFile
from errlens.figures.gallery import Correctness, Line, Tile
from errlens.galleries.choice import sequence
from errlens.galleries.drawing import Poster
from errlens.galleries.tiles import Shot, after_name

TILES: Final = 60  # of a gallery

_CORRECTNESS: Final[dict[str, Correctness]] = {"broken": "wrong", "fixed": "right"}
_TITLES: Final = {
    "broken": "right in {}, wrong in {}",
    "fixed": "wrong in {}, right in {}",
}


def change_posters(
    changes: Mapping[str, pd.DataFrame],
    hashes: Sequence[bytes | None],
    root: Path,
    *,
    names: Sequence[str],
    max_mb: int,
) -> list[Poster]:
    """Decide what is on the galleries of `broken` and `fixed`; one without images is left out.

    Args:
        changes: The images of each, in their order.
        hashes: Of the file of each row.
        root: Where paths start.
        names: Of the old and of the new run.
        max_mb: Megabytes of a file above which it is not read.
    """
    posters = []
    for kind, images in changes.items():
        if not len(images):
            continue
        rows = images["row"].to_numpy(np.int64)
        title = f"{kind}: {_TITLES[kind].format(*names)}"
        shots = [
            Shot(
                ImageFile(root / image["path"], hashes[image["row"]], max_mb),
                Tile((), _lines(image), _CORRECTNESS[kind]),
            )
            for image in first_rows(images, TILES)
        ]
        gallery = sequence(kind, rows, most=TILES, title=title)
        posters.append(Poster(gallery, gallery.title, [shots], []))
    return posters


def _lines(image: Mapping[str, Any]) -> tuple[Line, ...]:
    """Return the true class, what it was taken for before and now, and the row."""
    before, now = after_name(image["old_confidence"]), after_name(image["new_confidence"])
    return (
        Line(image["label_name"]),
        Line(f"before: {image['old_pred']}", before),
        Line(f"→ now: {image['new_pred']}", now),
        Line("", f"row {image['row']}", dim=True),
    )
