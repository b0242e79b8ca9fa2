"""Error analysis for image classifiers.

>>> import errlens
>>> sorted(errlens.__all__)
['confused_pairs', 'evaluate', 'explain', 'open_run']
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

    from errlens.run.folder import RunFolder

__version__ = "0.1.0"
__all__ = ["confused_pairs", "evaluate", "explain", "open_run"]


def confused_pairs(
    label: "ArrayLike",
    pred: "ArrayLike",
    names: Sequence[str],
    superclasses: Mapping[str, str] | None = None,
) -> "pd.DataFrame":
    """Return the pairs of classes with errors both ways, best evidence first.

    `status` says which are more than chance and the errors of related classes explain (`mutual`,
    `likely`) and which may be chance (`candidate`, `untested`); see
    `errlens.analysis.confusion.pairs.pair_table` for the definition and the columns.

    Args:
        label: The true class of each image, an index into `names` or a name, shape (n,).
        pred: The predicted class of each image, likewise.
        names: The class names.
        superclasses: The superclass of each class that has one, by name.

    Raises:
        BadPredictions: A label or a prediction is none of the classes.
        BadClassFile: Names are repeated, or a superclass is given to no class.

    >>> import numpy as np
    >>> label = np.repeat(["cat", "dog", "cow", "pig"], 50)
    >>> pred = label.copy()
    >>> pred[:12], pred[50:58] = "dog", "cat"  # 12 cats are taken for dogs, 8 dogs for cats
    >>> pairs = confused_pairs(label, pred, ["cat", "dog", "cow", "pig"])
    >>> pairs[["class_a", "class_b", "a_as_b", "b_as_a"]].to_numpy().tolist()
    [['cat', 'dog', 12, 8]]
    """
    from errlens.analysis.confusion.matrix import confusion_matrix_of_arrays
    from errlens.analysis.confusion.pairs import pair_table
    from errlens.classes.names import ClassNames, Superclasses

    classes = ClassNames(tuple(names))
    parents = superclasses and Superclasses.from_mapping(
        superclasses, classes, source="the mapping"
    )
    return pair_table(confusion_matrix_of_arrays(label, pred, classes, parents or None))


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
    from errlens.commands.evaluate.command import evaluated
    from errlens.commands.evaluate.options import EvaluateOptions

    place = None if out is None else Path(out)
    return evaluated(
        EvaluateOptions(data=Path(data), model=model, out=place, **{"quiet": True, **options})
    ).run


def explain(run: str | Path, **options: Any) -> "pd.DataFrame":
    """Explain images of a run, write their pictures, and return what is known of every map.

    Args:
        run: The run folder.
        options: Any option of `errlens explain`, with underscores: `select=["cat~dog"]`,
            `method=["occlusion"]`, `save_maps=True`; paths as `Path`.

    Returns:
        The rows of `explain/index.csv` that were made now; `file` is relative to `explain/`.
    """
    from errlens.commands.explain.command import explain as command
    from errlens.commands.explain.options import ExplainOptions

    return command(ExplainOptions(run=Path(run), **{"quiet": True, **options})).maps


def open_run(path: str | Path) -> "RunFolder":
    """Open a run folder: `.predictions`, `.metrics`, `.info`.

    Raises:
        NotARun: errlens did not write this folder.
    """
    from errlens.run.folder import open_run as open_folder

    return open_folder(path)
