from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from errlens.data.samples import Samples
from errlens.run.tables import PLAN_SCHEMA
from errlens.scale.plan import make_plan, rows_of, run_locally, unique_ids


def samples(paths: list[str]) -> Samples:
    frame = pd.DataFrame({"path": paths, "split": None, "label_name": None, "size_bytes": 1})
    return Samples(frame, Path("photos"))


# Ids


@given(st.lists(st.sampled_from(["a", "b", "a#2", "a#3", "a#2#2", "c"])))
@example(["a", "a", "a#2", "a#2", "a"])
def test_ids_are_unique_and_the_first_of_a_path_is_the_path(paths):
    ids = unique_ids(paths)
    assert len(set(ids)) == len(ids) == len(paths)
    for path in set(paths):
        assert ids[paths.index(path)] == path
    assert unique_ids(paths) == ids


@given(st.lists(st.text(max_size=3)))
def test_an_id_is_the_path_or_the_path_with_a_number(paths):
    for path, name in zip(paths, unique_ids(iter(paths)), strict=True):
        assert name == path or name.removeprefix(f"{path}#").isdecimal()


@given(st.lists(st.text(max_size=3), unique=True))
def test_paths_that_do_not_repeat_are_their_own_ids(paths):
    assert unique_ids(paths) == paths


def test_repetitions_are_counted_from_two():
    assert unique_ids(["a"] * 4) == ["a", "a#2", "a#3", "a#4"]


# Shards


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


@settings(deadline=None, max_examples=50)
@given(n=st.integers(1, 60), part_size=st.integers(1, 70))
def test_only_the_last_shard_is_smaller_than_asked(n, part_size):
    plan = make_plan(samples([f"{row}.png" for row in range(n)]), part_size=part_size)
    shards = sorted(set(plan["shard"].to_pylist()))
    assert shards == list(range(len(shards)))
    parts = [rows_of(plan, shard) for shard in shards]
    assert [row for part in parts for row in part] == plan["row"].to_pylist() == list(range(n))
    assert all(len(part) == part_size for part in parts[:-1])
    assert 1 <= len(parts[-1]) <= part_size
    for shard, part in zip(shards, parts, strict=True):
        assert set(plan["shard"].to_pylist()[part.start : part.stop]) == {shard}


def test_a_shard_that_is_not_there_has_no_rows():
    plan = make_plan(samples(["a.png", "b.png", "c.png"]), part_size=2)
    assert list(rows_of(plan, 2)) == []


# Plans


def test_a_plan_says_of_each_row_what_the_samples_say():
    frame = pd.DataFrame(
        {
            "path": ["a.png", "b.png", "a.png"],
            "split": ["val", None, "val"],
            "label_name": [None, "cat", "NA"],
            "size_bytes": pd.Series([7, None, 0], dtype="Int64"),
        }
    )
    frame.index = [5, 3, 4]  # rows are numbered by their place
    plan = make_plan(Samples(frame, Path("photos")), part_size=2)
    assert plan.schema.equals(PLAN_SCHEMA)
    assert plan.to_pydict() == {
        "row": [0, 1, 2],
        "sample_id": ["a.png", "b.png", "a.png#2"],
        "path": ["a.png", "b.png", "a.png"],
        "split": ["val", None, "val"],
        "label_name": [None, "cat", "NA"],
        "size_bytes": [7, None, 0],
        "shard": [0, 0, 1],
    }


def test_the_same_samples_make_the_same_plan():
    paths = ["a.png", "b.png", "a.png"]
    first = make_plan(samples(paths), part_size=2)
    assert first.equals(make_plan(samples(paths), part_size=2))
    assert not first.equals(make_plan(samples(paths), part_size=1))


def test_shards_are_worked_through_in_the_order_given():
    seen = []
    run_locally(seen.append, [2, 0, 1])
    assert seen == [2, 0, 1]


def test_the_first_failure_of_a_worker_ends_the_work():
    seen = []

    def worker(shard):
        seen.append(shard)
        if shard == 1:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_locally(worker, [0, 1, 2])
    assert seen == [0, 1]
