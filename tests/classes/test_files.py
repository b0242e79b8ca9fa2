import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from errlens.classes.files import read_classes, read_superclasses
from errlens.classes.names import ClassNames
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
        ("c.json", json.dumps({name: index for index, name in enumerate(NAMES)})),
        ("c.json", json.dumps({str(index): name for index, name in enumerate(NAMES)})),
        ("c.JSON", "\ufeff" + json.dumps(NAMES)),
        ("c.yaml", "\ufeff" + yaml.safe_dump(NAMES)),
        ("c.yaml", yaml.safe_dump({"id2label": dict(enumerate(NAMES))})),
        ("c.csv", '\ufeffclass_name\r\nwolf\r\narctic fox\r\n"cat, big"\r\n'),
        ("c.csv", 'class_name,n\nwolf,3\narctic fox,4\n"cat, big",5\n'),
        ("c.csv", 'index,name\n2,"cat, big"\n0,wolf\n1,arctic fox\n'),
        ("c.csv", "class_index;class_name\n2;cat, big\n0;wolf\n1;arctic fox\n"),
        ("c.yaml", yaml.safe_dump({"path": "data", "names": dict(enumerate(NAMES))})),
        ("c.yaml", yaml.safe_dump({"nc": 3, "names": NAMES})),
        ("c.json", json.dumps({str(i): [f"n0{i}", name] for i, name in enumerate(NAMES)})),
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
        ("c.txt", "a\n  \nb\n", "line 2 is empty"),
        ("c.json", "[]", "no class"),
        ("c.json", '"abc"', "expected a list"),
        ("c.json", '{"id2label": {"0": "a", "2": "b"}}', "0 to 1, each once"),
        ("c.json", '{"a": 1, "b": 2}', "0 to 1, each once"),
        ("c.json", '{"a": 0, "b": 0}', "0 to 1, each once"),
        ("c.json", '{"zero": "a"}', "'zero'"),
        ("c.json", '{"0": "a", "1": "a"}', "repeats 'a'"),
        ("c.yaml", "[a", "c.yaml"),
        ("c.csv", "class_index,class_name\n1,a\n2,b\n", "0 to 1, each once"),
        ("c.csv", "class_index,class_name\nx,a\n", "'x'"),
        ("c.csv", "class_name\na\na\n", "repeats 'a'"),
        ("c.csv", "class_name\n", "no class"),
        ("c.csv", "class_index,class_name\n0,a\n1\n", "c.csv"),
        ("c.csv", "x" * 200_000, "c.csv"),
        ("c.yaml", "null: a", "c.yaml"),
    ],
)
def test_a_file_of_something_else_says_why(tmp_path, name, text, reason):
    (tmp_path / name).write_text(text)
    with pytest.raises(BadClassFile, match=reason):
        read_classes(tmp_path / name)


def test_a_class_file_that_is_not_there(tmp_path):
    with pytest.raises(MissingInput):
        read_classes(tmp_path / "c.txt")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name,parent\na,x\n", "no column 'class_name', 'superclass'"),
        ("class_name,superclass\na,x\na,y\n", "more than once"),
        ("class_name,superclass\naa,x\n", "no class of the model"),
        ("class_name,superclass\n", "no class a superclass"),
        ("class_name,parent\na,x\n", "no column 'superclass'$"),
        ("", "no column"),
        ("superclass,class_name\nx\n", "s.csv"),
    ],
)
def test_a_superclass_file_that_does_not_fit_says_why(tmp_path, text, reason):
    (tmp_path / "s.csv").write_text(text)
    with pytest.raises(BadClassFile, match=reason):
        read_superclasses(tmp_path / "s.csv", ClassNames(("a", "b")))


def test_a_spreadsheet_may_have_written_semicolons(tmp_path):
    (tmp_path / "s.csv").write_text("class_name;superclass\na;x, y\n")
    assert read_superclasses(tmp_path / "s.csv", ClassNames(("a", "b"))).names == ("x, y",)
    (tmp_path / "c.csv").write_text("cat; grey\ndog; brown\n")
    assert read_classes(tmp_path / "c.csv").names == ("cat; grey", "dog; brown")


def test_a_class_may_have_no_superclass(tmp_path):
    (tmp_path / "s.csv").write_text("class_name,superclass\nb,x\na,\n")
    assert read_superclasses(tmp_path / "s.csv", ClassNames(("a", "b"))).of_class == (None, 0)


names = st.lists(st.text(min_size=1), min_size=1, max_size=8, unique=True).map(tuple)


@settings(deadline=None, max_examples=50)
@given(names=names)
def test_any_names_survive_a_file(names, tmp_path_factory):
    path = tmp_path_factory.mktemp("names") / "c.json"
    for tree in (names, dict(zip(names, range(len(names)), strict=True)), dict(enumerate(names))):
        path.write_text(json.dumps(tree))
        assert read_classes(path).names == names


def test_names_that_are_numbers_stay_text(tmp_path):
    (tmp_path / "c.json").write_text("[0, 1, 2]")
    assert read_classes(tmp_path / "c.json").names == ("0", "1", "2")


def test_names_know_the_file_they_come_from(tmp_path):
    (tmp_path / "c.txt").write_text("a")
    assert read_classes(tmp_path / "c.txt").source == "the file c.txt"


def test_a_file_in_another_encoding_is_refused(tmp_path):
    (tmp_path / "c.txt").write_bytes("Bär".encode("latin-1"))
    with pytest.raises(BadClassFile, match=r"c\.txt"):
        read_classes(tmp_path / "c.txt")


def test_a_superclass_file_in_another_encoding_is_refused(tmp_path):
    (tmp_path / "s.csv").write_bytes("class_name,superclass\na,Bär\n".encode("latin-1"))
    with pytest.raises(BadClassFile, match=r"s\.csv"):
        read_superclasses(tmp_path / "s.csv", ClassNames(("a", "b")))


def test_an_invented_class_is_answered_with_the_nearest(tmp_path):
    (tmp_path / "s.csv").write_text("class_name,superclass\nwolff,canine\nbear,bear\n")
    with pytest.raises(BadClassFile, match="'wolff'") as failure:
        read_superclasses(tmp_path / "s.csv", ClassNames(("wolf", "bear")))
    assert "'bear'" not in str(failure.value)
    assert failure.value.hint == "did you mean wolf?"


def test_a_superclass_file_may_have_a_byte_order_mark_and_further_columns(tmp_path):
    (tmp_path / "s.csv").write_text("\ufeffn,superclass,class_name\n1,x,b\n2,w,a\n", "utf-8")
    found = read_superclasses(tmp_path / "s.csv", ClassNames(("a", "b", "c")))
    assert (found.names, found.of_class) == (("w", "x"), (0, 1, None))


def test_a_superclass_may_be_given_to_another_spelling_of_a_class(tmp_path):
    (tmp_path / "s.csv").write_text("class_name,superclass\nn02,x\n")
    classes = ClassNames(("a", "b"), aliases={"n02": (1,)})
    assert read_superclasses(tmp_path / "s.csv", classes).of_class == (None, 0)


def test_a_class_listed_in_two_spellings_is_listed_twice(tmp_path):
    (tmp_path / "s.csv").write_text("class_name,superclass\nb,x\nn02,y\n")
    with pytest.raises(BadClassFile, match="more than once"):
        read_superclasses(tmp_path / "s.csv", ClassNames(("a", "b"), aliases={"n02": (1,)}))


def test_a_superclass_file_that_is_not_there(tmp_path):
    with pytest.raises(MissingInput):
        read_superclasses(tmp_path / "s.csv", ClassNames(("a",)))


def test_a_name_that_is_not_decided_is_never_taken(tmp_path):
    (tmp_path / "names.txt").write_text("cat\n? dog\n? cow\n")
    with pytest.raises(BadClassFile, match="2 of 3 names are marked as not decided") as failure:
        read_classes(tmp_path / "names.txt")
    assert "line 2 names output 1" in failure.value.hint
    (tmp_path / "names.txt").write_text("?\n?dog\ncow\n")
    assert read_classes(tmp_path / "names.txt").names == ("?", "?dog", "cow")


def test_superclasses_may_have_blanks_around_names_and_headers(tmp_path):
    (tmp_path / "parents.csv").write_text("class_name, superclass\nCAT , animal\nship,vehicle \n")
    found = read_superclasses(tmp_path / "parents.csv", ClassNames(("cat", "ship", "dog")))
    assert (found.names, found.of_class) == (("animal", "vehicle"), (0, 1, None))


def test_a_superclass_that_is_spelt_in_two_ways_is_refused(tmp_path):
    (tmp_path / "parents.csv").write_text("class_name,superclass\ncat,animal\ndog,Animal\n")
    with pytest.raises(BadClassFile, match="'Animal' and 'animal', which differ in spelling only"):
        read_superclasses(tmp_path / "parents.csv", ClassNames(("cat", "dog")))
