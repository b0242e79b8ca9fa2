"""Data, labels and classes as they are given: before anything is predicted."""

import json
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

import errlens
from tests.commands.evaluate.conftest import rows


def test_a_manifest_with_its_own_names_and_columns(run_errlens, photos):
    lines = ["image;truth;part;camera"]
    lines += [
        f"{colour}/{number}.png;{colour};{part};c{number}"
        for number, part in enumerate(("train", "test", "test"))
        for colour in ("blue", "green", "red")
    ]
    lines.append("red/1.png;red;test;again")
    (photos / "list.csv").write_text("\n".join(lines))
    result = run_errlens(
        f"{photos / 'list.csv'} -o run --path-column image --label-column truth "
        "--split-column part --split test"
    )
    assert result.exit_code == 0, result.output
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
    result = run_errlens("list.csv -o run")
    assert result.exit_code == 3
    assert reason in result.stderr


def test_data_may_hold_only_some_of_the_classes(run_errlens, photos):
    Path("names.json").write_text('["blue", "green", "red"]')
    (photos / "blue").rename("elsewhere")
    result = run_errlens(f"{photos} -o run --classes names.json")
    assert result.exit_code == 0, result.output
    assert {row["label"] for row in rows("run")} == {1, 2}
    assert pd.read_csv("run/classes.csv")["n"].tolist() == [0, 4, 4]


def test_folder_names_must_be_as_many_as_the_outputs(run_errlens, photos):
    (photos / "blue").rename("elsewhere")
    result = run_errlens(f"{photos} -o run")
    assert result.exit_code == 3
    assert "3 outputs" in result.stderr
    assert "--classes" in result.stderr


def test_a_label_the_model_has_no_class_for_stops_before_scoring(run_errlens, photos):
    Path("names.txt").write_text("blue\ngreen\nredd\n")
    result = run_errlens(f"{photos} -o run --classes names.txt")
    assert result.exit_code == 3
    assert "'red'" in result.stderr
    assert "'redd'" in result.stderr
    assert not Path("run").exists()


def test_a_superclass_file_must_not_invent_classes(run_errlens, photos):
    Path("parents.csv").write_text("class_name,superclass\nbleu,cold\nred,warm\n")
    result = run_errlens(f"{photos} -o run --superclasses parents.csv")
    assert result.exit_code == 3
    assert "bleu" in result.stderr
    assert "did you mean blue?" in result.stderr


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
    result = run_errlens(f"{photos} -o run --transform mine:swap")
    assert result.exit_code == 2
    assert "--img-size" in result.stderr


def test_an_unknown_label_may_be_predicted_without_being_counted(run_errlens, photos):
    (photos / "green").rename(photos / "Mauve")
    Path("names.txt").write_text("blue\ngreen\nred\n")
    assert run_errlens(f"{photos} -o run --classes names.txt").exit_code == 3
    result = run_errlens(f"{photos} -o run --classes names.txt --allow-unknown --json")
    assert result.exit_code == 0, result.output
    metrics = json.loads(result.stdout)["metrics"]
    assert (metrics["n"], metrics["n_ok"], metrics["n_label_unknown"]) == (12, 8, 4)
    assert metrics["n_failed"] == 0
    unknown = [row for row in rows("run") if row["status"] == "label_unknown"]
    assert {(row["label_name"], row["pred_name"]) for row in unknown} == {("Mauve", "green")}


def test_labels_may_differ_in_case(run_errlens, photos):
    (photos / "green").rename(photos / "GREEN")
    Path("names.txt").write_text("blue\ngreen\nred\n")
    result = run_errlens(f"{photos} -o run --classes names.txt")
    assert result.exit_code == 0
    assert "4 labels are spelt otherwise than their class: 'GREEN' is 'green'" in result.stderr
    assert {row["label_name"] for row in rows("run")} == {"blue", "green", "red"}


def test_whole_numbers_of_a_manifest_are_outputs(run_errlens, photos):
    (photos / "list.csv").write_text("path,label\nblue/0.png,0\nred/0.png,2\n")
    assert run_errlens(f"{photos / 'list.csv'} -o run").exit_code == 0
    assert [row["correct"] for row in rows("run")] == [True, True]
    result = run_errlens(f"{photos / 'list.csv'} -o run --labels names")
    assert result.exit_code == 3  # two names for three outputs
