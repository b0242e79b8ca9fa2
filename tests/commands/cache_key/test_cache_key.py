import json

import pytest
from typer.testing import CliRunner

import errlens
from errlens.cli import app

EVALUATE = """
out: run
evaluate:
  data: photos
  model: tiny:colours
  img_size: 8
"""
IMPORT = """
out: run
import:
  table: predictions.csv
"""


@pytest.fixture
def folder(tiny, photos, tmp_path):
    del tiny, photos
    (tmp_path / "predictions.csv").write_text("path,label,pred\na.png,x,x\nb.png,y,x\n")
    return tmp_path


def invoke(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.mark.parametrize("text", [EVALUATE, IMPORT])
def test_it_is_the_hash_of_the_run_that_is_not_there_yet(text, folder):
    (folder / "config.yaml").write_text(text)
    before = sorted(folder.rglob("*"))
    result = invoke("cache-key", "config.yaml", "-q")
    assert result.exit_code == 0, result.output
    assert sorted(path for path in folder.rglob("*") if "__pycache__" not in str(path)) == before
    assert invoke("run", "config.yaml").exit_code == 0
    assert result.stdout == f"{errlens.open_run('run').info.run_hash}\n"
    assert invoke("cache-key", "config.yaml").stdout == result.stdout  # now that it is there, too
    as_json = json.loads(invoke("cache-key", "config.yaml", "--json").stdout)
    assert as_json["run_hash"] == result.stdout.strip()


def test_it_changes_with_what_decides_a_prediction_and_with_nothing_else(folder):
    (folder / "config.yaml").write_text(EVALUATE)
    key = invoke("cache-key", "config.yaml").stdout
    same = ("out=other", "evaluate.batch_size=3", "evaluate.keep=none", "evaluate.part_size=5")
    for setting in same:
        assert invoke("cache-key", "config.yaml", "--set", setting).stdout == key
    assert invoke("cache-key", "config.yaml", "--set", "evaluate.img_size=9").stdout != key
    (folder / "photos" / "red" / "0.png").unlink()
    assert invoke("cache-key", "config.yaml").stdout != key


def test_a_configuration_without_a_run_has_no_key(folder):
    (folder / "config.yaml").write_text("out: run\nconfusion:\n")
    result = invoke("cache-key", "config.yaml")
    assert result.exit_code == 2
    assert "makes no run" in result.stderr


def test_a_head_that_is_still_to_be_fitted_has_no_key_yet(folder):
    probe = "network_probe: {data: photos, model: 'tiny:colours', save_head: head.safetensors}"
    text = f"{EVALUATE}  checkpoint: head.safetensors\n{probe}\n"
    (folder / "config.yaml").write_text(text)
    result = invoke("cache-key", "config.yaml")
    assert result.exit_code == 3
    assert "'network_probe' makes it" in result.stderr
