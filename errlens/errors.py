"""Failures a user can do something about.

Each class says what happened in its message, what to do in its hint, and how the process ends in
its exit code::

    ErrlensError
    ├── UsageError (2)              the command or its configuration
    │   ├── BadConfig
    │   ├── UnknownModel
    │   ├── UnknownDataSet
    │   ├── UnfitOption
    │   ├── PictureTooLarge
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
    │   ├── UserCodeFailed
    │   ├── OutOfMemory
    │   ├── NotARun
    │   ├── ForeignCode
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
from traceback import walk_tb
from typing import Final

LONGEST_MESSAGE: Final = 2000  # characters; what was read may be a value of a million
LONGEST_NAME: Final = 300  # a longer word is no misspelt name, and takes long to compare

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
        super().__init__(shortened(message, most=LONGEST_MESSAGE))
        self.hint = shortened(hint, most=LONGEST_MESSAGE)
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
            f"{where} has no model {shortened(name)!r}",
            hint=did_you_mean(near, f"see {where}.list_models()")
            if where == "timm"
            else f"see what {where} has",
        )


class UnknownDataSet(UsageError):
    """torchvision knows no data set of this name."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        near = nearest(name, known)
        super().__init__(
            f"torchvision has no data set {name!r}",
            hint=did_you_mean(near, "see torchvision.datasets"),
        )


class UnfitOption(UsageError):
    """An option contradicts the data, the model or another option."""


class PictureTooLarge(UsageError):
    """A picture would have more pixels a side than can be drawn."""

    def __init__(self, width: int, height: int) -> None:
        super().__init__(
            f"a picture of {width} x {height} pixels is too large",
            hint="select fewer images, or fewer targets",
        )


class UnfitSelection(UsageError):
    """A `--select` cannot be read, names what is not there, or means no image."""


class UnfitGate(UsageError):
    """A gate cannot be read, or names a figure or a class that is not there."""


class UnfitLayer(UsageError):
    """A layer that was named does not exist, or has no map of places."""


class UnfitMethod(UsageError):
    """An attribution method cannot explain a network honestly."""

    def __init__(self, method: str, reason: str) -> None:
        super().__init__(
            f"{method} cannot explain this network: {reason}",
            hint="--list tells which methods can; --method occlusion explains any network",
        )


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


_NUMBERS = (
    "labels that are numbers stand for outputs, and the first output is 0: do these count "
    "otherwise, or number other classes?"
)
# What to do about unknown labels: whether there is a model, and whether they are many.
_WAYS = {
    (True, True): "the model seems to know other classes than the data have: errlens network probe "
    "fits a head to these; if it has one, pass --classes FILE with the names of its outputs",
    (True, False): "pass --classes FILE with the model's class names, spelt as in the data, or "
    "--allow-unknown to predict these images without counting them",
    (False, True): "labels and predictions must name the same classes; --classes FILE has their "
    "names in output order",
    (False, False): "call a class alike everywhere, or pass --allow-unknown to keep these images "
    "without counting them",
}


class UnknownLabels(InputError):
    """The data hold labels that the model has no class for.

    `of` is how many labels there are, `source` where the classes come from. Without a `model`,
    labels and predictions come from one table.
    """

    def __init__(
        self,
        labels: Sequence[str],
        classes: Sequence[str],
        *,
        of: int,
        source: str,
        model: bool = True,
    ) -> None:
        near = nearest(labels[0], classes, most=1)
        guess = f" (nearest to {labels[0]!r}: {near[0]!r})" if near else ""
        strangers = len(labels) > of / 3
        numbers = all(label.isdecimal() for label in labels)
        super().__init__(
            f"{len(labels)} of {of} labels of the data are none of the {len(classes)} class names "
            f"from {source}: {some(labels)}{guess}",
            hint=_NUMBERS if numbers else _WAYS[model, strangers],
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


class UserCodeFailed(InputError):
    """The user's own code raised something: the forward of a network, a factory, a transform."""

    def __init__(self, what: str, error: BaseException) -> None:
        super().__init__(f"{what} raised {in_its_words(error)}")


class OutOfMemory(InputError):
    """The network and its inputs together take more memory than there is."""

    def __init__(self, what: str, *, images: int) -> None:
        super().__init__(
            f"{what} ran out of memory with {images} image{'s' * (images != 1)} at a time",
            hint=f"--batch-size {images // 2}; also see --workers and --img-size"
            if images > 1
            else "see --workers, --device and --img-size",
        )


class NotARun(InputError):
    """A folder was named that errlens did not write."""


class ForeignCode(InputError):
    """A run names Python code that may be somebody else's."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(
            f"the run names the {what} {shortened(name)!r}, which is none of the current folder: "
            "a run from somebody else could name any code",
            hint="go to the folder where it lies, or add --trust-run where the run is yours",
        )


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


def in_its_words(error: BaseException) -> str:
    """Return the kind of an error, what it says and the line of the user's code that led to it.

    >>> in_its_words(KeyError("logits"))
    "KeyError: 'logits'"
    """
    words = " ".join(str(error).split())
    said = f"{type(error).__name__}: {words}" if words else type(error).__name__
    ours = str(Path(__file__).parent)
    places = [
        (Path(frame.f_code.co_filename).name, line)
        for frame, line in walk_tb(error.__traceback__)
        if not frame.f_code.co_filename.startswith((ours, "<"))
        and "site-packages" not in frame.f_code.co_filename
    ]
    return f"{said} ({places[-1][0]}, line {places[-1][1]})" if places else said


def nearest(word: str, known: Iterable[str], *, most: int = 3) -> list[str]:
    """Return the known words most like this one, best first.

    >>> nearest("resnet_50", ["vgg11", "resnet50", "resnet101"])
    ['resnet50', 'resnet101']
    """
    if len(word) > LONGEST_NAME:
        return []
    by_folded = {name.casefold(): name for name in known if len(name) <= LONGEST_NAME}
    return [by_folded[name] for name in get_close_matches(word.casefold(), by_folded, n=most)]


def did_you_mean(near: Sequence[str], otherwise: str = "") -> str:
    """Return the hint that names what is spelt alike, or another one.

    >>> did_you_mean(["cat", "cow"]), did_you_mean([], "there are cat and dog")
    ('did you mean cat, cow?', 'there are cat and dog')
    """
    return f"did you mean {', '.join(near)}?" if near else otherwise


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
