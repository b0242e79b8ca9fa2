"""Commands that a page or a summary of a run names: each works as it stands there."""

import html
import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.hints.walking import IN_PHOTOS, IN_TABLES, Walk

# What stands on a page for something that only its reader knows.
MEANT = {
    "OLD": "old", "FILE": "notes.yaml", "DATA": "photos", "NAME": "tiny:spatial",
    "ANOTHER_RUN": "another", "A~B": "red~green",
}  # fmt: skip
# Files that a person saves on the page itself.
SAVED = {"labels.csv", "marks.json"}
# What nobody misses on a page; with --select a finding goes on.
OPTIONAL = {"compare", "--notes", "--superclasses", "evaluate", "--select"}


def commands_on(run: str) -> list[list[str]]:
    """Return the commands that page and summary of a run name, in words."""
    page = re.sub(r"<(script|style).*?</\1>", "", Path(run, "report.html").read_text(), flags=re.S)
    shown = map(html.unescape, re.findall(r"<code>(errlens .*?)</code>", page, re.S))
    markdown = re.findall(r"`+ ?(errlens .*?) ?`+", Path(run, "summary.md").read_text())
    named = [shlex.split(text)[1:] for text in dict.fromkeys([*shown, *markdown])]
    return [words for words in named if not SAVED & {*words}]


def followed(walk: Walk, run: str) -> list[list[str]]:
    """Type every command that the page of a run names but the one that repeats it."""
    walk.ends(["report", run])
    typed = []
    for words in commands_on(run):
        meant = MEANT | {"FILE": "parents.csv"} if "--superclasses" in words else MEANT
        filled = [meant.get(word, word) for word in words]
        if filled[0] != "evaluate":
            walk.ends(filled)
            typed.append(filled)
    walk.ends(["report", run])
    return typed


@IN_TABLES
@pytest.mark.parametrize("run", ["run", "sure"])
def test_a_page_of_an_imported_run_names_what_makes_its_parts(walk: Walk, run):
    shutil.copy("good.yaml", "notes.yaml")
    typed = followed(walk, run)
    at = (
        "report.sections.absent.absent_parts:problem",
        "report.sections.absent.absent_parts:problem2",
    )
    assert {words[0] for words in typed} == {
        "confusion", "misclassified", "compare", "diagnose",
    }, at  # fmt: skip
    # Everything is there now; what needs a model cannot be.
    assert not [words for words in commands_on(run) if not OPTIONAL & {*words}]
    walk.ends(["report", run, "--select", "worst:1"])
    of_one = Path(run, "report-worst_1.html").read_text(encoding="utf-8")
    assert "makes a run that has one" in of_one, "report.sections.absent.without_maps:problem"


@IN_PHOTOS
def test_a_page_of_an_evaluated_run_names_what_makes_its_parts(walk: Walk):
    Path("notes.yaml").write_text("red~green:\n  idea: look\n")
    Path("parents.csv").write_text("class_name,superclass\nred,warm\n")
    shutil.copytree("seen", "old")
    typed = followed(walk, "seen")
    kinds = {words[0] for words in typed}
    assert kinds == {
        "confusion", "misclassified", "explain", "compare", "diagnose", "network",
    }, "report.sections.absent._network:problem"  # fmt: skip
    assert not [words for words in commands_on("seen") if not OPTIONAL & {*words}]


@IN_PHOTOS
def test_stale_results_of_the_network_are_made_again(walk: Walk):
    at = "report.sections.network.section.inside_the_network:problem"
    walk.ends("network features seen --discriminate red~green -q")
    for record in Path("seen/network").rglob("made_from.json"):
        record.write_text(record.read_text().replace('run_hash": "', 'run_hash": "x'))
    walk.ends("report seen -q")
    named = [words for words in commands_on("seen") if words[0] == "network"]
    assert named == [
        ["network", "features", "seen", "--discriminate", "A~B"], ["network", "features", "seen"],
    ], at  # fmt: skip
    walk.ends([*named[0][:-1], "red~green", "-q"])
    walk.ends("report seen -q")
    assert not [words for words in commands_on("seen") if words[0] == "network"]


@IN_TABLES
def test_a_page_of_a_run_without_labels_names_nothing_that_fails(walk: Walk):
    Path("notes.yaml").write_text("row:0:\n  idea: look\n")
    followed(walk, "bare")


@IN_PHOTOS
def test_a_page_of_photos_without_labels_names_nothing_that_fails(walk: Walk):
    for number, photo in enumerate(sorted(Path("photos").rglob("*.png"))):
        photo.rename(f"photos/{number}.png")
    walk.ends("evaluate photos --model tiny:spatial -o bare --classes names.txt -q")
    followed(walk, "bare")


@IN_TABLES
@pytest.mark.parametrize(
    ("damage", "at"),
    [
        (lambda file: file.write_text("{"), "report.parts.read_gates:problem"),
        (
            lambda file: file.write_text(file.read_text().replace('run_hash": "', 'run_hash": "x')),
            "report.parts.read_gates:problem2",
        ),
    ],
)
def test_gates_that_say_nothing_are_checked_anew(walk: Walk, damage, at):
    walk.ends("check run --fail-under top1=0.1")
    damage(Path("run/gates.json"))
    walk.ends("report run")
    (check,) = [words for words in commands_on("run") if words[0] == "check"]
    assert check[1] == "run", at
    assert walk.ends(check, says="Passed")
    walk.ends("report run")
    assert not [words for words in commands_on("run") if words[0] == "check"]


@IN_TABLES
@pytest.mark.parametrize("name", ["pairs", "groups"])
def test_a_damaged_table_is_made_anew_by_the_command_on_the_page(walk: Walk, name):
    at = "report.parts.read_part:problem"
    walk.ends("confusion run --no-figures")
    Path(f"run/confusion/{name}.csv").write_text("a,b\n1,2\n")
    walk.ends("report run")
    assert "is damaged" in page("run"), at
    for words in commands_on("run"):
        if words[0] == "confusion" and "FILE" not in words:
            walk.ends(words)
    walk.ends("report run")
    assert "is damaged" not in page("run")


@IN_TABLES
@pytest.mark.parametrize("selector", ["pairs:1", "group:1"])
def test_a_table_that_a_selector_needs_is_made_by_the_command_named(walk: Walk, selector):
    typed = f"misclassified run --no-figures --select {selector}"
    said = walk.refused(typed, "errors.runs.NoResults.__init__:hint")
    walk.ends(said.command(" makes it"))
    walk.call(typed)


@IN_PHOTOS
def test_a_page_about_a_selection_names_what_explains_it(walk: Walk):
    walk.ends("report seen --select red/green")
    pages = [*Path("seen").glob("report-*.html")]
    assert "errlens explain seen --select red/green" in pages[0].read_text()
    walk.ends("explain seen --select red/green")


def page(run: str) -> str:
    return Path(run, "report.html").read_text()


@IN_PHOTOS
def test_a_page_has_as_many_pictures_as_the_hints_say(walk: Walk):
    said = walk.refused(
        "report seen --images most", "commands.report.options.RoomOptions.room:hint2"
    )
    for option in re.findall(r"--images \w+", said.hint):
        walk.ends(f"report seen {option}")
    at = "commands.report.options.RoomOptions.room:hint"
    said = walk.refused("report seen --max-mb 0", at)
    walk.ends(f"report seen --max-mb {re.search('[0-9]+', said.hint)[0]}")
    said = walk.ends("report seen --images all --max-mb 0.04", says="--max-mb")
    assert "not every picture has a place" in said.text, "commands.report.view.show:text"
    assert "has a place" not in walk.ends("report seen --images all --max-mb 5").text
