import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from errlens.classes import ClassNames, Superclasses, read_classes, read_superclasses
from errlens.errors import BadClassFile, MissingInput

NAMES = ["wolf", "arctic fox", "cat, big"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.txt", "wolf\narctic fox\ncat, big\n\n"),
        ("c.txt", "\ufeffwolf\r\narctic fox\r\ncat, big"),
        ("c.json", json.dumps(NAMES)),
        ("c.json", json.dumps({"id2label": {str(i): name for i, name in enumerate(NAMES)}})),
        ("c.yaml", yaml.safe_dump(dict(enumerate(NAMES)))),
        ("c.yml", yaml.safe_dump({name: index for index, name in enumerate(NAMES)})),
        ("c.csv", 'wolf\narctic fox\n"cat, big"\n'),
        ("c.csv", 'class_index,class_name\n2,"cat, big"\n0,wolf\n1,arctic fox\n'),
        ("c.csv", 'class_name,n\nwolf,3\narctic fox,4\n"cat, big",5\n'),
    ],
)
def test_names_are_read_in_output_order(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert read_classes(tmp_path / name).names == tuple(NAMES)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("c.txt", "a\n\nb\n", "line 2 is empty"),
        ("c.txt", "a\nb\na\n", "'a'"),
        ("c.txt", "", "no class"),
        ("c.json", "3", "expected a list"),
        ("c.json", "[1", "c.json"),
        ("c.yaml", "{0: a, 2: b}", "each once"),
        ("c.csv", "a,b\nc,d\n", "class_name"),
        ("c.doc", "a", "none of"),
    ],
)
def test_a_file_of_something_else_says_why(tmp_path, name, text, reason):
    (tmp_path / name).write_text(text)
    with pytest.raises(BadClassFile, match=reason):
        read_classes(tmp_path / name)


def test_a_class_file_that_is_not_there(tmp_path):
    with pytest.raises(MissingInput):
        read_classes(tmp_path / "c.txt")


def test_a_name_wins_over_an_alias():
    classes = ClassNames(("a", "b"), aliases={"a": 1, "x": 1})
    assert [classes.index(label) for label in ("a", "b", "x", "y")] == [0, 1, 1, None]
    assert classes.unknown(["z", "a", "y", "x"]) == ["y", "z"]


@given(st.dictionaries(st.integers(0, 9), st.sampled_from("uvw"), min_size=1))
def test_superclasses_survive_their_mapping(parents):
    classes = ClassNames(tuple(f"c{index}" for index in range(10)))
    mapping = {classes[index]: parent for index, parent in parents.items()}
    found = Superclasses.from_mapping(mapping, classes, source="test")
    assert found.as_mapping(classes) == mapping
    assert found.names == tuple(sorted(set(mapping.values())))
    assert [found.name_of(index) for index in range(10)] == [parents.get(i) for i in range(10)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name,parent\na,x\n", "no column 'class_name', 'superclass'"),
        ("class_name,superclass\na,x\na,y\n", "more than once"),
        ("class_name,superclass\naa,x\n", "no class of the model"),
        ("class_name,superclass\n", "no class a superclass"),
    ],
)
def test_a_superclass_file_that_does_not_fit_says_why(tmp_path, text, reason):
    (tmp_path / "s.csv").write_text(text)
    with pytest.raises(BadClassFile, match=reason):
        read_superclasses(tmp_path / "s.csv", ClassNames(("a", "b")))


def test_a_class_may_have_no_superclass(tmp_path):
    (tmp_path / "s.csv").write_text("class_name,superclass\nb,x\na,\n")
    assert read_superclasses(tmp_path / "s.csv", ClassNames(("a", "b"))).of_class == (None, 0)
