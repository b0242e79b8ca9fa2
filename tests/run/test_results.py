"""Result folders: renewed as a whole, or left as they were."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from errlens.errors import OutOfReach, UnfitOption
from errlens.run.csv_tables import read_csv
from errlens.run.folder import RunFolder
from errlens.run.made_from import MADE_FROM
from errlens.run.results import ResultsWriter, renewed_results
from tests.conftest import without_privilege


class Info:
    run_hash = "0123abcd"


class Run(RunFolder):
    """A run folder of which only the place and the hash matter."""

    info = Info()


@pytest.fixture
def run(tmp_path):
    (tmp_path / "run").mkdir()
    return Run(tmp_path / "run")


def renew(run, *names, **options):
    with renewed_results(run, "kind", options=options) as results:
        for name in names:
            results.csv(name, pd.DataFrame({"name": [name], "round": [len(options)]}))
    return results


def files(run):
    """Return what lies in the run folder, hidden or not, by its path there."""
    return {
        path.relative_to(run.path).as_posix(): path.read_bytes()
        for path in run.path.rglob("*")
        if path.is_file()
    }


def test_renewal_replaces_exactly_what_was_written_before(run):
    renew(run, "old.csv", "both.csv")
    (run.path / "kind" / "notes.txt").write_text("mine")
    (run.path / "kind" / "new_.csv").write_text("mine, too")
    before = files(run)
    renew(run, "both.csv", "new.csv", seed=1)
    found = files(run)
    assert set(found) == {
        f"kind/{name}" for name in ("both.csv", "new.csv", "notes.txt", "new_.csv", MADE_FROM)
    }
    assert found["kind/both.csv"] != before["kind/both.csv"]
    assert found["kind/notes.txt"] == b"mine"


def test_the_record_tells_of_the_run_the_options_and_the_files(run):
    results = renew(run, "b.csv", "a.csv", name="Bär")
    assert results.written == ["b.csv", "a.csv"]
    assert json.loads((run.path / "kind" / MADE_FROM).read_text(encoding="utf-8")) == {
        "schema_version": 1,
        "run_hash": "0123abcd",
        "options": {"name": "Bär"},
        "files": ["b.csv", "a.csv"],
    }


def test_a_folder_inside_keeps_what_is_of_the_same_run(run, monkeypatch):
    def renew_gallery(*names):
        keep = re.compile("gallery/").match
        with renewed_results(
            run, "kind", options={}, keep=lambda name: bool(keep(name))
        ) as results:
            for name in ("table.csv", *(f"gallery/{name}.csv" for name in names)):
                results.csv(name, pd.DataFrame({"name": [*names]}))

    def names():
        return {name.removeprefix("kind/") for name in files(run)} - {MADE_FROM}

    renew_gallery("a", "b")
    renew_gallery("b", "c")
    assert names() == {"table.csv", "gallery/a.csv", "gallery/b.csv", "gallery/c.csv"}
    assert files(run)["kind/gallery/b.csv"] == b'"name"\n"b"\n"c"\n'
    renew(run, "table.csv")
    assert names() == {"table.csv"}
    assert not (run.path / "kind" / "gallery").exists()
    renew_gallery("a")
    monkeypatch.setattr(Info, "run_hash", "another run")
    renew_gallery("b")
    assert names() == {"table.csv", "gallery/b.csv"}


def test_a_link_inside_leads_no_removal_outside(run, tmp_path):
    with renewed_results(run, "kind", options={}) as results:
        results.csv("gallery/a.csv", pd.DataFrame({"name": ["a"]}))
    outside = tmp_path / "outside"
    (run.path / "kind" / "gallery").rename(outside)
    (run.path / "kind" / "gallery").symlink_to(outside)
    renew(run, "b.csv")
    assert (outside / "a.csv").exists()


@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError("disk full"), UnfitOption("no")])
@pytest.mark.parametrize("had_results", [True, False])
def test_a_failure_in_the_middle_leaves_everything_as_it_was(run, failure, had_results):
    if had_results:
        renew(run, "a.csv", "b.csv")
    before = files(run)

    def fail():
        with renewed_results(run, "kind", options={"seed": 1}) as results:
            results.csv("a.csv", pd.DataFrame({"new": [1]}))
            raise failure

    told = OutOfReach if isinstance(failure, OSError) else failure  # the disk is full
    with pytest.raises(told if isinstance(told, type) else type(told)):
        fail()
    assert files(run) == before
    assert [path.name for path in run.path.iterdir()] == ["kind"] * had_results


@pytest.mark.parametrize("stopped_at", ["unlink", "replace"])
def test_files_half_replaced_have_no_record_to_vouch_for_them(run, monkeypatch, stopped_at):
    renew(run, "a.csv", "b.csv")
    real, calls = getattr(Path, stopped_at), []

    def stop(path, *args, **kwargs):
        calls.append(path)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(path, *args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(Path, stopped_at, stop)
        with pytest.raises(KeyboardInterrupt):
            renew(run, "a.csv", "b.csv", seed=1)
    assert not (run.path / "kind" / MADE_FROM).exists()
    renew(run, "c.csv")
    assert (run.path / "kind" / MADE_FROM).exists()


@pytest.mark.parametrize(
    "record",
    [
        "",
        "{",
        "[]",
        "null",
        "17",
        '{"files": 3}',
        '{"files": null}',
        '{"files": {"a.csv": 1}}',
        '{"files": [1, null, ["a.csv"]]}',
        '{"files": ["", ".", "..", "../..", "../outside.csv", "/outside.csv", "sub"]}',
        '{"files": ["sub", "a\\u0000b", "' + "x" * 300 + '"]}',
    ],
)
def test_a_damaged_or_hostile_record_removes_nothing_but_itself(run, record):
    (run.path / "kind" / "sub").mkdir(parents=True)
    for name in ("outside.csv", "kind/mine.csv", "kind/sub/inside.csv"):
        (run.path / name).write_text("stays")
    (run.path / "kind" / MADE_FROM).write_text(record)
    renew(run, "a.csv")
    found = files(run)
    assert set(found) == {
        "outside.csv", "kind/mine.csv", "kind/sub/inside.csv", "kind/a.csv", f"kind/{MADE_FROM}"
    }  # fmt: skip
    assert json.loads(found[f"kind/{MADE_FROM}"])["files"] == ["a.csv"]


def test_a_record_that_is_no_text_counts_as_none(run):
    (run.path / "kind").mkdir()
    (run.path / "kind" / MADE_FROM).write_bytes(b"\xff\xfe\x00")
    renew(run, "a.csv")
    assert json.loads((run.path / "kind" / MADE_FROM).read_text())["files"] == ["a.csv"]


def test_a_file_where_the_folder_should_be_ends_with_a_sentence_and_stays(run):
    (run.path / "kind").write_text("mine")
    with pytest.raises(UnfitOption, match="is no folder"):
        renew(run, "a.csv")
    assert files(run) == {"kind": b"mine"}


def test_missing_values_are_empty_cells(tmp_path):
    table = pd.DataFrame(
        {
            "share": [0.5, np.nan],
            "mutual": pd.array([True, pd.NA], dtype="boolean"),
            "name": pd.Series(["a", None], dtype="str"),
            "count": [1, 2],
        }
    )
    ResultsWriter(tmp_path).csv("table.csv", table)
    assert (tmp_path / "table.csv").read_text() == (
        '"share","mutual","name","count"\n0.5,true,"a",1\n,,,2\n'
    )


def test_hard_names_come_back_as_cells_and_as_columns(tmp_path):
    hard = ["a,b", 'say "cat"', "two\nlines", "a\r\nb", "猫", "NA", "007", "=1+1", " x ", "é"]
    table = pd.DataFrame([range(len(hard))] * len(hard), columns=hard)
    table.insert(0, "class", hard)
    ResultsWriter(tmp_path).csv("table.csv", table)
    assert read_csv(tmp_path / "table.csv", text=["class"])["class"].tolist() == hard
    columns = pd.read_csv(tmp_path / "table.csv", keep_default_na=False).columns.tolist()
    marked = {"=1+1": "'=1+1", "two\nlines": r"$'two\nlines'", "a\r\nb": r"$'a\r\nb'"}
    assert columns == ["class", *(marked.get(name, name) for name in hard)]


def test_a_parquet_table_has_no_trace_of_the_library_that_wrote_it(tmp_path):
    table = pd.DataFrame({"label": np.array([0, 1], np.int32), "count": [3, 4]})
    ResultsWriter(tmp_path).parquet("table.parquet", table)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "table.parquet"), table)
    assert b"pandas" not in (tmp_path / "table.parquet").read_bytes()


def test_a_picture_is_the_same_bytes_every_time_and_names_no_version(tmp_path):
    for name in ("a.png", "b.png"):
        figure = Figure(figsize=(1, 1))
        figure.add_subplot().plot([0, 1])
        ResultsWriter(tmp_path).png(name, figure)
    content = (tmp_path / "a.png").read_bytes()
    assert content == (tmp_path / "b.png").read_bytes()
    assert b"Software" not in content


def test_a_run_that_cannot_be_written_to_is_a_sentence(public):
    (public / "run").mkdir()
    (public / "run").chmod(0o555)
    with without_privilege(), pytest.raises(OutOfReach, match="cannot be written"):
        renew(Run(public / "run"), "a.csv")
