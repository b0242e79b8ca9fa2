"""Everything a person sees: results on stdout; progress, remarks and errors on stderr."""

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from textwrap import wrap
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.style import Style
from rich.table import Table
from rich.text import Text

from errlens.errors import ErrlensError
from errlens.escapes import json_text, printable, shell_line
from errlens.formats import count, of

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
        # So wide that Rich cuts no line: the terminal itself breaks long ones, and nothing is lost.
        self._out = Console(highlight=False, markup=False, emoji=False, width=100_000)
        self._err = _stderr()
        self.essential: Screen = self

    def remark(self, text: str) -> None:
        """Say what is going on."""
        if not self._quiet:
            self._err.print(printable(text), style="dim")

    def detail(self, text: str) -> None:
        """Say what only some want to know."""
        if self._verbose:
            self.remark(text)

    def warn(self, text: str) -> None:
        """Say what may make the results wrong."""
        self._err.print(Text.assemble(("warning: ", "yellow"), printable(text)))

    def say(self, text: str = "") -> None:
        """Print a line of the results."""
        if self._shows_results:
            self._out.print(printable(text))

    def say_sentence(self, text: str) -> None:
        """Print a sentence, which a terminal is not to break inside words and numbers."""
        lines = [text]
        if self._out.is_terminal:
            width = shutil.get_terminal_size().columns
            lines = wrap(text, width, break_long_words=False, break_on_hyphens=False)
        for line in lines:
            self.say(line)

    def say_place(self, before: str, path: Path, after: str = "") -> None:
        """Print a line with a path, which terminals make clickable; elsewhere it is plain text."""
        if self._shows_results:
            link = Style(link=path.absolute().as_uri())
            written = (shell_line([relative(path)]), link)
            self._out.print(Text.assemble(printable(before), written, printable(after)))

    def step(self, name: str, text: str) -> None:
        """Say in a line what a command came to, where it is a step among others."""

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print rows of text; columns whose name starts with `>` are set to the right.

        A name that may start with anything is led in by a `<`.
        """
        if not (self._shows_results and rows):
            return
        table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
        for name in columns:
            right = name.startswith(">")
            head = Text(printable(name[name[:1] in ("<", ">") :]))
            table.add_column(head, justify="right" if right else "left", no_wrap=True)
        for row in rows:
            table.add_row(*(Text(printable(cell)) for cell in row))
        self._out.print(table)

    def json(self, tree: Mapping[str, Any]) -> None:
        """Print the one object that stands for the results, where it was asked for."""
        if self._as_json:
            sys.stdout.write(json_text(tree) + "\n")

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
    def _shows_results(self) -> bool:
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
        self.essential.say(f"{name:<{_STEP_WIDTH}}{text}")

    def json(self, tree: Mapping[str, Any]) -> None:
        """Keep the object that stands for the results."""
        self.tree = dict(tree)


def show_error(error: ErrlensError) -> None:
    """Print a foreseeable failure: what happened, and what to do."""
    console = _stderr()
    console.print(Text.assemble(("error: ", "bold red"), printable(str(error))))
    if error.hint:
        console.print(Text.assemble(("hint: ", "bold"), printable(error.hint)))
    for line in error.code:
        console.print("    " + printable(line))


def relative(path: Path) -> str:
    """Write a path as short as it can be read from here."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _stderr() -> Console:
    return Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


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
