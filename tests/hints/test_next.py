"""What a result says is to be typed next, and paths that a shell would take for something else."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import paint
from tests.hints.test_pages import commands_on
from tests.hints.walking import IN_PHOTOS, IN_TABLES, Said, Walk

ODD = ("""it's "größte" a+b; $HOME""", "-run", "--help")


def next_words(said: Said) -> list[str]:
    """Return the command that a result names, in words; nothing where it names none."""
    after = said.text.partition("Next: ")[2]
    return Said(after).command() if after else []


def led(walk: Walk, typed: str | list[str], *, most: int = 9) -> list[list[str]]:
    """Type what is said to be next until nothing is, or so often; and return all of that."""
    words = next_words(walk.ends(typed))
    return [words, *led(walk, words, most=most - 1)] if words and most else []


# Where a command names what comes next, what is typed first, and what that leads to.
WAYS = [
    (
        "commands.evaluate.view.show_next:next",
        "evaluate photos --model tiny:spatial -o new",
        ["confusion", "misclassified", "explain", "report"],
    ),
    (
        "commands.confusion.view.show:next",
        "confusion seen --no-figures",
        ["misclassified"],
    ),
    (
        "commands.misclassified.view.show:next",
        "misclassified seen --select errors",
        ["explain"],
    ),
    ("commands.explain.command._show_next:next", "explain seen", ["report"]),
    ("commands.diagnose.view.show:next", "diagnose seen --no-model", ["report"]),
    ("commands.network.features.view.show:next", "network features seen", ["network"]),
    (
        (
            "commands.atlas.collect.view.show:next",
            "commands.atlas.render.view.show:next",
            "commands.atlas.class_.view.show:next",
            "commands.atlas.paste.view.show:next",
        ),
        "atlas collect seen --per-image 100",
        ["atlas", "atlas", "atlas", "report"],
    ),
    (
        "commands.evaluate.view.show_next:next2",
        "evaluate photos/red --model tiny:spatial -o new",
        ["explain", "report"],
    ),
    ("commands.evaluate.view.show_next:next3", "import unlabelled.csv -o new", ["report"]),
    (
        "commands.check.view.show:next",
        "check seen --fail-under recall:red=0.9",
        ["misclassified"],
    ),
    ("commands.compare.view.show:next", "compare best seen --no-figures", ["explain"]),
    (
        "commands.network.probe.view.show_head:next",
        "network probe photos --model tiny:spatial --save-head head.safetensors",
        ["evaluate"],
    ),
]


@IN_PHOTOS
@pytest.mark.parametrize(("at", "typed", "kinds"), WAYS, ids=[way[1] for way in WAYS])
def test_what_comes_next_works_as_it_is_typed(walk: Walk, at, typed, kinds):
    Path("unlabelled.csv").write_text("path,label,pred\n0.png,,red\n1.png,,blue\n")
    if "best" in typed:
        shutil.copytree("photos", "better")
        paint(Path("better/red/3.png"), "red")
        walk.ends("evaluate better --model tiny:spatial -o best -q")
    commands = [probed(walk, typed)] if "probe" in typed else led(walk, typed, most=len(kinds))
    assert [words[0] for words in commands] == kinds, at


def probed(walk: Walk, typed: str) -> list[str]:
    words = next_words_filled(walk.ends(typed), DATA="photos")
    walk.ends(words)
    return words


def next_words_filled(said: Said, **filled: str) -> list[str]:
    return Said(said.text.partition("Next: ")[2]).command(**filled)


@IN_TABLES
@pytest.mark.parametrize("name", ODD)
def test_a_path_is_written_as_the_shell_needs_it(walk: Walk, name):
    path = Path(name) if not name.startswith("-") else f"./{name}"
    made = ["import", "table.csv", "-o", path, "--classes", "classes.json", "--labels", "names"]
    commands = led(walk, made)
    needs = ["misclassified", path, "--no-figures", "--select", "pairs:1"]
    walk.ends(["confusion", path, "--no-figures"])
    shutil.rmtree(Path(name, "confusion"))
    commands.append(walk.refused(needs).command(" makes it"))
    Path(name, "metrics.json").unlink()
    commands.append(walk.refused(needs).command(" goes on"))
    walk.ends(commands[-1])
    walk.ends(["report", path])
    commands += [words for words in commands_on(name) if words[0] in ("check", "confusion")]
    for words in commands:
        assert str(path) in words
        walk.ends([word.replace("FILE", "parents.csv") for word in words])
    assert walk.refused(["confusion", f"{path}x"]).near()[0] in (name, str(path))
