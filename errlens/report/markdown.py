"""The run in a few lines of Markdown, as a review or the summary of a CI job shows them."""

import html
import re
from collections.abc import Iterable, Sequence
from typing import Final

from errlens.escapes import printable
from errlens.formats import count, number, of, points, share, share_range
from errlens.report.overview import Metric
from errlens.report.page import RunPage

LARGEST: Final = 900_000  # bytes; GitHub drops a summary of more than a mebibyte
PAIRS_SHOWN: Final = 10
GATES_SHOWN: Final = 200
NETWORK_TOLD: Final = ("channels", "features")  # what says most of errors
NETWORK_SHOWN: Final = 10
LONGEST: Final = 120  # characters of a name

# What GitHub and GitLab link: addresses, mentions, issues, commits.
_LINK: Final = re.compile(r"://|www\.|@|(?:#|GH-|[!&%~$])\d|\b[0-9a-f]{7,40}\b", re.IGNORECASE)


def summary(page: RunPage) -> str:
    """Return verdict, metrics, gates and the strongest pairs."""
    overview = page.overview
    blocks = [
        f"# errlens: {escaped(page.title)}",
        "\n".join(escaped(sentence, most=1_000) for sentence in overview.sentences),
        *_why(page),
        _table(
            ("metric", "value", "95 % interval", "images"),
            [
                *(map(_share, overview.shares)),
                *(
                    (escaped(mean.name), number(mean.value), "", count(mean.n))
                    for mean in overview.means
                ),
            ],
        ),
        *_gates(page),
        *_pairs(page),
        *_network(page),
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


def _share(metric: Metric) -> tuple[str, ...]:
    return (
        escaped(metric.name),
        share(metric.value, metric.n),
        share_range(metric.low, metric.high, metric.n),
        of(round(metric.value * metric.n), metric.n),
    )


def _why(page: RunPage) -> list[str]:
    """Say why it is wrong, and what was looked for in vain."""
    told = [
        f"{finding.rank}. {escaped(finding.statement, most=1_000)}"
        + (f"  \n   {code(finding.command)}" if finding.command else "")
        for finding in page.why.first
    ]
    rest = [escaped(sentence, most=1_000) for sentence in page.why.nothing]
    if problem := page.why.problem:
        rest.append(f"Causes are not known: {code(problem.command)} {problem.does}.")
    return ["\n".join(told), *rest]


def _gates(page: RunPage) -> list[str]:
    overview = page.overview
    if overview.gates is None:
        problem = overview.gates_problem
        return [f"No gates: {code(problem.command)} {problem.does}."] if problem else []
    gates = overview.gates["gates"]
    rows = [
        (
            "passed" if gate["passed"] else "**failed**",
            escaped(gate["name"]),
            escaped(gate["texts"].value),
            escaped(f"{gate['texts'].demand} {gate['texts'].limit}"),
            escaped(gate["reason"] or "", most=300),
        )
        for gate in gates[:GATES_SHOWN]
    ]
    more = [f"and {count(len(gates) - GATES_SHOWN)} more"] if len(gates) > GATES_SHOWN else []
    return ["## Gates", _table(("", "gate", "value", "demand", "reason"), rows), *more]


def _pairs(page: RunPage) -> list[str]:
    if problem := page.problems.get("confusion"):
        return [f"No pairs: {code(problem.command)} finds them."]
    if not page.pairs:
        return []
    rows = [
        (
            f"{escaped(pair['class_a'])} ~ {escaped(pair['class_b'])}",
            of(pair["a_as_b"], pair["n_a"]),
            of(pair["b_as_a"], pair["n_b"]),
            points(pair["gain_if_solved"]),
            escaped(pair["told_status"]),
        )
        for pair in page.pairs[:PAIRS_SHOWN]
    ]
    heads = ("A ~ B", "A as B", "B as A", "gain if solved", "status")
    return ["## Confused pairs", _table(heads, rows)]


def _network(page: RunPage) -> list[str]:
    """Say what was found inside the network of single layers, as the page does."""
    told = [
        f"- {escaped(block.heading, most=300)}. " * bool(block.heading)
        + " ".join(escaped(sentence, most=1_000) for sentence in block.sentences)
        for name in NETWORK_TOLD
        if name in page.network.told
        for block in page.network.told[name][1].blocks
        if block.sentences
    ]
    return ["## Inside the network", "\n".join(told[:NETWORK_SHOWN])] if told else []


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cut(text: str) -> str:
    """Return no more than fits."""
    encoded = text.encode()
    if len(encoded) <= LARGEST:
        return text
    return encoded[: LARGEST - 20].decode(errors="ignore").rpartition("\n")[0] + "\n\n(cut)\n"
