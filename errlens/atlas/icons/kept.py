"""Icons that were made already, kept as they come, so that a run broken off goes on from there."""

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from errlens.atlas.icons.colours import Colours
from errlens.atlas.icons.recipe import Recipe
from errlens.escapes import json_text
from errlens.model.classifier import Classifier
from errlens.model.weights.checkpoints import hash_weights
from errlens.run.disk import replacing, written_to


class Icons(NamedTuple):
    """Icons of n cells, and what they are to the network.

    Attributes:
        pixels: uint8, red first, shape (n, height, width, 3).
        encoded: Activations of the layer at the centre of its map, of these very pixels, float32 of
            shape (n, channels).
    """

    pixels: NDArray[np.uint8]
    encoded: NDArray[np.float32]


@dataclass(frozen=True)
class KeptIcons:
    """A folder of icons, a file for those made together; without a folder nothing is kept.

    `made_with` tells everything they depend on but their cells. Cells made together belong
    together: torch may round otherwise where there are more or fewer of them.
    """

    folder: Path | None
    made_with: str

    @classmethod
    def of(
        cls,
        folder: Path | None,
        classifier: Classifier,
        layer: str,
        colours: Colours,
        recipe: Recipe,
        moments: NDArray[np.float64],
    ) -> "KeptIcons":
        """Return those made by a recipe of a layer of a network."""
        if folder is None:
            return cls(None, "")
        made_with: dict[str, Any] = {
            "recipe": recipe.as_dict(),
            "layer": layer,
            "weights": hash_weights(classifier.network.module),
            "model": [classifier.network.name, dict(classifier.network.arguments)],
            "preprocessing": classifier.preparation.as_dict(),
            "colours": [colours.middle.tolist(), colours.root.tolist()],
            "moments": hashlib.sha256(moments.tobytes()).hexdigest(),
            "torch": torch.__version__,
            "device": classifier.device.type,
        }
        return cls(folder, hashlib.sha256(json_text(made_with).encode()).hexdigest())

    def read(self, cells: NDArray[np.float32]) -> Icons | None:
        """Return the icons of cells, by all that is asked of them; None where they are not there.

        A file that is damaged is as if it were not there.
        """
        if self.folder is None:
            return None
        try:
            # numpy leaves a damaged file open that it has opened.
            with self._file(self.folder, cells).open("rb") as file:
                arrays = np.load(file, allow_pickle=False)
                icons = Icons(arrays["pixels"], arrays["encoded"])
        except (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile):
            return None
        return icons if len(icons.pixels) == len(icons.encoded) == len(cells) else None

    def write(self, cells: NDArray[np.float32], icons: Icons) -> None:
        """Keep the icons of cells.

        Raises:
            OutOfReach: They cannot be written.
        """
        if self.folder is None:
            return
        file = self._file(self.folder, cells)
        with written_to(file):
            self.folder.mkdir(parents=True, exist_ok=True)
            with replacing(file) as temporary, temporary.open("wb") as target:
                np.savez(target, pixels=icons.pixels, encoded=icons.encoded)

    def _file(self, folder: Path, cells: NDArray[np.float32]) -> Path:
        digest = hashlib.sha256(f"{self.made_with} {cells.shape} ".encode() + cells.tobytes())
        return folder / f"{digest.hexdigest()[:32]}.npz"
