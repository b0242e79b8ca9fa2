from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from errlens.errors.runs import NoLabels
from errlens.escapes import shell_line
from errlens.terminal.prose import commands_in, lines_of

words = st.lists(st.text("ab' ;é", min_size=1, max_size=9), min_size=1, max_size=4)


@given(words, st.integers(10, 200))
def test_a_command_stays_whole_whatever_its_words_hold(options, width):
    command = shell_line(["errlens", "evaluate", "photos", "--model", *options])
    text = f"one makes it; {command} goes on where it was"
    lines = lines_of(text, width)
    assert commands_in(text) == [command]
    assert text in lines or f"    {command}" in lines
    assert all(cell_len(line) <= width for line in lines if command not in line)


@pytest.mark.parametrize(
    "text",
    [
        "errlens import takes the table of predictions",
        "left out pictures that errlens made, in photos",
        "pass --superclasses FILE to errlens confusion, or evaluate with it",
        "errlens analyze or errlens evaluate takes a folder of photos",
        "there is a status that errlens does not know",
    ],
)
def test_a_command_that_is_only_named_is_prose(text):
    assert not commands_in(text)
    assert " ".join(lines_of(text, 30)) == text


def test_a_hint_with_two_commands_has_a_line_for_each():
    hint = NoLabels(Path("runs/my run"), imported=False, labelled=False).hint
    commands = commands_in(hint)
    assert len(commands) == 2
    assert {f"    {command}" for command in commands} <= {*lines_of(hint, 40)}
