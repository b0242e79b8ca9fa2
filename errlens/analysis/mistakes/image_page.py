"""Everything a run knows of one image."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import pandas as pd
import pyarrow.compute as pc

from errlens.analysis.mistakes.neighbours import Features, nearest_rows
from errlens.run.folder import RunFolder

TOP: Final = 5
NEIGHBOURS: Final = 5


class Likeness(NamedTuple):
    """An image that is right and looks like this one; cosine similarity of the features."""

    row: int
    path: str
    label_name: str
    similarity: float


class ImagePage(NamedTuple):
    """One image: what is in the predictions, the plan and the manifest, and what looks like it.

    `facts` are the columns of the predictions that hold a single value; `top` the most probable
    classes; `alike` is None where the run kept no features of the image.
    """

    facts: dict[str, Any]
    top: list[tuple[str, float]]
    size_bytes: int | None
    extra: dict[str, Any]
    alike: list[Likeness] | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        alike = None if self.alike is None else [likeness._asdict() for likeness in self.alike]
        return {
            **self.facts,
            "size_bytes": self.size_bytes,
            "extra": {key: _plain(value) for key, value in self.extra.items()},
            "top": [{"class_name": name, "prob": prob} for name, prob in self.top],
            "alike": alike,
        }


def image_page(run: RunFolder, row: int) -> ImagePage:
    """Return what is known of a row."""
    (facts,) = run.read_rows([row])
    lists = zip(facts.pop("topk_index") or (), facts.pop("topk_prob") or (), strict=True)
    parents = run.info.superclasses.names if run.info.superclasses else ()
    for name in ("super_label", "super_pred"):
        facts[name] = None if facts[name] is None else parents[facts[name]]
    content_hash = facts.pop("content_hash")
    extra = run.read_extra()
    further = extra.iloc[row].dropna() if len(extra) else pd.Series(dtype=object)
    return ImagePage(
        facts={**facts, "content_hash": content_hash.hex() if content_hash else None},
        top=[(run.info.classes[index], prob) for index, prob in lists][:TOP],
        size_bytes=run.plan["size_bytes"][row].as_py(),
        extra={str(key): value for key, value in further.items()},
        alike=_alike(run, row, facts["logits_row"]),
    )


def _alike(run: RunFolder, row: int, position: int | None) -> list[Likeness] | None:
    """Return the images that are right whose features are nearest."""
    if "features" not in run.info.keep or position is None:
        return None
    shard = int(run.plan["shard"][row].as_py())
    query = run.read_sidecar("features", shard)[position]
    nearest = nearest_rows(query, _right_ones(run, but=row), most=NEIGHBOURS)
    rows = run.read_rows([neighbour.row for neighbour in nearest], ("path", "label_name"))
    return [
        Likeness(neighbour.row, **facts, similarity=neighbour.similarity)
        for neighbour, facts in zip(nearest, rows, strict=True)
    ]


def _right_ones(run: RunFolder, *, but: int) -> Iterator[Features]:
    """Yield the features of the images that are right, part by part."""
    parts = run.read_parts(("row", "correct", "logits_row"))
    for part, features in zip(parts, run.read_sidecars("features"), strict=True):
        right = part.table.filter((pc.field("correct")) & (pc.field("row") != but))
        yield Features(right["row"].to_numpy(), features[right["logits_row"].to_numpy()])


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value
