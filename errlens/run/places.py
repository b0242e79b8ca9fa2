"""What DATA stands for, a place on disk or a data set of a library, and where its runs go."""

import os
import re
from pathlib import Path
from typing import Final

TORCHVISION: Final = "torchvision:"
DEFAULT_RUNS: Final = Path("runs")
MAX_FILE_MB: Final = 500  # megabytes of an image file; nobody photographs more
SPLIT_NAMES: Final = frozenset({"train", "val", "valid", "validation", "test"})


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


def default_run(data: Path, model: str, split: str | None = None) -> Path:
    """Return where a run goes that was given no name: `runs/DATA-MODEL`.

    The split is part of the name of a torchvision data set.

    >>> default_run(Path("photos/pets/val"), "hf-hub:timm/resnet18").as_posix()
    'runs/pets-val-hf-hub_timm_resnet18'
    >>> default_run(Path("torchvision:DTD"), "resnet18", "val").as_posix()
    'runs/DTD-val-resnet18'
    """
    data_set = data_set_name(data)
    if data_set is not None:
        return _run_named(data_set, split, model)
    data = Path(os.path.normpath(data.absolute()))
    name = data.name if data.is_dir() else data.stem
    parts = [data.parent.name, name] if data.name.casefold() in SPLIT_NAMES else [name]
    return _run_named(*parts, model)


def _run_named(*parts: str | None) -> Path:
    return Path(DEFAULT_RUNS, re.sub(r"[^\w.-]+", "_", "-".join(filter(None, parts))))
