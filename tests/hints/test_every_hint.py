"""Every hint of the program has a test that follows it; this says which have none yet.

What a test follows it names: the name of the place, as `inventory.py` makes it, stands in the test
as a text.
"""

import ast
import re
from pathlib import Path

from tests.hints.inventory import places

NAME = re.compile(r"[a-z]\w*[\w.]*:(hint|problem|next|text)\d*")

# Texts that name an option or a command, and propose nothing.
NO_PROPOSALS = {
    "cli:text",  # examples in the help of the program
    "commands.evaluate.subset.among_classes_of_data:text",
    "commands.options.checked.first_problem:problem",  # another Problem than that of a page
    "commands.showing.say_next:next",  # writes what its callers propose
    "model.asking.variants:text",  # why a change cannot be tried
    "network.probe:text",
    "predictions.soundness._known_statuses:text",
}

# Texts that are parts of a hint, and the hint.
PARTS = {
    "attribution.targets.Wanted._called_alike:text": "attribution.targets.Wanted._index:hint",
    "errors.data:text5": "errors.data.UnknownLabels.__init__:hint",
    "errors.data:text6": "errors.data.UnknownLabels.__init__:hint",
    "errors.runs.NoLabels.__init__:text": "errors.runs.NoLabels.__init__:hint",
    "errors.runs.NoLabels.__init__:text2": "errors.runs.NoLabels.__init__:hint",
    "imported.named_classes._way_out:text": "imported.named_classes._refuse_strangers:hint",
    "imported.named_classes._way_out:text2": "imported.named_classes._refuse_strangers:hint",
    "imported.named_classes._way_out:text3": "imported.named_classes._refuse_strangers:hint",
    "imported.columns:text": "imported.columns.PredictionColumns._lacking:hint",
    "imported.columns:text2": "imported.columns.PredictionColumns._lacking:hint",
    **{
        f"imported.probability_values._what_they_are:text{n}": (
            "imported.probability_values.no_probabilities:hint"
        )
        for n in ("", 2, 3, 4)
    },
    "report.sections.absent.without_maps:text": "report.sections.absent.without_maps:problem",
    "run.places.which_of_here:text": "run.folder.newest_run:hint",
}

# What no test can follow, and why.
CANNOT_BE_FOLLOWED = {
    "errors.usage.PictureTooLarge.__init__:hint": "a picture of 65,536 pixels takes minutes",
    "model.weights.checkpoints._check_tensors:hint": "such pickles are refused before",
    "run.disk.written_to:hint": "no library in use refuses a name that is not UTF-8",
}


def followed() -> set[str]:
    """Return the names of all places that tests of this folder name."""
    texts: set[str] = set()
    for file in {*Path(__file__).parent.glob("test_*.py")} - {Path(__file__)}:
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
    left = {*places()} - followed() - NO_PROPOSALS - {*PARTS} - {*CANNOT_BE_FOLLOWED}
    assert not left, "write a test that follows each, in tests/hints"


def test_no_test_follows_a_hint_that_is_gone():
    named = followed() | NO_PROPOSALS | {*PARTS, *PARTS.values()} | {*CANNOT_BE_FOLLOWED}
    assert named <= {*places()}
