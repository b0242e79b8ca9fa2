import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import errlens
from errlens.errors import IncompleteRun, NotARun, OutOfReach, StaleRun, UnfitOption
from errlens.predictions.table import SCHEMA
from errlens.run.folder import RunFolder, open_run
from errlens.run.identity import RunInfo, RunSettings, plan_hash
from errlens.run.tables import PLAN_SCHEMA


@pytest.fixture
def options(tiny, photos, tmp_path):
    return {"data": photos, "model": tiny, "out": tmp_path / "run", "img_size": 8, "part_size": 5}


@pytest.fixture
def run(options):
    return errlens.evaluate(**options)


def test_pandas_reads_all_parts_and_no_temporary(run):
    (run.predictions_folder / ".part-00009.parquet.1.tmp").write_bytes(b"half")
    found = pd.read_parquet(run.predictions_folder)
    assert found["row"].tolist() == list(range(12))
    assert list(found) == SCHEMA.names


def test_columns_can_be_asked_for(run):
    found = run.read_predictions(("pred", "label_name")).table
    assert found.column_names == ["pred", "label_name"]


def test_a_part_that_is_gone_or_cut_is_made_anew(run, options):
    whole = run.predictions.table
    run.part_file(0).unlink()
    content = run.part_file(2).read_bytes()
    run.part_file(2).write_bytes(content[: len(content) // 2])
    assert run.unfinished() == [0, 2]
    with pytest.raises(IncompleteRun, match="2 parts"):
        _ = run.predictions
    assert errlens.evaluate(**options).predictions.table.equals(whole)


def test_a_part_without_its_sidecar_is_made_anew(run):
    run.sidecar_file("features", 1).unlink()
    assert run.unfinished() == [1]


def test_a_part_of_other_settings_is_refused(run, options, tmp_path):
    other = errlens.evaluate(**{**options, "img_size": 9, "out": tmp_path / "other"})
    run.part_file(1).write_bytes(other.part_file(1).read_bytes())
    with pytest.raises(StaleRun, match="other settings"):
        _ = run.predictions


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


@pytest.mark.parametrize("content", [None, "{", "[]", "{}", '{"schema_version": 1}'])
def test_what_is_no_run_is_bad_input(tmp_path, content):
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises(NotARun) as failure:
        errlens.open_run(tmp_path)
    assert failure.value.exit_code == 3


def test_run_json_is_enough_to_repeat_the_run(run, photos):
    found = json.loads(run.info_file.read_text())
    assert found["status"] == "complete"
    assert found["model"] == "tiny:colours"
    assert found["class_names"] == ["blue", "green", "red"]
    assert found["data_root"] == str(photos)
    assert found["preprocessing"]["img_size"] == [8, 8]
    assert len(found["weights_sha256"]) == 64


def make_plan(rows, *, part_size=2):
    """Return a plan of rows (sample_id, label_name, size_bytes)."""
    names, labels, sizes = zip(*rows, strict=True)
    shards = [row // part_size for row in range(len(rows))]
    columns = [range(len(rows)), names, names, [None] * len(rows), labels, sizes, shards]
    arrays = [
        pa.array(column, kind.type) for column, kind in zip(columns, PLAN_SCHEMA, strict=True)
    ]
    return pa.table(arrays, schema=PLAN_SCHEMA)


ROWS = [(f"{index}.png", "a" if index % 2 else "b", 10 + index) for index in range(5)]
PLAN = make_plan(ROWS)


def make_info(plan=PLAN, *, keep=(), **changes):
    settings = RunSettings(
        model="m",
        arguments={},
        weights_sha256="00",
        preprocessing={"img_size": [8, 8], "crop_pct": 0.875},
        decoder={"name": "pillow"},
        engine={"name": "torch"},
        device="cpu",
        class_names=["a", "b"],
        superclasses=None,
        topk=2,
        plan_hash=plan_hash(plan),
    )
    settings = replace(settings, **changes)
    return RunInfo(settings, data="d", data_root="r", n_images=plan.num_rows, keep=keep)


def make_part(plan, shard):
    """Return rows of the predictions that hold what the plan holds, and else nulls."""
    rows = plan.filter(pc.equal(plan["shard"], shard)).combine_chunks()
    missing = pa.array(["missing"] * rows.num_rows).dictionary_encode()
    columns = [
        missing.cast(kind.type)
        if kind.name == "status"
        else rows[kind.name].combine_chunks().cast(kind.type)
        if kind.name in ("row", "sample_id", "path")
        else pa.nulls(rows.num_rows, kind.type)
        for kind in SCHEMA
    ]
    return pa.table(columns, schema=SCHEMA)


def write_parts(folder, plan, info, shards=(0, 1, 2), **sidecars):
    for shard in shards:
        folder.write_part(shard, make_part(plan, shard), sidecars, info)


def files(path):
    return sorted(one.relative_to(path).as_posix() for one in path.rglob("*") if one.is_file())


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path / "made" / "by hand")


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


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
def test_a_part_cut_short_anywhere_is_unfinished(folder, share):
    info = make_info()
    folder.begin(info, PLAN)
    write_parts(folder, PLAN, info)
    content = folder.part_file(1).read_bytes()
    folder.part_file(1).write_bytes(content[: int(share * len(content))])
    assert folder.unfinished() == [1]
    with pytest.raises(IncompleteRun, match="1 part of"):
        folder.read_predictions()


def test_a_part_under_the_name_of_another_is_unfinished(folder):
    info = make_info()
    folder.begin(info, PLAN)
    write_parts(folder, PLAN, info)
    folder.part_file(1).write_bytes(folder.part_file(0).read_bytes())
    assert folder.unfinished() == [1]


@pytest.mark.parametrize("kind", ["logits", "features"])
def test_a_part_without_what_is_to_be_kept_is_unfinished(folder, kind):
    info = make_info(keep=["logits", "features"])
    folder.begin(info, PLAN)
    values = np.arange(4, dtype=np.float16).reshape(2, 2)
    write_parts(folder, PLAN, info, logits=values, features=values)
    assert folder.unfinished() == []
    np.testing.assert_array_equal(np.load(folder.sidecar_file(kind, 0)), values)
    folder.sidecar_file(kind, 2).unlink()
    assert folder.unfinished() == [2]


def test_a_part_of_another_run_is_stale(folder):
    info = make_info()
    folder.begin(info, PLAN)
    write_parts(folder, PLAN, info)
    write_parts(folder, PLAN, make_info(topk=1), shards=[2])
    for read in (folder.unfinished, folder.read_predictions):
        with pytest.raises(StaleRun, match=r"part-00002\.parquet"):
            read()


def test_a_part_somebody_else_wrote_is_stale(folder):
    folder.begin(make_info(), PLAN)
    pq.write_table(make_part(PLAN, 0), folder.part_file(0))
    with pytest.raises(StaleRun):
        folder.unfinished()


def test_a_part_says_which_settings_made_it(folder):
    info = make_info()
    folder.begin(info, PLAN)
    write_parts(folder, PLAN, info, shards=[1])
    found = json.loads(pq.read_metadata(folder.part_file(1)).metadata[b"errlens"])
    assert (found["run_hash"], found["shard"]) == (info.run_hash, 1)
    assert {name: found[name] for name in info.settings.as_dict()} == info.settings.as_dict()


def test_a_part_remembers_what_was_counted_of_its_photos_and_an_older_one_nothing(folder):
    info = make_info()
    folder.begin(info, PLAN)
    counts = {"turned": {"n": 2, "examples": ["a.png"]}}
    folder.write_part(0, make_part(PLAN, 0), {}, info, photos=counts)
    write_parts(folder, PLAN, info, shards=[1, 2])
    assert list(folder.read_photo_counts()) == [counts, {}, {}]
    assert folder.read_predictions().table.schema.metadata is None
    older = pq.read_table(folder.part_file(0))
    made_by = json.loads(older.schema.metadata[b"errlens"])
    del made_by["photos"]
    pq.write_table(
        older.replace_schema_metadata({b"errlens": json.dumps(made_by)}), folder.part_file(0)
    )
    assert list(folder.read_photo_counts()) == [{}, {}, {}]
    assert folder.unfinished() == []


def test_predictions_come_in_plan_order_with_the_columns_as_asked(folder):
    info = make_info()
    folder.begin(info, PLAN)
    write_parts(folder, PLAN, info, shards=[2, 0, 1])
    found = folder.read_predictions(["path", "row"])
    assert found.table.column_names == ["path", "row"]
    assert found.table["row"].to_pylist() == list(range(5))
    assert found.classes.names == ("a", "b")
    assert folder.predictions.table.schema.equals(SCHEMA, check_metadata=True)
    assert pd.read_parquet(folder.predictions_folder)["row"].tolist() == list(range(5))


def test_a_run_without_plan_or_metrics_is_incomplete(folder):
    folder.begin(make_info(), PLAN)
    with pytest.raises(IncompleteRun, match="no metrics"):
        _ = folder.metrics
    folder.plan_file.unlink()
    with pytest.raises(IncompleteRun, match="no plan"):
        folder.unfinished()


def test_a_complete_run_says_so_and_knows_what_its_metrics_belong_to(folder):
    info = make_info()
    folder.begin(info, PLAN)
    write_parts(folder, PLAN, info)
    folder.complete({"n": 5}, pd.DataFrame({"class_index": [0, 1], "f1": [0.5, None]}))
    assert folder.info.status == "complete"
    assert folder.info.finished is not None
    assert folder.info.run_hash == info.run_hash
    assert folder.metrics == {"n": 5, "run_hash": info.run_hash}
    assert folder.classes_file.read_text() == '"class_index","f1"\n0,0.5\n1,\n'
    assert pd.read_parquet(folder.baseline_file)["sample_id"].tolist() == [row[0] for row in ROWS]


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


def test_metrics_that_are_no_json_leave_the_old_ones(folder):
    info = make_info()
    folder.begin(info, PLAN)
    write_parts(folder, PLAN, info)
    folder.complete({"n": 5}, pd.DataFrame({"class_index": [0]}))
    before = files(folder.path), folder.metrics
    with pytest.raises(ValueError, match="Out of range"):
        folder.complete({"n": float("nan")}, pd.DataFrame({"class_index": [0]}))
    assert (files(folder.path), folder.metrics) == before


def test_a_folder_that_is_not_there_or_is_a_file_is_no_run(tmp_path):
    (tmp_path / "file").touch()
    for name in ("nowhere", "file"):
        with pytest.raises(NotARun, match=name) as failure:
            open_run(str(tmp_path / name))
        assert failure.value.exit_code == 3
        assert "errlens evaluate" in failure.value.hint


def test_a_run_of_another_version_says_so(folder):
    folder.begin(make_info(), PLAN)
    found = json.loads(folder.info_file.read_text())
    folder.info_file.write_text(json.dumps({**found, "schema_version": 99}))
    with pytest.raises(NotARun, match="another version"):
        open_run(folder.path)


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
