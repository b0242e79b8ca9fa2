"""Commands that add to, or renew, one folder at the same time: nothing is lost or mixed."""

import json
import threading
from pathlib import Path

import pytest
import safetensors.torch
import timm
import torch

from errlens.commands.explain.earlier_calls import EarlierCalls, RowNumbers
from errlens.commands.explain.tables import tables
from errlens.run.csv_tables import read_csv
from errlens.run.folder import RunFolder
from errlens.run.made_from import MADE_FROM
from errlens.run.results import alone_in, renewed_folder
from tests.conftest import ends
from tests.run.test_folder import PLAN, make_info, write_parts

TEXT = ("sample_id", "label_name", "pred_name", "method", "target", "file", "maps_file", "status")


def at_once(*actions):
    """Do some things at the same time, and raise what one of them raised."""
    failures = []

    def act(action):
        try:
            action()
        except BaseException as error:  # noqa: BLE001 - it is raised again below
            failures.append(error)

    threads = [threading.Thread(target=act, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def explainer(folder, barrier, rows, *, layer="last", method="grad-cam"):
    """Return what adds the maps of some rows, and comes to its end when all others do."""

    def explain():
        ledger = EarlierCalls(folder, "hash")
        with renewed_folder(folder, run_hash="hash", options={}, keep=ledger.keeps) as results:
            maps = []
            for row in rows:
                file = f"a__b/{row}_{layer}_{method}.png"
                results.csv(file, tables().maps)
                maps.append(
                    {"row": row, "sample_id": f"{row}", "method": method, "target": "predicted",
                     "layer": layer, "file": file, "status": "ok"}
                )  # fmt: skip
            found = tables(maps)
            results.when_alone(lambda: ledger.add(results, found, {}))
            barrier.wait()

    return explain


def index(folder):
    return read_csv(folder / "index.csv", text=TEXT)


def on_disk(folder):
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return found - {"index.csv", MADE_FROM}


@pytest.mark.parametrize("number", range(10))
def test_maps_of_several_explainers_are_all_there(tmp_path, number):
    barrier, folder = threading.Barrier(6), tmp_path / "explain"
    if number % 2:
        explainer(folder, threading.Barrier(1), [50, 51])()
    at_once(*(explainer(folder, barrier, [10 * one, 10 * one + 1]) for one in range(6)))
    table = index(folder)
    expected = {10 * one + more for one in range(5 + 1) for more in (0, 1)}
    assert set(table["row"]) == expected
    assert not table.duplicated(["row", "method"]).any()
    assert set(table["file"]) == on_disk(folder)
    assert set(json.loads((folder / MADE_FROM).read_text())["files"]) == on_disk(folder) | {
        "index.csv"
    }
    assert [path.name for path in tmp_path.iterdir()] == ["explain"]


@pytest.mark.parametrize("number", range(5))
def test_of_the_same_map_made_twice_one_is_there_whole(tmp_path, number):
    barrier, folder = threading.Barrier(2), tmp_path / f"explain{number}"
    at_once(
        explainer(folder, barrier, [1, 2], layer="first"),
        explainer(folder, barrier, [2, 3], layer="second"),
    )
    table = index(folder)
    assert table["row"].tolist() == [1, 2, 3]
    assert set(table["file"]) == on_disk(folder)
    assert all(layer in file for layer, file in zip(table["layer"], table["file"], strict=True))


@pytest.mark.parametrize("number", range(5))
def test_of_two_that_renew_a_folder_one_is_there_and_no_mixture(tmp_path, number):
    barrier, folder = threading.Barrier(2), tmp_path / f"confusion{number}"

    def renew(name, files):
        with renewed_folder(folder, run_hash="hash", options={"by": name}) as results:
            for file in files:
                results.csv(file, tables([{"row": 1, "method": name}]).maps)
            barrier.wait()

    files = {"one": ["a.csv", "b.csv", "c.csv"], "two": ["b.csv", "c.csv", "d.csv"]}
    at_once(*(lambda name=name: renew(name, files[name]) for name in files))
    winner = json.loads((folder / MADE_FROM).read_text())["options"]["by"]
    assert sorted(path.name for path in folder.glob("*.csv")) == files[winner]
    assert {index_of(folder / name) for name in files[winner]} == {winner}


def index_of(path):
    return read_csv(path, text=TEXT)["method"].iloc[0]


@pytest.mark.parametrize("number", range(5))
def test_gates_in_both_forms_are_of_one_call(tmp_path, number):
    barrier, run = threading.Barrier(2), RunFolder(tmp_path)

    def write(name):
        barrier.wait()
        run.write_gates({"by": name, "number": number}, name.encode())

    at_once(*(lambda name=name: write(name) for name in ("one", "two")))
    assert json.loads(run.gates_file.read_text())["by"] == run.junit_file.read_text()


@pytest.mark.parametrize("number", range(5))
def test_evaluations_with_the_same_settings_work_side_by_side(tmp_path, number):
    path, info, barrier = tmp_path / f"run{number}", make_info(), threading.Barrier(4)

    def evaluate():
        run = RunFolder(path)
        barrier.wait()
        plan = run.begin(info, PLAN)
        write_parts(run, plan, info, run.unfinished())
        barrier.wait()
        assert not run.unfinished()

    at_once(*[evaluate] * 4)
    assert RunFolder(path).plan.equals(PLAN)
    assert not list(path.rglob(".*"))


def test_photos_explained_at_the_same_time_have_different_rows(tmp_path):
    folder, found = tmp_path / "explained", []
    barrier = threading.Barrier(4)

    def number(name):
        barrier.wait()
        with alone_in(folder):
            found.append(RowNumbers(folder).promise([f"{name}.jpg", "both.jpg"], {"old.jpg": 6}))

    at_once(*(lambda name=name: number(name) for name in "abcd"))
    rows = {name: row for promised in found for name, row in promised.items()}
    assert sorted(rows.values()) == [7, 8, 9, 10, 11]
    assert len({promised["both.jpg"] for promised in found}) == 1
    RowNumbers(folder).forget({*rows})
    assert not list(tmp_path.iterdir())


def test_two_processes_explain_one_run(photos, tmp_path, monkeypatch, warm):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    safetensors.torch.save_model(
        timm.create_model("test_resnet", pretrained=False, num_classes=3), "weights.safetensors"
    )
    options = "--model test_resnet --checkpoint weights.safetensors --img-size 64 -o run -q"
    ends(f"evaluate {photos} {options}")
    methods = ("grad-cam", "gradient")
    words = "explain run -q --top 4 --save-maps --method"
    other = warm.start(f"{words} {methods[0]}", tmp_path)
    ends(f"{words} {methods[1]}")
    ended = other.end()
    assert ended.returncode == 0, ended.stderr
    table = index(Path("run/explain"))
    assert table.groupby("method")["row"].nunique().to_dict() == dict.fromkeys(methods, 4)
    sheets = {name for name in on_disk(Path("run/explain")) if "/sheet_" in name}
    assert {*table["file"], *table["maps_file"]} == on_disk(Path("run/explain")) - sheets
