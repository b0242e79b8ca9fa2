import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import cosine_similarity

from errlens.analysis.mistakes.neighbours import Features, nearest_of_each, nearest_rows


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 6), st.integers(1, 7), st.integers(0, 99))
def test_neighbours_are_scikit_learns(n, d, size, seed):
    random = np.random.default_rng(seed)
    values = random.integers(-2, 3, (n, d)).astype(np.float16)
    values[(values == 0).all(axis=1)] = 1
    query, rows = values[seed % n], np.arange(n) * 3
    parts = [Features(rows[at : at + size], values[at : at + size]) for at in range(0, n, size)]
    found = nearest_rows(query, parts, most=5)
    similarity = cosine_similarity(query[None].astype(float), values.astype(float))[0]
    np.testing.assert_allclose(
        [one.similarity for one in found], np.sort(similarity)[::-1][:5], atol=1e-9
    )
    at = dict(zip(rows.tolist(), similarity, strict=True))
    for one in found:
        np.testing.assert_allclose(one.similarity, at[one.row], atol=1e-9)
    keys = [(-round(one.similarity, 9), one.row) for one in found]
    assert keys == sorted(keys)


def test_features_without_direction_are_no_neighbours():
    values = np.array([[0.0, 0.0], [np.nan, 1.0], [np.inf, 1.0], [2.0, 0.0]])
    found = nearest_rows(np.array([1.0, 0.0]), [Features(np.arange(4), values)], most=9)
    assert [one.row for one in found] == [3]
    assert nearest_rows(np.zeros(2), [Features(np.arange(4), values)], most=9) == []


@settings(deadline=None)
@given(st.integers(1, 30), st.integers(1, 5), st.integers(1, 9), st.integers(0, 99))
def test_neighbours_of_several_images_are_those_of_each(n, d, most, seed):
    random = np.random.default_rng(seed)
    values = random.integers(-2, 3, (n, d)).astype(np.float16)  # some alike, some all zero
    rows = random.permutation(n) * 2
    features = Features(rows, values)
    found = nearest_of_each(values, features, most=most)
    assert found == [nearest_rows(query, [features], most=most) for query in values]
