"""Error analysis for image classifiers.

>>> import errlens
>>> sorted(errlens.__all__)
['evaluate', 'open_run']
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from errlens.run import RunFolder

__version__ = "0.1.0"
__all__ = ["evaluate", "open_run"]


def evaluate(
    data: str | Path, *, model: str | None = None, out: str | Path | None = None, **options: Any
) -> "RunFolder":
    """Predict every image of `data` and return the run folder.

    Args:
        data: Class folders, a manifest, a folder of photos, one photo or `torchvision:NAME`.
        model: A timm name, `hf-hub:REPO`, `torchvision:NAME` or `package.module:function`; by
            default what the `checkpoint` is for.
        out: The run folder; by default `runs/DATA-MODEL`.
        options: Any option of `errlens evaluate`, with underscores; paths as `Path`.
    """
    from errlens.commands.evaluate import EvaluateOptions
    from errlens.commands.evaluate import evaluate as command

    place = None if out is None else Path(out)
    return command(
        EvaluateOptions(data=Path(data), model=model, out=place, **{"quiet": True, **options})
    )


def open_run(path: str | Path) -> "RunFolder":
    """Open a run folder: `.predictions`, `.metrics`, `.info`.

    Raises:
        NotARun: errlens did not write this folder.
    """
    from errlens.run import open_run as open_folder

    return open_folder(path)
