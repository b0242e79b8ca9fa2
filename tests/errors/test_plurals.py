"""One of something is told as one: no sentence says that there are 1 class names."""

import ast
from pathlib import Path

import errlens
from errlens.errors import ClassCountMismatch

ROOT = Path(errlens.__file__).parent
NOUNS = ("class names", "classes", "images", "outputs", "labels", "predictions", "settings", "rows")


def counts_written_bare(tree):
    """Yield the pieces of f-strings in which a bare `len(...)` is followed by a plural."""
    for text in ast.walk(tree):
        if not isinstance(text, ast.JoinedStr):
            continue
        for number, noun in zip(text.values, text.values[1:], strict=False):
            is_count = isinstance(number, ast.FormattedValue) and (
                ast.unparse(number.value).startswith("len(")
            )
            if is_count and isinstance(noun, ast.Constant):
                said = str(noun.value).strip()
                if said.startswith(NOUNS):
                    yield f"{ast.unparse(number.value)} {said}"


def test_no_count_of_things_is_written_bare():
    found = {
        str(file.relative_to(ROOT)): texts
        for file in ROOT.rglob("*.py")
        if (texts := [*counts_written_bare(ast.parse(file.read_text(encoding="utf-8")))])
    }
    assert not found


def test_one_output_and_one_name_are_told_as_one():
    told = str(ClassCountMismatch(outputs=1, names=1, source="classes.txt"))
    assert told == "the model has 1 output, but there is 1 class name from classes.txt"
