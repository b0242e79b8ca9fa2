import json
import os
import pty
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errlens.errors import BadConfig, ErrlensError
from errlens.escapes import printable
from errlens.terminal import Screen, StepScreen, Verdict, relative, show_error


@settings(deadline=None)
@given(st.text())
def test_printable_text_has_no_control_characters_and_is_left_alone(text):
    shown = printable(text)
    assert shown.isprintable()
    assert printable(shown) == shown


def test_results_go_to_stdout_and_remarks_to_stderr(capsys):
    screen = Screen()
    screen.remark("working")
    screen.warn("careful")
    screen.say("result")
    screen.json({"not": "asked for"})
    assert capsys.readouterr() == ("result\n", "working\nwarning: careful\n")


def test_quiet_keeps_warnings(capsys):
    screen = Screen(quiet=True)
    screen.remark("working")
    screen.warn("careful")
    screen.say("result")
    screen.table(("a",), [("b",)])
    with screen.progress("going", total=10) as advance:
        advance(10)
    assert capsys.readouterr() == ("", "warning: careful\n")


def test_json_takes_the_place_of_the_results(capsys):
    screen = Screen(as_json=True)
    screen.say("result")
    screen.json({"näme": 1})
    assert json.loads(capsys.readouterr().out) == {"näme": 1}


def test_a_table_cuts_nothing_and_shows_markup_as_it_is(capsys):
    name = "[bold]" + "x" * 500 + "\n"
    Screen().table(("file", ">n"), [(name, "1"), ("y", "20")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("[bold]" + "x" * 500 + "\\n ")
    assert [line.rstrip()[-2:] for line in lines] == [" n", " 1", "20"]


def test_off_a_terminal_progress_is_a_line_each_tenth(capsys):
    with Screen().progress("going", total=200, done=100) as advance:
        for _ in range(100):
            advance(1)
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "100 of 200 are there from before"
    assert said[1:] == [f"going {done} of 200" for done in (120, 140, 160, 180, 200)]


@settings(deadline=None)
@given(st.text(st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp", "L"])))
def test_no_control_character_reaches_the_terminal_and_nothing_else_changes(text):
    shown = printable(text)
    assert not [char for char in shown if unicodedata.category(char) in {"Cc", "Cf", "Cs"}]
    assert len(shown.splitlines()) <= 1
    kept = "".join(char for char in text if char.isprintable())
    assert (shown == text) == (kept == text)


def test_what_cannot_be_shown_is_written_out():
    assert printable("a\tb\x07\u202e\udcff") == "a\\tb\\x07\\u202e\\udcff"


@pytest.mark.parametrize("name", ["[red]cat[/red]", "[/]", ":smile:", "[link=x]y", "\\[b]", "12 %"])
def test_markup_in_a_name_is_shown_as_it_is_everywhere(name, capsys):
    screen = Screen()
    screen.say(name)
    screen.remark(name)
    screen.warn(name)
    screen.table((name,), [(name,)])
    show_error(ErrlensError(name, hint=name))
    said = capsys.readouterr()
    assert [line.rstrip() for line in said.out.splitlines()] == [name] * 3
    expected = [name, f"warning: {name}", f"error: {name}", f"hint: {name}"]
    assert said.err.splitlines() == expected


def test_an_escape_sequence_in_a_name_reaches_neither_stream(capsys):
    screen, name = Screen(), "a\x1b[2J\r\nb"
    screen.say(name)
    screen.remark(name)
    screen.warn(name)
    screen.table(("file",), [(name,)])
    show_error(BadConfig(name, hint=name, code=[name, name]))
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err
    assert len(said.out.splitlines()) == 3
    assert len(said.err.splitlines()) == 6


def test_a_long_line_is_not_broken(capsys):
    line = "word " * 200 + "end"
    screen = Screen()
    screen.say(line)
    screen.remark(line)
    screen.warn(line)
    said = capsys.readouterr()
    assert said.out == line + "\n"
    assert said.err == f"{line}\nwarning: {line}\n"


cells = st.text(st.characters(categories=["L", "N", "P"], max_codepoint=0x2FF), min_size=1)
tables = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.tuples(*[cells] * width), min_size=1, max_size=5)
)


@settings(deadline=None, max_examples=40)
@given(tables)
def test_every_cell_of_a_table_stands_whole_below_the_head_of_its_column(table):
    names = [f"column{index}" for index in range(len(table[0]))]
    console = Screen()._out
    with console.capture() as captured:
        screen = Screen()
        screen._out = console
        screen.table(names, table)
    head, *lines = captured.get().splitlines()
    starts = [head.index(name) for name in names]
    assert len(lines) == len(table)
    for line, row in zip(lines, table, strict=True):
        for start, end, cell in zip(starts, [*starts[1:], None], row, strict=True):
            assert line[start:end].rstrip() == cell


def test_columns_of_numbers_end_together(capsys):
    Screen().table(("name", ">n"), [("a", "1"), ("b", "1000"), ("c", "22")])
    lines = capsys.readouterr().out.splitlines()
    assert len({len(line.rstrip()) for line in lines}) == 1
    assert lines[0].split() == ["name", "n"]


def test_a_table_without_rows_is_not_shown(capsys):
    Screen().table(("name",), [])
    assert capsys.readouterr() == ("", "")


def test_json_is_one_object_and_no_table(capsys):
    screen = Screen(as_json=True)
    screen.remark("working")
    screen.table(("a",), [("b",)])
    screen.say("result")
    screen.json({"n": 1})
    said = capsys.readouterr()
    assert said.out == '{"n": 1}\n'
    assert said.err == "working\n"


def test_json_comes_also_when_all_else_is_quiet(capsys):
    screen = Screen(as_json=True, quiet=True)
    screen.remark("working")
    screen.json({"n": 1})
    assert capsys.readouterr() == ('{"n": 1}\n', "")


def test_json_that_other_programs_could_not_read_is_refused():
    with pytest.raises(ValueError, match="Out of range"):
        Screen(as_json=True).json({"n": float("nan")})


@pytest.mark.parametrize(
    ("verbose", "quiet", "said"), [(True, False, "d\n"), (False, False, ""), (True, True, "")]
)
def test_details_are_for_those_who_ask(verbose, quiet, said, capsys):
    Screen(verbose=verbose, quiet=quiet).detail("d")
    assert capsys.readouterr() == ("", said)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=60))
def test_progress_takes_at_most_ten_lines_and_ends_with_the_whole(steps):
    said, total = [], sum(steps)
    screen = Screen()
    screen.remark = said.append
    with screen.progress("going", total=total) as advance:
        for step in steps:
            advance(step)
    assert 1 <= len(said) <= 10
    assert said[-1] == f"going {total} of {total}"
    done = [int(line.split()[1]) for line in said]
    assert done == sorted(set(done))


def test_work_that_is_all_done_takes_no_line_of_progress(capsys):
    with Screen().progress("going", total=10, done=10):
        pass
    assert capsys.readouterr() == ("", "10 of 10 are there from before\n")
    with Screen().progress("going", total=0) as advance:
        advance(0)
    assert capsys.readouterr() == ("", "")


def test_a_failure_goes_to_stderr_with_its_hint_if_it_has_one(capsys):
    show_error(BadConfig("it is wrong"))
    assert capsys.readouterr() == ("", "error: it is wrong\n")
    show_error(BadConfig("it is wrong", hint="put it right"))
    assert capsys.readouterr() == ("", "error: it is wrong\nhint: put it right\n")


def test_a_path_is_as_short_as_it_can_be_read_from_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert relative(tmp_path / "run" / "a.csv") == str(Path("run", "a.csv"))
    assert relative(Path("run")) == "run"
    assert relative(tmp_path.parent / "other") == str(tmp_path.parent / "other")


def test_heads_of_a_table_are_escaped_and_may_start_with_anything(capsys):
    Screen().table(("<>a\x1b[31m\u202e", ">n", "[red]x[/red]"), [("b", "1", "c")])
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == [r">a\x1b[31m\u202e", "n", "[red]x[/red]"]
    assert row.split() == ["b", "1", "c"]


def test_json_for_a_terminal_holds_nothing_that_moves_its_cursor(capsys):
    Screen(as_json=True).json({"name": "\x9b31m\x7f\u202e\udcff", "loss": float("inf")})
    said = capsys.readouterr().out
    assert said.strip().isprintable()
    assert json.loads(said) == {"name": "\x9b31m\x7f\u202e\udcff", "loss": None}


def test_sentences_are_broken_between_words_where_the_terminal_is_narrow(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "24")
    screen, sentence = Screen(), "found 185 images in all of the 37 classes"
    screen.say(sentence)
    screen.remark(sentence)
    screen.warn(sentence)
    said = capsys.readouterr()
    assert said.out == "found 185 images in all\nof the 37 classes\n"
    assert said.err.startswith(f"{said.out}warning: found 185\nimages in all of the 37\n")


def test_a_line_to_be_copied_is_left_whole(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "24")
    command = "Next: errlens misclassified run --select 'a long name~b'"
    Screen().whole(command)
    assert capsys.readouterr().out == f"{command}\n"


def test_columns_without_room_are_named_once(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    screen, heads = Screen(), ("class", ">lift", ">95 % interval")
    for _ in range(2):
        screen.table(
            heads, [("x" * 16, "9.0", "1.0 to 2.0 %")], gives_way=heads[:0:-1], file="a.csv"
        )
    screen.table(heads, [("x" * 16, "9.0", "1.0 to 2.0 %")], gives_way=heads[1:2])
    said = capsys.readouterr().out
    assert said.count("no room for 95 % interval: see\na.csv") == 1
    assert said.count("no room for lift: a wider\nterminal shows more") == 1


@pytest.mark.parametrize("without", [None, "NO_COLOR"])
def test_verdicts_are_coloured_on_terminals_that_want_it(without, capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if without:
        monkeypatch.setenv(without, "1")
    screen = Screen()
    screen.table(("", "gate"), [(Verdict("FAIL", passed=False), "top1")])
    screen.say("PASSED: 1 gate", passed=True)
    said = capsys.readouterr().out
    green, red = "\x1b[32m", "\x1b[1;31m"
    assert (red in said, green in said) == (not without, not without)
    assert re.sub(r"\x1b\[[\d;]*m", "", said).splitlines()[1:] == ["FAIL   top1", "PASSED: 1 gate"]


def test_what_goes_to_a_file_has_no_colour_and_no_width(capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    name = "x" * 300
    Screen().table(("", "gate"), [(Verdict("FAIL", passed=False), name)])
    assert capsys.readouterr().out == f"       gate\nFAIL   {name}\n"


def test_off_a_terminal_a_path_is_a_word_as_a_shell_reads_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Screen().say_place("The page: ", tmp_path / "my run" / "a\x1b.html", " (1 kB)")
    assert capsys.readouterr().out == "The page: $'my run/a\\x1b.html' (1 kB)\n"
    Screen(quiet=True).say_place("The page: ", tmp_path)
    Screen(as_json=True).say_place("The page: ", tmp_path)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("terminal", "has_links"), [("xterm-256color", True), ("dumb", False)])
def test_a_terminal_can_follow_a_path(terminal, has_links, tmp_path):
    ours, theirs = pty.openpty()
    code = (
        "from pathlib import Path; from errlens.terminal import Screen; "
        "Screen().say_place('The page: ', Path('my run/50 % ü.html'), '.')"
    )
    environment = {**os.environ, "TERM": terminal, "NO_COLOR": "1"}
    subprocess.run(
        [sys.executable, "-c", code], stdout=theirs, cwd=tmp_path, env=environment, check=True
    )
    said = os.read(ours, 10_000).decode()
    os.close(ours)
    os.close(theirs)
    address = f"{tmp_path.as_uri()}/my%20run/50%20%25%20%C3%BC.html"
    assert said.startswith("The page: ")
    assert "'my run/50 % ü.html'" in said  # what is seen, whether it can be followed or not
    assert (f";{address}\x1b\\" in said) == has_links
    assert ("\x1b" in said) == has_links


def test_a_step_shows_what_is_essential_and_keeps_its_object(capsys):
    whole = Screen()
    step = StepScreen(whole)
    step.say("a detail")
    step.table(("a",), [("b",)])
    step.essential.say("the essence")
    step.step("confusion", "2 pairs")
    step.json({"n": 1})
    step.warn("careful")
    assert capsys.readouterr() == (
        "the essence\nconfusion      2 pairs\n",
        "warning: careful\n",
    )
    assert step.tree == {"n": 1}
    whole.step("confusion", "is no step here")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("speak", [Screen().warn, Screen().remark, Screen().say])
def test_a_command_inside_a_sentence_stands_on_a_line_of_its_own(speak, capfd, monkeypatch):
    monkeypatch.setenv("COLUMNS", "24")
    command = "errlens evaluate 'other photos' --limit 100 --model resnet50"
    speak(f"only few are right: {command}; that tells more")
    said = "".join(capfd.readouterr()).removeprefix("warning: ").replace("\nright", " right")
    assert said == f"only few are right:\n    {command}\nthat tells more\n"


def test_an_error_and_its_hint_are_broken_between_words(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "24")
    show_error(
        BadConfig(
            "'photos' holds no image at all",
            hint="pass other photos, or errlens evaluate 'other photos' --overwrite makes it anew",
        )
    )
    assert capsys.readouterr().err == (
        "error: 'photos' holds no\nimage at all\n"
        "hint: pass other photos,\nor\n    errlens evaluate 'other photos' --overwrite\n"
        "makes it anew\n"
    )
