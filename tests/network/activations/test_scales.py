import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from errlens.network.activations.scales import as_shares, scale_ends

numbers = st.floats(-100, 100, width=32)
tensors = arrays(np.float32, st.tuples(*[st.integers(1, 4)] * 3), elements=numbers)


@given(tensors)
def test_one_scale_runs_from_the_lowest_value_of_the_tensor_to_the_highest(maps):
    shares = as_shares(maps, scale_ends([maps], "tensor", signed=False)[0])
    if maps.min() == maps.max():
        assert (shares == 0).all()
    else:
        np.testing.assert_allclose(
            shares, (maps.astype(float) - maps.min()) / (maps.max() - maps.astype(float).min())
        )


def test_one_scale_reaches_its_ends_once_over_the_tensor():
    maps = np.random.default_rng(0).normal(size=(8, 5, 5)).astype(np.float32)
    shares = as_shares(maps, scale_ends([maps], "tensor", signed=False)[0])
    assert (shares == 0).sum() == 1
    assert (shares == 1).sum() == 1


def test_a_channel_of_its_own_scale_reaches_both_ends_over_all_images():
    rng = np.random.default_rng(0)
    both = [rng.normal(size=(6, 3, n)).astype(np.float32) for n in (3, 4)]
    shares = [
        as_shares(maps, ends)
        for maps, ends in zip(both, scale_ends(both, "channel", signed=False), strict=True)
    ]
    for channel in range(6):
        values = np.concatenate([one[channel].ravel() for one in shares])
        assert (values.min(), values.max()) == (0, 1)
    assert min(one[0].max() for one in shares) < 1  # the image that fires less looks so


def test_a_shared_scale_keeps_amplitudes_comparable():
    maps = np.float32([[[0, 1]], [[0, 4]]])
    doubled = [maps, 2 * maps]
    shared = scale_ends(doubled, "shared", signed=False)
    assert as_shares(doubled[1], shared[1])[1, 0, 1] == 2 * as_shares(maps, shared[0])[1, 0, 1] == 1
    own = scale_ends(doubled, "tensor", signed=False)
    np.testing.assert_array_equal(as_shares(maps, own[0]), as_shares(doubled[1], own[1]))


@pytest.mark.parametrize("kind", ["tensor", "channel", "shared"])
def test_with_a_sign_zero_is_in_the_middle(kind):
    maps = np.float32([[[0, -1]], [[3, 0]], [[0, 0]]])
    ends = scale_ends([maps], kind, signed=True)[0]
    assert (ends[:, 0] == -ends[:, 1]).all()
    shares = as_shares(maps[:2], ends[:2])
    assert (shares[maps[:2] == 0] == 0.5).all()
