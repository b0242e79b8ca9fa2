"""Predictions made elsewhere, from the table to the run folder."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, log_loss
from typer.testing import CliRunner

import errlens
from errlens.cli import app
from errlens.errors import NoModel
from errlens.predictions.table import SCHEMA

OF_MODEL = ("pred", "confidence", "label_prob", "margin", "loss", "entropy", "brier", "label_rank")
ONLY_PRED = "path,label,pred\na.jpg,cat,cat\nb.jpg,dog,cat\nc.jpg,dog,dog\n"


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run_import(arguments: str, command: str = "import"):
    return CliRunner().invoke(app, [command, *shlex.split(arguments)])


def imported(text: str, options: str = "", *, name: str = "table.csv") -> pd.DataFrame:
    """Import a table and return the predictions."""
    Path(name).write_text(text)
    said = run_import(f"{name} -o run {options}")
    assert said.exit_code == 0, said.output
    return errlens.open_run("run").predictions.frame


def refused_table(text: str, options: str = "") -> str:
    """Import a table that cannot be imported, and return what is said."""
    Path("table.csv").write_text(text)
    said = run_import(f"table.csv -o run {options}")
    assert said.exit_code == 3, said.output
    assert not Path("run").exists()
    return said.stderr


def random_table(n: int = 200, k: int = 7, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Return a table with a column of probability for each class, and the labels as indices."""
    random = np.random.default_rng(seed)
    label = random.integers(0, k, n)
    raw = random.normal(size=(n, k)) + 2 * np.eye(k)[label]
    prob = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    table = pd.DataFrame(prob, columns=[f"prob_c{index}" for index in range(k)])
    table.insert(0, "path", [f"photos/{row}.jpg" for row in range(n)])
    table.insert(1, "label", [f"c{index}" for index in label])
    return table, label


# The run folder


def test_the_files_of_an_imported_run():
    table, _ = random_table(n=10)
    table.assign(camera="x").to_csv("table.csv", index=False)
    said = run_import("table.csv -o run --part-size 4")
    assert said.exit_code == 0, said.output
    written = {
        path.relative_to("run").as_posix() for path in Path("run").rglob("*") if path.is_file()
    }
    assert written == {
        "run.json",
        "plan.parquet",
        "extra.parquet",
        "predictions/part-00000.parquet",
        "predictions/part-00001.parquet",
        "predictions/part-00002.parquet",
        "metrics.json",
        "classes.csv",
        "baseline.parquet",
    }
    assert list(pd.read_parquet("run/extra.parquet")) == ["row", "camera"]
    run = errlens.open_run("run")
    assert run.predictions.table.schema.equals(SCHEMA)
    assert run.info.status == "complete"
    assert run.info.settings.model == "imported"


def test_without_a_name_the_run_is_called_after_the_table():
    Path("scores.csv").write_text(ONLY_PRED)
    assert run_import("scores.csv").exit_code == 0
    assert Path("runs/scores-imported/run.json").exists()


def test_json_is_one_object_and_quiet_says_nothing():
    Path("table.csv").write_text(ONLY_PRED)
    said = run_import("table.csv -o run --json")
    found = json.loads(said.stdout)
    assert found["command"] == "import"
    assert found["metrics"]["top1"]["n"] == 3
    quiet = run_import("table.csv -o run -q")
    assert (quiet.stdout, quiet.stderr) == ("", "")


def test_another_table_is_another_run_until_overwritten():
    imported(ONLY_PRED)
    Path("table.csv").write_text(ONLY_PRED.replace("b.jpg,dog,cat", "b.jpg,dog,dog"))
    said = run_import("table.csv -o run")
    assert said.exit_code == 3
    assert "weights_sha256" in said.stderr
    assert run_import("table.csv -o run --overwrite").exit_code == 0
    assert errlens.open_run("run").metrics["top1"]["value"] == 1


def test_a_stopped_import_goes_on_where_it_was():
    table, _ = random_table(n=20)
    table.to_csv("table.csv", index=False)
    run_import("table.csv -o run --part-size 5")
    before = errlens.open_run("run").predictions.table
    kept = Path("run/predictions/part-00001.parquet")
    stamp = kept.stat().st_mtime_ns
    Path("run/predictions/part-00002.parquet").unlink()
    assert run_import("table.csv -o run").exit_code == 0
    assert errlens.open_run("run").predictions.table.equals(before)
    assert kept.stat().st_mtime_ns == stamp


def test_a_configuration_imports_too():
    Path("table.csv").write_text(ONLY_PRED)
    Path("project.yaml").write_text("out: runs/mine\nimport:\n  table: table.csv\n")
    said = run_import("project.yaml --set import.part_size=2", command="run")
    assert said.exit_code == 0, said.output
    assert len(list(Path("runs/mine/predictions").iterdir())) == 2
    both = "out: mine\nevaluate:\n  data: .\n  model: x\nimport:\n  table: table.csv\n"
    Path("project.yaml").write_text(both)
    said = run_import("project.yaml", command="run")
    assert said.exit_code == 2
    assert "'evaluate' and 'import'" in said.stderr


def test_importing_needs_no_torch():
    Path("table.csv").write_text(ONLY_PRED)
    code = (
        "import sys\nfrom errlens.cli import app\n"
        "try: app(['import', 'table.csv', '-o', 'run'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "print(*sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(Path(errlens.__file__).parent.parent)},
    )
    loaded = set(said.stdout.splitlines()[-1].split())
    assert loaded.isdisjoint({"torch", "torchvision", "timm", "matplotlib"})


# The same numbers as evaluate


@pytest.fixture
def evaluated(tiny, photos):
    """A run of the tiny model over the photos."""
    return errlens.evaluate(photos, model=tiny, out="evaluated", img_size=8, crop_pct=1.0)


def exported(run) -> pd.DataFrame:
    """Return the probabilities of a run as another program would write them."""
    found = run.predictions.table.to_pylist()
    prob = np.zeros((len(found), len(run.info.classes)))
    for row, one in enumerate(found):
        prob[row, one["topk_index"]] = one["topk_prob"]
    table = pd.DataFrame(prob, columns=run.info.classes.names)
    table.insert(0, "path", [one["path"] for one in found])
    table.insert(1, "label", [one["label_name"] for one in found])
    return table


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("prefix", ["", "p_", "prob_"])
def test_what_evaluate_wrote_comes_back(evaluated, photos, suffix, prefix):
    table = exported(evaluated).rename(columns={name: prefix + name for name in photos_of(photos)})
    table.to_csv("table.csv", index=False)
    table.to_parquet("table.parquet")
    said = run_import(f"table.{suffix} -o run --root {photos}")
    assert said.exit_code == 0, said.output
    run = errlens.open_run("run")
    before, after = evaluated.predictions.frame, run.predictions.frame
    for column in OF_MODEL:
        np.testing.assert_allclose(
            after[column].to_numpy(float), before[column].to_numpy(float), atol=1e-5, err_msg=column
        )
    for column in ("sample_id", "path", "label_name", "pred_name", "correct", "width", "height"):
        assert after[column].tolist() == before[column].tolist()
    assert after["content_hash"].tolist() == before["content_hash"].tolist()
    assert np.stack(after["topk_index"]).tolist() == np.stack(before["topk_index"]).tolist()
    np.testing.assert_allclose(
        np.stack(after["topk_prob"]), np.stack(before["topk_prob"]), atol=1e-5
    )
    for name in ("top1", "nll", "brier", "ece", "ece_equal_mass", "macro_f1"):
        assert run.metrics[name] == pytest.approx(evaluated.metrics[name], abs=1e-5)
    assert Path("run/classes.csv").read_text() == Path("evaluated/classes.csv").read_text()


def photos_of(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_evaluate_refuses_an_imported_run_as_another_run(evaluated, photos, tiny):
    exported(evaluated).to_csv("table.csv", index=False)
    run_import(f"table.csv -o run --root {photos}")
    said = run_import(f"{photos} --model {tiny} --img-size 8 -o run", command="evaluate")
    assert said.exit_code == 3
    assert "model imported -> tiny:colours" in said.stderr


def test_a_run_without_a_model_says_so(evaluated):
    assert evaluated.require_model() == evaluated.info
    assert not evaluated.info.imported
    imported(ONLY_PRED)
    run = errlens.open_run("run")
    assert run.info.imported
    with pytest.raises(NoModel, match="it has no model to explain with") as caught:
        run.require_model()
    assert "table.csv" in str(caught.value)
    assert "errlens evaluate" in caught.value.hint


def test_figures_are_scikit_learns():
    table, label = random_table()
    table.to_parquet("table.parquet")
    assert run_import("table.parquet -o run").exit_code == 0
    metrics = errlens.open_run("run").metrics
    prob = table.filter(like="prob_").to_numpy()
    assert metrics["top1"]["value"] == accuracy_score(label, prob.argmax(axis=1))
    assert metrics["nll"]["value"] == pytest.approx(log_loss(label, prob), rel=1e-5)
    brier = ((prob - np.eye(7)[label]) ** 2).sum(axis=1).mean()
    assert metrics["brier"]["value"] == pytest.approx(brier, rel=1e-5)


# Only a predicted class


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


def test_superclasses_of_predicted_classes():
    Path("parents.csv").write_text("class_name,superclass\ncat,pet\ndog,pet\nfox,wild\n")
    text = "path,label,pred\na,cat,dog\nb,fox,cat\nc,fox,fox\n"
    found = imported(text, "--superclasses parents.csv")
    assert found["super_pred"].tolist() == [0, 0, 1]
    assert found["super_pred_prob"].isna().all()
    assert errlens.open_run("run").metrics["super_top1"]["value"] == 2 / 3


def test_a_row_without_a_predicted_class_has_failed():
    found = imported("path,label,pred\na,cat,cat\nb,dog,\n")
    assert found["status"].tolist() == ["ok", "failed"]
    assert found["error"].tolist()[1] == "no predicted class"
    assert found["label_name"].tolist() == ["cat", "dog"]


# Rows


def test_rows_that_are_not_numbers_have_failed_and_empty_labels_do_not_count():
    found = imported("path,label,p_cat,p_dog\na,cat,1,0\nb,,0.5,0.5\nc,dog,nan,1\nd,dog,,1\n")
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
    said = run_import("table.csv -o run -q")
    assert said.exit_code == 0, said.output
    assert "1 image repeats another one byte by byte" in said.stderr
    assert "1 photo stands under several labels" in said.stderr


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
    assert "'cow'" in refused_table(text)
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
    said = run_import("table.csv -o run --overwrite")
    assert "NLL is infinite: 2 images give their true class no chance at all" in said.stderr
    assert "few digits" in said.stderr
    assert ["NLL", "infinite", "4"] in [line.split() for line in said.stdout.splitlines()]


def test_what_builds_on_an_infinite_loss_copes():
    imported(NO_CHANCE)
    assert run_import("table.csv -o old -q").exit_code == 0
    worst = json.loads(run_import("run --json", "misclassified").stdout)["selected"]
    assert [one["row"] for one in worst] == [0, 3, 2]
    assert [one["loss"] for one in worst] == [None, None, pytest.approx(-np.log(0.4), abs=1e-4)]
    assert pd.read_csv("run/misclassified/worst.csv")["loss"].tolist()[:2] == [np.inf] * 2
    found = json.loads(run_import("old run --json", "compare").stdout)
    assert [one["nll"] for one in found["runs"]] == [None, None]
    assert "infinite" in run_import("old run", "compare").stdout
    said = run_import("run --fail-over nll=5 --fail-over n_infinite_loss=1", "check")
    assert said.exit_code == 1
    gates = json.loads(Path("run/gates.json").read_text())["gates"]
    assert [one["passed"] for one in gates] == [False, False]
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


# Tables that cannot be imported


@pytest.mark.parametrize(
    ("text", "options", "reasons"),
    [
        ("", "", ["cannot be read"]),
        ("path,label,pred\n", "", ["has no rows"]),
        ("path,truth,pred\na,x,x\n", "", ["no column 'label'", "--label-column"]),
        ("file,label,pred\na,x,x\n", "", ["no column 'path' or 'id'", "--path-column"]),
        (
            "path,label,prediction\na,x,x\n",
            "",
            ["no column 'pred'", "no columns of probability", "'prediction'", "did you mean"],
        ),
        ("path,label,pred,pred\na,x,x,x\n", "", ["several columns called 'pred'"]),
        ("path,label,pred\na,x,x\n,x,x\n", "", ["column 'path' is empty in row 1"]),
        ("path,label,pred,confidence\na,x,x,97\n", "", ["holds 97", "percentages"]),
        ("path,label,p_x,p_y\na,x,0.5,abc\n", "", ["column 'p_y'", "row 0 holds 'abc'"]),
        ("path,label,p_x,p_y\na,x,0.5,0.5\nb,x,0.5,0.4\n", "", ["row 1 ('b') sum to 0.9"]),
        ("path,label,p_x,p_y\na,x,-1.5,2\n", "", ["raw outputs (logits)", "softmax them first"]),
        ("path,label,p_x,p_y\na,x,30,70\nb,x,0,100\n", "", ["percentages", "divide them by 100"]),
        ("path,label,p_x,p_y\na,x,-0.6931,-0.6931\n", "", ["log-probabilities", "exponential"]),
        (
            "path,label,pred,p_x,p_y\na,x,x,0.9,0.1\nb,x,x,0.4,0.6\n",
            "",
            ["1 of 2 predicted classes", "b (predicted 'x', most probable 'y')"],
        ),
        ("path,label,prob_x,prob_y,p_x,p_y\na,x,1,0,1,0\n", "", ["two sets", "--prob-prefix"]),
        ("path,label,y,z\na,path,1,0\nb,y,0,1\nc,z,0,1\n", "", ["'path'", "prob_CLASS"]),
        ("path,label,pred\na,cat,1\nb,dog,0\n", "", ["do not name the same", "--classes"]),
        ("path,label,pred\na,cat,cow\n", "--classes names.txt", ["'cow'", "2 class names"]),
        ("path,label,pred\na,cow,cat\n", "--classes names.txt", ["'cow'", "2 class names"]),
        ("path,label,pred\na,2,1\n", "--classes names.txt", ["'2'", "2 class names"]),
        ("path,label,pred\na,cat,cat\n", "--classes twice.txt", ["must be unique"]),
        ("path,label,p_cat,p_dgo\na,cat,1,0\n", "--classes names.txt", ["no column", "'dog'"]),
        ("path,label,prob_cat,prob_dog\na,Kat,1,0\n", "", ["nearest to 'Kat': 'cat'"]),
        ("path,label,p_cat,p_dog\na,cat,1,0\n", "--classes three.txt", ["no column", "'fox'"]),
    ],
)
def test_a_bad_table_is_bad_input(text, options, reasons):
    Path("names.txt").write_text("cat\ndog\n")
    Path("twice.txt").write_text("cat\ncat\n")
    Path("three.txt").write_text("cat\ndog\nfox\n")
    said = refused_table(text, options)
    assert [reason for reason in reasons if reason not in said] == []


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("--split test", "no column 'split'"),
        ("--prob-prefix score_", "--prob-prefix 'score_'"),
        ("--pred-column label", "--label-column and --pred-column"),
    ],
)
def test_an_option_the_table_does_not_bear_is_a_usage_error(options, reason):
    Path("table.csv").write_text(ONLY_PRED)
    said = run_import(f"table.csv -o run {options}")
    assert said.exit_code == 2
    assert reason in said.stderr


def test_files_that_are_no_tables():
    Path("latin.csv").write_bytes("path,label,pred\na,Bär,Bär\n".encode("latin-1"))
    Path("broken.parquet").write_bytes(b"PAR1 and nothing else")
    Path("table.xlsx").write_bytes(b"PK")
    for name, reason in (
        ("latin.csv", "save it as UTF-8"),
        ("broken.parquet", "cannot be read"),
        ("table.xlsx", "none of .csv"),
        ("gone.csv", "does not exist"),
    ):
        said = run_import(f"{name} -o run")
        assert said.exit_code == 3
        assert reason in said.stderr


def test_a_class_may_be_called_like_a_column():
    found = imported("path,label,prob_path,prob_label\na,path,0.9,0.1\nb,label,0.2,0.8\n")
    assert found["pred_name"].tolist() == ["path", "label"]


def test_a_hundred_thousand_rows_take_seconds():
    table, label = random_table(n=100_000, k=10)
    table.to_parquet("table.parquet")
    said = run_import("table.parquet -o run")
    assert said.exit_code == 0, said.output
    hits = table.filter(like="prob_").to_numpy().argmax(axis=1) == label
    assert errlens.open_run("run").metrics["top1"]["value"] == hits.mean()
