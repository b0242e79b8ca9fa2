"""A path that is no file says what it is, and never proposes itself."""

import os
from pathlib import Path

import pytest

from errlens.errors import MissingInput


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("table.csv").write_text("x")


def said(path: str) -> tuple[str, str]:
    error = MissingInput(Path(path), what="TABLE")
    return str(error), error.hint


def test_a_path_that_is_not_there_does_not_exist():
    assert said("tabel.csv") == ("TABLE 'tabel.csv' does not exist", "did you mean table.csv?")


@pytest.mark.parametrize("name", ["tables", "a folder"])
def test_a_folder_is_no_file(name):
    Path(name).mkdir()
    assert said(name) == (f"TABLE {name!r} is a folder, not a file", "it is empty")
    Path(name, "a.csv").write_text("x")
    assert said(name)[1] == "it holds 'a.csv'"


def test_a_pipe_is_no_file():
    os.mkfifo("pipe")
    readable, writable = os.pipe()
    for path in ("pipe", "/dev/null", f"/dev/fd/{readable}"):
        message, hint = said(path)
        assert "is a pipe or a device, not a file" in message
        assert "into a file first" in hint
    os.close(readable)
    os.close(writable)


def test_a_broken_link_says_where_it_leads_and_is_not_proposed():
    Path("tables.csv").symlink_to("gone.csv")
    message, hint = said("tables.csv")
    assert message == "TABLE 'tables.csv' links to 'gone.csv', which does not exist"
    assert hint == "did you mean table.csv?"
    assert said("tables.cs")[1] == "did you mean table.csv?"


def test_files_of_the_kind_that_is_wanted_are_named_or_none():
    for name in ("best.png", "a.png", "last.pth.txt"):
        Path(name).write_text("x")

    def hint(path):
        return MissingInput(Path(path), what="checkpoint", suffixes=(".pth", ".pt")).hint

    assert hint("best.pth") == f"{str(Path.cwd())!r} holds no file that ends in .pth or .pt"
    assert hint(".").startswith("it holds no file that ends in .pth")
    Path("epoch9.PTH").write_text("x")
    assert hint("best.pth") == f"{str(Path.cwd())!r} holds 'epoch9.PTH'"
    assert hint("epoch8.pth") == "did you mean epoch9.PTH?"
