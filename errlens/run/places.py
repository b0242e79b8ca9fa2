"""What DATA stands for, and which run may be meant by a path that is none."""

import os
from pathlib import Path
from typing import Final

from errlens.errors import did_you_mean, nearest
from errlens.escapes import shell_line

TORCHVISION: Final = "torchvision:"
DEFAULT_RUNS: Final = Path("runs")
MAX_FILE_MB: Final = 500  # megabytes of an image file; nobody photographs more
_INFO: Final = "run.json"
OF_A_RUN: Final = frozenset({_INFO, "plan.parquet"})  # in each from its beginning
_LEVELS: Final = 3  # how far above a file of a run its folder is looked for
_SHOWN: Final = 3  # runs that may be meant
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


def is_run(folder: Path) -> bool:
    """Tell whether a folder is a run, be it complete or not."""
    return all((folder / name).is_file() for name in OF_A_RUN)


def which_run(path: Path) -> str:
    """Return the hint for a path that is no run: the runs that may be meant, or what makes one."""
    words: list[str | Path] = ["errlens", "evaluate", "DATA", "--model", "NAME"]
    if not path.exists():
        words += ["-o", path]
    return _did_you_mean(_meant_by(path)) or f"{shell_line(words)} makes one"


def which_of_here() -> str:
    """Return the hint where no run was named and there is none to take."""
    return _did_you_mean(_runs_in(Path())) or "errlens evaluate DATA --model NAME makes one"


def _did_you_mean(runs: list[Path]) -> str:
    return did_you_mean([shell_line([run]) for run in runs[:_SHOWN]])


def _meant_by(path: Path) -> list[Path]:
    """Return the run that a path lies in, or the runs in it, or those called alike."""
    around = [place for place in [*path.parents][:_LEVELS] if (place / _INFO).is_file()]
    inside = _runs_in(path) if path.is_dir() else []
    beside = {str(run): run for place in (path.parent, DEFAULT_RUNS) for run in _runs_in(place)}
    by_name = {run.name: run for run in beside.values()}
    alike = [by_name[name] for name in nearest(path.name, by_name, most=_SHOWN)]
    return around[:1] or inside or alike


def _runs_in(folder: Path) -> list[Path]:
    """Return the runs in a folder, the newest first."""
    try:
        with os.scandir(folder) as entries:
            infos = [Path(entry.path) / _INFO for entry in entries if entry.is_dir()]
        runs = [(info.stat().st_mtime_ns, info.parent) for info in infos if info.is_file()]
    except OSError:
        return []
    return [run for _, run in sorted(runs, reverse=True)]
