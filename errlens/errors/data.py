"""Images, labels, class names and tables are not what they should be."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

from errlens.errors.kinds import InputError
from errlens.errors.words import did_you_mean, nearest, some
from errlens.escapes import shell_line
from errlens.formats import are, count, counted

AS_OUTPUTS: Final = (
    "the folders are called by whole numbers: if these number the outputs of the model, the first "
    "being 0, add --labels indices"
)
# torchvision and timm sort folders so, whatever the language.
_LISTED = "LC_ALL=C ls TRAIN > FILE makes it of the folders that it was trained on"
_NUMBERS = (
    "labels that are numbers stand for outputs, and the first output is 0: where these count "
    "otherwise, pass --classes FILE with the number of each output, one a line"
)
# What to do about unknown labels: whether there is a model, and whether they are many.
_WAYS = {
    (
        True,
        True,
    ): "the model seems to know other classes than the data have: if it has these all "
    "the same, pass --classes FILE with the names of its outputs; else errlens network probe fits "
    "a head to them",
    (True, False): "pass --classes FILE with the model's class names, spelt as in the data, or "
    "--allow-unknown to predict these images without counting them",
    (False, True): "labels and predictions must name the same classes; --classes FILE has their "
    "names in output order",
    (False, False): "call a class alike everywhere, or pass --allow-unknown to keep these images "
    "without counting them",
}


class MissingInput(InputError):
    """A file or folder that was named does not exist, or is no file where one is wanted.

    Of what lies there instead, files with one of the `suffixes` are named, if there are any.
    """

    def __init__(self, path: Path, *, what: str, suffixes: Collection[str] = ()) -> None:
        state, way_out = _found(path, suffixes)
        super().__init__(f"{what} {str(path)!r} {state}", hint=way_out)


class NoImages(InputError):
    """There is nothing to predict."""


class BadManifest(InputError):
    """A manifest cannot be read as a list of images."""


class BadPredictions(InputError):
    """A table of predictions made elsewhere cannot be read as one, or contradicts itself."""


class BadClassFile(InputError):
    """A file of class names or superclasses cannot be understood."""


class BadLabelFile(InputError):
    """A table of mended labels cannot be understood, or does not fit the run."""


class BadMarks(InputError):
    """A file of marks cannot be understood, or does not fit the run."""


class ClassCountMismatch(InputError):
    """The model and the class list disagree about how many classes there are.

    `are_numbers` says that the names are those of folders, and may all be numbers of outputs.
    """

    def __init__(self, *, outputs: int, names: int, source: str, are_numbers: bool = False) -> None:
        super().__init__(
            f"the model has {counted(outputs, 'output')}, but there {are(names)} "
            f"{counted(names, 'class name')} from {source}",
            hint=AS_OUTPUTS
            if are_numbers
            else "if the model was trained on these classes"
            + (" and more" if names < outputs else "")
            + ", pass --classes FILE with one name for each output, in their order"
            + (f" ({_LISTED})" if names < outputs else "")
            + "; if on others, errlens network probe fits a head to them",
        )
        self.outputs = outputs
        self.names = names


class UnknownLabels(InputError):
    """The data hold labels that the model has no class for.

    `of` is how many labels there are, `source` where the classes come from. Without a `model`,
    labels and predictions come from one table. Labels of `folders` that are numbers may be those
    of outputs all the same.
    """

    def __init__(
        self,
        labels: Sequence[str],
        classes: Sequence[str],
        *,
        of: int,
        source: str,
        model: bool = True,
        folders: bool = False,
    ) -> None:
        near = nearest(labels[0], classes, most=1)
        guess = f" (nearest to {labels[0]!r}: {near[0]!r})" if near else ""
        strangers = len(labels) > of / 3
        numbers = all(label.isdecimal() for label in labels)
        if (
            folders
            and numbers
            and all(len(label) < 10 and int(label) < len(classes) for label in labels)
        ):
            hint = AS_OUTPUTS
        else:
            hint = _NUMBERS if numbers else _WAYS[model, strangers]
        super().__init__(
            f"{count(len(labels))} of {counted(of, 'label')} of the data {are(len(labels))} "
            f"none of "
            f"the {counted(len(classes), 'class name')} from {source}: {some(labels)}{guess}",
            hint=hint,
        )
        self.labels = list(labels)


class AmbiguousLabels(InputError):
    """A label of the data may mean several classes of the model."""


class DataSetUnavailable(InputError):
    """The files of a library's data set are not there, or could not be fetched."""


class UnfitDataSet(InputError):
    """A library's data set does not yield an image and its label."""


def _found(path: Path, suffixes: Collection[str]) -> tuple[str, str]:
    """Return what a path is in place of a file, and what helps."""
    if path.is_dir():
        return "is a folder, not a file", _holds("it", _names_in(path), suffixes)
    if path.exists():
        return "is a pipe or a device, not a file", "write what it gives into a file first"
    if path.is_symlink():
        return f"links to {str(path.readlink())!r}, which does not exist", _beside(path, suffixes)
    return "does not exist", _beside(path, suffixes)


def _beside(path: Path, suffixes: Collection[str]) -> str:
    """Suggest what is called like a path that does not exist, else what lies where it should."""
    there = next(parent for parent in (*path.parents, Path()) if parent.is_dir())
    names = _names_in(there)
    if near := _like(path.relative_to(there), there, names):
        kept = [path for path in near if path.is_dir() or _of_kind([path.name], suffixes)]
        if kept:
            return did_you_mean([shell_line([path]) for path in kept])
    return _holds(repr(str(there.absolute())), names, suffixes)


def _holds(folder: str, names: Sequence[str], suffixes: Collection[str]) -> str:
    """Say which files of a kind a folder holds."""
    fit = _of_kind(names, suffixes)
    if names and not fit:
        return f"{folder} holds no file that ends in {' or '.join(suffixes)}"
    return f"{folder} " + (f"holds {some(fit)}" if fit else "is empty")


def _of_kind(names: Sequence[str], suffixes: Collection[str]) -> list[str]:
    """Return the names that end in one of the suffixes; without any, all."""
    return [name for name in names if not suffixes or name.lower().endswith(tuple(suffixes))]


def _like(missing: Path, there: Path, names: Sequence[str]) -> list[Path]:
    """Return the paths below a folder that exist and are called alike, folder by folder."""
    first, *rest = missing.parts
    near = [first] if rest and first in names else nearest(first, names)
    if not rest:  # a broken link is called so itself
        return [there / name for name in near if (there / name).exists()]
    folders = [there / name for name in near if (there / name).is_dir()]
    below = [_like(Path(*rest), folder, _names_in(folder)) for folder in folders]
    return [path for paths in below for path in paths]


def _names_in(folder: Path) -> list[str]:
    """Return what a folder shows, in order; nothing if it may not be read."""
    try:
        return sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError:
        return []
