"""What DATA stands for: a place on disk, or a data set of a library by its name."""

from pathlib import Path
from typing import Final

TORCHVISION: Final = "torchvision:"


def data_set_name(data: Path) -> str | None:
    """Return the name of the torchvision data set that DATA stands for, None for a place on disk.

    >>> data_set_name(Path("torchvision:CIFAR10")), data_set_name(Path("photos"))
    ('CIFAR10', None)
    """
    text = str(data)
    return text.removeprefix(TORCHVISION) if text.startswith(TORCHVISION) else None


def as_recorded(data: Path) -> str:
    """Return DATA as a run remembers it: a name as it is, a place as an absolute path."""
    return str(data.absolute() if data_set_name(data) is None else data)
