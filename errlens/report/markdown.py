"""The run in a few lines of Markdown, as a review or the summary of a CI job shows them."""

import html
import re
from collections.abc import Iterable, Sequence
from typing import Final

from errlens.escapes import printable
from errlens.formats import count, figure, of, points, share, share_range
from errlens.report.overview import Metric
from errlens.report.page import Page

LARGEST: Final = 900_000  # bytes; GitHub drops a summary of more than a mebibyte
PAIRS_SHOWN: Final = 10
GATES_SHOWN: Final = 200
LONGEST: Final = 120  # characters of a name

# What GitHub and GitLab link: addresses, mentions, issues, commits.
_LINK: Final = re.compile(r"://|www\.|@|(?:#|GH-|[!&%~$])\d|\b[0-9a-f]{7,40}\b", re.IGNORECASE)


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
                *(
                    (escaped(mean.name), figure(mean.value), "", count(mean.n))
                    for mean in told.means
                ),
            ],
        ),
        *_gates(page),
        *_pairs(page),
        f"The whole page: {escaped(f'{page.run}/report.html', most=1_000)}",
    ]
    return _cut("\n\n".join(block for block in blocks if block) + "\n")


def escaped(text: object, *, most: int = LONGEST) -> str:
    r"""Return text that Markdown shows as it is, on one line, and makes no link of.

    >>> print(escaped("a|b <i>*c*</i>"))
    a\|b &lt;i&gt;\*c\*&lt;/i&gt;
    >>> print(escaped("see https://x.org/ or [y](z)"))
    see `https://x.org/` or \[y\]\(z\)
    """
    line = " ".join(printable(str(text)).split())
    short = line if len(line) <= most else f"{line[: most - 1]}…"
    return " ".join(_word(word) for word in short.split(" "))


def code(text: str) -> str:
    """Return text as code, whatever backticks and bars it holds; a table would split at the latter.

    >>> code("errlens check 'a`b'")
    "``errlens check 'a`b'``"
    """
    line = printable(text)
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    edge = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{edge}{line}{edge}{fence}"


def _word(word: str) -> str:
    """Return a word as it is; as code where a page would make a link, a mention or a number of it.

    These ignore backslashes. A bar would end the cell of a table, in code too.
    """
    if _LINK.search(word):
        return r"\|".join(code(piece) if piece else "" for piece in word.split("|"))
    return re.sub(r"([\\`*_{}\[\]()#+!|~$])", r"\\\1", html.escape(word, quote=False))


def _share(one: Metric) -> tuple[str, ...]:
    return (
        escaped(one.name),
        share(one.value, one.n),
        share_range(one.low, one.high, one.n),
        of(round(one.value * one.n), one.n),
    )


def _gates(page: Page) -> list[str]:
    told = page.overview
    if told.gates is None:
        problem = told.gates_problem
        return [f"No gates: {code(problem.command)} makes them."] if problem else []
    found = told.gates["gates"]
    rows = [
        (
            "passed" if one["passed"] else "**failed**",
            escaped(one["name"]),
            escaped(one["texts"].value),
            escaped(f"{one['op'] or ''} {one['texts'].limit}"),
            escaped(one["reason"] or "", most=300),
        )
        for one in found[:GATES_SHOWN]
    ]
    more = [f"and {count(len(found) - GATES_SHOWN)} more"] if len(found) > GATES_SHOWN else []
    return ["## Gates", _table(("", "gate", "value", "demand", "reason"), rows), *more]


def _pairs(page: Page) -> list[str]:
    if problem := page.problems.get("confusion"):
        return [f"No pairs: {code(problem.command)} finds them."]
    if not page.pairs:
        return []
    rows = [
        (
            f"{escaped(one['class_a'])} ~ {escaped(one['class_b'])}",
            of(one["a_as_b"], one["n_a"]),
            of(one["b_as_a"], one["n_b"]),
            points(one["gain_if_solved"]),
            escaped(one["told_status"]),
        )
        for one in page.pairs[:PAIRS_SHOWN]
    ]
    heads = ("A ~ B", "A as B", "B as A", "gain if solved", "status")
    return ["## Confused pairs", _table(heads, rows)]


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cut(text: str) -> str:
    """Return no more than fits."""
    encoded = text.encode()
    if len(encoded) <= LARGEST:
        return text
    return encoded[: LARGEST - 20].decode(errors="ignore").rpartition("\n")[0] + "\n\n(cut)\n"
