import json

import pandas as pd
import pytest

import errlens
from errlens.errors import NotARun
from errlens.run.folder import open_run
from tests.run.made import PLAN, ROWS, files, make_info, write_parts


def test_run_json_is_enough_to_repeat_the_run(run, photos):
    found = json.loads(run.info_file.read_text())
    assert found["status"] == "complete"
    assert found["model"] == "tiny:colours"
    assert found["class_names"] == ["blue", "green", "red"]
    assert found["data_root"] == str(photos)
    assert found["preprocessing"]["img_size"] == [8, 8]
    assert len(found["weights_sha256"]) == 64


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


def test_metrics_that_are_no_json_leave_the_old_ones(folder):
    info = make_info()
    folder.begin(info, PLAN)
    write_parts(folder, PLAN, info)
    folder.complete({"n": 5}, pd.DataFrame({"class_index": [0]}))
    before = files(folder.path), folder.metrics
    with pytest.raises(ValueError, match="Out of range"):
        folder.complete({"n": float("nan")}, pd.DataFrame({"class_index": [0]}))
    assert (files(folder.path), folder.metrics) == before


@pytest.mark.parametrize("content", [None, "{", "[]", "{}", '{"schema_version": 1}'])
def test_what_is_no_run_is_bad_input(tmp_path, content):
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises(NotARun) as failure:
        errlens.open_run(tmp_path)
    assert failure.value.exit_code == 3


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
