"""What filters are like, as tables: a row a convolution, and a row a filter."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.network.filters.convolutions import Convolution
from errlens.network.filters.likeness import find_alike
from errlens.network.filters.spectra import BANDS, Shares, aliased_shares, band_shares
from errlens.run.csv_tables import NUMBER, TEXT, TRUTH, WHOLE, Columns

# The columns of layers.csv, in the order in which the layers run.
LAYER_COLUMNS: Final[Columns] = {
    "network": TEXT,
    "layer": TEXT,
    "first": TRUTH,  # whether it is the first, and its filters look at pixels
    "filters": WHOLE,
    "inputs": WHOLE,  # channels that a filter looks at
    "kernel_rows": WHOLE,
    "kernel_columns": WHOLE,
    "stride_rows": WHOLE,
    "stride_columns": WHOLE,
    "dilation_rows": WHOLE,
    "dilation_columns": WHOLE,
    "groups": WHOLE,
    "transposed": TRUTH,
    "normalization": TEXT,  # the layer whose factors are in the filters
    "norm_median": NUMBER,  # root of the summed squares of a filter's weights
    "norm_min": NUMBER,
    "norm_max": NUMBER,
    "not_finite": WHOLE,  # filters with a weight that is no number
    "dead": WHOLE,
    "duplicates": NUMBER,  # filters that are like an earlier one; empty where they are too small
    "negatives": NUMBER,  # the opposite of an earlier one
    "low": NUMBER,  # share of the energy, mean over filters; empty of kernels of one place
    "middle": NUMBER,
    "high": NUMBER,
    "aliasing": NUMBER,  # share that the stride is too large for; empty without a stride
    "noise_low": NUMBER,  # the same of filters of noise
    "noise_middle": NUMBER,
    "noise_high": NUMBER,
    "noise_aliasing": NUMBER,
}
# The columns of filters.csv.
FILTER_COLUMNS: Final[Columns] = {
    "network": TEXT,
    "layer": TEXT,
    "filter": WHOLE,  # counted from 0: the channel that it makes
    "norm": NUMBER,
    "dead": TRUTH,
    "duplicate_of": NUMBER,
    "negative_of": NUMBER,
    "low": NUMBER,
    "middle": NUMBER,
    "high": NUMBER,
    "aliasing": NUMBER,
}

DEAD: Final = 1e-3  # of the layer's median norm: what is not above it does nothing
_VANISHING: Final = 1e-4  # of the largest norm: filters below do not count for that median

Floats = NDArray[np.floating]


class FilterTables(NamedTuple):
    """Tables of one network or more: `layers` has the `LAYER_COLUMNS`, `filters` those of one."""

    layers: pd.DataFrame
    filters: pd.DataFrame


def filter_tables(
    network: str, convolutions: Iterable[Convolution], first: Convolution | None = None
) -> FilterTables:
    """Return what the filters of a network are like.

    Args:
        network: What to call it.
        convolutions: In the order in which they run.
        first: The one that looks at pixels.
    """
    rows, parts = [], []
    for convolution in convolutions:
        of_filters, of_layer = _measured(convolution)
        named = {"network": network, "layer": convolution.layer}
        rows.append({**named, "first": convolution is first, **of_layer})
        parts.append(of_filters.assign(**named))
    layers = pd.DataFrame(rows, columns=[*LAYER_COLUMNS])
    filters = pd.concat(parts) if parts else pd.DataFrame(columns=[*FILTER_COLUMNS])
    return joined([FilterTables(layers, filters)])


def joined(tables: Iterable[FilterTables]) -> FilterTables:
    """Return tables of several networks as one."""
    layers, filters = (pd.concat(parts, ignore_index=True) for parts in zip(*tables, strict=True))
    whole = ["duplicates", "negatives"], ["duplicate_of", "negative_of"]
    return FilterTables(
        layers[[*LAYER_COLUMNS]].astype(dict.fromkeys(whole[0], "Int64")),
        filters[[*FILTER_COLUMNS]].astype(dict.fromkeys(whole[1], "Int64")),
    )


def find_dead(norms: Floats) -> NDArray[np.bool_]:
    """Tell by norms, shape (filters,), which filters do nothing: at most 1/1000 of the median.

    The median is of those that are more than 1/10,000 of the largest: where most of a layer is
    dead, it is not theirs.

    >>> find_dead(np.array([1, 2, 1e-9, 0])).tolist(), find_dead(np.zeros(2)).tolist()
    ([False, False, True, True], [True, True])
    """
    finite = norms[np.isfinite(norms)]
    counted = finite[finite > _VANISHING * finite.max(initial=0.0)]
    if not len(counted):
        return np.equal(norms, 0)
    dead: NDArray[np.bool_] = np.less_equal(norms, DEAD * float(np.median(counted)))
    return dead


def _measured(convolution: Convolution) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the rows of filters of a convolution, and its own."""
    filters = convolution.filters
    norms = np.linalg.norm(filters.reshape(len(filters), -1), axis=1).astype(np.float64)
    norms[~np.isfinite(norms)] = np.nan
    dead = find_dead(norms)
    lives = ~dead & np.isfinite(norms)
    alive = filters  # others have no shares, and are like none
    if not lives.all():
        alive = np.where(lives[:, None, None, None], filters, np.zeros_like(filters[:1]))
    bands = band_shares(alive, dilation=convolution.dilation)
    aliased = None
    if not convolution.transposed:  # a stride that skips nothing
        stride, dilation = convolution.stride, convolution.dilation
        aliased = aliased_shares(alive, stride=stride, dilation=dilation)
    alike = find_alike(alive, groups=convolution.groups)
    of_filters = pd.DataFrame(
        {
            "filter": np.arange(len(filters)),
            "norm": norms,
            "dead": dead,
            "duplicate_of": _known(alike.duplicate_of if alike else None, len(filters)),
            "negative_of": _known(alike.negative_of if alike else None, len(filters)),
            **_by_filter(BANDS, bands, len(filters)),
            **_by_filter(["aliasing"], aliased, len(filters)),
        }
    )
    of_layer = {
        "filters": len(filters),
        "inputs": filters.shape[1],
        **_pairs(convolution, filters.shape[2:]),
        "groups": convolution.groups,
        "transposed": convolution.transposed,
        "normalization": convolution.norm[0] if convolution.norm else None,
        "norm_median": of_filters["norm"].median(),
        "norm_min": of_filters["norm"].min(),
        "norm_max": of_filters["norm"].max(),
        "not_finite": int(np.isnan(norms).sum()),
        "dead": int(dead.sum()),
        "duplicates": of_filters["duplicate_of"].count() if alike else None,
        "negatives": of_filters["negative_of"].count() if alike else None,
        **{name: of_filters[name].mean() for name in (*BANDS, "aliasing")},
        **_of_noise(BANDS, bands),
        **_of_noise(["aliasing"], aliased),
    }
    return of_filters, of_layer


def _pairs(convolution: Convolution, kernel: tuple[int, ...]) -> dict[str, int]:
    pairs = {"kernel": kernel, "stride": convolution.stride, "dilation": convolution.dilation}
    return {
        f"{name}_{way}": pair[at]
        for name, pair in pairs.items()
        for at, way in enumerate(("rows", "columns"))
    }


def _known(places: NDArray[np.int64] | None, filters: int) -> pd.Series:
    """Return which filter each is like; missing where none is, or it was not looked for."""
    found = pd.Series(np.full(filters, -1) if places is None else places, dtype="Int64")
    return found.mask(found < 0)


def _by_filter(names: Iterable[str], shares: Shares | None, filters: int) -> dict[str, Floats]:
    none = np.full(filters, np.nan)
    return {
        name: none if shares is None else shares.of_filters[:, at] for at, name in enumerate(names)
    }


def _of_noise(names: Iterable[str], shares: Shares | None) -> dict[str, float]:
    return {
        f"noise_{name}": np.nan if shares is None else float(shares.of_noise[at])
        for at, name in enumerate(names)
    }
