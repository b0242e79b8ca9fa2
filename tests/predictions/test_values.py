"""A column is a sequence of its values without holding them as objects."""

import sys

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from errlens.predictions.values import Values

chunks = st.lists(st.lists(st.one_of(st.none(), st.text(max_size=3)), max_size=5), max_size=4)


@given(chunks, st.integers(-30, 30), st.integers(-30, 30))
def test_it_is_the_list_of_its_values(parts, start, stop):
    values = Values(pa.chunked_array(parts, pa.string()))
    listed = [value for part in parts for value in part]
    assert list(values) == listed
    assert len(values) == len(listed)
    assert values[start:stop] == listed[start:stop]
    assert [values[at] for at in range(-len(listed), len(listed))] == listed * 2


def test_a_million_paths_are_no_million_objects():
    paths = Values(pa.chunked_array([[f"{row:08d}.jpg" for row in range(200_000)]]))
    assert sum(map(len, paths)) == 200_000 * 12
    assert sys.getsizeof(paths) < 100
