import json

import pandas as pd
import pytest

import errlens
from errlens.errors import IncompleteRun, NotARun, StaleRun, UnfitOption
from errlens.predictions import SCHEMA
from errlens.run import _atomically


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


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    def fail_half_way():
        with _atomically(tmp_path / "file") as temporary:
            temporary.write_text("half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail_half_way()
    assert list(tmp_path.iterdir()) == []
    with _atomically(tmp_path / "file") as temporary:
        temporary.write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
