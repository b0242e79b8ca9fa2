import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import timm
import torch
import yaml
from typer.testing import CliRunner

from errlens.cli import app
from errlens.predictions.table import SCHEMA

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


def ci_commands():
    """Return the errlens commands of the examples for GitHub and GitLab."""
    section = README.partition(f"{IN_CI}\n")[2].partition("\n## ")[0]
    github, gitlab = map(yaml.safe_load, re.findall(r"```yaml\n(.*?)```", section, re.DOTALL))
    steps = [step.get("run", "") for step in github["jobs"]["model"]["steps"]]
    script = [*gitlab["model"]["script"], *gitlab["model"]["after_script"]]
    return [
        [
            line[line.index("errlens ") :].partition(" #")[0]
            for line in lines
            if "errlens " in line and "pip" not in line
        ]
        for lines in (steps, script)
    ]


def test_what_the_readme_runs_in_ci_ends_in_a_gate_and_its_files(photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    on_github, on_gitlab = ci_commands()
    assert on_github == on_gitlab
    commands = [shlex.split(line)[1:] for line in on_github]
    assert [command[0] for command in commands] == ["evaluate", "explain", "check", "report"]
    photos.rename(tmp_path / "photos_of_val")
    Path("data").mkdir()
    Path("photos_of_val").rename("data/val")
    torch.manual_seed(0)
    module = timm.create_model("test_resnet", num_classes=3)
    torch.save(module.state_dict(), "best.pth")
    codes = []
    for command in commands:
        small = ["test_resnet" if word == "resnet50" else word for word in command]
        said = CliRunner().invoke(app, small)
        codes.append(said.exit_code)
        assert "Traceback" not in said.output
        if command[0] == "evaluate":
            shutil.copy("runs/ci/baseline.parquet", "main.parquet")
    assert codes == [0, 0, 1, 0]  # an untrained network does not pass
    for name in ("report.html", "summary.md", "junit.xml", "gates.json", "explain/index.csv"):
        assert Path("runs/ci", name).is_file()
