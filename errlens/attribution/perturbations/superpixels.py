"""Parts of an image that belong together: superpixels, or the cells of a grid.

SLIC: R. Achanta et al., "SLIC Superpixels Compared to State-of-the-Art Superpixel Methods", IEEE
TPAMI 34(11), 2012.
"""

from importlib.util import find_spec
from typing import Final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from errlens.attribution.explained_model import ExplainedModel

SIDE: Final = 7  # 49 parts, as many as MATLAB's imageLIME has
COMPACTNESS: Final = 10.0  # a step of a part's width weighs like one of 10 in CIELAB


def has_slic() -> bool:
    """Tell whether there is scikit-image, an extra of errlens."""
    return find_spec("skimage") is not None


def parts_in_words(height: int, width: int) -> str:
    """Return what the parts of an image of this size are."""
    if _by_slic(height, width):
        return "superpixels of SLIC"
    return f"a grid of {min(height, SIDE)} x {min(width, SIDE)}"


def superpixels(model: ExplainedModel, image: Tensor) -> NDArray[np.int64]:
    """Divide an image of shape (channels, height, width) into about 49 parts.

    By SLIC where scikit-image is installed and the image has at least 14 pixels a side, else by a
    grid, which has fewer parts where a side has less than 7.

    Returns:
        The number of the part that each pixel belongs to, from 0, shape (height, width). None is
        left out.
    """
    height, width = image.shape[1:]
    parts = _slic(_picture(model, image)) if _by_slic(height, width) else cells(height, width)
    _, numbers = np.unique(parts, return_inverse=True)
    return numbers.reshape(parts.shape).astype(np.int64)


def cells(height: int, width: int) -> NDArray[np.int64]:
    """Return the cell of a grid of 7 x 7 that each pixel is in.

    >>> cells(1, 8)
    array([[0, 0, 1, 2, 3, 4, 5, 6]])
    """
    rows, columns = (np.arange(side) * min(side, SIDE) // side for side in (height, width))
    return rows[:, None] * min(width, SIDE) + columns[None]


def _by_slic(height: int, width: int) -> bool:
    """Tell whether there is SLIC, and enough pixels for it to choose from."""
    return has_slic() and min(height, width) >= 2 * SIDE


def _slic(picture: NDArray[np.float64]) -> NDArray[np.int64]:
    from skimage.segmentation import slic

    parts: NDArray[np.int64] = slic(
        picture, n_segments=SIDE**2, compactness=COMPACTNESS, start_label=0, channel_axis=-1
    )
    return parts


def _picture(model: ExplainedModel, image: Tensor) -> NDArray[np.float64]:
    """Return an image in colours from 0 to 1, shape (height, width, 3); grey of other channels."""
    values, black, white = (one.cpu().double().numpy() for one in (image, model.black, model.white))
    span = np.where(white == black, 1.0, white - black)
    shares = np.clip((values - black[:, None, None]) / span[:, None, None], 0, 1)
    if len(shares) != 3:
        shares = np.broadcast_to(shares.mean(axis=0), (3, *shares.shape[1:]))
    return np.ascontiguousarray(shares.transpose(1, 2, 0))
