import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errlens.data.samples import Samples
from errlens.run import PLAN_SCHEMA
from errlens.scale.plan import make_plan, rows_of, run_locally, unique_ids


@given(st.lists(st.sampled_from(["a", "b", "a#2", "a#3", "c"])))
def test_ids_are_unique_and_the_first_of_a_path_is_the_path(paths):
    ids = unique_ids(paths)
    assert len(set(ids)) == len(ids) == len(paths)
    for path in set(paths):
        assert ids[paths.index(path)] == path
    assert unique_ids(paths) == ids


@pytest.mark.parametrize(("n", "part_size"), [(1, 1), (10, 3), (12, 4), (5, 100)])
def test_shards_cover_every_row_once(tmp_path, n, part_size):
    paths = [f"{row}.png" for row in range(n)]
    frame = pd.DataFrame({"path": paths, "split": None, "label_name": None, "size_bytes": 1})
    plan = make_plan(Samples(frame, tmp_path), part_size=part_size)
    assert plan.schema.equals(PLAN_SCHEMA)
    shards = sorted(set(plan["shard"].to_pylist()))
    seen = []
    run_locally(lambda shard: seen.extend(rows_of(plan, shard)), shards)
    assert seen == list(range(n))
    assert all(len(rows_of(plan, shard)) <= part_size for shard in shards)
