"""Labels that mean another class to the program than to the person."""

import shutil

import pytest

from errlens.run.folder import open_run
from tests.conftest import ends


def test_a_missing_class_folder_does_not_shift_the_others(photos, tiny, tmp_path):
    """ultralytics/ultralytics#26192: classes of a split scored by place, not by name."""
    (tmp_path / "names.txt").write_text("blue\ngreen\nred\n")
    shutil.rmtree(photos / "green")
    ends(f"evaluate {photos} --model {tiny} --img-size 8 --classes names.txt -o run")
    assert open_run("run").metrics["top1"]["value"] == pytest.approx(7 / 8)
    said = ends(f"evaluate {photos} --model {tiny} --img-size 8 -o other", 3)
    assert "3 outputs, but there are 2 class names" in said.stderr


def test_labels_beyond_the_probabilities_are_refused(tmp_path, monkeypatch):
    """cleanlab/cleanlab#613: the largest label is one more than there are columns."""
    monkeypatch.chdir(tmp_path)
    rows = [f"{i}.jpg,{1 + i % 3},{int(i % 3 == 0)},{int(i % 3 == 1)},{int(i % 3 == 2)}\n"
            for i in range(30)]  # fmt: skip
    (tmp_path / "table.csv").write_text("path,label,prob_0,prob_1,prob_2\n" + "".join(rows))
    said = ends("import table.csv -o run", 3)
    assert "count from 1" in " ".join(said.stderr.split())
    ends("import table.csv --labels-from 1 -o run")
    assert open_run("run").metrics["top1"]["value"] == 1.0


def test_a_class_that_the_model_never_saw_stops_the_evaluation(photos, tiny, tmp_path):
    """apple/turicreate#1937: classes of the test set that are none of the training set."""
    (tmp_path / "names.txt").write_text("blue\ngreen\nviolet\n")
    said = ends(f"evaluate {photos} --model {tiny} --img-size 8 --classes names.txt -o run", 3)
    assert "'red'" in said.stderr
    ends(
        f"evaluate {photos} --model {tiny} --img-size 8 --classes names.txt --allow-unknown -o run"
    )
    assert open_run("run").metrics["n_label_unknown"] == 4
