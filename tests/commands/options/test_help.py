"""What `--help` shows, and what a shell completes: of every command, tomorrow's included."""

import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

import pytest
import shellingham
import typer
from typer.core import TyperArgument, TyperOption
from typer.main import get_command
from typer.testing import CliRunner

from errlens.cli import app
from errlens.commands.options.help import HelpfulCommand
from errlens.commands.options.panels import Panel
from errlens.commands.options.shell import as_callback
from errlens.commands.registry import COMMANDS, SECTIONS
from tests.conftest import REPOSITORY, call, ends

MOST_IN_A_PANEL = 15
GROUPS = sorted({name.split()[0] for name in COMMANDS if " " in name})


PROGRAM = get_command(app)


@cache
def help_of(name):
    return ends([*name.split(), "--help"]).stdout


def parsed(name, arguments):
    """Return what Typer makes of the arguments of a command."""
    command = PROGRAM
    for word in name.split():
        command = command.commands[word]
    return command, command.make_context(name, list(arguments))


def parameters(name):
    return parsed(name, EXAMPLES[name][0])[0].params


def examples_in(text):
    """Return the command lines below the heading, split into words; a backslash goes on."""
    block = re.search(r"^Examples:\n((?:  .*\n)+)", text, flags=re.MULTILINE)
    assert block, text
    lines = block[1].replace("\\\n", "").splitlines()
    return [shlex.split(line) for line in lines]


EXAMPLES = {
    name: [words[1 + len(name.split()) :] for words in examples_in(help_of(name))]
    for name in COMMANDS
}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_examples_of_a_command_are_understood_by_it(name):
    for words in examples_in(help_of(name)):
        assert words[: 1 + len(name.split())] == ["errlens", *name.split()]
    for arguments in EXAMPLES[name]:
        _, context = parsed(name, arguments)
        assert COMMANDS[name].options(**context.params)  # refuses what does not fit together


def test_the_examples_of_the_program_are_understood_by_it():
    for _program, command, *arguments in examples_in(help_of("")):
        if arguments != ["--help"]:
            parsed(command, arguments)


QUICK = ["import", "what-if", "report", "compare", "check", "confusion", "misclassified"]


def test_the_examples_of_help_can_be_typed_after_the_sample(sample, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sample_data").symlink_to(REPOSITORY / "sample_data")
    (tmp_path / "configs").symlink_to(REPOSITORY / "configs")
    shutil.copytree(sample.run.path, "runs/sample")
    mine = ("photos", "photo.jpg", "predictions.csv")  # what only a user has
    typed = {
        name: [words for words in lines if not words[0].startswith(mine)]
        for name, lines in EXAMPLES.items()
    }
    assert all(typed.values())
    for words in [words for lines in typed.values() for words in lines]:
        given = [word for word in words if word.startswith(("sample_data/", "configs/"))]
        assert all(Path(word).exists() for word in given), words
    ends(["evaluate", *typed["evaluate"][0]])
    for name in QUICK:
        for words in typed[name]:
            ends([name, *words])


@pytest.mark.parametrize("name", ["", *GROUPS, *COMMANDS])
def test_help_fits_a_terminal_of_80_columns_and_is_the_same_with_h(name):
    text = help_of(name)
    assert max(map(len, text.splitlines())) <= 80
    assert ends([*name.split(), "-h"]).stdout == text
    assert "  -h, --help  " in text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_below_a_heading_that_is_short_enough_to_survey(name):
    options = [param for param in parameters(name) if isinstance(param, TyperOption)]
    panels = Counter(option.rich_help_panel for option in options)
    assert set(panels) <= set(Panel)
    assert max(panels.values()) <= MOST_IN_A_PANEL
    headings = re.findall(r"^([A-Z][\w ]+):$", help_of(name), flags=re.MULTILINE)
    wanted = [panel for panel in Panel if panels[panel]]
    assert headings == ["Examples", "Arguments", *wanted]
    assert headings[-1] == "Common"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_says_of_each_option_what_it_takes_in_words_that_are_whole(name):
    text = help_of(name)
    told = " ".join(text.split())
    for param in parameters(name):
        assert param.metavar or param.type_descriptor.is_choice or param.is_flag, param.name
        spelt = [param.metavar] if isinstance(param, TyperArgument) else param.opts
        assert all(re.search(f"^  .*{re.escape(word)}", text, flags=re.M) for word in spelt)
        assert " ".join(param.help.split()) in told
        assert not re.search(r"[\[\]]", param.help), "defaults are said with show_default"
        assert param.help[0].isupper()
        assert param.help.endswith((".", "?"))
        for choice in param.type_descriptor.choices or ():
            assert re.search(rf"\b{choice}\b", told)


def test_what_stands_in_brackets_is_the_default_the_limits_and_the_choices():
    told = " ".join(help_of("misclassified").split())
    assert "[default: 60; 1 to 400]" in told
    assert "[loss, margin, confidence, entropy or superclass; default: loss, or" in told
    assert "--format parquet|json " in told
    assert "[repeatable]" in told
    assert "[default: 0]" in help_of("evaluate")
    assert not re.search(r"<|x>=|list\[", help_of("evaluate") + help_of("explain"))


def test_what_can_be_switched_off_says_how_and_what_it_is_by_default():
    said = " ".join(ends("atlas render --help").stdout.split())
    assert "--labels/--no-labels" in said
    assert "[default: --labels]" in said


def test_a_command_that_a_text_quotes_stays_on_one_line():
    assert "`errlens evaluate`" in help_of("import")
    assert "`errlens run`" in help_of("cache-key")


def test_the_usage_line_names_the_arguments():
    first = {name: help_of(name).splitlines()[0] for name in ("compare", "explain", "run")}
    assert first == {
        "compare": "Usage: errlens compare [OPTIONS] OLD NEW...",
        "explain": "Usage: errlens explain [OPTIONS] [RUN] [IMAGE...]",
        "run": "Usage: errlens run [OPTIONS] CONFIG",
    }


def test_every_command_is_listed_once_with_its_whole_summary_on_one_line():
    listed = [name for names in SECTIONS.values() for name in names]
    assert sorted(listed) == sorted({name.split()[0] for name in COMMANDS})
    lines = help_of("").splitlines()
    for name, command in COMMANDS.items():
        summary = command.options.__doc__.partition("\n")[0]
        assert summary.endswith((".", "?"))
        within = lines if " " not in name else help_of(name.split()[0]).splitlines()
        line = rf"  {name.split()[-1]} +{re.escape(summary)}"
        assert any(re.fullmatch(line, text) for text in within), name
        assert len(summary) <= 61  # what a terminal of 80 columns leaves


def test_a_command_of_no_section_is_listed_all_the_same(monkeypatch):
    monkeypatch.setitem(SECTIONS, "Errors", ("confusion",))
    text = ends("--help").stdout
    assert re.search(r"Commands:\n  misclassified  Show .*\n  diagnose .*\n  explain", text)


@dataclass(frozen=True, kw_only=True)
class Group:
    """A group of options."""

    PANEL = Panel.MODEL

    depth: Annotated[int, typer.Option(metavar="N", help="Of the group.")] = 0
    other: Annotated[
        int, typer.Option(metavar="N", rich_help_panel=Panel.RUN, help="Of its own.")
    ] = 0


@dataclass(frozen=True, kw_only=True)
class Options(Group):
    """Do something."""

    PANEL = Panel.OUTPUT

    where: Annotated[str, typer.Option(metavar="DIR", help="Of the command.")] = "there"


def test_an_option_falls_into_the_panel_of_its_group_unless_it_names_one():
    program = typer.Typer()
    program.command(cls=HelpfulCommand)(as_callback(print, Options))
    panels = {param.name: param.rich_help_panel for param in get_command(program).params}
    own = {name: panels[name] for name in ("depth", "other", "where")}
    assert own == {"depth": Panel.MODEL, "other": Panel.RUN, "where": Panel.OUTPUT}


def test_headings_are_bold_on_a_terminal_alone_and_not_where_colour_is_unwanted(monkeypatch):
    def shown(**options):
        return CliRunner().invoke(app, ["check", "--help"], **options).stdout

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert "\x1b" not in shown()
    on_terminal = shown(color=True)
    assert "\x1b[1mGates:\x1b[0m" in on_terminal
    assert re.sub(r"\x1b\[\d+m", "", on_terminal) == shown()
    monkeypatch.setenv("NO_COLOR", "1")
    assert shown(color=True) == shown()


COMPLETED = [
    ("errlens conf", ["confusion"]),
    ("errlens network pr", ["probe"]),
    ("errlens explain --sel", ["--select"]),
    ("errlens explain --rank ma", ["margin"]),
    ("errlens evaluate --interpolation bi", ["bilinear", "bicubic"]),
    ("errlens confusion runs/", []),  # bash goes on with files
]


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
def test_bash_completes_commands_options_and_choices(tmp_path):
    (tmp_path / "errlens").write_text(f'#!/bin/sh\nexec {sys.executable} -m errlens "$@"\n')
    (tmp_path / "errlens").chmod(0o755)
    lines = [f'PATH={tmp_path}:$PATH; eval "$(errlens --show-completion)"; complete -p errlens']
    for typed, _ in COMPLETED:
        words = typed.split()
        lines += [
            f"COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}",
            '_errlens_completion errlens; echo "${COMPREPLY[*]}"',
        ]
    said = subprocess.run(
        ["bash", "--norc", "-c", "\n".join(lines)], capture_output=True, text=True, check=True
    )
    registered, *completed = said.stdout.splitlines()
    assert registered == "complete -o default -F _errlens_completion errlens"
    assert [line.split() for line in completed] == [words for _, words in COMPLETED]


def test_completion_is_installed_for_the_shell_in_use(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(shellingham, "detect_shell", lambda: ("bash", "/bin/bash"))
    ends("--install-completion")
    assert str(tmp_path / ".bash_completions" / "errlens.sh") in (tmp_path / ".bashrc").read_text()


def test_what_other_shells_show_of_a_proposal_stays_on_its_line(monkeypatch):
    monkeypatch.setenv("_ERRLENS_COMPLETE", "complete_fish")
    monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", "errlens evaluate --")
    lines = call([]).stdout.splitlines()
    assert len(lines) > 40
    assert all(line.startswith("--") for line in lines)


@pytest.mark.parametrize("shell", ["sh", None])
def test_a_shell_without_completion_is_a_usage_error_that_names_those_with(shell, monkeypatch):
    def detected():
        if shell is None:
            raise shellingham.ShellDetectionFailure
        return shell, f"/bin/{shell}"

    monkeypatch.setattr(shellingham, "detect_shell", detected)
    for option in ("--show-completion", "--install-completion"):
        said = ends(option, 2)
        assert "error: completion is for bash, zsh, fish and PowerShell" in said.stderr
