"""Which spatial frequencies a filter is made of, exactly.

The Fourier transform of a filter w, over all frequencies f of the plane up to half a cycle a pixel,
holds the energy of w (Parseval). What of it lies in a set F of frequencies is a quadratic form,

    sum over p, q of  w(p) w(q)  integral over F of cos(2 pi f (p - q)) df,

whose integrals are known for discs (a Bessel function) and rectangles (sinc). So no transform is
made, nothing is padded and nothing leaks: one small matrix a shape of kernel serves all filters.

Frequencies are in cycles a pixel of the map that the filter looks at. Along an axis on which a
kernel has one row only its spectrum is even, which says nothing: bands leave such an axis out.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import j1

# Where the low and the middle band end, in cycles a pixel; the highest frequency along an axis
# is 1/2.
LOW_END: Final = 1 / 6
MIDDLE_END: Final = 1 / 3
BANDS: Final = ("low", "middle", "high")

Pair = tuple[int, int]  # of rows, and of columns
Floats = NDArray[np.floating]


class Shares(NamedTuple):
    """Which shares of their energy filters have in a band; all alike where a filter is noise.

    `of_filters` has the shape (filters, bands). `of_noise`, shape (bands,), is what is expected of
    filters whose weights are drawn independently.
    """

    of_filters: Floats
    of_noise: Floats


def band_shares(filters: Floats, *, dilation: Pair = (1, 1)) -> Shares | None:
    """Return the shares of low, middle and high frequencies; None of kernels of one place.

    Args:
        filters: Shape (filters, inputs, rows, columns). One without energy has no shares: they are
            not a number.
        dilation: How far apart the weights lie.

    >>> plain = band_shares(np.ones((1, 1, 3, 3)))
    >>> plain.of_filters.round(2).tolist(), plain.of_noise.round(2).tolist()
    ([[0.55, 0.34, 0.12]], [0.09, 0.26, 0.65])
    """
    rows, columns = filters.shape[2:]
    if rows == columns == 1:
        return None
    down, across = _offsets((rows, columns), dilation)
    if min(rows, columns) == 1:
        parts = [_interval(down + across, end) for end in (LOW_END, MIDDLE_END)]
    else:
        parts = [_disc(np.hypot(down, across), end) for end in (LOW_END, MIDDLE_END)]
    low, up_to_middle = (_shares(filters, part) for part in parts)
    return Shares(
        *(
            np.stack([first, both - first, 1 - both], axis=-1).clip(0, 1)
            for first, both in zip(low, up_to_middle, strict=True)
        )
    )


def aliased_shares(filters: Floats, *, stride: Pair, dilation: Pair = (1, 1)) -> Shares | None:
    """Return the share of frequencies that a stride is too large for; None where none can be.

    Of a stride s, half a cycle in s pixels is the highest frequency that is told from lower ones
    (Nyquist); what lies beyond along either axis is folded onto them. Of kernels of one place,
    which have all frequencies alike, nothing is to be learnt.

    Args:
        filters: Shape (filters, inputs, rows, columns).
        stride: Of the convolution.
        dilation: How far apart the weights lie.

    Returns:
        Shares with one band.
    """
    rows, columns = filters.shape[2:]
    if rows == columns == 1 or max(stride) == 1:
        return None
    down, across = _offsets((rows, columns), dilation)
    kept = _interval(down, 0.5 / stride[0]) * _interval(across, 0.5 / stride[1])
    return Shares(*((1 - share)[..., None].clip(0, 1) for share in _shares(filters, kept)))


def _shares(filters: Floats, integrals: Floats) -> tuple[Floats, Floats]:
    """Return which share of their energy filters have in a set of frequencies, and noise has.

    Args:
        filters: Shape (filters, inputs, rows, columns).
        integrals: Over the set, by how far two weights lie apart; shape (rows, columns).
    """
    inputs, *kernel = filters.shape[1:]
    y, x = np.indices(kernel).reshape(2, -1)
    form = integrals[np.abs(y[:, None] - y), np.abs(x[:, None] - x)].astype(filters.dtype)
    flat = filters.reshape(len(filters), inputs, -1)
    with np.errstate(invalid="ignore"):
        # By the largest weight, so that no square is too small or too large for a float.
        largest = np.abs(flat).max(axis=(1, 2), keepdims=True)
        flat = flat / np.where(largest > 0, largest, np.nan)
        if inputs > len(form):  # products of places are fewer than of inputs and places
            products = flat.transpose(0, 2, 1) @ flat
            energy = np.trace(products, axis1=1, axis2=2)
            part = products.reshape(len(filters), -1) @ form.ravel()
        else:
            energy = np.square(flat).sum(axis=(1, 2))
            spread = flat.reshape(-1, len(form)) @ form  # one product of two matrices
            part = (spread.reshape(flat.shape) * flat).sum(axis=(1, 2))
        return (part / energy).astype(np.float64), integrals[0, 0]


def _offsets(kernel: Pair, dilation: Pair) -> tuple[Floats, Floats]:
    """Return how far apart weights of a kernel can lie, down and across, in pixels."""
    down, across = np.indices(kernel) * np.reshape(dilation, (2, 1, 1)).astype(float)
    return down, across


def _interval(offsets: Floats, end: float) -> Floats:
    """Return the integral of cos(2 pi f offset) over frequencies f from -end to end."""
    integral: Floats = 2 * end * np.sinc(2 * end * offsets)
    return integral


def _disc(distances: Floats, radius: float) -> Floats:
    """Return the same over the frequencies of the plane in a disc."""
    away = np.where(distances > 0, distances, 1)
    ring = radius * j1(2 * np.pi * radius * away) / away
    return np.where(distances > 0, ring, np.pi * radius**2)
