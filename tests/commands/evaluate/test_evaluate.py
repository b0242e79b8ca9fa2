import json
import os
import shlex
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

import errlens
from errlens.cli import app
from errlens.errors import LabelSpaceMismatch
from tests.conftest import COLOURS, paint

TINY = "--img-size 8 --crop-pct 1.0"


@pytest.fixture
def run_errlens(tiny):
    """Run the command line in a folder that holds the tiny model."""

    def invoke(arguments: str):
        command = ["evaluate", *shlex.split(arguments), "--model", tiny, *shlex.split(TINY)]
        return CliRunner().invoke(app, command)

    return invoke


def rows(run: str) -> list[dict]:
    return errlens.open_run(run).predictions.table.to_pylist()


def test_the_result_as_people_read_it(run_errlens, photos, golden):
    (photos / "red" / "bad.jpg").write_bytes(b"<html>no photo</html>")
    Path("parents.csv").write_text("class_name,superclass\nblue,cold\ngreen,cold\nred,warm\n")
    said = run_errlens(f"{photos} -o run --superclasses parents.csv --max-bad 1")
    assert said.exit_code == 0, said.output
    golden("evaluate.stdout.txt", said.stdout)
    golden("evaluate.stderr.txt", said.stderr.replace(str(Path.cwd()), "HERE"))


def test_json_is_one_object_and_nothing_else(run_errlens, photos):
    said = run_errlens(f"{photos} -o run --json")
    found = json.loads(said.stdout)
    assert found["schema_version"] == 1
    assert found["metrics"]["top1"]["value"] == 11 / 12
    assert found["metrics"]["reliability"]
    assert found["metrics"] == {
        key: value
        for key, value in json.loads(Path("run/metrics.json").read_text()).items()
        if key != "run_hash"
    }


def test_quiet_says_nothing_when_all_is_well(run_errlens, photos):
    said = run_errlens(f"{photos} -o run -q")
    assert (said.stdout, said.stderr) == ("", "")


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
    said = run_errlens(f"{photos} -o run --classes names.txt")
    assert said.exit_code == 3, said.output
    assert "7 of 22 inputs failed" in said.stderr
    assert "'empty class'" in said.stderr
    assert "caf\\xe9.jpg" in said.stdout
    assert "not an image but an HTML page" in said.stdout
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
    said = run_errlens(f"{photos} -o run --max-bad 1")
    assert said.exit_code == 0
    assert "red/\\x1b[31mred\\nflag[bold].jpg" in said.stdout
    assert "\x1b" not in said.output


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
    said = run_errlens(f"{photos} -o run {option}")
    assert said.exit_code == 2
    assert not Path("run").exists()


def test_a_manifest_with_its_own_names_and_columns(run_errlens, photos):
    lines = ["image;truth;part;camera"]
    lines += [
        f"{colour}/{number}.png;{colour};{part};c{number}"
        for number, part in enumerate(("train", "test", "test"))
        for colour in ("blue", "green", "red")
    ]
    lines.append("red/1.png;red;test;again")
    (photos / "list.csv").write_text("\n".join(lines))
    said = run_errlens(
        f"{photos / 'list.csv'} -o run --path-column image --label-column truth "
        "--split-column part --split test"
    )
    assert said.exit_code == 0, said.output
    found = rows("run")
    assert len(found) == 7
    assert {row["split"] for row in found} == {"test"}
    assert [row["sample_id"] for row in found][-1] == "red/1.png#2"
    extra = pd.read_parquet("run/extra.parquet")
    assert list(extra) == ["row", "camera"]
    assert extra["camera"].tolist() == ["c1"] * 3 + ["c2"] * 3 + ["again"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [("path,truth\na.png,red\n", "no column 'label'"), ("path,label\n", "no rows"), ("", "empty")],
)
def test_a_bad_manifest_is_bad_input(run_errlens, text, reason):
    Path("list.csv").write_text(text)
    said = run_errlens("list.csv -o run")
    assert said.exit_code == 3
    assert reason in said.stderr


def test_one_photo_prints_its_three_most_probable_classes(run_errlens, photos):
    said = run_errlens(f"{photos / 'green' / '0.png'} -o run")
    assert said.exit_code == 0, said.output
    lines = [line.split() for line in said.stdout.splitlines()]
    assert lines[0] == ["0.png", "probability"]
    assert lines[1][0] == "1"  # nothing names the outputs of this model but their numbers
    assert {line[0] for line in lines[1:4]} == {"0", "1", "2"}
    probabilities = [float(line[1].strip("<>")) for line in lines[1:4]]
    assert probabilities == sorted(probabilities, reverse=True)
    assert rows("run")[0]["label"] is None


def test_a_folder_of_photos_without_labels_has_no_metrics(run_errlens, photos):
    Path("names.txt").write_text("blue\ngreen\nred\n")
    said = run_errlens(f"{photos / 'green'} -o run --classes names.txt --json")
    metrics = json.loads(said.stdout)["metrics"]
    assert metrics["n_ok"] == metrics["n_unlabelled"] == 4
    assert all(metrics[name] is None for name in ("top1", "nll", "brier", "ece", "macro_f1"))
    assert {row["pred_name"] for row in rows("run")} == {"green"}


def test_data_may_hold_only_some_of_the_classes(run_errlens, photos):
    Path("names.json").write_text('["blue", "green", "red"]')
    (photos / "blue").rename("elsewhere")
    said = run_errlens(f"{photos} -o run --classes names.json")
    assert said.exit_code == 0, said.output
    assert {row["label"] for row in rows("run")} == {1, 2}
    assert pd.read_csv("run/classes.csv")["n"].tolist() == [0, 4, 4]


def test_folder_names_must_be_as_many_as_the_outputs(run_errlens, photos):
    (photos / "blue").rename("elsewhere")
    said = run_errlens(f"{photos} -o run")
    assert said.exit_code == 3
    assert "3 outputs" in said.stderr
    assert "--classes" in said.stderr


def test_a_label_the_model_has_no_class_for_stops_before_scoring(run_errlens, photos):
    Path("names.txt").write_text("blue\ngreen\nredd\n")
    said = run_errlens(f"{photos} -o run --classes names.txt")
    assert said.exit_code == 3
    assert "'red'" in said.stderr
    assert "'redd'" in said.stderr
    assert not Path("run").exists()


def test_a_superclass_file_must_not_invent_classes(run_errlens, photos):
    Path("parents.csv").write_text("class_name,superclass\nbleu,cold\nred,warm\n")
    said = run_errlens(f"{photos} -o run --superclasses parents.csv")
    assert said.exit_code == 3
    assert "bleu" in said.stderr
    assert "did you mean blue?" in said.stderr


def test_changed_data_are_refused_by_name_until_overwritten(run_errlens, photos):
    run_errlens(f"{photos} -o run")
    (photos / "red" / "0.png").unlink()
    (photos / "red" / "1.png").write_bytes(b"1234")
    (photos / "red" / "new.png").write_bytes((photos / "red" / "2.png").read_bytes())
    said = run_errlens(f"{photos} -o run --max-bad 1")
    assert said.exit_code == 3
    for change in ("1 added ('red/new.png')", "1 gone ('red/0.png')", "1 resized ('red/1.png')"):
        assert change in said.stderr
    assert len(rows("run")) == 12
    assert run_errlens(f"{photos} -o run --max-bad 1 --overwrite").exit_code == 0
    assert rows("run")[-1]["path"] == "red/new.png"


def test_changed_settings_are_refused_by_name(run_errlens, photos):
    run_errlens(f"{photos} -o run")
    said = run_errlens(f"{photos} -o run --interpolation nearest")
    assert said.exit_code == 3
    assert "preprocessing.interpolation bicubic -> nearest" in said.stderr


def test_a_folder_that_is_no_run_is_left_alone(run_errlens, photos):
    before = sorted(photos.rglob("*"))
    said = run_errlens(f"{photos} -o {photos} --overwrite")
    assert said.exit_code == 2
    assert sorted(photos.rglob("*")) == before


def test_exif_orientation_is_an_option(run_errlens, photos):
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(photos / "red" / "0.png") as image:
        image.save(photos / "red" / "0.png", exif=exif)
    run_errlens(f"{photos} -o off")
    run_errlens(f"{photos} -o on --exif")
    off, on = rows("off")[8], rows("on")[8]
    assert (off["width"], off["height"]) == (on["width"], on["height"]) == (10, 12)
    assert errlens.open_run("off").info.run_hash != errlens.open_run("on").info.run_hash


def test_limit_keeps_each_class_in_proportion(run_errlens, photos):
    run_errlens(f"{photos} -o run --limit 6")
    assert sorted(row["label_name"] for row in rows("run")) == [
        "blue",
        "blue",
        "green",
        "green",
        "red",
        "red",
    ]


def test_transform_and_its_rivals_exclude_each_other(run_errlens, photos):
    said = run_errlens(f"{photos} -o run --transform mine:swap")
    assert said.exit_code == 2
    assert "--img-size" in said.stderr


# Labels that do not match the outputs


@pytest.fixture
def swapped(tmp_path):
    """Class folders of twelve photos each, in which red and green have changed places."""
    folder = tmp_path / "swapped"
    for number, colour in enumerate(COLOURS):
        shown = {"red": "green", "green": "red"}.get(colour, colour)
        for index in range(12):
            paint(folder / colour / f"{index}.png", shown, seed=20 * number + index)
    return folder


def test_exchanged_folders_stop_with_the_command_that_puts_them_right(run_errlens, swapped):
    said = run_errlens(f"{swapped} -o run --json")
    assert said.exit_code == 3
    assert said.stdout == ""
    assert "'green' is taken for 'red', 'red' is taken for 'green' (24 of 24 images," in said.stderr
    run = errlens.open_run("run")
    assert (run.info.status, len(run.predictions)) == ("relabelled", 36)
    assert not Path("run/metrics.json").exists()
    with pytest.raises(LabelSpaceMismatch, match="do not match"):
        _ = run.metrics
    assert Path("run/suggested_classes.txt").read_text() == "blue\nred\ngreen\n"

    command = shlex.split(said.stderr.strip().splitlines()[-1])
    assert command[0] == "errlens"
    assert CliRunner().invoke(app, command[1:]).exit_code == 0
    assert errlens.open_run("run-relabelled").metrics["top1"]["value"] == 1
    assert CliRunner().invoke(app, command[1:]).exit_code == 0  # and again


def test_names_without_evidence_are_decided_by_hand_before_the_command_runs(run_errlens, swapped):
    for index in range(4, 12):
        (swapped / "blue" / f"{index}.png").unlink()
    said = run_errlens(f"{swapped} -o run")
    assert said.exit_code == 3
    assert (
        "2 of 3 names are sure; 1 is marked with a '?' in run/suggested_classes.txt" in said.stderr
    )
    assert "put right" not in said.stderr
    names = Path("run/suggested_classes.txt")
    assert names.read_text() == "? blue\nred\ngreen\n"
    command = shlex.split(said.stderr.strip().splitlines()[-1])
    refused = CliRunner().invoke(app, command[1:])
    assert refused.exit_code == 3
    assert "1 of 3 names are marked as not decided" in refused.stderr
    names.write_text(names.read_text().replace("? ", ""))
    assert CliRunner().invoke(app, command[1:]).exit_code == 0
    assert errlens.open_run("run-relabelled").metrics["top1"]["value"] == 1


def test_a_user_who_trusts_the_labels_is_warned_and_goes_on(run_errlens, swapped):
    assert run_errlens(f"{swapped} -o run").exit_code == 3
    said = run_errlens(f"{swapped} -o run --trust-labels")
    assert said.exit_code == 0
    assert "seem exchanged: 'green' is taken for 'red'" in said.stderr
    assert "--trust-labels" not in said.stderr
    run = errlens.open_run("run")
    assert (run.info.status, run.metrics["top1"]["value"]) == ("complete", 12 / 36)
    assert Path("run/suggested_classes.txt").exists()
    assert run_errlens(f"{swapped} -o run").exit_code == 3
    assert not Path("run/classes.csv").exists()


def test_few_exchanged_images_only_warn(run_errlens, swapped):
    for index in range(5, 12):
        for colour in COLOURS:
            (swapped / colour / f"{index}.png").unlink()
    said = run_errlens(f"{swapped} -o run")
    assert said.exit_code == 0
    assert "If the names are wrong: errlens evaluate" in said.stderr


def test_indices_in_another_order_are_put_right_by_names_that_are_numbers(run_errlens, swapped):
    lines = [
        f"{colour}/{index}.png,{number}"
        for number, colour in enumerate(COLOURS)
        for index in range(12)
    ]
    (swapped / "list.csv").write_text("\n".join(["path,label", *lines]))
    said = run_errlens(f"{swapped / 'list.csv'} -o run")
    assert said.exit_code == 3
    command = shlex.split(said.stderr.strip().splitlines()[-1])
    assert CliRunner().invoke(app, command[1:]).exit_code == 0
    assert errlens.open_run("run-relabelled").metrics["top1"]["value"] == 1


def test_labels_that_count_from_one_are_told_where_the_last_class_has_no_image(
    run_errlens, tmp_path
):
    lines = ["path,label"]
    for number, colour in enumerate(COLOURS[:2]):
        for index in range(12):
            paint(tmp_path / "photos" / colour / f"{index}.png", colour, seed=20 * number + index)
            lines.append(f"{colour}/{index}.png,{number + 1}")
    table = tmp_path / "photos" / "list.csv"
    table.write_text("\n".join(lines))
    said = run_errlens(f"{table} -o run")
    assert said.exit_code == 3
    assert "labels seem to count from 1 and predictions from 0: of 24 labels 24" in said.stderr
    assert errlens.open_run("run").info.status == "relabelled"
    command = shlex.split(said.stderr.strip().splitlines()[-1])
    assert CliRunner().invoke(app, command[1:]).exit_code == 0
    assert errlens.open_run("run-relabelled").metrics["top1"]["value"] == 1
    said = run_errlens(f"{table} -o run --trust-labels")
    assert said.exit_code == 0
    assert "seem to count from 1" in said.stderr
    Path("names.txt").write_text("\n".join(COLOURS))
    said = run_errlens(f"{table} -o other --classes names.txt")
    assert said.exit_code == 3
    assert "seem to count from 1" in said.stderr


# Labels and classes that are spelt otherwise, unknown or numbers


def test_an_unknown_label_may_be_predicted_without_being_counted(run_errlens, photos):
    (photos / "green").rename(photos / "Mauve")
    Path("names.txt").write_text("blue\ngreen\nred\n")
    assert run_errlens(f"{photos} -o run --classes names.txt").exit_code == 3
    said = run_errlens(f"{photos} -o run --classes names.txt --allow-unknown --json")
    assert said.exit_code == 0, said.output
    metrics = json.loads(said.stdout)["metrics"]
    assert (metrics["n"], metrics["n_ok"], metrics["n_label_unknown"]) == (12, 8, 4)
    assert metrics["n_failed"] == 0
    unknown = [row for row in rows("run") if row["status"] == "label_unknown"]
    assert {(row["label_name"], row["pred_name"]) for row in unknown} == {("Mauve", "green")}


def test_labels_may_differ_in_case(run_errlens, photos):
    (photos / "green").rename(photos / "GREEN")
    Path("names.txt").write_text("blue\ngreen\nred\n")
    said = run_errlens(f"{photos} -o run --classes names.txt")
    assert said.exit_code == 0
    assert "4 labels are spelt otherwise than their class: 'GREEN' is 'green'" in said.stderr
    assert {row["label_name"] for row in rows("run")} == {"blue", "green", "red"}


def test_whole_numbers_of_a_manifest_are_outputs(run_errlens, photos):
    (photos / "list.csv").write_text("path,label\nblue/0.png,0\nred/0.png,2\n")
    assert run_errlens(f"{photos / 'list.csv'} -o run").exit_code == 0
    assert [row["correct"] for row in rows("run")] == [True, True]
    said = run_errlens(f"{photos / 'list.csv'} -o run --labels names")
    assert said.exit_code == 3  # two names for three outputs


# An expectation


SHADES = """
import torch


class Shades(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("centres", torch.tensor([0.8, 0.2, 0.5]))

    def forward(self, images):
        return -50 * (images.mean(dim=(1, 2, 3))[:, None] - self.centres).square()
"""


@pytest.fixture
def shades(tmp_path, monkeypatch):
    """Photos of three shades of grey, and a model in the current folder that tells them apart."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "shades", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "shades.py").write_text(SHADES)
    for name, grey in (("dark", 51), ("middle", 128), ("bright", 204)):
        for number in range(30):
            path = tmp_path / "greys" / name / f"{number:02}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (16, 16), (grey + number % 5,) * 3).save(path)
    return tmp_path / "greys"


def evaluate_shades(shades, options):
    arguments = f"evaluate {shades} --model shades:Shades --img-size 8 {options}"
    return CliRunner().invoke(app, shlex.split(arguments))


def test_the_setting_that_restores_what_was_expected_is_named_with_its_command(shades, golden):
    said = evaluate_shades(shades, "-o run --expect top1=0.95")
    assert said.exit_code == 0, said.output
    golden("expect.stdout.txt", said.stdout.replace(str(shades), "greys"))
    assert "falls short of the expected 0.95; this setting restores it" in said.stderr
    command = shlex.split(said.stdout.strip().splitlines()[-1].removeprefix("Next: "))
    again = CliRunner().invoke(app, [*command[1:], "--json"])
    assert json.loads(again.stdout)["metrics"]["top1"]["value"] == 1
    assert "diagnosis" not in json.loads(again.stdout)


def test_the_diagnosis_is_part_of_the_json(shades):
    said = evaluate_shades(shades, "-o run --expect top1=0.95 --json")
    found = json.loads(said.stdout)["diagnosis"]
    assert found["expected"] == 0.95
    assert found["restoring"][0]["changes"] == {"mean": [0, 0, 0], "std": [1, 1, 1]}
    assert found["command"].startswith("errlens evaluate ")
    assert "--mean 0.0 0.0 0.0" in found["command"]


def test_a_quiet_run_still_says_what_restores_the_result(shades):
    said = evaluate_shades(shades, "-o run --expect top1=0.95 -q")
    assert said.stdout == ""
    assert "restores it: --mean 0 0 0, --std 1 1 1" in said.stderr


def test_an_expectation_that_is_met_costs_nothing(shades):
    said = evaluate_shades(shades, "-o run --expect top1=0.95 --mean 0 0 0 --std 1 1 1")
    assert said.exit_code == 0
    assert "trying" not in said.stderr


@pytest.mark.parametrize(
    "text", ["0.9", "top1", "top1=", "top1=1.2", "top1=0", "top5=0.9", "top1=x"]
)
def test_an_expectation_that_makes_no_sense_is_a_mistake_of_usage(run_errlens, photos, text):
    said = run_errlens(f"{photos} -o run --expect {text}")
    assert said.exit_code == 2
    assert "--expect" in said.stderr


def test_a_transform_of_ones_own_and_an_expectation_exclude_each_other(photos, tiny):
    arguments = f"evaluate {photos} --model {tiny} --transform a:b --expect top1=0.9"
    assert CliRunner().invoke(app, shlex.split(arguments)).exit_code == 2


def test_too_few_images_are_not_tried_on(shades):
    for path in shades.rglob("*.png"):
        if int(path.stem) > 4:
            path.unlink()
    said = evaluate_shades(shades, "-o run --expect top1=0.95")
    assert said.exit_code == 0
    assert "15 images will not do" in said.stderr


def test_an_interrupted_search_leaves_a_complete_run(shades, monkeypatch):
    def interrupt(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("errlens.model.restoring.search.hits_by_setting", interrupt)
    said = evaluate_shades(shades, "-o run --expect top1=0.95")
    assert said.exit_code == 130
    assert "the evaluation itself is complete" in said.stderr
    assert errlens.open_run("run").info.status == "complete"


def test_ctrl_c_anywhere_else_is_130_too(run_errlens, photos, monkeypatch):
    def interrupt(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("errlens.data.samples.find_samples", interrupt)
    said = run_errlens(f"{photos} -o run")
    assert said.exit_code == 130
    assert "error: stopped" in said.stderr


def test_a_run_folder_may_have_a_colon_in_its_name(photos, tiny):
    run = CliRunner().invoke(
        app, ["evaluate", str(photos), "--model", tiny, "--img-size", "8", "-o", "a+b:1", "-q"]
    )
    assert run.exit_code == 0, run.output
    assert CliRunner().invoke(app, ["confusion", "a+b:1", "-q"]).exit_code == 0
    assert errlens.open_run("a+b:1").metrics["n"] == 12


# What is odd about photos, and about the result


def test_photos_of_16_bits_are_told_offered_and_scaled_and_the_run_remembers(shades):
    for path in shades.rglob("*.png"):
        with Image.open(path) as image:
            grey = np.asarray(image.convert("L"))
        Image.fromarray(grey.astype(np.uint16) * 257).save(path)
    right = "--mean 0 0 0 --std 1 1 1 -q"
    said = evaluate_shades(shades, f"-o white {right}")
    assert "90 photos (bright/00.png, bright/01.png, bright/02.png, ...) are of" in said.stderr
    assert "(I;16, up to 53,456)" in said.stderr
    assert "--scale-16bit brings them" in said.stderr
    assert errlens.open_run("white").metrics["top1"]["value"] == pytest.approx(1 / 3)
    said = evaluate_shades(shades, f"-o grey {right} --scale-16bit")
    assert "more than 8 bits" not in said.stderr
    white, grey = errlens.open_run("white"), errlens.open_run("grey")
    assert grey.metrics["top1"]["value"] == 1
    assert grey.info.settings.preprocessing["scale_16bit"] is True
    assert white.info.run_hash != grey.info.run_hash
    for run in (white, grey):
        assert run.info.photos["deep"]["I;16"]["n"] == 90
    said = evaluate_shades(shades, f"-o white {right} --expect top1=0.95")
    assert "this setting restores it: --scale-16bit" in said.stderr


def test_the_classifier_of_a_run_is_loaded_again_with_its_reading(shades):
    from errlens.model.reload import reload_classifier

    evaluate_shades(shades, "-o run --scale-16bit --exif")
    found = reload_classifier(errlens.open_run("run").info).preparation
    assert (found.scale_16bit, found.exif) == (True, True)


def test_photos_turned_by_exif_are_counted_and_expected_upright(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "halves", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    Path("halves.py").write_text(HALVES)
    back = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90}
    for bright, name in enumerate(("lower", "upper")):
        for number in range(60):
            pixels = np.random.default_rng(number).integers(0, 100, (16, 16), dtype=np.uint8)
            pixels[8 - 8 * bright : 16 - 8 * bright] += 120
            image, exif = Image.fromarray(pixels).convert("RGB"), Image.Exif()
            if number % 2:
                exif[0x0112] = 3 + 3 * (number % 4 == 3)
                image = image.transpose(back[exif[0x0112]])
            Path("photos", name).mkdir(parents=True, exist_ok=True)
            image.save(Path("photos", name, f"{number:02}.png"), exif=exif)
    command = "evaluate photos --model halves:Halves --img-size 16 --crop-pct 1.0 -q"
    said = CliRunner().invoke(app, shlex.split(f"{command} -o run --expect top1=0.98"))
    assert said.exit_code == 0, said.output
    assert (
        "60 photos (lower/01.png, lower/03.png, lower/05.png, ...) are to be turned" in said.stderr
    )
    assert "this setting restores it: --exif" in said.stderr
    assert errlens.open_run("run").info.photos["turned"]["n"] == 60
    said = CliRunner().invoke(app, shlex.split(f"{command} -o upright --exif"))
    assert said.stderr == ""
    assert errlens.open_run("upright").metrics["top1"]["value"] == 1


HALVES = """
import torch


class Halves(torch.nn.Module):
    def forward(self, images):
        rows = images.mean(dim=(1, 3))
        half = rows.shape[1] // 2
        return 5 * torch.stack([rows[:, half:].mean(1), rows[:, :half].mean(1)], dim=1)
"""


def test_what_was_counted_survives_a_stop(run_errlens, photos):
    for folder in COLOURS:
        exif = Image.Exif()
        exif[0x0112] = 3
        with Image.open(photos / folder / "1.png") as image:
            image.save(photos / folder / "1.png", exif=exif)
    Image.new("RGB", (8, 8)).save(photos / "red" / "flat.png")
    run_errlens(f"{photos} -o run --part-size 4")
    whole = json.loads(Path("run/run.json").read_text())["photos"]
    assert (whole["turned"]["n"], whole["single_valued"]["n"]) == (3, 1)
    Path("run/predictions/part-00001.parquet").unlink()
    said = run_errlens(f"{photos} -o run --part-size 4")
    assert said.exit_code == 0
    assert "8 of 13 are there from before" in said.stderr or "9 of 13" in said.stderr
    assert json.loads(Path("run/run.json").read_text())["photos"] == whole


def test_a_photo_in_two_classes_is_told_even_quietly(run_errlens, photos):
    (photos / "red" / "copy.png").write_bytes((photos / "blue" / "1.png").read_bytes())
    said = run_errlens(f"{photos} -o run -q")
    assert said.exit_code == 0
    assert "1 image repeats another one byte by byte" in said.stderr
    assert "1 photo stands under several labels" in said.stderr
    assert "blue/1.png (blue) = red/copy.png (red)" in said.stderr
    CliRunner().invoke(app, ["report", "run"])
    page = Path("run/report.html").read_text()
    assert "1 photo stands under several labels" in page
    assert "red/copy.png (red)" in page


def test_a_file_listed_twice_is_told(run_errlens, photos):
    Path("list.csv").write_text(f"path,label\n{photos}/red/0.png,red\n{photos}/red/0.png,red\n")
    Path("classes.txt").write_text("\n".join(COLOURS))
    said = run_errlens("list.csv -o run --classes classes.txt")
    assert (
        "1 image repeats another one byte by byte (1 by a second row for one file)" in said.stderr
    )


def test_a_result_that_looks_wrong_offers_an_expectation_that_works(shades):
    said = evaluate_shades(shades, "-o run -q --mean 0.9 0.9 0.9 --std 0.1 0.1 0.1")
    assert said.exit_code == 0
    assert "classes are never predicted" in said.stderr
    command = said.stderr.partition("errlens evaluate ")[2].splitlines()[0]
    assert "--expect top1=" in command
    again = CliRunner().invoke(app, ["evaluate", *shlex.split(command)])
    assert again.exit_code == 0, again.output
    assert "restores it: --mean 0 0 0, --std 1 1 1" in again.stderr
    assert "If you expected more" not in again.stderr


def test_the_doubt_is_part_of_the_json_and_a_good_result_has_none(shades):
    wrong = "--mean 0.9 0.9 0.9 --std 0.1 0.1 0.1"
    found = json.loads(evaluate_shades(shades, f"-o run --json {wrong}").stdout)["doubt"]
    assert found["signs"]
    assert f"--expect top1={found['expect']}" in found["command"]
    said = evaluate_shades(shades, "-o good --json --mean 0 0 0 --std 1 1 1")
    assert "doubt" not in json.loads(said.stdout)
    assert "If you expected more" not in said.stderr
