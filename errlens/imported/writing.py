"""Write the parts of a run whose predictions were made elsewhere."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa

from errlens.classes.names import NO_CLASS, Superclasses
from errlens.data.photos.images import Identity, identify_photo
from errlens.data.photos.loading import in_order
from errlens.imported.assembly import part_of_classes, part_of_probabilities
from errlens.imported.imported_predictions import ImportedPredictions
from errlens.predictions.assembly import Seen
from errlens.predictions.table import FAILED, OK
from errlens.run.identity import RunInfo
from errlens.scale.plan import rows_of
from errlens.scale.resume import ShardWorker

NO_PREDICTION = Seen(FAILED, "no predicted class")


@dataclass(frozen=True, kw_only=True)
class ShardImporter(ShardWorker):
    """Writes one shard of imported predictions at a time.

    Images that lie where the table says are hashed and measured, by `workers` threads.
    """

    info: RunInfo
    table: ImportedPredictions
    superclasses: Superclasses | None
    workers: int

    def __call__(self, shard: int) -> None:
        """Write the part of a shard."""
        rows = rows_of(self.plan, shard)
        plan = self.plan.slice(rows.start, len(rows))
        images = list(self._images(plan))
        part = self._part(plan, images, slice(rows.start, rows.stop))
        self.run.require_own(self.info)
        self.run.write_part(shard, part, {}, self.info)

    def _images(self, plan: pa.Table) -> Iterator[Identity]:
        """Yield what tells each image from others; nothing of those that are not here."""
        root = Path(self.info.data_root)
        here = plan["size_bytes"].is_valid().to_pylist()
        paths = [
            root / path if exists else None
            for path, exists in zip(plan["path"].to_pylist(), here, strict=True)
        ]
        if not any(here):
            self.advance(len(paths))
            yield from [Identity()] * len(paths)
            return
        identify = partial(_identify, max_mb=self.info.max_file_mb)
        for image in in_order(identify, paths, workers=self.workers):
            self.advance(1)
            yield image

    def _part(self, plan: pa.Table, images: list[Identity], rows: slice) -> pa.Table:
        """Join the rows of a shard with what the table says about them."""
        table = self.table
        label, classes = table.label[rows], table.classes
        seen = [
            Seen(FAILED if problem else OK, problem, *image)
            for image, problem in zip(images, table.problems[rows], strict=True)
        ]
        if table.prob is not None:
            part = part_of_probabilities(
                plan,
                seen,
                table.prob[rows],
                label,
                classes=classes,
                superclasses=self.superclasses,
                topk=self.info.settings.topk,
            )
        else:
            pred, confidence = table.pred[rows], table.confidence
            seen = [
                NO_PREDICTION._replace(**image._asdict())
                if index == NO_CLASS and image_seen.status == OK
                else image_seen
                for image_seen, index, image in zip(seen, pred, images, strict=True)
            ]
            part = part_of_classes(
                plan,
                seen,
                pred,
                confidence if confidence is None else confidence[rows],
                label,
                classes=classes,
                superclasses=self.superclasses,
            )
        return part


def _identify(path: Path | None, *, max_mb: int) -> Identity:
    return identify_photo(path, max_mb=max_mb) if path else Identity()
