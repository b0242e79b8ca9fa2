"""What a run holds that causes are looked for in."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.findings.measured import keep_measured, read_measured
from errlens.analysis.findings.scored import COLUMNS, Scored, read_kept, scored
from errlens.commands.diagnose.options import DiagnoseOptions
from errlens.data.photos.images import ImageFile
from errlens.data.photos.preprocess import Preprocessing
from errlens.data.properties.measuring import measure, measured_parts
from errlens.data.samples import find_samples
from errlens.errors import MissingInput, NoImages
from errlens.predictions.table import OK, Predictions
from errlens.run.folder import RunFolder
from errlens.terminal import StartProgress

if TYPE_CHECKING:
    from errlens.model.asking.time_left import TimeLeft
    from errlens.model.classifier import Classifier


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

    @property
    def properties(self) -> pd.DataFrame:
        """What the images look like; with the columns of `PROPERTY_COLUMNS`.

        Raises:
            NoImages: None of them is there.
        """
        if not (self._measured["status"] == OK).any():
            raise NoImages("none of the images is there")
        return self._measured

    @property
    def properties_if_any(self) -> pd.DataFrame:
        """What the images look like; without a column where none of them is there."""
        if (self._measured["status"] == OK).any():
            return self._measured
        return pd.DataFrame(index=range(len(self.scored)))

    @cached_property
    def trained_on(self) -> pd.DataFrame:
        """What the images look like that the model was trained on, with their `path`."""
        assert self.options.train is not None  # noqa: S101 - else nobody asks
        samples = find_samples(self.options.train)
        paths = samples.frame["path"].tolist()
        files = [ImageFile(samples.root / path) for path in paths]
        with self.progress("looking at training images", total=len(files)) as advance:
            table = measure(files, workers=self.options.workers, progress=advance)
        return table.assign(path=paths)

    @cached_property
    def classifier(self) -> "Classifier":
        """The model of the run, loaded again.

        Raises:
            NoModel: The predictions were made elsewhere.
        """
        from errlens.model.reload import reload_classifier  # torch takes seconds to import

        info, options = self.run.require_model(), self.options
        return reload_classifier(info, device=options.device, trusted=options.trust_run)

    @cached_property
    def time_left(self) -> "TimeLeft":
        """The time there is to ask the model; it runs from when that is asked first."""
        from errlens.model.asking.time_left import TimeLeft

        return TimeLeft(self.options.seconds())

    def keep_measured(self) -> None:
        """Write what was measured, if anything was, for a call that goes on."""
        if "_measured" in vars(self):
            keep_measured(self.run, self._measured)

    @cached_property
    def _measured(self) -> pd.DataFrame:
        """Measure images, as far as earlier calls have not; what is done is kept on the way."""
        files = self.files
        known = None if self.options.overwrite else read_measured(self.run)
        parts: list[pd.DataFrame] = []
        with self.progress("looking at images", total=len(files)) as advance:
            for part in measured_parts(
                files,
                as_fed=self.preprocessing,
                known=known,
                workers=self.options.workers,
                progress=advance,
            ):
                parts.append(part)
                done = sum(map(len, parts))
                if (0 if known is None else len(known)) < done < len(files):
                    keep_measured(self.run, pd.concat(parts))
        return pd.concat(parts, ignore_index=True)


def open_case(run: RunFolder, options: DiagnoseOptions, progress: StartProgress) -> Case:
    """Read what there is to know of the predictions.

    Raises:
        NoLabels: Nothing is right or wrong.
        MissingInput: There is no file or folder that an option names.
    """
    for path, what in ((options.train, "training data"), (options.masks, "outlines")):
        if path and not path.exists():
            raise MissingInput(path, what=what)
    images = run.read_predictions(COLUMNS)
    of_run = scored(images)
    if not len(of_run):
        raise run.no_labels()
    return Case(run, images, of_run, options.images_root(run), options, progress)
