import subprocess
import sys
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from errlens.commands import registry
from errlens.commands.options.invocation import OutputOptions
from errlens.commands.registry import COMMANDS


@pytest.fixture
def said(monkeypatch):
    """What a terminal is told while a command is imported."""
    told = []

    @contextmanager
    def passing_line(text):
        told.append(text())
        yield

    monkeypatch.setattr(registry, "passing_line", passing_line)
    return told


@pytest.fixture
def command(monkeypatch):
    """A command that does nothing."""
    done = SimpleNamespace(nothing=lambda options: options)
    monkeypatch.setattr(registry, "import_module", lambda _name: done)
    return registry.Command(OutputOptions, "none", "nothing")


def test_a_command_says_which_library_it_is_loading(said, command, monkeypatch):
    modules = dict.fromkeys(["os", "pandas", "torch", "torch.nn"])
    monkeypatch.setattr(registry, "sys", SimpleNamespace(modules=modules))
    command.run(OutputOptions())
    assert said == ["loading torch ..."]


def test_a_quiet_command_does_not_say_what_it_is_loading(said, command):
    command.run(OutputOptions(quiet=True))
    assert said == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_quiet(name):
    assert "quiet" in COMMANDS[name].options.__dataclass_fields__


def test_libraries_are_imported_without_a_search_for_garbage_which_goes_on_afterwards():
    script = (
        "import gc\n"
        "from errlens.commands.registry import COMMANDS\n"
        "searched = []\n"
        "gc.callbacks.append(lambda phase, about: searched.append(phase))\n"
        "COMMANDS['confusion'].load(quiet=True)\n"
        "print(len(searched), gc.isenabled(), gc.get_freeze_count() > 100_000)\n"
        "before = gc.get_freeze_count()\n"
        "COMMANDS['confusion'].load(quiet=True)\n"
        "print(gc.get_freeze_count() <= before)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert said.stdout.split("\n")[:2] == ["0 True True", "True"]
