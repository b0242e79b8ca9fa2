"""The data sets of torchvision: which file each image is, and what it shows."""

import inspect
import operator
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, Final, NamedTuple

from PIL import Image

from errlens.classes.names import ClassNames
from errlens.data.dataset_files import ImageOpener, opening_by, write_images
from errlens.data.samples import Samples, samples_of_files
from errlens.errors import (
    DataSetUnavailable,
    ErrlensError,
    UnfitDataSet,
    UnfitOption,
    UnknownDataSet,
    some,
)
from errlens.formats import counted

_USUAL_SPLITS: Final = ("test", "val")
# Where data sets keep the names of their classes; most have the first.
_NAME_ATTRIBUTES: Final = ("classes", "categories", "all_categories")
# Boxes, masks, attributes, captions and pairs: known before gigabytes are fetched in vain.
_OTHER_TASKS: Final = frozenset(
    {
        "CelebA", "Cityscapes", "Kitti", "LFWPairs", "MovingMNIST", "SBDataset", "SBU",
        "VOCDetection", "VOCSegmentation", "WIDERFace",
    },
)  # fmt: skip


class _Kind(NamedTuple):
    """A class of data set and what its constructor takes."""

    name: str
    make: type[Any]
    parameters: Mapping[str, inspect.Parameter]


def torchvision_samples(
    name: str, *, root: Path | None, split: str | None = None, download: bool = False
) -> Samples:
    """List the images of a torchvision data set that yields an image and a label.

    Labels are the names of the data set's classes, for ImageNet and Imagenette their synset ids;
    the order of its classes is kept. Images that lie in no files of their own, like those of
    CIFAR10 and MNIST, are once written to `ROOT/errlens/NAME-SPLIT` as PNG, which loses nothing.

    Args:
        name: The class in `torchvision.datasets`.
        root: The folder that torchvision calls the root of the data set.
        split: Which part; by default `test`, else `val`, else what torchvision takes by default.
            A data set divided by `train=` has the splits train and test. EMNIST, which divides
            itself in both ways, gives the test images of a split.
        download: Fetch what is not there.

    Raises:
        UnknownDataSet: torchvision has no such data set.
        UnfitDataSet: It has, but what it yields is not an image and a label.
        UnfitOption: The root is missing, or the data set has no such split or no download.
        DataSetUnavailable: The files are not there, not whole, or could not be fetched.
    """
    kind = _find(name)
    if root is None:
        raise UnfitOption(
            f"torchvision:{name} needs the folder of its files", hint="name it with --root DIR"
        )
    root = root.expanduser().absolute()
    opener = ImageOpener()
    with _explained(kind, root, download=download):
        dataset, split = _load(kind, root, split=split, download=download, opener=opener)
        listed = [(_target(kind, item), file) for item, file in opener.items(dataset)]
    targets = [target for target, _ in listed]
    classes = _classes_of(kind, dataset, targets)
    files = [file for _, file in listed if file is not None]
    if len(files) < len(listed):
        opener.decodes = True
        files = write_images(dataset, root / "errlens" / "-".join(filter(None, (name, split))))
    return samples_of_files(
        files, _labels(kind, dataset, targets, classes), root=root, split=split, classes=classes
    )


# The data set


def _find(name: str) -> _Kind:
    from torchvision import datasets

    exported = {public: getattr(datasets, public) for public in datasets.__all__}
    known = {
        public: make
        for public, make in exported.items()
        if inspect.isclass(make) and issubclass(make, datasets.VisionDataset)
        if make is not datasets.VisionDataset
    }
    if name not in known:
        raise UnknownDataSet(name, known)
    if name in _OTHER_TASKS:
        raise _no_labels(name)
    kind = _Kind(name, known[name], _parameters(known[name]))
    needed = [
        parameter.name
        for parameter in kind.parameters.values()
        if parameter.default is inspect.Parameter.empty
        and parameter.name not in {"root", "split", "loader"}
    ]
    if needed or "root" not in kind.parameters:
        lack = f"needs {some(needed)} besides a root" if needed else "lies in no folder"
        raise UnfitDataSet(f"torchvision's {name} {lack}: errlens cannot open it")
    return kind


def _parameters(kind: type[Any]) -> dict[str, inspect.Parameter]:
    """Return what a constructor takes, with what it hands on to those it inherits from."""
    parameters: dict[str, inspect.Parameter] = {}
    for base in kind.__mro__:
        own = inspect.signature(base).parameters
        named = {
            name: parameter
            for name, parameter in own.items()
            if parameter.kind is not inspect.Parameter.VAR_KEYWORD
        }
        parameters = {**named, **parameters}
        if len(named) == len(own):
            break
    return parameters


def _load(
    kind: _Kind, root: Path, *, split: str | None, download: bool, opener: ImageOpener
) -> tuple[Any, str | None]:
    """Make the data set, and say which split it is."""
    if download and "download" not in kind.parameters:
        raise UnfitOption(
            f"torchvision cannot download {kind.name}", hint=f"put its files into {str(root)!r}"
        )
    kind = kind._replace(make=opening_by(kind.make, opener))
    # Some data sets would download unless told not to.
    wanted = {"root": str(root), "download": download, "loader": opener}
    given = {key: value for key, value in wanted.items() if key in kind.parameters}
    with redirect_stdout(sys.stderr):  # some versions talk; the standard output is for results
        if "split" in kind.parameters:
            return _load_split(kind, given, split)
        if "train" not in kind.parameters:
            if split is not None:
                raise UnfitOption(f"{kind.name} has no splits", hint="leave --split out")
            return kind.make(**given), None
        if split not in {None, "train", "test"}:
            raise _no_such_split(kind, ("train", "test"))
        return kind.make(**given, train=split == "train"), split or "test"


def _load_split(kind: _Kind, given: Mapping[str, Any], split: str | None) -> tuple[Any, str]:
    """Make the data set of this split, or of the most usual one that it has."""
    given = {**given, "train": False} if "train" in kind.parameters else given
    default = kind.parameters["split"].default
    usual = _USUAL_SPLITS if default is inspect.Parameter.empty else (*_USUAL_SPLITS, default)
    refusal = ""
    for choice in usual if split is None else (split,):
        try:
            return kind.make(**given, split=choice), choice
        except ValueError as error:
            refusal = str(error)
            if "for argument split" not in refusal:
                raise
    valid = refusal.partition("Valid values are {")[2].partition("}")[0]
    raise _no_such_split(kind, [value.strip(" '\"") for value in valid.split(",")])


def _no_such_split(kind: _Kind, valid: Sequence[str]) -> UnfitOption:
    return UnfitOption(f"for {kind.name}, --split must be one of {some(valid, most=10)}")


@contextmanager
def _explained(kind: _Kind, root: Path, *, download: bool) -> Iterator[None]:
    """Turn whatever a data set raises into one sentence."""
    try:
        yield
    except ErrlensError:
        raise
    except ImportError as error:
        raise DataSetUnavailable(
            f"torchvision's {kind.name} needs the package {error.name!r}",
            hint=f"pip install {error.name}",
        ) from error
    except Exception as error:  # foreign files make torchvision raise nearly anything
        reason = re.sub(r" You \w+ \w+ download=True.*", "", " ".join(str(error).split()))
        verb = "fetch or open" if download else "open"
        hint = (
            "add --download to fetch it"
            if "download" in kind.parameters
            else f"put its files into {str(root)!r}"
        )
        hint = "try again, or put its files there yourself" if download else hint
        raise DataSetUnavailable(
            f"torchvision cannot {verb} {kind.name} in {str(root)!r}:"
            f" {reason.rstrip('.') or type(error).__name__}",
            hint="" if "pip install" in reason else hint,
        ) from error


# Its labels


def _target(kind: _Kind, item: Any) -> int | str | None:
    """Return the label in an item; negative numbers, by which STL10 means none, are None."""
    if isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], Image.Image):
        target = item[1]
        if target is None or isinstance(target, str):
            return target
        try:
            index = operator.index(target)
        except TypeError:
            pass
        else:
            return index if index >= 0 else None
    raise _no_labels(kind.name)


def _no_labels(name: str) -> UnfitDataSet:
    return UnfitDataSet(f"torchvision's {name} does not yield an image and its label")


def _classes_of(
    kind: _Kind, dataset: Any, targets: Sequence[int | str | None]
) -> ClassNames | None:
    """Return the classes in the data set's order; those it does not name are called by number."""
    synsets = getattr(dataset, "wnids", None) or ()
    names = _names(dataset) or [
        str(number)
        for number in range(
            1 + max((number for number in targets if isinstance(number, int)), default=-1)
        )
    ]
    if not names:
        return None
    shared = {name for name, count in Counter(names).items() if count > 1}
    return ClassNames(
        tuple(
            f"{name} ({synsets[index] if synsets else index})" if name in shared else name
            for index, name in enumerate(names)
        ),
        aliases={synset: (index,) for index, synset in enumerate(synsets)},
        source=f"the labels of {kind.name}",
    )


def _names(dataset: Any) -> list[str]:
    """Return the class names a data set has; where one has synonyms, the first of them."""
    for attribute in _NAME_ATTRIBUTES:
        if names := getattr(dataset, attribute, None):
            return [str(name if isinstance(name, str) else name[0]) for name in names]
    indices: Mapping[str, int] = getattr(dataset, "class_to_idx", {})
    return sorted(indices, key=indices.__getitem__)


def _labels(
    kind: _Kind, dataset: Any, targets: Sequence[int | str | None], classes: ClassNames | None
) -> list[str | None]:
    """Name the targets: a number by its class, or its synset id, which every ImageNet model knows.

    Raises:
        UnfitDataSet: The data set has more labels than classes.
    """
    names = getattr(dataset, "wnids", None) or (classes.names if classes else ())
    beyond = [number for number in targets if isinstance(number, int) and number >= len(names)]
    if beyond:
        raise UnfitDataSet(
            f"torchvision's {kind.name} has the label {beyond[0]}, but "
            f"{counted(len(names), 'class')}"
        )
    return [names[target] if isinstance(target, int) else target for target in targets]
