"""Labels that do not match the outputs of the model."""

import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

import errlens
from errlens.cli import app
from errlens.errors import LabelSpaceMismatch
from tests.conftest import COLOURS, paint


@pytest.fixture
def swapped(tmp_path):
    """Class folders of twelve photos each, in which red and green have changed places."""
    folder = tmp_path / "swapped"
    for number, colour in enumerate(COLOURS):
        shown = {"red": "green", "green": "red"}.get(colour, colour)
        for index in range(12):
            paint(folder / colour / f"{index}.png", shown, seed=20 * number + index)
    return folder


def test_exchanged_folders_stop_with_the_command_that_puts_them_right(run_errlens, swapped):
    result = run_errlens(f"{swapped} -o run --json")
    assert result.exit_code == 3
    assert result.stdout == ""
    assert (
        "'green' is taken for 'red', 'red' is taken for 'green' (24 of 24 images," in result.stderr
    )
    run = errlens.open_run("run")
    assert (run.info.status, len(run.predictions)) == ("relabelled", 36)
    assert not Path("run/metrics.json").exists()
    with pytest.raises(LabelSpaceMismatch, match="do not match"):
        _ = run.metrics
    assert Path("run/suggested_classes.txt").read_text() == "blue\nred\ngreen\n"

    command = shlex.split(result.stderr.strip().splitlines()[-1])
    assert command[0] == "errlens"
    assert CliRunner().invoke(app, command[1:]).exit_code == 0
    assert errlens.open_run("run-relabelled").metrics["top1"]["value"] == 1
    assert CliRunner().invoke(app, command[1:]).exit_code == 0  # and again


def test_names_without_evidence_are_decided_by_hand_before_the_command_runs(run_errlens, swapped):
    for index in range(4, 12):
        (swapped / "blue" / f"{index}.png").unlink()
    result = run_errlens(f"{swapped} -o run")
    assert result.exit_code == 3
    assert (
        "2 of 3 names are sure; 1 is marked with a '?' in run/suggested_classes.txt"
        in result.stderr
    )
    assert "put right" not in result.stderr
    names = Path("run/suggested_classes.txt")
    assert names.read_text() == "? blue\nred\ngreen\n"
    command = shlex.split(result.stderr.strip().splitlines()[-1])
    refused = CliRunner().invoke(app, command[1:])
    assert refused.exit_code == 3
    assert "1 of 3 names is marked as not decided" in refused.stderr
    names.write_text(names.read_text().replace("? ", ""))
    assert CliRunner().invoke(app, command[1:]).exit_code == 0
    assert errlens.open_run("run-relabelled").metrics["top1"]["value"] == 1


def test_a_user_who_trusts_the_labels_is_warned_and_goes_on(run_errlens, swapped):
    assert run_errlens(f"{swapped} -o run").exit_code == 3
    result = run_errlens(f"{swapped} -o run --trust-labels")
    assert result.exit_code == 0
    assert "seem exchanged: 'green' is taken for 'red'" in result.stderr
    assert "--trust-labels" not in result.stderr
    run = errlens.open_run("run")
    assert (run.info.status, run.metrics["top1"]["value"]) == ("complete", 12 / 36)
    assert Path("run/suggested_classes.txt").exists()
    assert run_errlens(f"{swapped} -o run").exit_code == 3
    assert not Path("run/classes.csv").exists()


def test_few_exchanged_images_only_warn(run_errlens, swapped):
    for index in range(5, 12):
        for colour in COLOURS:
            (swapped / colour / f"{index}.png").unlink()
    result = run_errlens(f"{swapped} -o run")
    assert result.exit_code == 0
    assert "If the names are wrong: errlens evaluate" in result.stderr


def test_indices_in_another_order_are_put_right_by_names_that_are_numbers(run_errlens, swapped):
    lines = [
        f"{colour}/{index}.png,{number}"
        for number, colour in enumerate(COLOURS)
        for index in range(12)
    ]
    (swapped / "list.csv").write_text("\n".join(["path,label", *lines]))
    result = run_errlens(f"{swapped / 'list.csv'} -o run")
    assert result.exit_code == 3
    command = shlex.split(result.stderr.strip().splitlines()[-1])
    assert CliRunner().invoke(app, command[1:]).exit_code == 0
    assert errlens.open_run("run-relabelled").metrics["top1"]["value"] == 1


def test_labels_that_count_from_one_are_told_where_the_last_class_has_no_image(
    run_errlens, tmp_path
):
    lines = ["path,label"]
    for number, colour in enumerate(COLOURS[:2]):
        for index in range(12):
            paint(tmp_path / "photos" / colour / f"{index}.png", colour, seed=20 * number + index)
            lines.append(f"{colour}/{index}.png,{number + 1}")
    table = tmp_path / "photos" / "list.csv"
    table.write_text("\n".join(lines))
    result = run_errlens(f"{table} -o run")
    assert result.exit_code == 3
    assert "labels seem to count from 1 and predictions from 0: of 24 labels 24" in result.stderr
    assert errlens.open_run("run").info.status == "relabelled"
    command = shlex.split(result.stderr.strip().splitlines()[-1])
    assert CliRunner().invoke(app, command[1:]).exit_code == 0
    assert errlens.open_run("run-relabelled").metrics["top1"]["value"] == 1
    result = run_errlens(f"{table} -o run --trust-labels")
    assert result.exit_code == 0
    assert "seem to count from 1" in result.stderr
    Path("names.txt").write_text("\n".join(COLOURS))
    result = run_errlens(f"{table} -o other --classes names.txt")
    assert result.exit_code == 3
    assert "seem to count from 1" in result.stderr
