import dataclasses
import shlex
from pathlib import Path

import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from errlens.commands.atlas.render.options import RenderOptions
from errlens.commands.compare.options import CompareOptions
from errlens.commands.evaluate.options import EvaluateOptions
from errlens.commands.options.invocation import INVOCATION
from errlens.commands.options.shell import as_callback, command_line
from errlens.escapes import is_printable

# What cannot be seen is written for bash, which the shlex of Python cannot read.
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1).filter(
    lambda text: not text.startswith("-") and text.strip() == text and is_printable(text)
)
fractions = st.floats(0.01, 1).map(lambda value: round(value, 3))
colours = st.none() | st.tuples(fractions, fractions, fractions)


@settings(deadline=None, max_examples=50)
@given(
    st.builds(
        EvaluateOptions,
        data=words.map(Path),
        model=st.none() | words,
        model_kwargs=st.none() | st.lists(words, min_size=1, max_size=3),
        classes=st.none() | words.map(Path),
        img_size=st.none() | st.integers(1, 999),
        crop_pct=st.none() | fractions,
        crop_mode=st.sampled_from([None, "squash"]),
        mean=colours,
        exif=st.booleans(),
        allow_unknown=st.booleans(),
        out=st.none() | words.map(Path),
    )
)
def test_a_command_that_was_written_gives_its_options(options):
    seen = []
    app = typer.Typer()
    app.command()(as_callback(seen.append, EvaluateOptions))
    program, command, *arguments = shlex.split(
        command_line("evaluate", options, without=INVOCATION)
    )
    assert (program, command) == ("errlens", "evaluate")
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert seen == [options]


def test_what_belongs_to_one_invocation_is_left_out():
    options = EvaluateOptions(data=Path("a b"), json=True, overwrite=True, quiet=True)
    assert command_line("evaluate", options, without=INVOCATION) == "errlens evaluate 'a b'"
    kept = dataclasses.replace(options, exif=True)
    assert command_line("evaluate", kept, without=INVOCATION).endswith("--exif")


def test_an_option_is_written_as_it_is_typed_not_as_its_field_is_called():
    options = CompareOptions(runs=[Path("old")], into=Path("there"))
    assert command_line("compare", options, without=INVOCATION).endswith(" --out there")


def test_what_is_on_unless_it_is_switched_off_is_written_and_read_as_that():
    for labels, written in (
        (True, "errlens atlas render"),
        (False, "errlens atlas render --no-labels"),
    ):
        options = RenderOptions(labels=labels)
        assert command_line("atlas render", options, without=INVOCATION) == written
        seen = []
        app = typer.Typer()
        app.command()(as_callback(seen.append, RenderOptions))
        CliRunner().invoke(app, shlex.split(written)[3:])
        assert seen == [options]
