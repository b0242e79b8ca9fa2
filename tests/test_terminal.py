import json

from hypothesis import given
from hypothesis import strategies as st

from errlens.terminal import Screen, printable


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
