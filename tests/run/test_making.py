import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import errlens
from errlens.errors import OutOfReach, StaleRun, UnfitOption
from tests.run.made import PLAN, ROWS, files, make_info, make_plan, write_parts


def test_a_resumed_run_keeps_the_shards_it_began_with(run, options):
    run.part_file(1).unlink()
    again = errlens.evaluate(**{**options, "part_size": 3})
    assert sorted(path.name for path in again.predictions_folder.iterdir()) == [
        f"part-0000{shard}.parquet" for shard in range(3)
    ]
    assert again.predictions.table["row"].to_pylist() == list(range(12))


def test_overwrite_removes_only_what_errlens_wrote(run, options):
    (run.path / "notes.txt").write_text("mine")
    errlens.evaluate(**{**options, "img_size": 9}, overwrite=True)
    assert (run.path / "notes.txt").read_text() == "mine"


def test_overwrite_spares_a_folder_that_is_no_run(options, tmp_path):
    (tmp_path / "run" / "features").mkdir(parents=True)
    (tmp_path / "run" / "features" / "precious.npy").touch()
    with pytest.raises(UnfitOption):
        errlens.evaluate(**options, overwrite=True)
    assert (tmp_path / "run" / "features" / "precious.npy").exists()


def test_a_fresh_folder_gets_the_settings_and_the_plan(folder):
    plan = folder.begin(make_info(), PLAN)
    assert files(folder.path) == ["plan.parquet", "run.json"]
    assert plan.equals(PLAN)
    assert folder.plan.equals(PLAN)
    assert folder.info == replace(make_info(), keep=[], started=folder.info.started)
    assert folder.unfinished() == [0, 1, 2]


def test_further_columns_of_a_manifest_lie_beside_the_plan(folder):
    extra = pd.DataFrame({"row": range(5), "camera": list("xyxyx")})
    folder.begin(make_info(), PLAN, extra=extra)
    pd.testing.assert_frame_equal(pd.read_parquet(folder.extra_file), extra, check_dtype=False)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_with_files_of_others_is_refused_and_left_alone(folder, overwrite):
    folder.path.mkdir(parents=True)
    (folder.path / "thesis.txt").write_text("mine")
    with pytest.raises(UnfitOption, match="is no run folder"):
        folder.begin(make_info(), PLAN, overwrite=overwrite)
    assert files(folder.path) == ["thesis.txt"]


def test_a_folder_with_nothing_but_hidden_files_is_taken(folder):
    folder.path.mkdir(parents=True)
    (folder.path / ".gitkeep").touch()
    folder.begin(make_info(), PLAN)
    assert folder.info.status == "running"


def test_a_file_in_the_place_of_the_folder_is_refused(folder):
    folder.path.parent.mkdir(parents=True)
    folder.path.write_text("mine")
    with pytest.raises(UnfitOption, match="is no run folder"):
        folder.begin(make_info(), PLAN)
    assert folder.path.read_text() == "mine"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"model": "n"}, "model m -> n"),
        ({"preprocessing": {"img_size": [9, 9], "crop_pct": 0.875}}, "preprocessing.img_size"),
        ({"topk": 3}, "topk 2 -> 3"),
        ({"arguments": {"pretrained": None}}, "arguments.pretrained"),
        ({"preprocessing": {"img_size": [8, 8.0], "crop_pct": 0.875}}, "preprocessing.img_size"),
    ],
)
def test_parts_of_other_settings_are_refused_by_name_and_left_alone(folder, changes, named):
    info = make_info()
    folder.begin(info, PLAN)
    write_parts(folder, PLAN, info, shards=[0])
    before = folder.info_file.read_bytes()
    with pytest.raises(StaleRun, match=r"other settings: \S") as failure:
        folder.begin(make_info(**changes), PLAN)
    assert named in str(failure.value)
    assert failure.value.exit_code == 3
    assert folder.info_file.read_bytes() == before
    assert folder.unfinished() == [1, 2]


def test_a_refusal_names_only_the_settings_that_differ(folder):
    info = make_info(arguments={"patch_size": (4, 4)})
    folder.begin(info, PLAN)
    write_parts(folder, PLAN, info, shards=[0])
    with pytest.raises(StaleRun) as failure:
        folder.begin(replace(info, settings=replace(info.settings, topk=3)), PLAN)
    assert str(failure.value).endswith("other settings: topk 2 -> 3")


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ([*ROWS, ("new.png", "a", 1)], "1 added ('new.png')"),
        (ROWS[:-1], "1 gone ('4.png')"),
        ([("0.png", "a", 10), *ROWS[1:]], "1 relabelled ('0.png')"),
        ([("0.png", "b", 99), *ROWS[1:]], "1 resized ('0.png')"),
    ],
)
def test_parts_of_other_data_are_refused_by_name(folder, rows, named):
    info, now = make_info(), make_plan(rows)
    folder.begin(info, PLAN)
    write_parts(folder, PLAN, info, shards=[0])
    with pytest.raises(StaleRun, match="no longer those of") as failure:
        folder.begin(make_info(now), now)
    assert named in str(failure.value)
    assert "--overwrite" in failure.value.hint
    assert folder.plan.equals(PLAN)


def test_the_same_data_in_another_order_are_other_data(folder):
    info, now = make_info(), make_plan(ROWS[::-1])
    folder.begin(info, PLAN)
    write_parts(folder, PLAN, info, shards=[0])
    with pytest.raises(StaleRun):
        folder.begin(make_info(now), now)


def test_a_run_without_parts_may_begin_again_with_anything(folder):
    folder.begin(make_info(), PLAN)
    now = make_plan(ROWS[:3])
    assert folder.begin(make_info(now, model="n"), now).equals(now)
    assert folder.info.settings.model == "n"


def test_overwriting_removes_every_file_of_a_run_and_no_other(folder):
    info = make_info(keep=["logits"])
    folder.begin(info, PLAN, extra=pd.DataFrame({"row": range(5)}))
    write_parts(folder, PLAN, info, logits=np.zeros((2, 2), np.float16))
    folder.complete({"n": 5}, pd.DataFrame({"class_index": [0, 1]}))
    (folder.path / "notes.txt").write_text("mine")
    (folder.path / "confusion").mkdir()
    (folder.path / "confusion" / "pairs.csv").write_text("mine too")
    now = make_plan(ROWS[:3])
    folder.begin(make_info(now), now, overwrite=True)
    assert files(folder.path) == ["confusion/pairs.csv", "notes.txt", "plan.parquet", "run.json"]
    assert folder.unfinished() == [0, 1]


def test_a_resumed_run_follows_the_plan_it_began_with(folder):
    info = make_info()
    folder.begin(info, PLAN)
    write_parts(folder, PLAN, info, shards=[1])
    other = make_plan(ROWS, part_size=4)
    assert folder.begin(make_info(other), other).equals(PLAN)
    assert folder.plan.equals(PLAN)
    assert folder.unfinished() == [0, 2]


def test_a_part_says_which_settings_made_it(folder):
    info = make_info()
    folder.begin(info, PLAN)
    write_parts(folder, PLAN, info, shards=[1])
    found = json.loads(pq.read_metadata(folder.part_file(1)).metadata[b"errlens"])
    assert (found["run_hash"], found["shard"]) == (info.run_hash, 1)
    assert {name: found[name] for name in info.settings.as_dict()} == info.settings.as_dict()


def test_an_interrupted_run_says_so_and_keeps_its_parts(folder):
    info = make_info()
    folder.begin(info, PLAN)
    write_parts(folder, PLAN, info, shards=[0])
    folder.interrupt()
    assert folder.info.status == "interrupted"
    assert folder.unfinished() == [1, 2]


def test_a_part_that_cannot_be_written_leaves_nothing_behind(folder, monkeypatch):
    info = make_info(keep=["logits"])
    folder.begin(info, PLAN)
    before = files(folder.path)

    def write_half(_array_or_table, target, *_rest, **_options):
        target.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(pq, "write_table", write_half)
    with pytest.raises(OutOfReach, match="disk full"):
        write_parts(folder, PLAN, info, shards=[0])
    assert files(folder.path) == before
    monkeypatch.undo()

    def save_half(file, _array):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(np, "save", save_half)
    with pytest.raises(OutOfReach, match="disk full"):
        write_parts(folder, PLAN, info, shards=[0], logits=np.zeros((2, 2)))
    assert files(folder.path) == before


def test_a_run_that_another_process_began_anew_is_left_to_it(folder):
    mine, other = make_info(), make_info(weights_sha256="11")
    folder.begin(mine, PLAN)
    folder.require_own(mine)
    folder.begin(other, PLAN)
    with pytest.raises(StaleRun, match="another process"):
        folder.require_own(mine)


def test_a_run_that_another_process_completed_is_not_interrupted(folder):
    info = make_info()
    folder.begin(info, PLAN)
    folder.interrupt()
    assert folder.info.status == "interrupted"
    folder.write_info(replace(info, status="complete"))
    folder.interrupt()
    assert folder.info.status == "complete"
