"""Files of settings, classes, notes and outlines that were made to do harm: each is a sentence."""

import json
import time

import pytest

from errlens.analysis.selection.parsing import parse_selector
from errlens.classes.files import read_classes, read_superclasses
from errlens.classes.names import ClassNames
from errlens.cli import main
from errlens.commands.options.config import read_config
from errlens.data.objects.outlines import read_outlines
from errlens.data.photos.preprocess import Preprocessing
from errlens.errors import LONGEST_MESSAGE, ErrlensError, InputError, UnfitSelection

BOMB = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    + [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 10)]
)
YAML = {
    "bomb": BOMB,
    "deep": "[" * 100_000,
    "blocks": "- " * 5_000,
    "recursive": "a: &a {b: *a}",
    "digits": "a: " + "9" * 100_000,
    "sexagesimal": "a: 1" + ":59" * 50_000,
    "long": "a: " + "[" + "'" + "x" * 1_000_000,
    "tag": f"a: !!python/object/apply:os.system [{'x' * 10_000}]",
    "surrogate": 'a: "\\ud800"',
    "keys": f"? {'x' * 100_000}\n: 1\n? {'x' * 100_000}\n: 2",
}
JSON = {
    "deep": "[" * 100_000,
    "objects": '{"a":' * 100_000,
    "digits": '{"a": ' + "9" * 100_000 + "}",
    "not a number": '{"a": NaN}',
    "surrogate": '{"a": "\\ud800"}',
    "long": '{"a": "' + "x" * 1_000_000,
}


@pytest.fixture(autouse=True)
def within_seconds():
    before = time.monotonic()
    yield
    assert time.monotonic() - before < 10


def ends(read, exit_code):
    with pytest.raises(ErrlensError) as failure:
        read()
    assert failure.value.exit_code == exit_code
    assert len(str(failure.value)) <= LONGEST_MESSAGE
    assert "x" * 500 not in f"{failure.value} {failure.value.hint}"


def written(path, text):
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    return path


@pytest.mark.parametrize("kind", YAML)
def test_configuration(tmp_path, kind):
    path = written(tmp_path / "c.yaml", YAML[kind])
    ends(lambda: read_config(path, {}), 2)


@pytest.mark.parametrize("text", YAML.values(), ids=YAML)
def test_set(tmp_path, text):
    path = written(tmp_path / "c.yaml", "out: run")
    ends(lambda: read_config(path, {}, overrides=[f"evaluate.data={text}"]), 2)


def test_set_of_a_key_that_goes_on_and_on(tmp_path):
    path = written(tmp_path / "c.yaml", "out: run")
    ends(lambda: read_config(path, {}, overrides=[".".join("a" * 50_000) + "=1"]), 2)


@pytest.mark.parametrize(
    "kind", ["bomb", "deep", "blocks", "recursive", "long", "surrogate", "keys"]
)
def test_classes_in_yaml(tmp_path, kind):
    path = written(tmp_path / "c.yaml", YAML[kind])
    ends(lambda: read_classes(path), 3)


@pytest.mark.parametrize("text", JSON.values(), ids=JSON)
def test_classes_in_json(tmp_path, text):
    path = written(tmp_path / "c.json", text)
    ends(lambda: read_classes(path), 3)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.csv", "class_index,class_name\n" + "x" * 100_000 + ",cat\n"),
        ("c.csv", "class_index,class_name\n" + "9" * 100_000 + ",cat\n"),
        ("c.csv", '"' + "x" * 1_000_000),
        ("c.json", json.dumps({"0": ["a", ["x" * 100_000]]})),
        ("c.json", json.dumps({"x" * 100_000: "cat"})),
        ("c.txt", "x" * 100_000 + "\n" + "x" * 100_000),
    ],
)
def test_a_class_file_is_not_repeated_in_its_error(tmp_path, name, text):
    path = written(tmp_path / name, text)
    ends(lambda: read_classes(path), 3)


@pytest.mark.parametrize("name", ["c.json", "c.yaml", "c.txt", "c.csv"])
def test_a_class_file_of_gigabytes_is_not_read(tmp_path, name):
    path = tmp_path / name
    with path.open("wb") as file:
        file.truncate(20 * 2**30)  # sparse: it takes no room
    ends(lambda: read_classes(path), 3)
    ends(lambda: read_superclasses(path, ClassNames(("a",))), 3)


@pytest.mark.parametrize("kind", JSON)
def test_outlines(tmp_path, kind):
    path = written(tmp_path / "outlines.json", JSON[kind])
    ends(lambda: read_outlines(path, photos=tmp_path), 3)


PLAIN = Preprocessing((8, 8), 1.0, "center", "bilinear", (0.5,) * 3, (0.5,) * 3)


@pytest.mark.parametrize(
    "outline",
    [
        {"width": 10**9, "height": 10**9, "polygons": [[0, 0, 1, 1, 2, 2]]},
        {"width": 1e300, "height": 2, "polygons": [[0, 0, 1, 1, 2, 2]]},
        {"width": -1, "height": -1, "polygons": [[0, 0, 1, 1, 2, 2]]},
        {"width": "x" * 10_000, "height": 2, "polygons": [[0, 0, 1, 1, 2, 2]]},
        {"width": 9, "height": 9, "polygons": "x" * 10_000},
        {"width": 9, "height": 9, "polygons": [["x" * 10_000]]},
        {"width": 9, "height": 9, "polygons": [[1]]},
        {"width": 9, "height": 9, "polygons": {"a": 1}},
        {"width": 9, "height": 9, "polygons": 7},
        {"width": 9, "height": 9, "part_box": [1, 2, 3]},
        {"width": [], "height": 9, "part_box": [1, 2, 3, 4]},
        {"height": 9, "part_box": [1, 2, 3, 4]},
    ],
)
def test_an_outline_that_is_none(tmp_path, outline):
    path = written(tmp_path / "outlines.json", json.dumps({"a.jpg": outline}))
    source = read_outlines(path, photos=tmp_path)
    with pytest.raises(InputError) as failure:
        source.regions("a.jpg", PLAIN)
    assert len(str(failure.value)) < 500


@pytest.mark.parametrize(
    "points", [[1e300, -1e300] * 3, [2**62, -(2**62)] * 3, [1e9, 1e9, -1e9, 1e9, 0, -1e9]]
)
def test_an_outline_far_outside_its_photo_is_cut_or_refused(tmp_path, points):
    outline = {"width": 9, "height": 9, "polygons": [points]}
    path = written(tmp_path / "outlines.json", json.dumps({"a.jpg": outline}))
    try:
        regions = read_outlines(path, photos=tmp_path).regions("a.jpg", PLAIN)
    except InputError:
        return
    assert regions.object.shape == (8, 8)


@pytest.mark.parametrize(
    "text", ["cat~dog+" * 5_000, "path:x+" * 30, "~" * 100_000, "row:" + "9" * 100_000]
)
def test_a_selector_with_more_readings_than_can_be_counted(text):
    with pytest.raises(UnfitSelection) as failure:
        parse_selector(text, ClassNames(("cat", "dog")))
    assert len(str(failure.value)) <= LONGEST_MESSAGE


def test_a_bomb_ends_the_command_with_a_sentence(tmp_path, monkeypatch, capsys):
    path = written(tmp_path / "c.yaml", BOMB)
    monkeypatch.setattr("sys.argv", ["errlens", "run", str(path)])
    with pytest.raises(SystemExit, match="2"):
        main()
    printed = capsys.readouterr()
    assert "with its aliases written out" in " ".join(printed.err.split())
    assert len(printed.err) < 1000
