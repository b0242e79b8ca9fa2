"""What a table of predictions made elsewhere says, once it is read."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from errlens.classes.names import ClassNames
from errlens.data.manifests import Manifest
from errlens.imported.naming import Spelling
from errlens.imported.repetitions import Repetitions


@dataclass(frozen=True, kw_only=True)
class ImportedPredictions:
    """What a table says, one entry a row.

    `label` and `pred` are class indices, `NO_CLASS` where the table leaves them empty; `unknown`
    marks labels that are none of the classes. `prob` has a column for each class. `problems` says
    of rows that cannot be used why, else None. `spelling` says what names were reconciled,
    `repetitions` which images are in several rows, `remarks` what else was made of the table.
    """

    manifest: Manifest
    classes: ClassNames
    label: NDArray[np.int32]
    unknown: NDArray[np.bool_]
    pred: NDArray[np.int32]
    confidence: NDArray[np.float64] | None
    prob: NDArray[np.float64] | None
    problems: Sequence[str | None]
    spelling: Spelling
    repetitions: Repetitions
    remarks: Sequence[str] = ()
