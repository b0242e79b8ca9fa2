import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errlens.analysis.atlas.classes.scales import Pattern, mean_angle, pattern_of


def grating(angle: float, period: float, *, side: int = 64) -> np.ndarray:
    """Stripes that run at an angle, anticlockwise from level, shape (side, side, 3)."""
    row, column = np.mgrid[0:side, 0:side]
    across = column * np.sin(np.radians(angle)) + row * np.cos(np.radians(angle))
    grey = 127.5 + 120 * np.sin(2 * np.pi * across / period)
    return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)


@given(st.floats(0, 179), st.floats(6, 14))
def test_a_grating_has_its_angle_and_its_wavelength(angle, period):
    found = pattern_of(grating(angle, period))
    apart = (found.angle - angle + 90) % 180 - 90
    assert abs(apart) < 2
    assert found.coherence > 0.95
    assert found.wavelength * 64 == pytest.approx(period, rel=0.1)


def test_a_patch_of_one_colour_has_no_pattern():
    found = pattern_of(np.full((64, 64, 3), 80, np.uint8))
    assert np.isnan(found.angle)
    assert found.coherence == 0
    assert np.isnan(found.wavelength)


def test_noise_lies_no_way():
    rng = np.random.default_rng(0)
    patch = rng.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    assert pattern_of(patch).coherence < 0.2
    assert mean_angle([pattern_of(patch)]).n == 0


def test_a_pattern_twice_as_coarse_has_twice_the_wavelength():
    fine, coarse = (pattern_of(grating(30, period)).wavelength for period in (6, 12))
    assert coarse / fine == pytest.approx(2, rel=0.1)


@given(st.floats(0, 179.9), st.integers(1, 9))
def test_lines_that_run_one_way_have_no_spread(angle, n):
    found = mean_angle([Pattern(angle, 1.0, 0.1)] * n)
    assert found.spread == pytest.approx(0, abs=1e-9)
    assert abs((found.mean - angle + 90) % 180 - 90) < 1e-6


def test_lines_that_run_all_ways_have_all_the_spread():
    lines = [Pattern(angle, 1.0, 0.1) for angle in np.arange(0, 180, 10.0).tolist()]
    assert mean_angle(lines).spread == pytest.approx(1)
