"""How class scores are read from what a network returns."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from math import log
from typing import Any, Final, Literal, get_args

import numpy as np
import torch
from torch import Tensor

from errlens.errors import UnfitModel, UnfitOption

Scores = Literal["logits", "probabilities", "sigmoids"]
Place = tuple[str | int, ...]  # the way to one of several outputs: keys, positions, attributes

EVEN: Final = 0.5
MOST_OUTPUTS: Final = 2**20  # of a network whose outputs are chosen from

_SMALLEST: Final = torch.finfo(torch.float32).tiny


@dataclass(frozen=True)
class Reading:
    """How class scores are read from what a network returns.

    `place` is the way to them where it returns several things. `scores` says what the numbers are:
    `logits`, `probabilities` (a softmax has been taken), or `sigmoids` (each for itself between 0
    and 1). `single` are networks of one output, the score of the second of two classes; of two
    classes the second is predicted where its probability is above the `threshold`. `subset` are the
    outputs that there is to choose among, one a class, where these are not all `of` the network's.
    """

    place: Place = ()
    scores: Scores = "logits"
    single: bool = False
    threshold: float = EVEN
    subset: tuple[int, ...] = ()
    of: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "place", tuple(self.place))
        object.__setattr__(self, "subset", tuple(self.subset))
        if self.scores not in get_args(Scores):
            raise ValueError(f"scores are {', '.join(get_args(Scores))}, not {self.scores!r}")
        if not 0 < self.threshold < 1:
            raise ValueError(f"a threshold is between 0 and 1, not {self.threshold!r}")
        outputs = {index for index in self.subset if type(index) is int and 0 <= index < self.of}
        if len(outputs) != len(self.subset) or bool(outputs) != bool(0 < self.of <= MOST_OUTPUTS):
            raise ValueError(f"not {len(self.subset)} different outputs of {self.of!r}")

    def as_dict(self) -> dict[str, Any]:
        """Return as plain values what is not as usual: nothing for a tensor of logits."""
        usual = asdict(LOGITS)
        unusual = {name: value for name, value in asdict(self).items() if value != usual[name]}
        lists = ("place", "subset")
        return {name: [*value] if name in lists else value for name, value in unusual.items()}

    @property
    def unit(self) -> str:
        """What a score is measured in."""
        return "log-probability" if self.scores == "probabilities" else "logits"

    @property
    def bias(self) -> float:
        """What the logit of the second of two classes must be ahead of the first by."""
        return log(self.threshold / (1 - self.threshold))

    def logits(self, output: Any, n: int) -> Tensor:
        """Return logits, float of shape (n, classes), of what a network returned for n images.

        Of probabilities the logarithm is taken. One output becomes two that differ by its logit:
        what speaks for the one class speaks as much against the other.

        Raises:
            UnfitModel: It holds no class scores.
        """
        return self.of_values(self.values(output, n))

    def of_values(self, values: Tensor) -> Tensor:
        """Return logits, float of shape (n, classes), of scores as they are, (n, outputs).

        What there is not to choose among is left out: the softmax is that of the others.
        """
        if self.scores == "probabilities":
            values = values.clamp(min=_SMALLEST).log()
        elif self.scores == "sigmoids":
            values = torch.logit(values, eps=torch.finfo(values.dtype).eps / 2)
        if self.single:
            return torch.cat([-values / 2, values / 2], dim=1)
        return values[:, list(self.subset)] if self.subset else values

    def values(self, output: Any, n: int) -> Tensor:
        """Return the scores as they are, float of shape (n, outputs).

        Raises:
            UnfitModel: It holds no class scores.
        """
        for step in self.place:
            output = step_into(output, step)
        return as_matrix(as_tensor(output), n)

    def ranked(self, logits: Tensor) -> Tensor:
        """Return logits by whose order classes are predicted, shape (..., classes)."""
        if self.threshold == EVEN:
            return logits
        return logits - torch.tensor([0.0, self.bias], dtype=logits.dtype, device=logits.device)

    def with_threshold(self, threshold: float | None, *, classes: int) -> "Reading":
        """Return the same with a threshold, unless that is None.

        Raises:
            UnfitOption: There are more than two classes, or it is no probability.
        """
        if threshold is None:
            return self
        if not 0 < threshold < 1:
            raise UnfitOption(f"--threshold {threshold:g} is no probability between 0 and 1")
        if classes != 2:
            raise UnfitOption(
                f"--threshold {threshold:g} divides two classes, but the model has {classes}"
            )
        return replace(self, threshold=threshold)


LOGITS: Final = Reading()  # a tensor of logits, as usual


def as_tensor(output: Any) -> Tensor:
    """Return an output as a dense tensor of floats: tensors, arrays, lists of numbers or of these.

    Raises:
        UnfitModel: It is no such thing, or not of real numbers.
    """
    kind = type(output).__name__
    if isinstance(output, list | tuple) and output and isinstance(output[0], Tensor | np.ndarray):
        output = torch.stack([as_tensor(row) for row in output])  # a row for each image
    if not isinstance(output, Tensor):
        try:
            output = torch.as_tensor(np.asarray(output))
        except (TypeError, ValueError):
            raise UnfitModel(f"the model returns a {kind}, not class scores") from None
    if output.layout != torch.strided:
        output = output.to_dense()
    if output.is_complex() or output.dtype == torch.bool:
        raise UnfitModel(f"the model returns values of type {output.dtype}, not class scores")
    tensor: Tensor = output
    return tensor if tensor.dtype in (torch.float32, torch.float64) else tensor.float()


def as_matrix(values: Tensor, n: int) -> Tensor:
    """Return values of n images as (n, outputs): axes of one entry may be missing or too many.

    Raises:
        UnfitModel: They are not one vector an image.
    """
    if n == 1 and (values.ndim == 0 or len(values) != 1):
        values = values.unsqueeze(0)  # squeezed away, with only one image
    if values.ndim == 0 or len(values) != n or sum(side != 1 for side in values.shape[1:]) > 1:
        raise UnfitModel(
            f"the model gives an output of shape {tuple(values.shape)} for {n} "
            f"image{'s' * (n != 1)}, not one row of scores for each"
        )
    return values.reshape(n, -1)


def step_into(output: Any, step: str | int) -> Any:
    """Go one step into an output.

    Raises:
        UnfitModel: It has nothing there.
    """
    try:
        if isinstance(output, Mapping) or isinstance(step, int):
            return output[step]
        return getattr(output, step)
    except (LookupError, TypeError, AttributeError):
        raise UnfitModel(f"the output of the model has no {step!r} this time") from None
