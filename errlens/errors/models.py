"""A network, its weights or the user's own code do not do what is asked."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from errlens.errors.kinds import InputError
from errlens.errors.words import in_its_words, some


class BadCheckpoint(InputError):
    """A checkpoint cannot be read, or must not be."""


class IncompatibleCheckpoint(InputError):
    """The tensors of a checkpoint are not those of the model.

    Where it is known what they are, `reason` says so in place of their names.
    """

    def __init__(
        self,
        path: Path,
        *,
        missing: Sequence[str],
        unexpected: Sequence[str],
        misshaped: Sequence[str],
        model: str = "the model",
        reason: str = "",
    ) -> None:
        parts = [
            f"{len(names)} {kind}: {some(names, most=2)}"
            for kind, names in (
                ("missing", missing),
                ("unexpected", unexpected),
                ("of another shape", misshaped),
            )
            if names
        ]
        self.reason = reason or "; ".join(parts)
        super().__init__(
            f"checkpoint {str(path)!r} does not fit {model}{':' if reason else ';'} {self.reason}",
            hint="check --model and --model-kwargs: they must be those of the training",
        )
        self.path, self.model = path, model
        self.missing = list(missing)
        self.unexpected = list(unexpected)
        self.misshaped = list(misshaped)

    def because(self, reason: str) -> "IncompatibleCheckpoint":
        """Return the same failure with a reason in place of names."""
        return IncompatibleCheckpoint(
            self.path,
            missing=self.missing,
            unexpected=self.unexpected,
            misshaped=self.misshaped,
            model=self.model,
            reason=reason,
        )


class UnfitCheckpoint(InputError):
    """A checkpoint is not of the network that a run was made with."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"checkpoint {str(path)!r} is not of the network of the run: {reason}",
            hint="leave it out of --checkpoints, or evaluate a run of its own with it",
        )


class NoClassifier(InputError):
    """A network, or its weights, give features and no scores of classes.

    `model` is the architecture, with the `arguments` that its weights ask for.
    """

    def __init__(self, message: str, *, model: str, arguments: Mapping[str, Any]) -> None:
        super().__init__(
            message,
            hint="errlens network probe DATA fits a classifier to labelled images, and saves the "
            "network with it",
        )
        self.model = model
        self.arguments = dict(arguments)


class WeightsUnavailable(InputError):
    """Pretrained weights could not be fetched."""


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


class NoSpatialLayer(InputError):
    """A network has no layer with a map of places, or it cannot be told where they are."""


class NothingExplained(InputError):
    """Not one map could be made."""
