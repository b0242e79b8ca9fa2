"""Rows of tables that are imported: with a predicted class alone, repeated, missing or odd."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import errlens
from tests.commands.import_.conftest import (
    OF_MODEL,
    ONLY_PRED,
    imported,
    random_table,
    refused,
    run_import,
)


def test_only_a_predicted_class_leaves_the_rest_unknown():
    found = imported(ONLY_PRED).iloc[1]
    assert (found["pred_name"], found["correct"], found["status"]) == ("cat", False, "ok")
    for column in (*OF_MODEL[1:], "topk_index", "topk_prob", "logsumexp", "super_pred"):
        assert found[column] is pd.NA or pd.isna(found[column])
    metrics = errlens.open_run("run").metrics
    assert metrics["top1"]["value"] == 2 / 3
    assert metrics["macro_f1"]["n"] == 3
    for name in ("nll", "brier", "ece", "ece_equal_mass", "top5"):
        assert metrics[name] is None
    assert metrics["reliability"] == []


def test_a_confidence_makes_calibration_known():
    text = "path,label,pred,sure\na.jpg,cat,cat,0.9\nb.jpg,dog,cat,0.6\nc.jpg,dog,dog,\n"
    found = imported(text, "--confidence-column sure")
    assert found["confidence"].tolist()[:2] == pytest.approx([0.9, 0.6])
    metrics = errlens.open_run("run").metrics
    assert metrics["ece"] == {"value": pytest.approx((0.1 + 0.6) / 2), "n": 2}
    assert metrics["top1"]["n"] == 3


@pytest.mark.parametrize(
    "filler", ["-1", "-1.0", "nan", "NaN", "None", "<NA>", "N/A", "?", "", " "]
)
@pytest.mark.parametrize(
    ("head", "rows"),
    [
        ("path,label,pred", ["a,0,0", "b,{},1", "c,1,1", "d,2,0"]),
        ("path,label,p_0,p_1,p_2", ["a,0,1,0,0", "b,{},0,1,0", "c,1,0,1,0", "d,2,1,0,0"]),
        ("path,label,prob_1", ["a,0,.1", "b,{},.9", "c,1,.9", "d,1,.1"]),
    ],
)
def test_what_programs_write_for_no_label_is_none(head, rows, filler):
    found = imported("\n".join([head, *rows, ""]).format(filler))
    assert found["status"].tolist() == ["ok"] * 4
    assert found["label_name"].isna().tolist() == [False, True, False, False]
    metrics = errlens.open_run("run").metrics
    assert metrics["top1"] | {"low": 0, "high": 0} == {"value": 2 / 3, "low": 0, "high": 0, "n": 3}


def test_labels_that_are_none_are_counted_in_the_summary():
    Path("table.csv").write_text("path,label,pred\na,0,0\nb,-1,1\nc,?,1\nd,1,1\n")
    said = run_import("table.csv -o run").stderr
    assert "2 labels are '-1', '?': taken for no label" in said
    assert "2 of them have no label: not in the metrics" in said


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("path,label,pred\na,none,none\nb,flu,none\nc,flu,flu\n", ""),
        ("path,label,p_none,p_flu\na,none,.9,.1\nb,flu,.2,.8\nc,none,.3,.7\n", ""),
        ("path,label,pred\na,none,flu\nb,flu,flu\nc,flu,flu\n", "--classes two.txt"),
        ("path,label,pred\na,-1,1\nb,1,-1\nc,1,1\n", ""),
    ],
)
def test_a_class_may_be_called_so(text, options):
    Path("two.txt").write_text("none\nflu\n")
    assert imported(text, options)["label_name"].notna().all()


def test_superclasses_of_predicted_classes():
    Path("parents.csv").write_text("class_name,superclass\ncat,pet\ndog,pet\nfox,wild\n")
    text = "path,label,pred\na,cat,dog\nb,fox,cat\nc,fox,fox\n"
    found = imported(text, "--superclasses parents.csv")
    assert found["super_pred"].tolist() == [0, 0, 1]
    assert found["super_pred_prob"].isna().all()
    assert errlens.open_run("run").metrics["super_top1"]["value"] == 2 / 3


def test_of_many_superclasses_the_worst_are_shown():
    names = [f"c{index:02d}" for index in range(13)]
    parents = "".join(f"{name},of {name}\n" for name in names)
    Path("parents.csv").write_text(f"class_name,superclass\n{parents}")
    rows = "".join(f"{name},{name},{names[0] if name > 'c09' else name}\n" for name in names)
    Path("table.csv").write_text(f"path,label,pred\n{rows}")
    said = run_import("table.csv -o run --superclasses parents.csv").stdout.splitlines()
    shown = [line.split()[2] for line in said if line.startswith("top-1, of")]
    assert shown == ["c10", "c11", "c12", *names[:7]]
    assert "and 3 more superclasses, no worse: see metrics.json" in said


def test_a_row_without_a_predicted_class_has_failed():
    found = imported("path,label,pred\na,cat,cat\nb,dog,\n", "--max-bad 1")
    assert found["status"].tolist() == ["ok", "failed"]
    assert found["error"].tolist()[1] == "no predicted class"
    assert found["label_name"].tolist() == ["cat", "dog"]


def test_rows_that_are_not_numbers_have_failed_and_empty_labels_do_not_count():
    text = "path,label,p_cat,p_dog\na,cat,1,0\nb,,0.5,0.5\nc,dog,nan,1\nd,dog,,1\n"
    found = imported(text, "--max-bad 2")
    assert found["status"].tolist() == ["ok", "ok", "failed", "failed"]
    assert found["error"].tolist()[2:] == ["outputs are not finite"] * 2
    assert found["label"].isna().tolist() == [False, True, False, False]
    metrics = errlens.open_run("run").metrics
    assert (metrics["n"], metrics["n_failed"], metrics["n_unlabelled"]) == (4, 2, 1)


def test_repeated_paths_get_ids_of_their_own():
    found = imported("path,label,pred\na.jpg,x,x\na.jpg,x,y\n")
    assert found["sample_id"].tolist() == ["a.jpg", "a.jpg#2"]
    assert found["path"].tolist() == ["a.jpg", "a.jpg"]


def test_an_id_stands_for_the_path_where_there_is_none():
    found = imported("key,label,pred\n17,x,x\n18,x,y\n", "--id-column key")
    assert found["sample_id"].tolist() == found["path"].tolist() == ["17", "18"]


def test_missing_images_are_no_failures_and_damaged_ones_are_hashed(photos):
    (photos / "red" / "0.png").write_bytes(b"no photo")
    text = "path,label,pred\nred/0.png,red,red\nred/1.png,red,red\nred/gone.png,red,red\n"
    found = imported(text, f"--root {photos}")
    assert found["status"].tolist() == ["ok"] * 3
    assert found["content_hash"].isna().tolist() == [False, False, True]
    assert found["width"].isna().tolist() == [True, False, True]
    assert (found["width"].tolist()[1], found["height"].tolist()[1]) == (12, 10)


def test_a_photo_under_two_labels_is_told_even_quietly(photos):
    Path("copy.png").write_bytes((photos / "red" / "0.png").read_bytes())
    Path("table.csv").write_text(
        f"path,label,pred\n{photos}/red/0.png,red,red\ncopy.png,blue,red\ngone.png,blue,blue\n"
    )
    result = run_import("table.csv -o run -q")
    assert result.exit_code == 0, result.output
    assert "1 image repeats another one byte by byte" in result.stderr
    assert "1 photo stands under several labels" in result.stderr


def test_no_file_is_hashed_that_is_too_large_or_no_file():
    with Path("large.png").open("wb") as file:
        file.truncate(2_000_000)
    os.mkfifo("pipe.png")
    table = "path,label,pred\nlarge.png,cat,cat\npipe.png,dog,cat\n"
    for megabytes, hashed in ((1, [True, True]), (2, [False, True])):
        found = imported(table, f"--max-file-mb {megabytes} --overwrite")
        assert found["content_hash"].isna().tolist() == hashed
        assert errlens.open_run("run").info.max_file_mb == megabytes


def test_one_row_is_a_run():
    imported("path,label,pred\na.jpg,cat,cat\n")
    assert errlens.open_run("run").metrics["top1"]["value"] == 1


def test_only_one_split():
    text = "path,label,pred,split\na,x,x,val\nb,x,y,test\nc,y,y,test\n"
    found = imported(text, "--split test")
    assert found["path"].tolist() == ["b", "c"]
    assert set(found["split"]) == {"test"}


def test_a_label_of_no_class_stops_the_import_unless_it_is_allowed():
    text = "path,label,prob_cat,prob_dog\na,cat,1,0\nb,cow,0.3,0.7\n"
    assert "'cow'" in refused(text)
    found = imported(text, "--allow-unknown")
    assert found["status"].tolist() == ["ok", "label_unknown"]
    assert found["pred_name"].tolist() == ["cat", "dog"]
    assert found["label"].isna().tolist() == [False, True]
    metrics = errlens.open_run("run").metrics
    assert (metrics["n_label_unknown"], metrics["top1"]["n"]) == (1, 1)
    assert (metrics["n_failed"], metrics["n_unlabelled"]) == (0, 0)


def test_classes_without_images_have_no_recall():
    imported("path,label,prob_cat,prob_cow,prob_dog\na,cat,1,0,0\nb,dog,0.3,0,0.7\n")
    table = pd.read_csv("run/classes.csv")
    assert table["n"].tolist() == [1, 0, 1]
    assert table["recall"].isna().tolist() == [False, True, False]


NO_CHANCE = "path,label,prob_cat,prob_dog\na,cat,0,1\nb,dog,0,1\nc,dog,0.6,0.4\nd,cat,0,1\n"


def test_a_label_given_no_chance_has_an_infinite_loss_and_that_is_said():
    found = imported(NO_CHANCE)
    assert found["loss"].tolist() == pytest.approx([np.inf, 0, -np.log(0.4), np.inf])
    assert found["brier"].tolist() == pytest.approx([2, 0, 0.72, 2])
    assert found["label_rank"].tolist() == [2, 1, 2, 2]
    metrics = errlens.open_run("run").metrics
    assert metrics["nll"] == {"value": None, "n": 4}
    assert metrics["n_infinite_loss"] == 2
    assert metrics["brier"]["value"] == pytest.approx(4.72 / 4)
    result = run_import("table.csv -o run --overwrite")
    assert "NLL is infinite: 2 images give their true class no chance at all" in result.stderr
    assert "few digits" in result.stderr
    assert ["NLL", "infinite", "4"] in [line.split() for line in result.stdout.splitlines()]


@pytest.mark.parametrize(
    ("confidences", "lacking"),
    [
        (("", "", ""), ("nll", "brier", "ece", "ece_equal_mass")),
        ((",confidence", ",0.9", ",0.8"), ("nll", "brier")),
    ],
)
def test_a_gate_says_that_a_table_without_probabilities_gives_none(confidences, lacking):
    head, first, second = confidences
    imported(f"path,label,pred{head}\na,cat,cat{first}\nb,dog,cat{second}\n")
    gates = " ".join(f"--fail-over {metric}=0.5" for metric in lacking)
    assert run_import(f"run {gates}", "check").exit_code == 1
    for gate in json.loads(Path("run/gates.json").read_text())["gates"]:
        assert "no probabilities of the classes" in gate["reason"]
        assert "infinite" not in gate["reason"]
        assert gate["n"] == 0


def test_what_builds_on_an_infinite_loss_copes():
    imported(NO_CHANCE)
    assert run_import("table.csv -o old -q").exit_code == 0
    worst = json.loads(run_import("run --json", "misclassified").stdout)["selected"]
    assert [image["row"] for image in worst] == [0, 3, 2]
    assert [image["loss"] for image in worst] == [None, None, pytest.approx(-np.log(0.4), abs=1e-4)]
    assert pd.read_csv("run/misclassified/worst.csv")["loss"].tolist()[:2] == [np.inf] * 2
    found = json.loads(run_import("old run --json", "compare").stdout)
    assert [run["nll"] for run in found["runs"]] == [None, None]
    assert "infinite" in run_import("old run", "compare").stdout
    result = run_import("run --fail-over nll=5 --fail-over n_infinite_loss=1", "check")
    assert result.exit_code == 1
    gates = json.loads(Path("run/gates.json").read_text())["gates"]
    assert [gate["passed"] for gate in gates] == [False, False]
    assert gates[0]["reason"].startswith("NLL is infinite: 2 images")
    assert run_import("run", "confusion").exit_code == 0
    assert run_import("run", "report").exit_code == 0
    assert "| NLL | infinite |  | 4 |" in Path("run/summary.md").read_text()
    assert run_import("run --select row:0", "misclassified").exit_code == 0


def test_names_in_output_order_may_come_from_a_file():
    Path("names.txt").write_text("dog\ncat\n")
    text = "path,label,pred\na,0,1\nb,1,1\n"
    found = imported(text, "--classes names.txt")
    assert found["label_name"].tolist() == ["dog", "cat"]
    assert found["pred_name"].tolist() == ["cat", "cat"]


def test_a_tie_between_names_and_indices_is_up_to_an_option():
    Path("names.txt").write_text("1\n0\n")
    text = "path,label,pred\na,0,0\nb,1,1\n"
    assert imported(text, "--classes names.txt")["label"].tolist() == [1, 0]
    found = imported(text, "--classes names.txt --labels indices --overwrite")
    assert found["label"].tolist() == [0, 1]


def test_a_class_may_be_called_like_a_column():
    found = imported("path,label,prob_path,prob_label\na,path,0.9,0.1\nb,label,0.2,0.8\n")
    assert found["pred_name"].tolist() == ["path", "label"]


def test_a_hundred_thousand_rows_take_seconds():
    table, label = random_table(n=100_000, k=10)
    table.to_parquet("table.parquet")
    result = run_import("table.parquet -o run")
    assert result.exit_code == 0, result.output
    hits = table.filter(like="prob_").to_numpy().argmax(axis=1) == label
    assert errlens.open_run("run").metrics["top1"]["value"] == hits.mean()


def test_too_many_rows_without_a_prediction_end_with_3_after_all_is_written():
    Path("table.csv").write_text("path,label,pred\na,cat,cat\nb,dog,\nc,dog,dog\n")
    for options in ("", "--max-bad 0", "--max-bad 30%"):
        result = run_import(f"table.csv -o run {options}")
        assert result.exit_code == 3
        assert "1 of 3 inputs failed, --max-bad is" in result.stderr
    assert errlens.open_run("run").metrics["top1"]["value"] == 1
    assert run_import("table.csv -o run --max-bad 34%").exit_code == 0
    result = run_import("table.csv -o run --max-bad few")
    assert (result.exit_code, "--max-bad 'few'" in result.stderr) == (2, True)


def test_rows_that_cannot_be_used_are_failed_ones_with_their_reason():
    text = "path,label,p_cat,p_dog\na,cat,0.9,0.1\nb,dog,0.7,oops\nc,dog,0.7,0.7\n"
    said = refused(text)
    assert "line 3 holds 'oops'" in said
    found = imported(text, "--max-bad 2")
    assert found["status"].tolist() == ["ok", "failed", "failed"]
    assert found["error"].tolist()[1:] == [
        "column 'p_dog' holds 'oops'", "its probabilities sum to 1.4",
    ]  # fmt: skip
    assert found["pred"].isna().tolist() == [False, True, True]
    assert errlens.open_run("run").metrics["n_failed"] == 2


def test_what_several_rows_about_an_image_are_is_said_and_part_of_the_run():
    text = "path,label,p_x,p_y\na.jpg,x,0.9,0.1\na.jpg,x,0.3,0.7\nb.jpg,y,0.2,0.8\n"
    imported(text)
    assert "--repeated mean" in run_import("table.csv -o run").stderr
    for how, top in (("first", 0.9), ("mean", 0.6)):
        result = run_import(f"table.csv -o {how} --repeated {how}")
        assert result.exit_code == 0, result.output
        assert "2 rows are about 1 image, of which" in result.stderr
        run = errlens.open_run(how)
        assert run.predictions.frame["label_prob"].tolist() == pytest.approx([top, 0.8])
        assert run.info.settings.arguments["repeated"] == how
        assert run.info.run_hash != errlens.open_run("run").info.run_hash


def test_raw_outputs_are_a_wish_and_part_of_the_run():
    imported("path,label,prob_x,prob_y\na,x,2.0,-1\nb,y,-3,1\n", "--logits")
    run = errlens.open_run("run")
    assert run.predictions.frame["confidence"].tolist() == pytest.approx([0.9525741, 0.9820138])
    assert run.info.settings.arguments["logits"] is True
    Path("table.csv").write_text(ONLY_PRED)
    result = run_import("table.csv -o other --logits")
    assert (result.exit_code, "no raw outputs" in result.stderr) == (2, True)


def test_a_table_of_a_german_spreadsheet_is_read():
    """Semicolons, decimal commas, capitals, a blank line at the end and columns without a name."""
    text = "\ufeffPath;Label;Prob_Cat;;\na.jpg;cat;0,93;;\nb.jpg;dog;0,2;;\n;;;;\n"
    found = imported(text)
    assert found["pred_name"].tolist() == ["Cat", "dog"]
    assert found["confidence"].tolist() == pytest.approx([0.93, 0.8])
