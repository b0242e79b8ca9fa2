import json
from dataclasses import fields, replace

import pyarrow as pa
import pytest

from errlens.identity import RunInfo, Settings, plan_differences, plan_hash, setting_differences
from errlens.run import PLAN_SCHEMA

SETTINGS = Settings(
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


@pytest.mark.parametrize("name", [one.name for one in fields(Settings)])
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
