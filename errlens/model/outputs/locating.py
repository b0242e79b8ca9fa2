"""Where in what a network returns its class scores are."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from torch import Tensor

from errlens.errors import UnfitModel
from errlens.model.outputs.reading import Place, as_matrix, as_tensor, step_into

# By these names class scores go where a network returns more, the likeliest first.
SCORE_NAMES: Final = (
    "logits", "logit", "class_logits", "cls_logits", "pred_logits", "scores", "class_scores",
    "cls_score", "out", "output", "outputs", "pred", "preds", "prediction", "predictions", "y_hat",
    "y_pred", "probs", "prob", "probabilities", "cls", "class", "classes", "label", "labels",
)  # fmt: skip
SCORES_WANTED: Final = (
    "name a function that makes a network which returns the scores of all classes, --model "
    "module:function"
)
MOST_DEPTH: Final = 4  # lists within lists
MOST_SHOWN: Final = 6


class OutputTensor(NamedTuple):
    """A tensor within what a network returned, with the way to it."""

    place: Place
    values: Tensor

    def __str__(self) -> str:
        name = ".".join(map(str, self.place)) or "output"
        shape = ", ".join(map(str, self.values.shape[1:]))
        return f"{name} ({shape})"


def find_scores(output: Any, n: int, *, classes: int | None = None) -> tuple[Place, str | None]:
    """Find the class scores in what a network returned for n images.

    Among those with as many columns as there are known to be `classes`, or all if none has, it is
    the one with the likeliest name, else the first, if all have as many columns.

    Returns:
        The way to them, and a sentence where that needs to be told.

    Raises:
        UnfitModel: There are none, or it cannot be told which.
    """
    if _is_plain(output, n):
        _refuse_class_number(output, n)
        return (), None
    tensors = list(_tensors(output))
    fitting = [tensor for tensor in tensors if _columns(tensor, n)]
    if not fitting:
        raise UnfitModel(
            f"the model returns a {type(output).__name__}, not class scores"
            + (f": {_listed(tensors)}" if tensors else "")
        )
    likely = [tensor for tensor in fitting if _fits(_columns(tensor, n), classes)] or fitting
    chosen = _by_name(likely) or _first_of_equals(likely, n)
    if chosen is None:
        raise UnfitModel(
            f"the model returns several things that may be class scores: {_listed(fitting)}",
            hint=SCORES_WANTED
            + ("" if classes else "; or say with --classes FILE how many there are"),
        )
    remark = f"of the outputs {_listed(tensors)} the class scores are taken to be {chosen}"
    return chosen.place, remark if len(tensors) > 1 else None


def _refuse_class_number(output: Any, n: int) -> None:
    """Refuse numbers that are whole by their type, one an image.

    Raises:
        UnfitModel: That is what the network returns.
    """
    if isinstance(output, Tensor):
        whole = not (output.is_floating_point() or output.is_complex())
    else:
        whole = np.asarray(output).dtype.kind in "iu"
    if whole and as_matrix(as_tensor(output), n).shape[1] == 1:
        raise UnfitModel(
            "the model gives one whole number for each image: the number of a class, it seems, not "
            "a score",
            hint=SCORES_WANTED,
        )


def _by_name(tensors: Sequence[OutputTensor]) -> OutputTensor | None:
    named = [tensor for tensor in tensors if tensor.place[-1] in SCORE_NAMES]
    return min(named, key=lambda tensor: SCORE_NAMES.index(str(tensor.place[-1])), default=None)


def _first_of_equals(tensors: Sequence[OutputTensor], n: int) -> OutputTensor | None:
    return tensors[0] if len({_columns(tensor, n) for tensor in tensors}) == 1 else None


def _fits(columns: int, classes: int | None) -> bool:
    return columns == classes or (columns, classes) == (1, 2)


def floats_in(output: Any) -> list[Tensor]:
    """Return the tensors of floats within an output, however it holds them."""
    return [tensor.values for tensor in _tensors(output)]


def _is_plain(output: Any, n: int) -> bool:
    """Tell whether an output is one thing: a tensor, an array, or a list with a row an image."""
    if isinstance(output, list | tuple) and not hasattr(output, "logits"):
        return len(output) == n and all(_is_row(row) for row in output)
    return isinstance(output, Tensor | np.ndarray | int | float)


def _is_row(value: Any) -> bool:
    if isinstance(value, Tensor | np.ndarray):
        return value.ndim == 1
    numbers = value if isinstance(value, list) else [value]
    return all(isinstance(number, int | float) for number in numbers)


def _tensors(output: Any, place: Place = ()) -> Iterator[OutputTensor]:
    """Yield the tensors and arrays of floats within an output, however it holds them."""
    if isinstance(output, np.ndarray) and output.dtype.kind == "f":
        output = torch.as_tensor(output)
    if isinstance(output, Tensor):
        if output.is_floating_point():
            yield OutputTensor(place, output)
    elif len(place) < MOST_DEPTH:
        for step in _steps(output):
            yield from _tensors(step_into(output, step), (*place, step))


def _steps(output: Any) -> Sequence[str | int]:
    """Return the keys, names or positions of what an output holds."""
    if isinstance(output, Mapping):
        return [key for key in output if isinstance(key, str | int)]
    if isinstance(output, tuple) and hasattr(output, "_fields"):
        return list(output._fields)
    if isinstance(output, list | tuple):
        return range(len(output))
    names = list(getattr(output, "__dict__", {}))
    return names if "logits" in names or not hasattr(output, "logits") else ["logits", *names]


def _columns(tensor: OutputTensor, n: int) -> int:
    """Return the number of scores of each image; 0 of what can be no class scores."""
    try:
        return as_matrix(tensor.values, n).shape[1]
    except UnfitModel:
        return 0


def _listed(tensors: Sequence[OutputTensor]) -> str:
    shown, more = ", ".join(map(str, tensors[:MOST_SHOWN])), len(tensors) - MOST_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
