import json
from pathlib import Path

import pandas as pd
import pytest

from errlens.network.layers import COLUMNS
from errlens.run.csv_tables import read_declared
from tests.conftest import contents, ends, refused

NET = "test_resnet"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")


def test_the_tree_fits_the_terminal_and_moves_layers_in():
    printed = ends(f"network layers {NET}").stdout
    lines = printed.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[1].startswith("conv1 ")  # a stem of three convolutions
    assert lines[2].startswith("  0 ")
    assert lines[2].endswith("WAFG")
    assert any(line.startswith("    conv1") for line in lines)
    assert "Identity or Dropout, see layers.csv" in printed
    assert "multiply-adds for an image of 160 x 160 pixels" in printed.replace("\n", " ")


def test_csv_and_json_say_the_same_as_what_is_printed_as_json():
    printed = json.loads(ends(f"network layers {NET} -o out --json").stdout)
    table = read_declared(Path("out/layers.csv"), COLUMNS)
    written = json.loads(Path("out/layers.json").read_text("utf-8"))
    assert printed["layers"] == written["layers"]
    assert [layer["layer"] for layer in printed["layers"]] == table["layer"].tolist()
    assert printed["multiply_adds"] == written["multiply_adds"]
    first = printed["layers"][1]
    assert first["analyses"] == ["filters", "activations", "features", "grad-cam"]
    assert (first["layer"], first["field_rows"], first["stride_rows"]) == ("conv1.0", 3, 2)


def test_a_second_call_writes_the_same_bytes():
    ends(f"network layers {NET} -o one -q")
    ends(f"network layers {NET} -o two -q")
    assert contents("one") == contents("two")


def test_only_some_levels_are_printed_and_all_are_written():
    printed = ends(f"network layers {NET} --depth 1").stdout
    assert "deeper in the tree: see layers.csv" in printed
    assert "    conv1" not in printed
    table = pd.read_csv("network/layers.csv")
    assert table["depth"].max() > 1


def test_the_layers_of_a_run_are_those_of_its_model(sample):
    printed = ends(["network", "layers", sample.run.path, "-o", "out", "--json"]).stdout
    found = json.loads(printed)
    assert found["run_hash"] == sample.run.info.run_hash
    assert found["model"] == sample.run.info.settings.model
    assert json.loads(Path("out/layers.json").read_text("utf-8"))["layers"] == found["layers"]


def test_names_that_are_no_network_are_refused():
    assert "did you mean" in refused("network layers test_resnt", exit_code=2)
    assert "no run folder" in refused("network layers runs/none", exit_code=3)
