"""The command or its configuration asks for what cannot be done."""

from collections.abc import Iterable

from errlens.errors.kinds import UsageError
from errlens.errors.words import did_you_mean, nearest, shortened


class BadConfig(UsageError):
    """A configuration file, or a `--set`, holds a key or value nobody can use."""


class UnknownModel(UsageError):
    """No library knows a model of this name; `hint` says where else it may be."""

    def __init__(
        self, name: str, known: Iterable[str] = (), *, where: str = "timm", hint: str = ""
    ) -> None:
        near = nearest(name, known)
        super().__init__(
            f"{where} has no model {shortened(name)!r}",
            hint=hint
            or did_you_mean(
                near, f"see {where}.list_models()" if where == "timm" else f"see what {where} has"
            ),
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


class Unruled(UsageError):
    """A network computes what an attribution method has no rule for."""


class Unlike(Unruled):
    """A network calls other operations for an image than for its baseline."""

    def __init__(self) -> None:
        super().__init__("what it computes of a black image is not what it computes of this one")


class UnfitMethod(UsageError):
    """An attribution method cannot explain a network honestly."""

    def __init__(self, method: str, reason: str) -> None:
        super().__init__(
            f"{method} cannot explain this network: {reason}",
            hint="--method occlusion explains any network; errlens explain RUN --list tells which "
            "others do",
        )
