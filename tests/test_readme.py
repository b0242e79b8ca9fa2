import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from errlens.cli import app
from errlens.predictions import SCHEMA

IN_CI = "## In CI"

REPOSITORY = Path(__file__).parent.parent
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def test_what_cog_generates_is_up_to_date():
    said = subprocess.run(
        [sys.executable, "-m", "cogapp", "--check", "README.md"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stdout + said.stderr


def commands(*group):
    """Return the words of each command, those in groups included."""
    said = CliRunner().invoke(app, [*group, "--help"]).output
    names = re.findall(r"^  ([a-z-]+)  ", said.partition("Commands:")[2], flags=re.MULTILINE)
    inner = [commands(*group, name) for name in names]
    found = [one or [(*group, name)] for one, name in zip(inner, names, strict=True)]
    return [words for one in found for words in one]


def test_every_command_is_documented():
    found = [" ".join(words) for words in commands()]
    assert {"evaluate", "run", "network probe"} <= set(found)
    for command in found:
        assert f"### errlens {command}\n" in README


def test_every_column_is_named_in_order():
    listed = README.partition("The columns of the predictions:")[2].partition("Two runs")[0]
    assert re.findall(r"`(\w+)`", listed) == SCHEMA.names


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_linked_files_exist(path):
    assert (REPOSITORY / path).exists()


def test_the_test_command_of_the_readme_is_the_one_ci_runs():
    command = "python -m pip install --editable '.[test]' && python -m pytest"
    assert command in README
    assert command in (REPOSITORY / ".ci" / "run").read_text().replace(" --quiet", "")


def test_what_the_readme_runs_in_ci_is_yaml_and_commands_that_exist(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    section = README.partition(f"{IN_CI}\n")[2].partition("\n## ")[0]
    github, gitlab = map(yaml.safe_load, re.findall(r"```yaml\n(.*?)```", section, re.DOTALL))
    steps = [step["run"] for step in github["jobs"]["model"]["steps"] if "run" in step]
    assert [line.partition(" #")[0] for line in gitlab["model"]["script"]] == steps
    commands = [shlex.split(line)[1:] for line in steps if line.startswith("errlens ")]
    assert [command[0] for command in commands] == ["evaluate", "explain", "check"]
    for command in commands:  # no usage error: there is only nothing to read here
        said = CliRunner().invoke(app, command)
        assert said.exit_code == 3, said.output
