"""What stands behind `errlens atlas class` and `compare`: a run, or none, and names of classes."""

from collections.abc import Sequence

from errlens.commands.options.selecting import RunArgument
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
