"""The command as people use it, and the run folder it leaves."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

import errlens
from errlens.cli import app
from tests.commands.evaluate.conftest import rows


def test_the_result_as_people_read_it(run_errlens, photos, golden):
    (photos / "red" / "bad.jpg").write_bytes(b"<html>no photo</html>")
    Path("parents.csv").write_text("class_name,superclass\nblue,cold\ngreen,cold\nred,warm\n")
    result = run_errlens(f"{photos} -o run --superclasses parents.csv --max-bad 1")
    assert result.exit_code == 0, result.output
    golden("evaluate.stdout.txt", result.stdout)
    golden("evaluate.stderr.txt", result.stderr.replace(str(Path.cwd()), "HERE"))


def test_json_is_one_object_and_nothing_else(run_errlens, photos):
    result = run_errlens(f"{photos} -o run --json")
    found = json.loads(result.stdout)
    assert found["schema_version"] == 1
    assert found["metrics"]["top1"]["value"] == 11 / 12
    assert found["metrics"]["reliability"]
    assert found["metrics"] == {
        key: value
        for key, value in json.loads(Path("run/metrics.json").read_text()).items()
        if key != "run_hash"
    }


def test_quiet_says_nothing_when_all_is_well(run_errlens, photos):
    result = run_errlens(f"{photos} -o run -q")
    assert (result.stdout, result.stderr) == ("", "")


def test_the_files_of_a_run(run_errlens, photos):
    run_errlens(f"{photos} -o run")
    written = {
        path.relative_to("run").as_posix() for path in Path("run").rglob("*") if path.is_file()
    }
    assert written == {
        "run.json",
        "plan.parquet",
        "predictions/part-00000.parquet",
        "logits/part-00000.npy",
        "features/part-00000.npy",
        "metrics.json",
        "classes.csv",
        "baseline.parquet",
    }
    baseline = pd.read_parquet("run/baseline.parquet")
    assert list(baseline) == ["sample_id", "content_hash", "label_name", "pred_name", "correct"]
    assert pd.read_csv("run/classes.csv")["recall"].tolist() == [1, 1, 0.75]


def test_without_a_name_the_run_is_called_after_data_and_model(run_errlens, photos):
    assert run_errlens(f"{photos}").exit_code == 0
    assert Path("runs/photos-tiny_colours/run.json").exists()


def hostile(folder: Path) -> dict[str, str]:
    """Add one file of every bad kind to a folder; return the status each should get, by path."""
    folder.joinpath("empty.jpg").touch()
    folder.joinpath("page.jpg").write_text("<!DOCTYPE html><html><body>404</body></html>")
    photo = folder / "photo.jpg"
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(photo)
    folder.joinpath("truncated.jpg").write_bytes(photo.read_bytes()[:-60])
    folder.joinpath("gone.jpg").symlink_to(folder / "nowhere.jpg")
    folder.joinpath("loop.jpg").symlink_to(folder / "loop.jpg")
    # The header of a PNG of 100,000 x 100,000 pixels, with next to nothing behind it.
    bomb = bytearray((folder / "0.png").read_bytes())
    bomb[16:24] = (100_000).to_bytes(4) * 2
    folder.joinpath("bomb.png").write_bytes(bomb)
    Path(os.fsdecode(bytes(folder) + b"/caf\xe9.jpg")).write_bytes(photo.read_bytes())
    folder.joinpath("two\nlines.jpg").write_bytes(photo.read_bytes())
    folder.joinpath("[bold]markup.jpg").write_bytes(photo.read_bytes())
    folder.joinpath("self").symlink_to(folder, target_is_directory=True)
    return {
        "empty.jpg": "unreadable",
        "page.jpg": "unreadable",
        "truncated.jpg": "unreadable",
        "gone.jpg": "missing",
        "loop.jpg": "unreadable",
        "bomb.png": "unreadable",
        "caf\\xe9.jpg": "unreadable",
        "two\nlines.jpg": "ok",
        "[bold]markup.jpg": "ok",
        "photo.jpg": "ok",
    }


def test_every_file_is_accounted_for(run_errlens, photos):
    expected = hostile(photos / "red")
    (photos / "empty class").mkdir()
    Path("names.txt").write_text("blue\ngreen\nred\n")
    result = run_errlens(f"{photos} -o run --classes names.txt")
    assert result.exit_code == 3, result.output
    assert "7 of 22 inputs failed" in result.stderr
    assert "'empty class'" in result.stderr
    assert "caf\\xe9.jpg" in result.stdout
    assert "not an image but an HTML page" in result.stdout
    found = {row["path"].removeprefix("red/"): row for row in rows("run")}
    assert {path: found[path]["status"] for path in expected} == expected
    for path, status in expected.items():
        assert (found[path]["error"] is None) == (status == "ok")
        assert (found[path]["pred"] is None) == (status != "ok")
    # What could be read counts, and nothing else: metrics are there in spite of exit 3.
    metrics = json.loads(Path("run/metrics.json").read_text())
    assert (metrics["n"], metrics["n_ok"], metrics["n_failed"]) == (22, 15, 7)
    assert metrics["top1"]["n"] == 15


def test_names_cannot_break_the_terminal(run_errlens, photos):
    (photos / "red" / "\x1b[31mred\nflag[bold].jpg").touch()
    result = run_errlens(f"{photos} -o run --max-bad 1")
    assert result.exit_code == 0
    assert "red/\\x1b[31mred\\nflag[bold].jpg" in result.stdout
    assert "\x1b" not in result.output


@pytest.mark.parametrize(
    ("max_bad", "exit_code"),
    [("0", 3), ("1", 0), ("7%", 3), ("8%", 3), ("9%", 0), ("100%", 0), ("1%", 3)],
)
def test_max_bad_is_a_count_or_a_share(run_errlens, photos, max_bad, exit_code):
    (photos / "red" / "0.png").write_bytes(b"")
    assert run_errlens(f"{photos} -o run --max-bad {max_bad}").exit_code == exit_code
    assert len(rows("run")) == 12


@pytest.mark.parametrize(
    "option", ["--max-bad some", "--max-bad -1", "--max-bad nan%", "--keep everything"]
)
def test_a_misspelt_option_is_found_before_the_work(run_errlens, photos, option):
    result = run_errlens(f"{photos} -o run {option}")
    assert result.exit_code == 2
    assert not Path("run").exists()


def test_one_photo_prints_its_three_most_probable_classes(run_errlens, photos):
    result = run_errlens(f"{photos / 'green' / '0.png'} -o run")
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["0.png", "probability"]
    assert lines[1][0] == "1"  # nothing names the outputs of this model but their numbers
    assert {line[0] for line in lines[1:4]} == {"0", "1", "2"}
    probabilities = [float(line[1].strip("<>")) for line in lines[1:4]]
    assert probabilities == sorted(probabilities, reverse=True)
    assert rows("run")[0]["label"] is None


def test_a_folder_of_photos_without_labels_has_no_metrics(run_errlens, photos):
    Path("names.txt").write_text("blue\ngreen\nred\n")
    result = run_errlens(f"{photos / 'green'} -o run --classes names.txt --json")
    metrics = json.loads(result.stdout)["metrics"]
    assert metrics["n_ok"] == metrics["n_unlabelled"] == 4
    assert all(metrics[name] is None for name in ("top1", "nll", "brier", "ece", "macro_f1"))
    assert {row["pred_name"] for row in rows("run")} == {"green"}


def test_changed_data_are_refused_by_name_until_overwritten(run_errlens, photos):
    run_errlens(f"{photos} -o run")
    (photos / "red" / "0.png").unlink()
    (photos / "red" / "1.png").write_bytes(b"1234")
    (photos / "red" / "new.png").write_bytes((photos / "red" / "2.png").read_bytes())
    result = run_errlens(f"{photos} -o run --max-bad 1")
    assert result.exit_code == 3
    for change in ("1 added ('red/new.png')", "1 gone ('red/0.png')", "1 resized ('red/1.png')"):
        assert change in result.stderr
    assert len(rows("run")) == 12
    assert run_errlens(f"{photos} -o run --max-bad 1 --overwrite").exit_code == 0
    assert rows("run")[-1]["path"] == "red/new.png"


def test_changed_settings_are_refused_by_name(run_errlens, photos):
    run_errlens(f"{photos} -o run")
    result = run_errlens(f"{photos} -o run --interpolation nearest")
    assert result.exit_code == 3
    assert "preprocessing.interpolation bicubic -> nearest" in result.stderr


def test_a_folder_that_is_no_run_is_left_alone(run_errlens, photos):
    before = sorted(photos.rglob("*"))
    result = run_errlens(f"{photos} -o {photos} --overwrite")
    assert result.exit_code == 2
    assert sorted(photos.rglob("*")) == before


def test_ctrl_c_anywhere_else_is_130_too(run_errlens, photos, monkeypatch):
    def interrupt(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("errlens.data.samples.find_samples", interrupt)
    result = run_errlens(f"{photos} -o run")
    assert result.exit_code == 130
    assert "error: stopped" in result.stderr


def test_a_run_folder_may_have_a_colon_in_its_name(photos, tiny):
    run = CliRunner().invoke(
        app, ["evaluate", str(photos), "--model", tiny, "--img-size", "8", "-o", "a+b:1", "-q"]
    )
    assert run.exit_code == 0, run.output
    assert CliRunner().invoke(app, ["confusion", "a+b:1", "-q"]).exit_code == 0
    assert errlens.open_run("a+b:1").metrics["n"] == 12
