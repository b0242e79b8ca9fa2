"""What may be called anything can be shown, copied and read back, and does nothing."""

import json
import os
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errlens.escapes import cell, is_printable, json_text, printable, shell_line, text_of

NASTY = [
    "\x1b[2J", "\x07", "\x9b31m", "\x7f", "\n", "\r", "\t", "\u202e", "\u2066", "\u200b", "\u200d",
    "\ufeff", "\u2028", "\u2029", "\xad", "\ufe0f", "\u3164", "\u2800", "\U000e0041", "\udcff",
    "\x1b]8;;https://x.org\x1b\\here\x1b]8;;\x1b\\", "'\x1b", "\\\x1b", "$'\x1b'", "a\x1bf",
]  # fmt: skip
texts = st.text() | st.lists(st.sampled_from(["a", "'", "\\", "\\x1b", *NASTY])).map("".join)


@given(texts)
def test_nothing_is_left_that_could_do_anything(text):
    for written in (printable(text), shell_line([text, "b"]), cell(text), json_text({"a": text})):
        assert is_printable(written)
        assert all(
            unicodedata.category(letter)[0] != "C"
            and unicodedata.category(letter) not in ("Zl", "Zp")
            for letter in written
        )


@given(texts)
def test_cells_and_json_are_read_back_as_they_were(text):
    assert text_of(cell(text)) == text or text.startswith("$'")
    assert json.loads(json_text([text])) == [text]


@pytest.mark.parametrize("text", ["Müller", "猫", "naïve café", "İstanbul", "a b", "x\\y", "$x$"])
def test_what_is_seen_stays_as_it_is(text):
    assert printable(text) == cell(text) == text


@settings(deadline=None, max_examples=25)
@given(st.lists(texts.map(lambda text: text.replace("\0", "")), min_size=1, max_size=4))
def test_bash_reads_a_command_as_it_was_meant_whatever_its_locale(words):
    words = [word.encode("utf-8", "replace").decode() for word in words]
    program = "import os, sys; os.write(1, b'\\0'.join(map(os.fsencode, sys.argv[1:])))"
    line = shell_line([sys.executable, "-c", program, *words])
    said = subprocess.run(
        ["bash", "-c", line],
        capture_output=True,
        env={"LC_ALL": "C", "PATH": os.defpath},
        check=True,
    )
    assert said.stdout == b"\0".join(word.encode() for word in words)


def test_a_byte_that_is_no_utf8_reaches_the_shell_as_it_is():
    assert shell_line(["caf\udce9"]) == r"$'caf\xe9'"


def test_what_is_infinite_has_no_word_in_json():
    assert json_text({"a": [float("inf"), -float("inf"), 1.5]}) == '{"a": [null, null, 1.5]}'
    with pytest.raises(ValueError, match="JSON"):
        json_text({"a": float("nan")})


def test_indented_json_keeps_its_lines():
    assert json_text({"a": "b\n\x1b"}, indent=2) == '{\n  "a": "b\\n\\u001b"\n}'
