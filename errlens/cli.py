"""The `errlens` program: its commands, and the one place where failures become exit codes."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final

import typer

from errlens import __version__
from errlens.commands.options.help import HelpfulCommand, HelpfulGroup
from errlens.commands.options.shell import as_callback
from errlens.commands.registry import COMMANDS, SECTIONS
from errlens.errors import (
    NOT_OURS,
    ErrlensError,
    Interrupted,
    OutOfReach,
    UnfitOption,
    UsageError,
    did_you_mean,
    nearest,
)
from errlens.signals import (
    exit_code_of_stop,
    leave_stopped,
    leaves_at_once,
    stop_on_signals,
)
from errlens.streams import outlive_readers

BUG = 70  # EX_SOFTWARE: nothing the user did
_USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]  # Typer keeps the class to itself


class ErrlensGroup(HelpfulGroup):
    """Commands whose foreseeable failures end as a sentence, and whose bugs keep a traceback."""

    sections = SECTIONS

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Read the options in front of the command."""
        try:
            with _usage_errors_as_ours():
                return super().make_context(*args, **kwargs)
        except typer.Exit as end:
            if not end.exit_code:
                raise
            raise UnfitOption(
                "completion is for bash, zsh, fish and PowerShell",
                hint="type the same command in one of these shells",
            ) from None

    def invoke(self, ctx: Any) -> Any:
        """Run a command; catch what Typer would turn into exit codes of its own."""
        try:
            with _usage_errors_as_ours():
                return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Interrupted("stopped") from None
        except (EOFError, BrokenPipeError) as error:
            raise RuntimeError("nobody expected the end of a file or pipe here") from error

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command inside the program's only catch of `ErrlensError`."""
        try:
            try:
                return super().main(*args, **kwargs)
            finally:
                sys.stdout.flush()  # a full disk may show only now
        except ErrlensError as error:
            sys.exit(_show_failure(error))
        except OSError as error:
            if error.errno not in NOT_OURS:
                traceback.print_exc()
                sys.exit(BUG)
            sys.exit(_show_failure(OutOfReach(error)))
        except Exception:  # noqa: BLE001 - a bug must not look like the failure of a gate
            traceback.print_exc()
            sys.exit(BUG)


def _show_failure(error: ErrlensError) -> int:
    """Show a failure and return its exit code."""
    from errlens.terminal import show_error

    show_error(error)
    return exit_code_of_stop() if isinstance(error, Interrupted) else error.exit_code


@contextmanager
def _usage_errors_as_ours() -> Iterator[None]:
    """Let what Typer finds wrong with the words of a command end like every other failure."""
    try:
        yield
    except _USAGE_ERROR as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # whose message is the help, in many lines
            raise
        raise _our_usage_error(error) from None


def _our_usage_error(error: Any) -> UsageError:
    """Return a mistake in the words of a command, and how these are."""
    error.message = _in_plain_words(error)
    text: str = error.format_message().rstrip(".").replace("argument(s)", "arguments")
    command = error.ctx.command_path if error.ctx else "errlens"
    return UsageError(text[:1].lower() + text[1:], hint=f"{command} --help says how it is used")


def _in_plain_words(error: Any) -> str:
    """Return what is wrong with a value, without the words of the library that found it."""
    text: str = error.message.removeprefix("Value error, ").partition(", unable to parse")[0]
    text = text.replace("Input should be", "it should be", 1).replace(
        "valid integer", "whole number"
    )
    option = getattr(error, "param", None)
    if text.startswith("it should be") and option and option.nargs > 1:
        text += f"; {option.metavar} are {option.nargs} values with blanks between them"
    value, is_choice, choices = text.partition(" is not one of ")
    near = nearest(value.strip("'"), [word.strip("'. ") for word in choices.split(",")])
    return f"{text} {did_you_mean(near)}".rstrip() if is_choice else text


_HELP = """Error analysis for image classifiers: which images are wrong, and why.

Examples:
    errlens run configs/sample.yaml
    errlens analyze photos/val --model resnet50
    errlens explain --help
"""

app = typer.Typer(
    name="errlens",
    help=_HELP,
    cls=ErrlensGroup,
    context_settings={"help_option_names": ["--help", "-h"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - Typer's signature
    if wanted:
        typer.echo(f"errlens {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    del version  # its callback has done the work


network = typer.Typer(
    name="network",
    help="Look inside a network, or fit a head for other classes on it.",
    cls=HelpfulGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
)
atlas = typer.Typer(
    name="atlas",
    help="Map what a layer sees, class by class, and test suspicions.",
    cls=HelpfulGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
)
_GROUPS: Final = {"network": network, "atlas": atlas}
for _group_of_commands in _GROUPS.values():
    app.add_typer(_group_of_commands)


@network.callback()
@atlas.callback()
def _group_alone() -> None:
    """Keep the name of a command in front of its options, also while there is only one."""


for _name, _command in COMMANDS.items():
    *_group, _word = _name.split()
    _place = _GROUPS[_group[0]] if _group else app
    _place.command(_word, cls=HelpfulCommand)(as_callback(_command.run, _command.options))


def main() -> None:
    """Run the program."""
    outlive_readers()
    stop_on_signals()
    try:
        app(prog_name="errlens")  # also for `python -m errlens`: completion is for this word
    except SystemExit as end:
        if leaves_at_once(end.code):
            leave_stopped(end.code if isinstance(end.code, int) else 0)
        raise
