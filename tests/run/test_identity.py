import json
from dataclasses import fields, replace

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errlens.run.identity import (
    RunInfo,
    RunSettings,
    canonical_hash,
    plan_differences,
    plan_hash,
    setting_differences,
)
from errlens.run.tables import PLAN_SCHEMA

SETTINGS = RunSettings(
    model="m",
    arguments={"a": 1},
    weights_sha256="00",
    preprocessing={"img_size": [8, 8]},
    decoder={"name": "pillow"},
    engine={"name": "torch"},
    device="cpu",
    class_names=["a", "b"],
    superclasses={"a": "x"},
    topk=2,
    plan_hash="11",
)


def plan(*rows, shard=0):
    columns = zip(
        *((n, i, i, None, la, s, shard) for n, (i, la, s) in enumerate(rows)), strict=True
    )
    arrays = [pa.array(c, f.type) for c, f in zip(columns, PLAN_SCHEMA, strict=True)]
    return pa.table(arrays, schema=PLAN_SCHEMA)


@pytest.mark.parametrize("name", [setting.name for setting in fields(RunSettings)])
def test_every_setting_is_in_the_hash(name):
    other = replace(SETTINGS, **{name: "other"})
    assert other.run_hash != SETTINGS.run_hash


def test_info_survives_json():
    info = RunInfo(SETTINGS, data="d", data_root="r", n_images=3, keep=["logits"])
    again = RunInfo.from_dict(json.loads(json.dumps(info.as_dict())))
    assert again == info
    assert again.run_hash == info.run_hash


def test_the_plan_hash_is_of_samples_labels_and_sizes_not_of_shards():
    before = plan(("1.jpg", "a", 5), ("2.jpg", None, None))
    assert plan_hash(before) == plan_hash(plan(("1.jpg", "a", 5), ("2.jpg", None, None), shard=3))
    for other in (("3.jpg", None, None), ("2.jpg", "a", None), ("2.jpg", None, 1)):
        assert plan_hash(before) != plan_hash(plan(("1.jpg", "a", 5), other))


def test_differences_between_plans_are_named_by_kind():
    before = plan(("1", "a", 1), ("2", "a", 1), ("3", "a", 1), ("4", "a", 1))
    now = plan(("2", "b", 1), ("3", "a", 2), ("4", "a", 1), ("5", "a", 1))
    expected = ["1 added ('5')", "1 gone ('1')", "1 relabelled ('2')", "1 resized ('3')"]
    assert plan_differences(before, now) == expected
    assert plan_differences(before, before) == []


def test_differences_between_settings_go_down_to_the_key():
    now = replace(SETTINGS, preprocessing={"img_size": [9, 9]}, topk=3)
    expected = ["preprocessing.img_size [8, 8] -> [9, 9]", "topk 2 -> 3"]
    assert setting_differences(SETTINGS, now) == expected


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


def turned_round(tree):
    if isinstance(tree, dict):
        return {key: turned_round(value) for key, value in reversed(tree.items())}
    return [turned_round(value) for value in tree] if isinstance(tree, list) else tree


@settings(deadline=None)
@given(plain)
def test_the_order_of_keys_has_no_say_in_the_hash_at_any_depth(tree):
    assert canonical_hash(turned_round(tree)) == canonical_hash(tree)
    assert canonical_hash(json.loads(json.dumps(tree))) == canonical_hash(tree)


def test_the_order_of_a_list_has_a_say_in_the_hash():
    assert canonical_hash(["a", "b"]) != canonical_hash(["b", "a"])
    assert canonical_hash({"a": "b"}) != canonical_hash({"b": "a"})


def test_the_order_of_the_class_names_makes_another_run():
    assert replace(SETTINGS, class_names=["b", "a"]).run_hash != SETTINGS.run_hash


@pytest.mark.parametrize("name", ["seed", "data", "data_root", "resources", "keep", "checkpoint"])
def test_what_does_not_decide_a_prediction_is_not_in_the_hash(name):
    info = RunInfo(SETTINGS, data="d", data_root="r", n_images=3)
    assert replace(info, **{name: "other"}).run_hash == info.run_hash


def test_info_without_a_setting_is_refused():
    found = RunInfo(SETTINGS, data="d", data_root="r", n_images=3).as_dict()
    del found["weights_sha256"]
    with pytest.raises(ValueError, match="weights_sha256"):
        RunInfo.from_dict(found)


def test_info_of_later_versions_may_hold_more():
    info = RunInfo(SETTINGS, data="d", data_root="r", n_images=3)
    assert RunInfo.from_dict({**info.as_dict(), "from_the_future": 1}) == info


def test_info_gives_classes_and_superclasses_back():
    info = RunInfo(SETTINGS, data="d", data_root="r", n_images=3)
    assert info.classes.names == ("a", "b")
    assert info.superclasses.as_mapping(info.classes) == {"a": "x"}
    assert replace(info, settings=replace(SETTINGS, superclasses=None)).superclasses is None


plans = st.dictionaries(
    st.sampled_from("123456"),
    st.tuples(st.sampled_from([None, "a", "b"]), st.integers(0, 2)),
    min_size=1,
)


@settings(deadline=None)
@given(plans, plans)
def test_plans_have_differences_just_where_their_hashes_differ(before, now):
    # The order of the samples is part of the hash: two plans of the same samples agree in it.
    one, other = (
        plan(*((name, *rest) for name, rest in sorted(rows.items()))) for rows in (before, now)
    )
    assert bool(plan_differences(one, other)) == (plan_hash(one) != plan_hash(other))


def test_many_differences_are_counted_and_the_first_named():
    now = plan(*((str(number), "a", 1) for number in range(1, 9)))
    before = plan(("0", "a", 1))
    assert plan_differences(before, now) == [
        "8 added ('1', '2', '3' and 5 more)",
        "1 gone ('0')",
    ]


def test_a_setting_too_long_to_show_is_named_alone():
    now = replace(SETTINGS, class_names=[f"class {index}" for index in range(100)])
    assert setting_differences(SETTINGS, now) == ["class_names"]


def test_settings_that_are_the_same_have_no_differences():
    assert setting_differences(SETTINGS, replace(SETTINGS)) == []


@pytest.mark.parametrize("name", [setting.name for setting in fields(RunSettings)])
def test_every_setting_that_differs_is_named(name):
    (difference,) = setting_differences(SETTINGS, replace(SETTINGS, **{name: "other"}))
    assert difference.startswith(name)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({}, {"a": None}),
        ({"a": None}, {}),
        ({"a": 1}, {"a": True}),
        ({"a": 0}, {"a": 0.0}),
        ({"a": {"b": 1}}, {"a": {}}),
    ],
)
def test_settings_of_other_hashes_have_a_difference_to_name(before, now):
    one, other = replace(SETTINGS, arguments=before), replace(SETTINGS, arguments=now)
    assert one.run_hash != other.run_hash
    assert all(text.startswith("arguments.a") for text in setting_differences(one, other))
    assert setting_differences(one, other)


def test_only_the_engine_tells_an_imported_run():
    info = RunInfo(SETTINGS, data="d", data_root="r", n_images=3)
    assert not info.imported
    assert not replace(info, settings=replace(SETTINGS, model="imported")).imported
    assert replace(info, settings=replace(SETTINGS, engine={"name": "import"})).imported
