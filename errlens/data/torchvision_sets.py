"""The data sets of torchvision: which file each image is, and what it shows."""

import hashlib
import inspect
import operator
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, Final, NamedTuple

from PIL import Image

from errlens.classes.names import ClassNames
from errlens.data.photos.foreign_opening import Open, only_images, opened_by
from errlens.data.samples import Samples, samples_of_files
from errlens.errors import (
    DataSetUnavailable,
    ErrlensError,
    UnfitDataSet,
    UnfitOption,
    UnknownDataSet,
    some,
)
from errlens.run.disk import replacing, written_to

_USUAL_SPLITS: Final = ("test", "val")
# Where data sets keep the names of their classes; most have the first.
_KEPT_BELOW_ROOT: Final = "images that are no files are kept below --root, which must be writable"
_NAME_ATTRIBUTES: Final = ("classes", "categories", "all_categories")
# Boxes, masks, attributes, captions and pairs: known before gigabytes are fetched in vain.
_OTHER_TASKS: Final = frozenset(
    {
        "CelebA", "Cityscapes", "Kitti", "LFWPairs", "MovingMNIST", "SBDataset", "SBU",
        "VOCDetection", "VOCSegmentation", "WIDERFace",
    }
)  # fmt: skip


class _Kind(NamedTuple):
    """A class of data set and what its constructor takes."""

    name: str
    make: Callable[..., Any]
    parameters: Mapping[str, inspect.Parameter]


class _Listing(NamedTuple):
    """The file of each image, None for one that the data set holds in memory, and its target."""

    files: list[Path | None]
    targets: list[int | str | None]


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
    opened: list[Path] = []
    record = _recorder(opened)
    with _explained(kind, root, download=download):
        dataset, split = _load(kind, root, split=split, download=download, loader=record)
        listing = _list(kind, dataset, record, opened)
    classes = _classes_of(kind, dataset, listing.targets)
    files = [file for file in listing.files if file is not None]
    if len(files) < len(listing.files):
        with opened_by(only_images()):
            files = _export(dataset, root / "errlens" / "-".join(filter(None, (name, split))))
    return samples_of_files(
        files,
        _labels(kind, dataset, listing.targets, classes),
        root=root,
        split=split,
        classes=classes,
    )


# The data set


def _find(name: str) -> _Kind:
    from torchvision import datasets

    known = {one: getattr(datasets, one) for one in datasets.__all__ if one != "VisionDataset"}
    known = {
        one: make
        for one, make in known.items()
        if inspect.isclass(make) and issubclass(make, datasets.VisionDataset)
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
    found: dict[str, inspect.Parameter] = {}
    for base in kind.__mro__:
        own = list(inspect.signature(base).parameters.values())
        named = [one for one in own if one.kind is not inspect.Parameter.VAR_KEYWORD]
        found = {**{one.name: one for one in named}, **found}
        if len(named) == len(own):
            break
    return found


def _load(
    kind: _Kind, root: Path, *, split: str | None, download: bool, loader: Open
) -> tuple[Any, str | None]:
    """Make the data set, and say which split it is."""
    if download and "download" not in kind.parameters:
        raise UnfitOption(
            f"torchvision cannot download {kind.name}", hint=f"put its files into {str(root)!r}"
        )
    # Some data sets would download unless told not to.
    wanted = {"root": str(root), "download": download, "loader": loader}
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
        hint = "add --download to fetch it" if "download" in kind.parameters else ""
        hint = "try again, or put its files there yourself" if download else hint
        raise DataSetUnavailable(
            f"torchvision cannot {verb} {kind.name} in {str(root)!r}:"
            f" {reason.rstrip('.') or type(error).__name__}",
            hint="" if "pip install" in reason else hint,
        ) from error


# Its images


def _recorder(opened: list[Path]) -> Open:
    """Return a stand-in for `Image.open` that decodes nothing, but notes which file it was."""
    open_foreign = only_images()

    def record(source: Any, *args: Any, **kwargs: Any) -> Image.Image:
        path = source if isinstance(source, str | os.PathLike) else getattr(source, "name", None)
        if not isinstance(path, str | os.PathLike):
            return open_foreign(source, *args, **kwargs)  # an image within a larger file
        opened.append(Path(path))
        return Image.new("RGB", (1, 1))

    return record


def _list(kind: _Kind, dataset: Any, record: Open, opened: list[Path]) -> _Listing:
    """Call up every item of a data set and note which file it opens, with public API alone."""
    listing = _Listing([], [])
    with opened_by(record):  # for data sets that take no loader
        for index in range(len(dataset)):
            opened.clear()
            listing.targets.append(_target(kind, dataset[index]))
            listing.files.append(opened[0] if opened else None)
    return listing


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


def _export(dataset: Any, folder: Path) -> list[Path]:
    """Write the images that a data set holds in memory to files, unless they are there already."""
    digest = hashlib.sha256()
    for image in _images(dataset):
        digest.update(f"{image.mode} {image.size} ".encode() + image.tobytes())
    files = [folder / f"{index:05d}.png" for index in range(len(dataset))]
    stamp = folder / "sha256.txt"  # of the pixels, so that other data are not taken for these
    with written_to(folder, hint=_KEPT_BELOW_ROOT):
        if _says(stamp, digest.hexdigest()) and all(file.is_file() for file in files):
            return files
        folder.mkdir(parents=True, exist_ok=True)
        stamp.unlink(missing_ok=True)
        for image, file in zip(_images(dataset), files, strict=True):
            with replacing(file) as temporary:
                image.save(temporary, format="PNG")
        stamp.write_text(digest.hexdigest(), encoding="ascii")
    return files


def _images(dataset: Any) -> Iterator[Image.Image]:
    return (dataset[index][0] for index in range(len(dataset)))


def _says(file: Path, text: str) -> bool:
    return file.is_file() and file.read_text(encoding="ascii", errors="replace") == text


# Its labels


def _classes_of(
    kind: _Kind, dataset: Any, targets: Sequence[int | str | None]
) -> ClassNames | None:
    """Return the classes in the data set's order; those it does not name are called by number."""
    synsets = getattr(dataset, "wnids", None) or ()
    names = _names(dataset) or [
        str(number)
        for number in range(1 + max((one for one in targets if isinstance(one, int)), default=-1))
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
        if found := getattr(dataset, attribute, None):
            return [str(name if isinstance(name, str) else name[0]) for name in found]
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
    beyond = [one for one in targets if isinstance(one, int) and one >= len(names)]
    if beyond:
        raise UnfitDataSet(
            f"torchvision's {kind.name} has the label {beyond[0]}, but {len(names)} classes"
        )
    return [names[target] if isinstance(target, int) else target for target in targets]
