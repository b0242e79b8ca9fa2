"""Pictures by their frequencies, scaled so that each costs the optimisation what it is in photos.

C. Olah, A. Mordvintsev, L. Schubert, "Feature Visualization", Distill (2017).
"""

import math
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_PARTS: Final = 2  # a frequency is a real and an imaginary number


class Spectrum:
    """Frequencies of pictures of one size.

    Weights of variance 1 make pictures of about variance 1, in which frequency f is f to the power
    of minus `decay` as strong.
    """

    def __init__(self, size: tuple[int, int], *, decay: float, device: torch.device) -> None:
        self._size = size
        strengths = _strengths(size, decay)
        self._scale = torch.from_numpy(strengths.astype(np.float32)).to(device)

    def noise(self, channels: int, *, seed: int) -> Tensor:
        """Return weights of variance 1, shape (channels, height, width // 2 + 1, 2), on the CPU."""
        generator = torch.Generator().manual_seed(seed)
        shape = (channels, *self._scale.shape, _PARTS)
        return torch.randn(shape, generator=generator) / math.sqrt(_PARTS)

    def pictures(self, weights: Tensor) -> Tensor:
        """Return pictures of shape (..., height, width) from weights of (..., frequencies, 2)."""
        frequencies = torch.view_as_complex(weights) * self._scale
        pictures: Tensor = torch.fft.irfft2(frequencies, s=self._size, norm="ortho")
        return pictures


def _strengths(size: tuple[int, int], decay: float) -> NDArray[np.float64]:
    """Return the scale of each frequency, shape (height, width // 2 + 1); its mean square is 1.

    The mean is over all frequencies of the picture, also those that `rfft2` leaves out.
    """
    height, width = size
    down, across = np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None]
    lowest = 1 / max(size)  # the mean of a picture counts as its slowest wave
    scale: NDArray[np.float64] = np.maximum(np.hypot(down, across), lowest) ** -decay
    scale /= np.sqrt(np.mean(scale**2))
    return scale[:, : width // 2 + 1]
