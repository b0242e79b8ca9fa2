"""The screen: results on stdout; progress, remarks and errors on stderr."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.style import Style
from rich.text import Text

from errlens.errors import ErrlensError
from errlens.escapes import json_text, printable, shell_line
from errlens.formats import count, of
from errlens.terminal.columns import NO_LIMIT, Cell, Verdict
from errlens.terminal.prose import lines_of
from errlens.terminal.tables import fitted

_STEP_WIDTH: Final = 15  # the longest name of a command, and two blanks

# What shows how far a long piece of work is: the `progress` of a screen, or nothing at all.
StartProgress = Callable[..., AbstractContextManager[Callable[[int], None]]]


class Screen:
    """The terminal as one command uses it.

    `quiet` silences progress, remarks and results, never warnings; `as_json` puts one object on
    stdout in place of the results. What is `essential` is also shown of a step among others.
    """

    def __init__(
        self, *, quiet: bool = False, verbose: bool = False, as_json: bool = False
    ) -> None:
        self._quiet = quiet
        self._verbose = verbose
        self._as_json = as_json
        self._out = _console(stderr=False)
        self._err = _console(stderr=True)
        self._said: set[str] = set()
        self.essential: Screen = self

    def remark(self, text: str) -> None:
        """Say what is going on."""
        if not self._quiet:
            self._err.print(_between_words(printable(text), sys.stderr), style="dim")

    def detail(self, text: str) -> None:
        """Say what only some want to know."""
        if self._verbose:
            self.remark(text)

    def warn(self, text: str) -> None:
        """Say what may make the results wrong."""
        lines = _between_words(f"warning: {printable(text)}", sys.stderr)
        self._err.print(Text.assemble((lines[:8], "yellow"), lines[8:]))

    def say(self, text: str = "", *, passed: bool | None = None) -> None:
        """Print a sentence of the results, broken between its words where it is a long one.

        One that says whether something is as it was asked for has the colour of it.
        """
        if self.shows_results:
            style = None if passed is None else Verdict(text, passed).style
            self._out.print(_between_words(printable(text), sys.stdout), style=style)

    def say_place(self, before: str, path: Path, after: str = "") -> None:
        """Print a line with a path, which terminals make clickable; elsewhere it is plain text."""
        if self.shows_results:
            link = Style(link=path.absolute().as_uri())
            written = (shell_line([relative(path)]), link)
            self._out.print(Text.assemble(printable(before), written, printable(after)))

    def step(self, name: str, text: str) -> None:
        """Say in a line what a command came to, where it is a step among others."""

    def whole(self, line: str) -> None:
        """Print a line that is copied, like a command: it has no line breaks of ours."""
        if self.shows_results:
            self._out.print(printable(line))

    def essence(self, line: str) -> None:
        """Print a line that a command is called for, also where it is quiet, and at once."""
        if not self._as_json:
            self._out.print(printable(line))

    def table(
        self,
        heads: Sequence[str],
        rows: Sequence[Sequence[Cell]],
        *,
        gives_way: Sequence[str] = (),
        prose: Sequence[str] = (),
        whole: Sequence[str] = (),
        file: str = "",
    ) -> None:
        """Print a table, as `fitted` lays it out.

        Columns that there is no room for are named; `file` has them.
        """
        if not (self.shows_results and rows):
            return
        width = _columns(sys.stdout)
        table = fitted(heads, rows, width, gives_way=gives_way, prose=prose, whole=whole)
        for line in table.lines:
            self._out.print(Text.assemble(*line))
        if table.left_out:
            where = f"see {file}" if file else "a wider terminal shows more"
            self._say_once(f"no room for {', '.join(table.left_out)}: {where}")

    def _say_once(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self.say(text)

    def json(self, tree: Mapping[str, Any]) -> None:
        """Print the one object that stands for the results, where it was asked for."""
        if self._as_json:
            sys.stdout.write(json_text(tree) + "\n")
            sys.stdout.flush()  # what goes on for hours says at once where it is

    @contextmanager
    def progress(self, what: str, *, total: int, done: int = 0) -> Iterator[Callable[[int], None]]:
        """Show how far a long piece of work is; the function given is told of each step forward."""
        what = printable(what)
        if done:
            self.remark(f"{of(done, total)} are there from before")
        if self._quiet:
            yield lambda _step: None
        elif self._err.is_terminal:
            with Progress(*_bar_columns(), console=self._err, transient=True) as bar:
                task = bar.add_task(what, total=total, completed=done)
                yield lambda step: bar.advance(task, step)
        else:
            yield self._lines_of_progress(what, total=total, done=done)

    def _lines_of_progress(self, what: str, *, total: int, done: int) -> Callable[[int], None]:
        """Return a function that prints a plain line every tenth of the way."""
        state = {"done": done, "tenth": 10 * done // max(total, 1)}

        def advance(step: int) -> None:
            state["done"] += step
            tenth = 10 * state["done"] // max(total, 1)
            if tenth > state["tenth"]:
                state["tenth"] = tenth
                self.remark(f"{what} {of(state['done'], total)}")

        return advance

    @property
    def shows_results(self) -> bool:
        """Whether people see the results."""
        return not (self._quiet or self._as_json)


class StepScreen(Screen):
    """The terminal as a command uses it that is a step among others.

    It shows what is essential, keeps the object that stands for the result as `tree`, and suggests
    no next command.
    """

    def __init__(self, whole: Screen) -> None:
        super().__init__(quiet=whole._quiet, verbose=whole._verbose, as_json=True)
        self.essential = whole
        self.tree: dict[str, Any] | None = None

    def step(self, name: str, text: str) -> None:
        """Say in a line what the command came to."""
        self.essential.say(f"{name:<{_STEP_WIDTH - 1}} {text}")

    def json(self, tree: Mapping[str, Any]) -> None:
        """Keep the object that stands for the results."""
        self.tree = dict(tree)


def show_error(error: ErrlensError) -> None:
    """Print a foreseeable failure: what happened, and what to do."""
    console = _console(stderr=True)
    lines = _between_words(f"error: {printable(str(error))}", sys.stderr)
    console.print(Text.assemble((lines[:6], "bold red"), lines[6:]))
    if error.hint:
        lines = _between_words(f"hint: {printable(error.hint)}", sys.stderr)
        console.print(Text.assemble((lines[:5], "bold"), lines[5:]))
    for line in error.code:
        console.print("    " + printable(line))


def relative(path: Path) -> str:
    """Write a path as short as it can be read from here."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def folder_named(path: Path) -> str:
    """Write a folder as `relative` does, and in words where that is but a dot."""
    short = relative(path)
    return "this folder" if short == "." else short


def _console(*, stderr: bool) -> Console:
    """Return a stream whose lines Rich does not break."""
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)


def _columns(stream: TextIO) -> int:
    """Return how wide lines may be; in a file, or on their way to a program, as wide as they are.

    COLUMNS counts everywhere.
    """
    if not (stream.isatty() or os.environ.get("COLUMNS")):
        return NO_LIMIT
    return shutil.get_terminal_size((NO_LIMIT, 0)).columns


def _between_words(text: str, stream: TextIO) -> str:
    """Break a sentence between its words, where the terminal would within one of them."""
    return "\n".join(lines_of(text, _columns(stream)))


class _Rate(ProgressColumn):
    """Images a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{count(task.speed)} images/s" if task.speed else "")


def _bar_columns() -> list[ProgressColumn]:
    return [
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f}"),
        _Rate(),
        TimeRemainingColumn(),
    ]
