"""Every place in the program that proposes something to its user, found by reading the code.

A place is called by its module, its function and its kind: `run.reading.ReadableRun.info:hint`. The
second of a kind in a function ends in `:hint2`, and so on. Kinds are:

- hint: a failure is given one, when it is made or afterwards
- problem: a page lacks a part, and names the command that makes it
- next: a result names the command that goes on from it
- text: a constant or a remark holds an option or a command
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import errlens

ROOT = Path(errlens.__file__).parent
SCOPES = (ast.FunctionDef, ast.ClassDef)

# A text that names an option or a command and does more than name it.
_PROPOSES = re.compile(r"--[a-z][a-z-]*(?=[ ,;:]).*[a-z]|.[ ;:]--[a-z]|errlens [a-z-]+ ")


class Place(NamedTuple):
    """A place, and the lines that it takes."""

    name: str
    file: Path
    first: int
    last: int

    def is_at(self, file: str, line: int) -> bool:
        """Tell whether a line of a file belongs to it."""
        return Path(file) == self.file and self.first <= line <= self.last


@cache
def places() -> dict[str, Place]:
    """Return all places by name."""
    return {place.name: place for file in sorted(ROOT.rglob("*.py")) for place in _of_file(file)}


def _of_file(file: Path) -> Iterator[Place]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    module = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    seen: Counter[str] = Counter()
    for node, kind, within in _proposals(tree, ()):
        name = ".".join((module, *(scope.name for scope in within))) + f":{kind}"
        seen[name] += 1
        number = seen[name] if seen[name] > 1 else ""
        yield Place(f"{name}{number}", file, node.lineno, node.end_lineno or node.lineno)


def _proposals(node: ast.AST, within: tuple) -> Iterator[tuple[ast.expr | ast.stmt, str, tuple]]:
    """Yield what proposes something in the order of the code, with its kind and its scopes."""
    for child in ast.iter_child_nodes(node):
        kind = _kind(child, within)
        if kind and not (kind == "text" and _is_about_options(child, within)):
            yield child, kind, within
        if kind in ("hint", "text", "next") or _is_help(child):
            continue
        inside = (*within, child) if isinstance(child, SCOPES) else within
        yield from _proposals(child, inside)


def _kind(node: ast.AST, within: tuple) -> str | None:
    """Return the kind of what a node proposes; None where it proposes nothing."""
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func).rpartition(".")[2]
        if any(word.arg == "hint" and _is_written(word.value, within) for word in node.keywords):
            return "hint"
        return {"Problem": "problem", "say_next": "next"}.get(name)
    if isinstance(node, ast.Assign):
        targets = [getattr(target, "attr", "") for target in node.targets]
        return "hint" if "hint" in targets and _is_written(node.value, within) else None
    if isinstance(node, ast.Constant | ast.JoinedStr):
        text = _text(node)
        return "next" if text.startswith("Next: ") else "text" if _PROPOSES.search(text) else None
    return None


def _is_written(hint: ast.expr, within: tuple) -> bool:
    """Tell whether a hint is written here, not handed on by a parameter or another failure."""
    scope = within[-1] if within else None
    if isinstance(hint, ast.Name) and isinstance(scope, ast.FunctionDef):
        given = {word.arg for word in (*scope.args.args, *scope.args.kwonlyargs)}
        set_here = [node for node in ast.walk(scope) if isinstance(node, ast.Assign)]
        return hint.id not in given or any(hint.id in ast.unparse(a.targets[0]) for a in set_here)
    return not ast.unparse(hint).endswith((".hint", "shortened(hint, most=LONGEST_MESSAGE)"))


def _is_about_options(node: ast.AST, within: tuple) -> bool:
    """Tell whether a text is the message of a failure: what happened, and no proposal."""
    raised = [each for scope in within for each in ast.walk(scope) if isinstance(each, ast.Raise)]
    return any(node is each for statement in raised for each in ast.walk(statement))


def _text(node: ast.AST) -> str:
    """Return a text as far as it is written in the code."""
    parts = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
    return "".join(part for part in parts if isinstance(part, str))


def _is_help(node: ast.AST) -> bool:
    """Tell whether a node is a docstring, or the help of an option."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    return isinstance(node, ast.Call) and ast.unparse(node.func).startswith("typer.")
