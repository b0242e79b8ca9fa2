"""The images that a model was trained on, under the names that a run has for its classes."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from errlens.classes.names import ClassNames
from errlens.data.samples import find_samples
from errlens.errors import MissingInput, UnfitOption, some


class Training(NamedTuple):
    """Training images of the classes of a run.

    `frame` has the columns `path`, relative to `root`, `label_name`, as the run says it, and
    `class_index`.
    """

    frame: pd.DataFrame
    root: Path


def training_samples(data: Path, classes: ClassNames) -> Training:
    """Return the training images whose label is a class of a run; others are left out.

    Args:
        data: Class folders or a manifest.
        classes: Those of the run.

    Raises:
        MissingInput: There is no such folder or file.
        UnfitOption: It has no image of any class.
    """
    if not data.exists():
        raise MissingInput(data, what="--train")
    samples = find_samples(data)
    frame = samples.frame
    places = {label: classes.index(label) for label in frame["label_name"].dropna().unique()}
    index = frame["label_name"].map(places)
    known = frame[index.notna()].assign(class_index=index.dropna().astype("int64"))
    if not len(known):
        raise UnfitOption(
            f"--train {str(data)!r} has no image of a class of the run",
            hint=f"its labels are {some(samples.labels)}; call them as the run does: "
            f"{some(classes.names)}"
            if samples.labels
            else f"it needs a folder for each class, such as {str(data / classes[0])!r}, or a "
            "manifest",
        )
    names = [classes[at] for at in known["class_index"]]
    columns = ["path", "label_name", "class_index"]
    return Training(known.assign(label_name=names)[columns].reset_index(drop=True), samples.root)
