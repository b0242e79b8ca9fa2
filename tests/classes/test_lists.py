"""Lists of some classes, as people and programs write them."""

import json
import os
from pathlib import Path

import pytest

from errlens.classes.files import read_classes
from errlens.classes.lists import read_list
from errlens.errors import BadClassFile, MissingInput


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "cat\ngrey dog\n"),
        ("a.txt", "\ufeffcat\r\n\r\n grey dog \r\ncat\r\n"),
        ("names", "cat\ngrey dog"),
        ("a.csv", "cat\ngrey dog\n"),
        ("a.csv", "class_index,class_name,n\n7,cat,1\n2,grey dog,3\n"),
        ("a.csv", "Class_Name;superclass\ncat;x\ngrey dog;y\n;\n"),
        ("a.tsv", "label\tn\ncat\t1\ngrey dog\t2\n"),
        ("a.json", '["cat", "grey dog"]'),
        ("a.yaml", "- cat\n- grey dog\n"),
    ],
)
def test_one_a_line_or_in_a_column_or_a_list(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8", newline="")
    assert read_list(path) == ["cat", "grey dog"]


def test_the_class_folders_of_data_are_a_list(tmp_path):
    for name in ("dog", "cat", ".cache"):
        (tmp_path / name).mkdir()
    (tmp_path / "README.md").touch()
    assert read_list(tmp_path) == ["cat", "dog"]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.txt", "\n\n", "names no class"),
        ("a.csv", "x,y\n1,2\n", "none of them called class_name"),
        ("a.json", '{"cat": 1}', "expected a list"),
        ("a.json", "[", "list of classes"),
        ("a.yaml", "[[cat]]", "expected a list"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path, name, text, says):
    (tmp_path / name).write_text(text)
    with pytest.raises(BadClassFile, match=says):
        read_list(tmp_path / name)


def test_a_list_that_is_not_there_is_missed(tmp_path):
    with pytest.raises(MissingInput, match="list of classes"):
        read_list(tmp_path / "no.txt")


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(MissingInput):
        read_list(tmp_path / "pipe")


def test_names_written_by_errlens_are_read_back_whole(tmp_path):
    path = Path(tmp_path, "a.json")
    path.write_text(json.dumps(["=1+1", "007", "null"]))
    assert read_list(path) == ["=1+1", "007", "null"]


def test_the_classes_of_another_run_are_a_list(tmp_path):
    (tmp_path / "predictions").mkdir()
    (tmp_path / "run.json").write_text('{"status": "complete", "class_names": ["cat", "dog"]}')
    assert read_list(tmp_path) == read_list(tmp_path / "run.json") == ["cat", "dog"]
    assert read_classes(tmp_path / "run.json").names == ("cat", "dog")
