"""Class folders whose order differs between torchvision and timm."""

import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

import errlens
from errlens.cli import app
from tests.conftest import paint


@pytest.fixture
def folders(tmp_path):
    """Make folders of photos of the three colours, called otherwise."""

    def make(blue, green, red, *, images):
        for shown, name in {"blue": blue, "green": green, "red": red}.items():
            for index in range(images):
                paint(tmp_path / "data" / name / f"{index}.png", shown, seed=index)
        return tmp_path / "data"

    return make


def test_nothing_is_said_where_the_images_settle_it(run_errlens, folders):
    data = folders("Z-blue", "green", "red", images=3)  # timm puts the first of them last
    result = run_errlens(f"{data} -o run")
    assert "order" not in result.stderr
    assert not Path("run/suggested_classes.txt").exists()
    result = run_errlens(f"{data} -o run -v")
    assert (
        "outputs are named in torchvision's order of the class folders "
        "(9 of 9 images are right, in timm's 0 of 9)" in result.stderr
    )
    assert "warning" not in result.stderr


def test_timms_order_is_offered_where_it_is_better_and_the_command_works(run_errlens, folders):
    result = run_errlens(f"{folders('blue', 'Green', 'red', images=4)} -o run -q")
    assert "timm's seems to be that of the model (4 of 12 images" in result.stderr
    command = shlex.split(result.stderr.strip().rpartition(": ")[2])
    assert CliRunner().invoke(app, command[1:]).exit_code == 0
    assert errlens.open_run("run-relabelled").metrics["top1"]["value"] == 1


def test_a_few_images_do_not_tell_and_that_is_said(run_errlens, folders):
    data = folders("Z-blue", "green", "red", images=1)
    result = run_errlens(f"{data} -o run -q")
    assert "timm's differs, and too few images tell" in result.stderr
    assert Path("run/suggested_classes.txt").read_text() == "green\nred\nZ-blue\n"
    assert "order" not in run_errlens(f"{data} -o trusted -q --trust-labels").stderr


def test_names_that_are_given_have_their_order_from_there(run_errlens, folders):
    data = folders("Z-blue", "green", "red", images=1)
    Path("names.txt").write_text("Z-blue\ngreen\nred\n")
    assert "order" not in run_errlens(f"{data} -o run -v --classes names.txt").stderr
