import json
import math
import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errlens.documents import (
    MOST_LEVELS,
    MOST_YAML_CHARACTERS,
    BadDocument,
    parse_json,
    parse_yaml,
    parse_yaml_lines,
    read_text,
)

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(PLAIN)
def test_json_is_read_as_python_reads_it(tree):
    assert parse_json(json.dumps(tree)) == tree


def test_yaml_gives_plain_values():
    text = "a: 1\nb: [no, 0x10, 1_000, 1e-3, 2001-01-01, ~]\nc: {d: text}\nd: &x {e: 1}\nf: *x"
    tree = parse_yaml(text)
    assert tree["b"][:4] == [False, 16, 1000, "1e-3"]
    assert str(tree["b"][4]) == "2001-01-01"
    assert tree["b"][5] is None
    assert tree["f"] == {"e": 1}
    assert parse_yaml("") is None


def test_untyped_yaml_is_text_alone():
    assert parse_yaml("[no, 007, null, 1:20]", untyped=True) == ["no", "007", "null", "1:20"]
    assert parse_yaml("names: !!python/tuple [a, b]", untyped=True) == {"names": ["a", "b"]}


def test_the_lines_of_keys_are_known():
    tree, lines = parse_yaml_lines("out: r\nevaluate:\n  data: d\n  model:\n    x: 1\n")
    assert tree["evaluate"]["data"] == "d"
    assert lines["out",] == 1
    assert lines["evaluate", "data"] == 3
    assert lines["evaluate", "model", "x"] == 5


def test_merged_keys_stand_where_they_were_written():
    tree, lines = parse_yaml_lines("a: &a\n  x: 1\nb:\n  <<: *a\n  y: 2\n")
    assert tree["b"] == {"x": 1, "y": 2}
    assert lines["b", "y"] == 5


LEVELS = [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 10)]
BOMB = "\n".join(["a0: &a0 [x, x, x, x, x, x, x, x, x, x]", *LEVELS])
LONG_BOMB = "a: &a " + "x" * 100_000 + "\nb: [" + ", ".join(["*a"] * 100) + "]"
MERGE_BOMB = "\n".join(
    ["a0: &a0 {x: 1, y: 2}"]
    + [
        f"a{level}: &a{level} {{<<: [{', '.join([f'*a{level - 1}'] * 10)}]}}"
        for level in range(1, 9)
    ]
)
CHAIN = "a0: &a0 [x]\n" + "".join(
    f"a{level}: &a{level} [*a{level - 1}]\n" for level in range(1, 2 * MOST_LEVELS)
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BOMB, "values"),
        (MERGE_BOMB, "values"),
        (LONG_BOMB, "characters"),
        (CHAIN, "levels"),
        ("[" * 100_000, "levels"),
        ("- " * 10_000, "levels"),
        ("? " * 10_000, "levels"),
        ("{a: " * 10_000, "levels"),
        ("a: &a [*a]", "part of"),
        ("&a {b: {c: *a}}", "part of"),
        ("a" * (MOST_YAML_CHARACTERS + 1), "characters"),
        ("a: 1\nb: 2\na: 3", "line 1 stands again in line 3"),
        ("{a: 1, a: 1}", "stands again"),
        ("a: [1", "expected"),
        ("a: *unknown", "alias"),
        ("a: 1\n---\nb: 2", "single document"),
    ],
)
@pytest.mark.parametrize("untyped", [False, True])
def test_yaml_beyond_its_limits_is_refused_at_once(text, reason, untyped):
    before = time.monotonic()
    with pytest.raises(BadDocument, match=reason) as refused:
        parse_yaml(text, untyped=untyped)
    assert len(str(refused.value)) < 400
    assert time.monotonic() - before < 20


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("9" * 100_000, "100,000 characters"),
        ("0x" + "f" * 100_000, "characters"),
        ("1" + ":59" * 100_000, "characters"),
        ("1" + ":59" * 100_000 + ".5", "characters"),
        (str(2**64), "64 bits"),
        (".nan", "finite"),
        ("-.inf", "finite"),
        ("2001-13-40", "month"),
        ("!!python/object/apply:os.system [ls]", "tag"),
        ("!!binary aGVsbG8=", "tag"),
        ("!!set {a, b}", "tag"),
        ("!" + "x" * 10_000 + " a", "tag"),
        ("!!int ''", "index"),
        ("!!bool maybe", "maybe"),
        ("!!timestamp now", "groupdict"),
        ("? [a]\n: b", "unhashable"),
        ("? {a: b}\n: c", "unhashable"),
        ("=", "tag"),
        ('"\\ud800"', "UTF-8"),
        ("a: \x00", "not allowed"),
    ],
)
def test_yaml_that_is_no_plain_value_is_refused(text, reason):
    with pytest.raises(BadDocument, match=reason) as refused:
        parse_yaml(f"x: {text}" if not text.startswith(("?", "a:")) else text)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 100_000, "levels"),
        ('{"a":' * 100_000, "levels"),
        ("[" * (MOST_LEVELS + 1) + "]" * (MOST_LEVELS + 1), "levels"),
        ("[" + "[]," * 5_000_000, "values"),
        ("9" * 100_000, "100,000 characters"),
        ("-" + "9" * 30, "64 bits"),
        ("NaN", "NaN is no finite"),
        ("[-Infinity]", "finite"),
        ("1e400", "finite"),
        ('{"\\ud800": 1}', "UTF-8"),
        ('["a", {"b": "\\udfff"}]', "UTF-8"),
        ("[1", "Expecting"),
        ("", "Expecting"),
        ('"' + "x" * 1_000_000, "Unterminated"),
    ],
)
def test_json_beyond_its_limits_is_refused_at_once(text, reason):
    with pytest.raises(BadDocument, match=reason) as refused:
        parse_json(text)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    "text", ["[" + "a, " * 1000 + "]", "a: &a [1, 2]\nb: [" + "*a, " * 400 + "]"]
)
def test_values_are_counted_with_aliases_and_without(text, monkeypatch):
    monkeypatch.setattr("errlens.documents.MOST_YAML_VALUES", 1000)
    with pytest.raises(BadDocument, match="more than 1,000 values"):
        parse_yaml(text)


def test_what_is_just_within_the_limits_is_read():
    tree = parse_json("[" * MOST_LEVELS + "]" * MOST_LEVELS)
    assert parse_yaml("[" * MOST_LEVELS + "]" * MOST_LEVELS) == tree
    assert parse_json(str(2**63)) == 2**63
    assert math.isclose(parse_json("1e300"), 1e300)
    assert parse_json('"\\ud83d\\ude00"') == "\U0001f600"
    names = {index: f"class {index}" for index in range(22_000)}
    assert parse_yaml(json.dumps(names), untyped=True)["21999"] == "class 21999"


def test_only_ordinary_files_of_limited_size_are_read(tmp_path):
    path = tmp_path / "file"
    path.write_text("\ufeffcafé", encoding="utf-8")
    assert read_text(path, encoding="utf-8-sig") == "café"
    path.write_bytes(b"\xff")
    with pytest.raises(BadDocument, match="UTF-8"):
        read_text(path)
    with path.open("wb") as file:
        file.truncate(10 * 2**30)
    with pytest.raises(BadDocument, match="MiB"):
        read_text(path, most_bytes=2**20)
    with pytest.raises(BadDocument, match="ordinary"):
        read_text(tmp_path)
    with pytest.raises(BadDocument, match="No such file"):
        read_text(tmp_path / "absent")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name on this platform")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadDocument, match="ordinary"):
        read_text(tmp_path / "pipe")
