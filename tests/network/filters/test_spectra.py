import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errlens.network.filters.spectra import LOW_END, MIDDLE_END, aliased_shares, band_shares

FINE = 512  # frequencies along an axis, of the witness

seeds = st.integers(0, 2**32 - 1)
sides = st.integers(2, 7)
pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


def spectrum(filters, dilation=(1, 1)):
    """Return frequencies and energies as numpy has them, of a kernel padded with zeros."""
    rows, columns = filters.shape[2:]
    spread = np.zeros((*filters.shape[:2], FINE, FINE))
    down, across = dilation
    spread[:, :, : rows * down : down, : columns * across : across] = filters
    energy = (np.abs(np.fft.fft2(spread)) ** 2).sum(axis=1)
    at = np.fft.fftfreq(FINE)
    return at[:, None], at[None, :], energy


def wave(side, frequency, angle, phase):
    """Return a sinusoid below a window, that begins and ends softly."""
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    along = x * np.cos(angle) + y * np.sin(angle)
    window = np.outer(*(np.hanning(side + 2)[1:-1],) * 2)
    return (window * np.cos(2 * np.pi * frequency * along + phase))[None, None]


@settings(max_examples=15, deadline=None)
@given(seeds, sides, sides, pairs)
def test_bands_are_those_of_the_fast_fourier_transform(seed, rows, columns, dilation):
    filters = np.random.default_rng(seed).normal(size=(2, 3, rows, columns))
    fy, fx, energy = spectrum(filters, dilation)
    away = np.hypot(fy, fx)
    inside = [away < LOW_END, (away >= LOW_END) & (away < MIDDLE_END), away >= MIDDLE_END]
    total = energy.sum(axis=(1, 2))
    expected = np.stack([(energy * band).sum(axis=(1, 2)) / total for band in inside], axis=1)
    found = band_shares(filters, dilation=dilation)
    np.testing.assert_allclose(found.of_filters, expected, atol=0.01)
    np.testing.assert_allclose(found.of_noise, [band.mean() for band in inside], atol=0.005)


@settings(max_examples=15, deadline=None)
@given(seeds, sides, sides, pairs, st.tuples(st.integers(1, 4), st.integers(1, 4)))
def test_what_is_beyond_a_stride_is_that_of_the_fast_fourier_transform(
    seed, rows, columns, dilation, stride
):
    filters = np.random.default_rng(seed).normal(size=(2, 2, rows, columns))
    found = aliased_shares(filters, stride=stride, dilation=dilation)
    if max(stride) == 1:
        assert found is None
        return
    fy, fx, energy = spectrum(filters, dilation)
    beyond = np.maximum(np.abs(fy) * stride[0], np.abs(fx) * stride[1]) > 0.5
    expected = (energy * beyond).sum(axis=(1, 2)) / energy.sum(axis=(1, 2))
    np.testing.assert_allclose(found.of_filters[:, 0], expected, atol=0.02)
    np.testing.assert_allclose(found.of_noise, 1 - 1 / np.prod(stride), atol=1e-12)


@given(seeds, sides, sides, pairs)
def test_shares_of_the_bands_sum_to_one(seed, rows, columns, dilation):
    filters = np.random.default_rng(seed).normal(size=(3, 2, rows, columns))
    found = band_shares(filters, dilation=dilation)
    np.testing.assert_allclose(found.of_filters.sum(axis=1), 1, atol=1e-9)
    np.testing.assert_allclose(found.of_noise.sum(), 1, atol=1e-12)
    assert (found.of_filters >= 0).all()


@given(seeds, st.floats(1e-30, 1e30), st.sampled_from([-1, 1]))
def test_shares_are_those_of_a_filter_however_strong_it_is(seed, factor, sign):
    filters = np.random.default_rng(seed).normal(size=(2, 2, 3, 3))
    for shares in (band_shares, lambda each: aliased_shares(each, stride=(2, 2))):
        np.testing.assert_allclose(
            shares(sign * factor * filters).of_filters, shares(filters).of_filters, atol=1e-9
        )


@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from([(0, 0.05), (1, 0.25), (2, 0.45)]),
    st.sampled_from([0, 1 / 4, 1 / 2, 3 / 4]),
    st.floats(0, 2 * np.pi),
)
def test_a_sinusoid_is_in_its_band_along_both_axes_and_between(band, angle, phase):
    at, frequency = band
    waves = wave(21, frequency, angle * np.pi, phase)
    assert band_shares(waves).of_filters[0, at] > 0.95


@settings(max_examples=8, deadline=None)
@given(st.integers(2, 4), st.sampled_from([0, 1 / 2]), st.floats(0, 2 * np.pi))
def test_a_sinusoid_aliases_where_it_is_finer_than_the_stride_keeps(stride, angle, phase):
    limit = 0.5 / stride
    for frequency, expected in ((0.5 * limit, 0), (min(limit + 0.1, 0.45), 1)):
        waves = wave(21, frequency, angle * np.pi, phase)
        found = aliased_shares(waves, stride=(stride, stride)).of_filters[0, 0]
        assert abs(found - expected) < 0.05


def test_only_the_axis_with_the_stride_aliases():
    down, across = (wave(21, 0.4, angle, 0) for angle in (np.pi / 2, 0))
    assert aliased_shares(down, stride=(2, 1)).of_filters[0, 0] > 0.98
    assert aliased_shares(across, stride=(2, 1)).of_filters[0, 0] < 0.02


@pytest.mark.parametrize("shape", [(1, 9), (9, 1)])
def test_a_kernel_of_one_row_has_the_frequencies_of_its_other_axis(shape):
    filters = np.random.default_rng(0).normal(size=(2, 1, *shape))
    spread = np.fft.fft(filters.reshape(2, 9), FINE)
    at = np.abs(np.fft.fftfreq(FINE))
    energy = np.abs(spread) ** 2
    low = (energy * (at < LOW_END)).sum(axis=1) / energy.sum(axis=1)
    found = band_shares(filters)
    np.testing.assert_allclose(found.of_filters[:, 0], low, atol=0.01)
    np.testing.assert_allclose(found.of_noise, [1 / 3] * 3)


def test_noise_has_the_shares_that_noise_is_said_to_have():
    filters = np.random.default_rng(0).normal(size=(4000, 3, 5, 5))
    for found in (band_shares(filters), aliased_shares(filters, stride=(4, 4))):
        np.testing.assert_allclose(found.of_filters.mean(axis=0), found.of_noise, atol=0.005)


def test_kernels_of_one_place_and_filters_without_energy_have_no_shares():
    assert band_shares(np.ones((2, 3, 1, 1))) is None
    assert aliased_shares(np.ones((2, 3, 1, 1)), stride=(2, 2)) is None
    assert np.isnan(band_shares(np.zeros((2, 3, 3, 3))).of_filters).all()
    assert np.isnan(band_shares(np.full((2, 3, 3, 3), np.nan)).of_filters).all()
