"""What evaluate says of data that are not quite what it needs: each hint is typed, and works."""

import shlex
from pathlib import Path

import pytest

import errlens
from tests.commands.evaluate.conftest import FAST
from tests.conftest import ends, refused

OUTPUTS = "--num-classes 10"


@pytest.fixture
def evaluate(tiny, photos):
    """Write a command that evaluates what lies in the current folder with the tiny model."""
    assert photos.is_dir()
    return lambda data, more="": f"evaluate {data} --model {tiny} {FAST} -o run -q {more}"


def add(command, said):
    """Add to a command what a hint says to add."""
    return f"{command} {said.rpartition('add ')[2].strip()}"


def commands_in(said):
    return [shlex.split(line)[1:] for line in said.splitlines() if line.startswith("    errlens")]


def top1():
    return errlens.open_run("run").metrics["top1"]["value"]


@pytest.mark.parametrize("more", [OUTPUTS, "--classes names.txt"])
def test_folders_that_are_whole_numbers_may_number_the_outputs(more, evaluate, photos):
    for number, colour in enumerate(("blue", "green", "red")):
        (photos / colour).rename(photos / str(number))
    Path("names.txt").write_text("blue\ngreen\nred\n")
    command = evaluate("photos", more)
    said = refused(command, exit_code=3)
    ends(add(command, said))
    assert top1() == pytest.approx(11 / 12)


def test_folders_that_count_from_one_are_named_after_themselves(evaluate, photos):
    for number, colour in enumerate(("blue", "green", "red")):
        (photos / colour).rename(photos / str(number + 1))
    Path("names.txt").write_text("blue\ngreen\nred\n")
    said = refused(evaluate("photos", "--classes names.txt"), exit_code=3)
    assert "--classes FILE with the number of each output" in said
    Path("numbers.txt").write_text("1\n2\n3\n")
    ends(evaluate("photos", "--classes numbers.txt"))
    assert top1() == pytest.approx(11 / 12)


@pytest.mark.parametrize("place", ["all", "all/pets", "all/pets/val"])
def test_class_folders_one_level_deeper_are_named_in_a_command(place, evaluate, photos):
    Path(place).mkdir(parents=True)
    photos.rename(Path(place, "photos"))
    said = refused(evaluate("all"), exit_code=3)
    (command,) = commands_in(said)
    assert command[1] == f"{place}/photos"
    ends(command)


def test_several_sets_of_class_folders_are_all_named(evaluate, photos):
    Path("all").mkdir()
    for name in ("first", "second"):
        for colour in ("blue", "green", "red"):
            path = Path("all", name, colour, "0.png")
            path.parent.mkdir(parents=True)
            path.write_bytes((photos / colour / "0.png").read_bytes())
    commands = commands_in(refused(evaluate("all"), exit_code=3))
    assert [command[1] for command in commands] == ["all/first", "all/second"]
    ends(commands[1])


def manifest(write, name="list.csv"):
    rows = [
        f"{write(f'{colour}/{index}.png')},{colour}"
        for colour in ("blue", "green", "red")
        for index in range(4)
    ]
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_text("\n".join(["path,label", *rows]) + "\n")


@pytest.mark.parametrize("start", ["", "/home/someone/", "D:\\data\\"])
@pytest.mark.parametrize("name", ["list.csv", "tables/list.csv"])
def test_files_that_all_miss_their_root_get_it_named(start, name, evaluate):
    manifest(lambda path: start + path, name)
    command = evaluate(name)
    said = refused(command, exit_code=3)
    assert "none of the 12 files" in said
    ends(add(command, said))
    assert top1() == pytest.approx(11 / 12)


def test_backslashes_are_folders_and_that_is_said(evaluate):
    manifest(lambda path: "photos\\" + path.replace("/", "\\"))
    said = ends(evaluate("list.csv").replace(" -q", "")).stderr
    assert "backslashes in paths are taken for the slashes" in said
    assert top1() == pytest.approx(11 / 12)


def test_labels_of_minus_one_are_no_labels(evaluate):
    numbers = {"blue": "0", "green": "-1", "red": "2"}
    rows = [f"photos/{colour}/0.png,{number}" for colour, number in numbers.items()]
    Path("list.csv").write_text("\n".join(["path,label", *rows]) + "\n")
    said = ends(evaluate("list.csv").replace(" -q", "")).stderr
    assert "1 of them without a label" in said
    assert errlens.open_run("run").metrics["top1"]["n"] == 2


def test_columns_of_other_names_are_named(evaluate):
    manifest(lambda path: f"photos/{path}")
    text = Path("list.csv").read_text().replace("path,label", "image_id,species")
    Path("list.csv").write_text(text)
    command = evaluate("list.csv")
    ends(add(command, refused(command, exit_code=3)))
