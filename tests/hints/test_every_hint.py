"""Every hint of the program has a test that follows it; this says which have none yet.

What a test follows it names: the name of the place, as `inventory.py` makes it, stands in the test
as a text.
"""

import ast
import re
from pathlib import Path

from tests.hints.inventory import places

NAME = re.compile(r"[a-z_.]+[\w.]*:(hint|problem|next|text)\d*")

# Texts that name an option or a command, and propose nothing.
NO_PROPOSALS = {}

# What no test can follow, and why.
CANNOT_BE_FOLLOWED = {}


def followed() -> set[str]:
    """Return the names of all places that tests of this folder name."""
    texts: set[str] = set()
    for file in Path(__file__).parent.glob("test_*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        constants = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.add(node.value)
            if isinstance(node, ast.JoinedStr):
                texts.add("".join(_part(part, constants) for part in node.values))
    return {text for text in texts if NAME.fullmatch(text)}


def _part(part: ast.expr, constants: dict[str, object]) -> str:
    if isinstance(part, ast.FormattedValue):
        return str(constants.get(ast.unparse(part.value), ""))
    return part.value if isinstance(part, ast.Constant) else ""


def test_every_hint_is_followed_by_a_test():
    left = {*places()} - followed() - {*NO_PROPOSALS} - {*CANNOT_BE_FOLLOWED}
    assert not left, "write a test that follows each, in tests/hints"


def test_no_test_follows_a_hint_that_is_gone():
    assert followed() | {*NO_PROPOSALS} | {*CANNOT_BE_FOLLOWED} <= {*places()}
