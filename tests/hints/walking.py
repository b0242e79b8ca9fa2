"""Following hints: a command is typed, its failure read, and what it proposes is done."""

import re
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import pytest
from typer.testing import Result

from errlens.errors import ErrlensError
from errlens.terminal.prose import commands_in
from tests.conftest import call
from tests.hints.inventory import places

GATE_FAILED = 1
CRASHED = 70

# In which folder a test is: see conftest.py.
IN_TABLES = pytest.mark.usefixtures("tables")
IN_PHOTOS = pytest.mark.usefixtures("photos_here")


@dataclass(frozen=True)
class Said:
    """What a command said: all of it, and the hint in its end."""

    text: str
    hint: str = ""

    def command(self, end: str = "", **filled: object) -> list[str]:
        """Return the command that is proposed, up to the words `end`, read as a shell would.

        Words in capitals are the user's to fill in: `filled` says by what.
        """
        _, errlens, rest = (self.hint or self.text).partition("errlens ")
        assert errlens, f"no command is proposed: {self.text}"
        shown, ended, _ = rest.partition(end) if end else (rest.splitlines()[0], "-", "")
        assert ended, f"{end!r} does not follow the command: {self.text}"
        if " " in shown.strip():  # else the command is only named
            assert f"errlens {shown}".strip() in commands_in(self.hint or self.text)
        words = [str(filled.get(word, word)) for word in shlex.split(shown)]
        blanks = [word for word in words if re.fullmatch(r"[A-Z_]{3,}", word)]
        assert not blanks, f"nobody knows what {blanks} stand for"
        return words

    def near(self) -> list[str]:
        """Return what may have been meant."""
        found = re.search(r"did you mean (.*)\?", self.hint or self.text)
        assert found, f"nothing is proposed: {self.text}"
        return [shlex.split(name)[0] for name in found[1].split(", ")]


@dataclass
class Walk:
    """Types commands in a folder, and knows where in the code a hint was written."""

    monkeypatch: pytest.MonkeyPatch
    stacks: list[list[tuple[str, int]]] = field(default_factory=list)

    def call(self, command: str | Sequence[object]) -> Result:
        """Run a command, as one that was typed: a run remembers it."""
        words = shlex.split(command) if isinstance(command, str) else [*map(str, command)]
        self.monkeypatch.setattr(sys, "argv", ["errlens", *words])
        return call(words)

    def ends(self, command: str | Sequence[object], *, says: str = "") -> Said:
        """Run a command that has to come to its end; a gate may have failed."""
        result = self.call(command)
        assert result.exit_code in (0, GATE_FAILED), result.output
        assert says in result.output, result.output
        return Said(result.output)

    def refused(self, command: str | Sequence[object], at: str = "", *, until: int = 3) -> Said:
        """Run a command that cannot go on, and make sure that its hint was written at a place."""
        self.stacks.clear()
        result = self.call(command)
        assert result.exit_code in (2, until), result.output
        hint = re.search(r"^hint: (.*)", result.stderr, re.MULTILINE | re.DOTALL)
        assert hint, f"there is no hint: {result.stderr}"
        if at:
            self._require_written(at, result.stderr)
        return Said(result.stderr, hint[1].strip())

    def fails(self, function: Callable[[], object], at: str) -> Said:
        """Call a function of Python that cannot go on, as `refused` does for a command."""
        self.stacks.clear()
        with pytest.raises(ErrlensError) as failure:
            function()
        self._require_written(at, str(failure.value))
        return Said(str(failure.value), failure.value.hint)

    def goes_on(self, command: str | Sequence[object], *, past: str) -> None:
        """Run a command that may fail later on, but not where it did before."""
        self.stacks.clear()
        result = self.call(command)
        assert result.exit_code != CRASHED, result.output
        assert not self._was_written(past), result.output

    def _require_written(self, at: str, said: str) -> None:
        assert self._was_written(at), f"{at} did not write this hint: {said}"

    def _was_written(self, at: str) -> bool:
        place = places()[at]
        return any(place.is_at(*frame) for stack in self.stacks for frame in stack)

    def hint_written(self) -> None:
        """Keep the lines of the program from which an error was given its hint."""
        self.stacks.append([*_lines(sys._getframe(1))])


def _lines(frame: FrameType | None) -> list[tuple[str, int]]:
    lines = []
    while frame:
        lines.append((frame.f_code.co_filename, frame.f_lineno))
        frame = frame.f_back
    return lines


def replaced(command: str, wrong: str, right: str) -> list[str]:
    """Return a command in words, with one of them put right."""
    words = shlex.split(command)
    assert any(wrong in word for word in words)
    return [word.replace(wrong, right) for word in words]


def moved_away(path: str | Path) -> None:
    """Do what a hint asks for that names a file in the way."""
    Path(path).rename(f"{path}.away")


class Row(NamedTuple):
    """A hint that is followed by typing one more command.

    `at` is where it was written, `typed` what was refused, `taken` the words of the hint that the
    user takes over into `follows`, where they stand for `{}`. Words in capitals are filled in; then
    the first command may have to be typed `again`.
    """

    at: str
    typed: str
    taken: str
    follows: str
    fill: Mapping[str, str] = {}
    then: str = ""

    def __str__(self) -> str:
        return f"{self.typed} ({self.taken})"

    def follow(self, walk: Walk) -> None:
        """Be refused, read the hint, and do what it says."""
        said = walk.refused(self.typed, self.at)
        assert self.taken in said.hint, said.text
        words = shlex.split(self.follows.format(self.taken).removeprefix("errlens "))
        walk.ends([self.fill.get(word, word) for word in words])
        if self.then:
            walk.ends(self.typed)
