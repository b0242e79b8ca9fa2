"""The tables of `errlens network features`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import pandas as pd

from errlens.commands.network.run_images import Facts
from errlens.formats import counted
from errlens.network.units.patches import Patch
from errlens.network.units.top_images import Found, TopOfLayer
from errlens.run.csv_tables import NUMBER, TEXT, TRUTH, WHOLE, in_a_line

# One row for each image of a channel, the strongest first; places count from 0, edges are pixels of
# the input.
FEATURES_COLUMNS: Final = {
    "layer": TEXT, "channel": WHOLE, "rank": WHOLE, "value": NUMBER, "row": WHOLE,
    "sample_id": TEXT, "path": TEXT, "label_name": TEXT, "pred_name": TEXT, "correct": TRUTH,
    "superclass": TEXT, "unit_row": WHOLE, "unit_column": WHOLE, "top": WHOLE, "left": WHOLE,
    "bottom": WHOLE, "right": WHOLE, "crop": TEXT, "projection": TEXT,
}  # fmt: skip
# One row for each channel; shares are of the images shown, and of all that were seen.
FIRING_COLUMNS: Final = {
    "layer": TEXT, "channel": WHOLE, "highest": NUMBER, "fires": WHOLE, "n": WHOLE,
    "n_shown": WHOLE, "top_class": TEXT, "n_top_class": WHOLE, "share_of_run": NUMBER,
    "top_superclass": TEXT, "n_top_superclass": WHOLE, "superclass_share_of_run": NUMBER,
    "classes": TEXT,
}  # fmt: skip


class Tables(NamedTuple):
    """The tables, called like their files."""

    features: pd.DataFrame
    firing: pd.DataFrame

    def __repr__(self) -> str:
        """Return a line for a notebook: which tables there are."""
        return in_a_line(self._asdict())


def tables_of(
    found: Found,
    patches: Mapping[tuple[str, int, int], Patch],
    images: Sequence[Facts],
    projection: str | None,
) -> Tables:
    """Return the tables of what was found.

    Args:
        found: Where channels fire the most.
        patches: What was cut out, by layer, channel and rank.
        images: What is known of each image, by its number.
        projection: How units were carried back.
    """
    seen = [facts for at, facts in enumerate(images) if at not in found.unread]
    classes = Counter(facts["class_name"] for facts in seen)
    superclasses = Counter(facts["superclass"] for facts in seen)
    features = [
        row for layer in found.layers for row in _feature_rows(layer, patches, images, projection)
    ]
    firing = [
        _firing_row(layer, at, images, found.seen, classes, superclasses)
        for layer in found.layers
        for at in range(len(layer.channels))
    ]
    return Tables(
        pd.DataFrame(features, columns=list(FEATURES_COLUMNS)),
        pd.DataFrame(firing, columns=list(FIRING_COLUMNS)),
    )


def shown_images(layer: TopOfLayer, at: int, images: Sequence[Facts]) -> list[Facts]:
    """Return what is known of the images of a channel, by its position in the layer."""
    return [images[number] for number in layer.images[at].tolist() if number >= 0]


def class_words(names: Sequence[str | None], *, most: int | None = None) -> str:
    """Count classes, the most frequent first; with `most`, name those that come more than once.

    >>> names = ["Persian", "Ragdoll", "Persian", "Bengal"]
    >>> class_words(names), class_words(names, most=2), class_words(names[1:], most=2)
    ('Persian 2, Ragdoll 1, Bengal 1', 'Persian 2, others 2', '3 classes')
    """
    counts = Counter(name for name in names if name is not None)
    named = counts.most_common(most)
    if most is not None and len(counts) > 1:
        named = [(name, n) for name, n in named if n > 1]
    if counts and not named:
        return counted(len(counts), "class")
    others = counts.total() - sum(n for _, n in named)
    return ", ".join(f"{name} {n}" for name, n in [*named, *([("others", others)] * bool(others))])


def _feature_rows(
    layer: TopOfLayer,
    patches: Mapping[tuple[str, int, int], Patch],
    images: Sequence[Facts],
    projection: str | None,
) -> list[dict[str, Any]]:
    rows = []
    for at, rank, unit in layer.units():
        patch = patches.get((unit.layer, unit.channel, rank))
        if patch is None:
            continue
        facts = images[int(layer.images[at, rank])]
        row, column = divmod(unit.place, layer.layer.columns)
        rows.append(
            {
                **{name: facts[name] for name in FEATURES_COLUMNS if name in facts},
                "layer": unit.layer,
                "channel": unit.channel,
                "rank": rank + 1,
                "value": float(layer.values[at, rank]),
                "unit_row": row,
                "unit_column": column,
                **patch.box._asdict(),
                "crop": patch.crop,
                "projection": projection,
            }
        )
    return rows


def _firing_row(
    layer: TopOfLayer,
    at: int,
    images: Sequence[Facts],
    seen: int,
    classes: Counter[str | None],
    superclasses: Counter[str | None],
) -> dict[str, Any]:
    shown = shown_images(layer, at, images)
    names = [facts["class_name"] for facts in shown]
    parents = [facts["superclass"] for facts in shown]
    name, n = _most_common(names)
    parent, n_parent = _most_common(parents)
    return {
        "layer": layer.layer.name,
        "channel": int(layer.channels[at]),
        "highest": float(layer.values[at, 0]) if shown else None,
        "fires": int(layer.fires[at]),
        "n": seen,
        "n_shown": len(shown),
        "top_class": name,
        "n_top_class": n,
        "share_of_run": classes[name] / seen if name is not None else None,
        "top_superclass": parent,
        "n_top_superclass": n_parent,
        "superclass_share_of_run": superclasses[parent] / seen if parent is not None else None,
        "classes": class_words(names) or None,
    }


def _most_common(names: Sequence[str | None]) -> tuple[str | None, int]:
    """Return the most frequent name, the first of several, and how often it is there."""
    counts = Counter(name for name in names if name is not None)
    return counts.most_common(1)[0] if counts else (None, 0)
