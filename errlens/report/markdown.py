"""The run in a few lines of Markdown, as a review or the summary of a CI job shows them."""

import html
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from errlens.report.overview import Figure, gain, number, percent, range_of
from errlens.report.page import Page

LARGEST: Final = 900_000  # bytes; GitHub drops a summary of more than a mebibyte
PAIRS_SHOWN: Final = 10
GATES_SHOWN: Final = 200
LONGEST: Final = 120  # characters of a name


def summary(page: Page) -> str:
    """Return verdict, figures, gates and the strongest pairs."""
    told = page.overview
    blocks = [
        f"# errlens: {escaped(page.title)}",
        "\n".join(escaped(one, most=1_000) for one in told.sentences),
        _table(
            ("figure", "value", "95 % interval", "images"),
            [
                *(map(_share, told.shares)),
                *((escaped(one.name), number(one.value), "", str(one.n)) for one in told.means),
            ],
        ),
        *_gates(page),
        *_pairs(page),
        f"The whole page: {escaped(page.run)}/report.html",
    ]
    return _cut("\n\n".join(block for block in blocks if block) + "\n")


def escaped(text: object, *, most: int = LONGEST) -> str:
    r"""Return text that Markdown shows as it is, on one line.

    >>> escaped("a|b <i>*c*</i>")
    'a\\|b &lt;i&gt;\\*c\\*&lt;/i&gt;'
    """
    line = " ".join(str(text).split())
    short = line if len(line) <= most else f"{line[: most - 1]}…"
    return re.sub(r"([\\`*_{}\[\]()#+!|~@])", r"\\\1", html.escape(short, quote=False))


def _share(one: Figure) -> tuple[str, ...]:
    return (
        escaped(one.name),
        percent(one.value),
        range_of(one.low, one.high),
        f"{round(one.value * one.n)} of {one.n}",
    )


def _gates(page: Page) -> list[str]:
    told = page.overview
    if told.gates is None:
        problem = told.gates_problem
        return [f"No gates: `{problem.command}` makes them."] if problem else []
    found = told.gates["gates"]
    rows = [
        (
            "passed" if one["passed"] else "**failed**",
            escaped(one["name"]),
            escaped(_value(one["value"])),
            escaped(f"{one['op'] or ''} {_value(one['threshold'])}"),
            escaped(one["reason"] or "", most=300),
        )
        for one in found[:GATES_SHOWN]
    ]
    more = [f"and {len(found) - GATES_SHOWN} more gates"] if len(found) > GATES_SHOWN else []
    return ["## Gates", _table(("", "gate", "value", "demand", "reason"), rows), *more]


def _pairs(page: Page) -> list[str]:
    if problem := page.problems.get("confusion"):
        return [f"No pairs: `{problem.command}` finds them."]
    if not page.pairs:
        return []
    rows = [
        (
            f"{escaped(one['class_a'])} ~ {escaped(one['class_b'])}",
            f"{one['a_as_b']} of {one['n_a']}",
            f"{one['b_as_a']} of {one['n_b']}",
            gain(one["gain_if_solved"]),
            escaped(one["told_status"]),
        )
        for one in page.pairs[:PAIRS_SHOWN]
    ]
    heads = ("A ~ B", "A as B", "B as A", "gain if solved", "status")
    return ["## Confused pairs", _table(heads, rows)]


def _value(value: Any) -> str:
    return str(value) if isinstance(value, str) else number(value)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cut(text: str) -> str:
    """Return no more than fits."""
    encoded = text.encode()
    if len(encoded) <= LARGEST:
        return text
    return encoded[: LARGEST - 20].decode(errors="ignore").rpartition("\n")[0] + "\n\n(cut)\n"
