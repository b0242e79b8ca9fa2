"""What the views of all commands have in common: rows of a table, where files are, one object."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pandas as pd

from errlens.analysis.accuracy.metrics import Proportion
from errlens.analysis.findings.finding import Finding, first_of
from errlens.escapes import shell_line
from errlens.formats import NOT_KNOWN, count, counted, of, share, share_range
from errlens.predictions.table import SCHEMA_VERSION
from errlens.run.folder import RunFolder
from errlens.terminal import Names, Screen, relative


def first_rows(table: pd.DataFrame, top: int | None = None) -> list[dict[str, Any]]:
    """Return the first rows of a table, each by the names of the columns."""
    return cast(
        list[dict[str, Any]], (table if top is None else table.head(top)).to_dict("records")
    )


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table as JSON has it: what is unknown is null."""
    return first_rows(table.astype(object).where(table.notna(), None))


def proportion_cells(proportion: Proportion) -> tuple[str, str, str]:
    """Write a proportion for three columns of a table: its value, its interval, and of how many."""
    value, low, high, n = proportion
    return share(value, n), share_range(low, high, n), of(round(value * n), n)


def one_way(true: Any, predicted: Any) -> Names:
    """Write what an image is and what it was taken for, for a cell of a table."""
    return _classes(true, predicted, " -> ")


def both_ways(a: Any, b: Any) -> Names:
    """Write two classes that are taken for one another, for a cell of a table."""
    return _classes(a, b, " ~ ")


def _classes(a: Any, b: Any, joint: str) -> Names:
    return Names(tuple(NOT_KNOWN if pd.isna(name) else str(name) for name in (a, b)), joint)


def first_few(texts: Sequence[str], most: int) -> str:
    """Name the first few in a sentence and count the rest.

    >>> first_few(["'cat' is 'Cat'", "'dog' is 'Dog'", "'cow' is 'Cow'"], 2)
    "'cat' is 'Cat', 'dog' is 'Dog' and 1 more"
    """
    shown, rest = ", ".join(texts[:most]), len(texts) - most
    return f"{shown} and {count(rest)} more" if rest > 0 else shown


def say_more(
    screen: Screen, total: int, shown: int, where: str = "", *, noun: str | None = None
) -> None:
    """Say how many were not shown, if any, and where they are."""
    if (n := total - shown) > 0:
        more = counted(n, f"more {noun}") if noun else f"{count(n)} more"
        screen.say(f"and {more}{where}")


def and_more(total: int, shown: int = 1) -> str:
    """Write how many were not named, to follow those that were; nothing where all were.

    >>> and_more(3), and_more(1), and_more(8, shown=5)
    (' and 2 more', '', ' and 3 more')
    """
    return f" and {count(total - shown)} more" if total > shown else ""


def show_files(screen: Screen, folder: Path, written: Sequence[str]) -> None:
    """Say where everything is."""
    screen.say()
    screen.say(f"Wrote {relative(folder)}: {', '.join(written)}")


def warn_of_absent(
    screen: Screen, absent: Mapping[str, str], root: Path, written: Sequence[str]
) -> None:
    """Say that images of the galleries are gone, and what to do about it.

    `absent` says why, by path; `written` are the files that were written.
    """
    path, reason = next(iter(absent.items()))
    if any(name.startswith("gallery/") for name in written):
        screen.warn(f"not shown: {path!r} ({reason}){and_more(len(absent))}")
    else:
        moved = "" if Path(path).exists() else "; --data-root DIR says where they lie"
        screen.warn(
            f"no gallery was drawn, for none of its images in {str(root)!r} can be shown: "
            f"{path!r}, {reason}{moved}"
        )


def show_findings(screen: Screen, run: RunFolder, findings: Sequence[Finding]) -> None:
    """Print the findings to be told first, each with the command that goes on from it."""
    told = first_of(findings)
    for rank, finding in told:
        screen.say(f"{rank}. {finding.statement}")
        if finding.command[0] != "report":  # which is said anyway, or was just done
            screen.whole(f"   {finding.command_line(relative(run.path), rank)}")
    say_more(screen, len(findings), len(told), ": see findings.csv", noun="finding")


def say_next(screen: Screen, words: Sequence[str | Path]) -> None:
    """Name the command that goes on from here; paths in it start at the working folder."""
    here = [Path(relative(word)) if isinstance(word, Path) else word for word in words]
    screen.whole(f"Next: {shell_line(here)}")


def print_json(screen: Screen, command: str, run: RunFolder | None = None, **values: Any) -> None:
    """Print the one object that stands for the result, where it was asked for."""
    about = {"run": str(run.path), "run_hash": run.info.run_hash} if run else {}
    screen.json({"schema_version": SCHEMA_VERSION, "command": command, **about, **values})
