"""Photos that are more than once among the images of a run, byte by byte, found by their hash."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from errlens.predictions.table import LABEL_UNKNOWN, OK

COLUMNS: Final = ("path", "status", "label_name", "content_hash")


class Copies(NamedTuple):
    """What is repeated, in the order of the rows.

    `n_repeated` rows show a photo that an earlier row shows, `n_listed` of them are the very file.
    `contradictions` are the rows, each with path and label_name, of every photo that stands under
    several labels.
    """

    n_repeated: int
    n_listed: int
    contradictions: Sequence[Sequence[dict[str, Any]]]


def find_copies(table: pa.Table) -> Copies:
    """Look for photos that several rows show; `table` has the columns `COLUMNS`.

    Files that no image came out of are no photos, and a photo without a label contradicts nothing.
    """
    status = table["status"].cast(pa.string())
    seen = pc.is_in(status, pa.array([OK, LABEL_UNKNOWN]))
    photos = table.filter(pc.and_(seen, table["content_hash"].is_valid()))
    hashes = photos["content_hash"].cast(pa.binary())
    counts = pc.value_counts(hashes)
    repeated = counts.filter(pc.greater(counts.field("counts"), 1)).field("values")
    rows = photos.filter(pc.is_in(hashes, value_set=repeated)).select(COLUMNS).to_pylist()
    by_hash: dict[bytes, list[dict[str, Any]]] = {}
    for row in rows:
        place = {name: row[name] for name in ("path", "label_name")}
        by_hash.setdefault(row["content_hash"], []).append(place)
    return Copies(
        n_repeated=len(rows) - len(by_hash),
        n_listed=len(rows) - len({(row["content_hash"], row["path"]) for row in rows}),
        contradictions=[
            places
            for places in by_hash.values()
            if len({place["label_name"] for place in places} - {None}) > 1
        ],
    )
