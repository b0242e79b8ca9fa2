"""What `errlens atlas class` and `compare` are told, and of what a refusal speaks."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from errlens.commands.options.selecting import RunArgument
from errlens.errors import InputError, UnfitOption
from errlens.run.folder import RunFolder, newest_run
from errlens.run.places import DEFAULT_RUNS
from errlens.terminal import Screen


def run_and_words(
    options: RunArgument, screen: Screen, words: Sequence[str]
) -> tuple[RunFolder, list[str]]:
    """Return the run, and what was typed behind it.

    Where the first word is no folder, it may be meant as what follows the run: then that is the
    newest one, as where none is named.
    """
    first = options.run
    if first is None or first.exists() or not any(DEFAULT_RUNS.glob("*/run.json")):
        return options.open_run(screen), [*words]
    newest = newest_run(DEFAULT_RUNS)
    name = str(first)
    classes = newest.info.classes
    if classes.called(name) is None and "~" not in name:
        return options.open_run(screen), [*words]
    newest.require_complete()
    screen.remark(f"the newest run: {newest.path}")
    return newest, [name, *words]


@contextmanager
def concerning(what: str) -> Iterator[None]:
    """Say of what a map was to be, where it cannot be drawn: a command draws several."""
    try:
        yield
    except (InputError, UnfitOption) as error:
        error.args = (f"{what}: {error.args[0]}",)
        raise
