"""Failures a user can do something about.

Each class says what happened in its message, what to do in its hint, and how the process ends in
its exit code::

    ErrlensError
    ├── UsageError (2)              the command or its configuration
    │   ├── BadConfig
    │   ├── UnknownModel
    │   ├── UnknownDataSet
    │   ├── UnfitOption
    │   ├── UnfitSelection
    │   ├── UnfitGate
    │   ├── UnfitLayer
    │   └── UnfitMethod
    ├── InputError (3)              what the command was given to read
    │   ├── MissingInput
    │   ├── NoImages
    │   ├── BadManifest
    │   ├── BadPredictions
    │   ├── BadClassFile
    │   ├── BadLabelFile
    │   ├── ClassCountMismatch
    │   ├── UnknownLabels
    │   ├── AmbiguousLabels
    │   ├── BadCheckpoint
    │   ├── IncompatibleCheckpoint
    │   ├── WeightsUnavailable
    │   ├── DataSetUnavailable
    │   ├── UnfitDataSet
    │   ├── UnfitModel
    │   ├── NotARun
    │   ├── NoModel
    │   ├── NoLabels
    │   ├── IncompleteRun
    │   ├── StaleRun
    │   ├── LabelSpaceMismatch
    │   ├── IncomparableRuns
    │   ├── NoResults
    │   ├── UnfitBaseline
    │   ├── NoSpatialLayer
    │   ├── NothingExplained
    │   ├── OutsideRun
    │   ├── OutOfReach
    │   └── TooManyBadInputs
    ├── GateFailed (1)              the model is not as good as was asked
    └── Interrupted (130)           by Ctrl-C; 143 by SIGTERM, 129 by SIGHUP

Anything else that reaches the top is a bug and keeps its traceback, but for what the system refuses
(`NOT_OURS`): that is told as `OutOfReach`, wherever it comes from.
"""

import errno
from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Final

# What the system may answer through no fault of the program, whatever it was asked for.
NOT_OURS: Final = frozenset(
    {
        errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO,
        errno.ENAMETOOLONG, errno.ELOOP, errno.EISDIR, errno.ENOTDIR, errno.EMFILE, errno.ENFILE,
        errno.ESTALE,
    }
)  # fmt: skip

_ROOM: Final = "make room there, or choose another disk; then the same command does it"
_WAYS_OUT: Final = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: _ROOM,
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EACCES: "choose a place where you may read and write; a run may be copied there",
    errno.EROFS: "choose a place where you may read and write; a run may be copied there",
}


class ErrlensError(Exception):
    """A failure that ends as one sentence and a hint instead of a traceback.

    `code` are the lines of a command or program that the hint ends with.
    """

    exit_code = 70

    def __init__(self, message: str, *, hint: str = "", code: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.hint = hint
        self.code = list(code)


class UsageError(ErrlensError):
    """The command line or the configuration asks for something that cannot be done."""

    exit_code = 2


class InputError(ErrlensError):
    """Something the command was given to read is not what it needs."""

    exit_code = 3


class BadConfig(UsageError):
    """A configuration file, or a `--set`, holds a key or value nobody can use."""


class UnknownModel(UsageError):
    """No library knows a model of this name."""

    def __init__(self, name: str, known: Iterable[str] = (), *, where: str = "timm") -> None:
        near = nearest(name, known)
        super().__init__(
            f"{where} has no model {name!r}",
            hint=f"did you mean {', '.join(near)}?"
            if near
            else f"see {where}.list_models()"
            if where == "timm"
            else f"see what {where} has",
        )


class UnknownDataSet(UsageError):
    """torchvision knows no data set of this name."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        near = nearest(name, known)
        super().__init__(
            f"torchvision has no data set {name!r}",
            hint=f"did you mean {', '.join(near)}?" if near else "see torchvision.datasets",
        )


class UnfitOption(UsageError):
    """An option contradicts the data, the model or another option."""


class UnfitSelection(UsageError):
    """A `--select` cannot be read, names what is not there, or means no image."""


class UnfitGate(UsageError):
    """A gate cannot be read, or names a figure or a class that is not there."""


class UnfitLayer(UsageError):
    """A layer that was named does not exist, or has no map of places."""


class UnfitMethod(UsageError):
    """An attribution method cannot explain a network honestly."""

    def __init__(self, method: str, reason: str) -> None:
        super().__init__(f"{method} cannot explain this network: {reason}")


class MissingInput(InputError):
    """A file or folder that was named does not exist."""

    def __init__(self, path: Path, *, what: str) -> None:
        super().__init__(f"{what} {str(path)!r} does not exist", hint=_beside(path))


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


class ClassCountMismatch(InputError):
    """The model and the class list disagree about how many classes there are."""

    def __init__(self, *, outputs: int, names: int, source: str) -> None:
        super().__init__(
            f"the model has {outputs} outputs, but there are {names} class names from {source}",
            hint="if the model was trained on these classes, pass --classes FILE with one name for "
            "each output, in their order; if on others, errlens network probe fits a head to these",
        )
        self.outputs = outputs
        self.names = names


class UnknownLabels(InputError):
    """The data hold labels that the model has no class for."""

    def __init__(
        self, labels: Sequence[str], classes: Sequence[str], *, of: int, source: str
    ) -> None:
        near = nearest(labels[0], classes, most=1)
        guess = f" (nearest to {labels[0]!r}: {near[0]!r})" if near else ""
        strangers = len(labels) > of / 3
        super().__init__(
            f"{len(labels)} of {of} labels of the data are none of the {len(classes)} class names "
            f"from {source}: {some(labels)}{guess}",
            hint="the model seems to know other classes than the data have: errlens network probe "
            "fits a head to these; if it has one, pass --classes FILE with the names of its outputs"
            if strangers
            else "pass --classes FILE with the model's class names, spelt as in the data, or "
            "--allow-unknown to predict these images without counting them",
        )
        self.labels = list(labels)


class AmbiguousLabels(InputError):
    """A label of the data may mean several classes of the model."""


class BadCheckpoint(InputError):
    """A checkpoint cannot be read, or must not be."""


class IncompatibleCheckpoint(InputError):
    """The tensors of a checkpoint are not those of the model."""

    def __init__(
        self,
        path: Path,
        *,
        missing: Sequence[str],
        unexpected: Sequence[str],
        misshaped: Sequence[str],
        model: str = "the model",
    ) -> None:
        parts = [
            f"{len(names)} {kind}: {some(names)}"
            for kind, names in (
                ("missing", missing),
                ("unexpected", unexpected),
                ("of another shape", misshaped),
            )
            if names
        ]
        super().__init__(
            f"checkpoint {str(path)!r} does not fit {model}; " + "; ".join(parts),
            hint="check --model and --model-kwargs: they must be those of the training",
        )
        self.missing = list(missing)
        self.unexpected = list(unexpected)
        self.misshaped = list(misshaped)


class WeightsUnavailable(InputError):
    """Pretrained weights could not be fetched."""


class DataSetUnavailable(InputError):
    """The files of a library's data set are not there, or could not be fetched."""


class UnfitDataSet(InputError):
    """A library's data set does not yield an image and its label."""


class UnfitModel(InputError):
    """The model cannot do what is asked: its outputs or its inputs are not a classifier's."""


class NotARun(InputError):
    """A folder was named that errlens did not write."""


class NoModel(InputError):
    """A run was imported, and what is asked for takes the model that made its predictions."""

    def __init__(self, run: Path, *, table: str) -> None:
        super().__init__(
            f"{str(run)!r} was imported from {table!r}: it has no model to explain with",
            hint="errlens evaluate DATA --model NAME -o ANOTHER_RUN makes a run with its model",
        )


class NoLabels(InputError):
    """A run holds no image with a label and a prediction: nothing is right or wrong."""

    def __init__(self, run: Path) -> None:
        super().__init__(
            f"no image of {str(run)!r} has both a label and a prediction",
            hint="evaluate a data set with labels: class folders, or a manifest with a column of "
            "labels",
        )


class IncompleteRun(InputError):
    """Parts of a run's predictions are missing or damaged."""


class StaleRun(InputError):
    """A run folder holds results made from other data or with other settings."""


class NoResults(InputError):
    """A command builds on what another one writes, and that is not there or not of this run."""

    def __init__(self, what: str, *, command: str) -> None:
        super().__init__(what, hint=f"{command} makes it")


class UnfitBaseline(InputError):
    """What a run should be compared with is no baseline, or one of other images or labels."""


class NoSpatialLayer(InputError):
    """A network has no layer with a map of places, or it cannot be told where they are."""


class NothingExplained(InputError):
    """Not one map could be made."""


class LabelSpaceMismatch(InputError):
    """The predictions say that labels of the data and outputs of the model are exchanged."""


class IncomparableRuns(InputError):
    """Two runs have no images or no classes in common, as far as what is asked for takes them."""


class OutsideRun(InputError):
    """Something in a run folder leads out of it: nothing is read or written there."""

    def __init__(self, path: Path, *, folder: Path) -> None:
        super().__init__(
            f"{str(path)!r} leads out of {str(folder)!r}: nothing is read or written there",
            hint="remove it, or put a copy of what it leads to in its place",
        )


class OutOfReach(InputError):
    """The system refuses to read or write: no permission, a full disk, a name that is too long."""

    def __init__(
        self, error: OSError, *, path: Path | None = None, doing: str = "read or written"
    ) -> None:
        place = error.filename if path is None else path
        what = "a file" if place is None else repr(str(place))
        reason = (error.strerror or str(error)).lower()
        super().__init__(
            f"{what} cannot be {doing}: {reason}",
            hint=_WAYS_OUT.get(
                error.errno or 0, "see what stands there, and what you may do there"
            ),
        )


class TooManyBadInputs(InputError):
    """More inputs failed than `--max-bad` allows; everything has been written all the same."""


class GateFailed(ErrlensError):
    """The run was measured, and falls short of what was asked; everything has been written."""

    exit_code = 1


class Interrupted(ErrlensError):
    """The user stopped the work; what was finished is kept."""

    exit_code = 130


def nearest(word: str, known: Iterable[str], *, most: int = 3) -> list[str]:
    """Return the known words most like this one, best first.

    >>> nearest("resnet_50", ["vgg11", "resnet50", "resnet101"])
    ['resnet50', 'resnet101']
    """
    by_folded = {name.casefold(): name for name in known}
    return [by_folded[name] for name in get_close_matches(word.casefold(), by_folded, n=most)]


def some(names: Collection[str], *, most: int = 5) -> str:
    """Name the first few and count the rest.

    >>> some(["a", "b", "c"], most=2)
    "'a', 'b' and 1 more"
    """
    shown = ", ".join(shortened(repr(name)) for name in list(names)[:most])
    rest = len(names) - most
    return f"{shown} and {rest} more" if rest > 0 else shown


def shortened(text: str, *, most: int = 120) -> str:
    """Return a text in at most so many characters, without its middle where it is longer.

    Whoever puts a value into a message may have been handed one of a million characters.

    >>> shortened("0123456789", most=7), shortened("short")
    ('01...89', 'short')
    """
    if len(text) <= most:
        return text
    half = (most - 3) // 2
    return f"{text[:half]}...{text[-half:]}"


def _beside(path: Path) -> str:
    """Suggest what lies beside a path that does not exist."""
    parent = path.parent
    if not parent.is_dir():
        return f"the folder {str(parent)!r} does not exist either"
    near = nearest(path.name, (entry.name for entry in parent.iterdir()))
    return f"did you mean {', '.join(str(parent / name) for name in near)}?" if near else ""
