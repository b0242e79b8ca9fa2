"""Predictions made elsewhere, from the table to the run folder."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, log_loss

import errlens
from errlens.errors import NoModel
from errlens.predictions.table import SCHEMA
from tests.commands.import_.conftest import OF_MODEL, ONLY_PRED, imported, random_table, run_import


def test_the_files_of_an_imported_run():
    table, _ = random_table(n=10)
    table.assign(camera="x").to_csv("table.csv", index=False)
    result = run_import("table.csv -o run --part-size 4")
    assert result.exit_code == 0, result.output
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
    result = run_import("table.csv -o run --json")
    found = json.loads(result.stdout)
    assert found["command"] == "import"
    assert found["metrics"]["top1"]["n"] == 3
    quiet = run_import("table.csv -o run -q")
    assert (quiet.stdout, quiet.stderr) == ("", "")


def test_another_table_is_another_run_until_overwritten():
    imported(ONLY_PRED)
    Path("table.csv").write_text(ONLY_PRED.replace("b.jpg,dog,cat", "b.jpg,dog,dog"))
    result = run_import("table.csv -o run")
    assert result.exit_code == 3
    assert "'run' was made of another table" in result.stderr
    assert "the content of the table is another" in result.stderr
    assert "weights" not in result.stderr
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
    result = run_import("project.yaml --set import.part_size=2", command="run")
    assert result.exit_code == 0, result.output
    assert len(list(Path("runs/mine/predictions").iterdir())) == 2
    both = "out: mine\nevaluate:\n  data: .\n  model: x\nimport:\n  table: table.csv\n"
    Path("project.yaml").write_text(both)
    result = run_import("project.yaml", command="run")
    assert result.exit_code == 2
    assert "'evaluate' and 'import'" in result.stderr


def test_importing_needs_no_torch():
    Path("table.csv").write_text(ONLY_PRED)
    code = (
        "import sys\nfrom errlens.cli import app\n"
        "try: app(['import', 'table.csv', '-o', 'run'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "print(*sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(Path(errlens.__file__).parent.parent)},
    )
    loaded = set(result.stdout.splitlines()[-1].split())
    assert loaded.isdisjoint({"torch", "torchvision", "timm", "matplotlib"})


@pytest.fixture
def evaluated(tiny, photos):
    """A run of the tiny model over the photos."""
    return errlens.evaluate(photos, model=tiny, out="evaluated", img_size=8, crop_pct=1.0)


def exported(run) -> pd.DataFrame:
    """Return the probabilities of a run as another program would write them."""
    images = run.predictions.table.to_pylist()
    prob = np.zeros((len(images), len(run.info.classes)))
    for row, image in enumerate(images):
        prob[row, image["topk_index"]] = image["topk_prob"]
    table = pd.DataFrame(prob, columns=run.info.classes.names)
    table.insert(0, "path", [image["path"] for image in images])
    table.insert(1, "label", [image["label_name"] for image in images])
    return table


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("prefix", ["", "p_", "prob_"])
def test_what_evaluate_wrote_comes_back(evaluated, photos, suffix, prefix):
    table = exported(evaluated).rename(columns={name: prefix + name for name in photos_of(photos)})
    table.to_csv("table.csv", index=False)
    table.to_parquet("table.parquet")
    result = run_import(f"table.{suffix} -o run --root {photos}")
    assert result.exit_code == 0, result.output
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
    result = run_import(f"{photos} --model {tiny} --img-size 8 -o run", command="evaluate")
    assert result.exit_code == 3
    assert "model imported -> tiny:colours" in result.stderr


def test_a_run_without_a_model_says_so(evaluated):
    assert evaluated.require_model() == evaluated.info
    assert not evaluated.info.imported
    imported(ONLY_PRED)
    run = errlens.open_run("run")
    assert run.info.imported
    with pytest.raises(NoModel, match="it has no model") as caught:
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
