"""What a run holds that causes are looked for in."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.findings.reading import KIND
from errlens.analysis.findings.scored import COLUMNS, Scored, read_kept, scored
from errlens.commands.diagnose.options import DiagnoseOptions
from errlens.data.photos.images import ImageFile
from errlens.data.photos.loading import available_cores
from errlens.data.photos.preprocess import Preprocessing
from errlens.data.properties.measuring import measure
from errlens.data.properties.table import read_known
from errlens.errors import MissingInput
from errlens.predictions.table import Predictions
from errlens.run.folder import RunFolder
from errlens.terminal import StartProgress

PROPERTIES_FILE = "properties.parquet"


@dataclass(frozen=True)
class Case:
    """A run as causes are looked for in it; a row of a table is an image of `scored`.

    Each part is read when the first search asks for it.
    """

    run: RunFolder
    images: Predictions
    scored: Scored
    root: Path
    options: DiagnoseOptions
    progress: StartProgress

    @cached_property
    def extra(self) -> pd.DataFrame:
        """The further columns of the manifest; no column where there are none."""
        table = self.run.read_extra()
        if not len(table):
            return pd.DataFrame(index=range(len(self.scored)))
        return table.iloc[self.scored.row].reset_index(drop=True)

    @cached_property
    def features(self) -> NDArray[np.float16] | None:
        """What the last layer was fed, shape (n, d); None where the run kept none."""
        return read_kept(self.run, "features", self.scored)

    @cached_property
    def logits(self) -> NDArray[np.float16] | None:
        """The scores of the classes, shape (n, classes); None where the run kept none."""
        return read_kept(self.run, "logits", self.scored)

    @cached_property
    def files(self) -> list[ImageFile]:
        """The files of the images, with what they held when they were predicted."""
        named = zip(self.scored.paths, self.scored.content_hash, strict=True)
        limit = self.run.info.max_file_mb
        return [ImageFile(self.root / path, content_hash, limit) for path, content_hash in named]

    @cached_property
    def preprocessing(self) -> Preprocessing | None:
        """How the images were fed; None where that is not known, or was the user's own code."""
        settings = self.run.info.settings.preprocessing
        if self.run.info.imported or "transform" in settings or not settings:
            return None
        return Preprocessing.from_dict(settings)

    @cached_property
    def properties(self) -> pd.DataFrame:
        """What the images look like.

        Raises:
            MissingInput: None of them is there.
        """
        table = self.measured(self.files)
        if len(table) and not (table["status"] == "ok").any():
            raise MissingInput(self.root / self.scored.paths[0], what="image")
        return table

    def measured(self, files: list[ImageFile]) -> pd.DataFrame:
        """Measure images, as far as an earlier call has not."""
        kept = self.run.results_folder(KIND) / PROPERTIES_FILE
        known = None if self.options.overwrite else read_known(kept)
        with self.progress("looking at images", total=len(files)) as advance:
            return measure(
                files,
                as_fed=self.preprocessing,
                known=known,
                workers=self.options.workers or available_cores(),
                progress=advance,
            )


def open_case(run: RunFolder, options: DiagnoseOptions, progress: StartProgress) -> Case:
    """Read what there is to know of the predictions.

    Raises:
        NoLabels: Nothing is right or wrong.
    """
    images = run.read_predictions(COLUMNS)
    of_run = scored(images)
    if not len(of_run):
        raise run.no_labels()
    return Case(run, images, of_run, options.images_root(run), options, progress)
