"""What terminal, page and summary say of a run: the same, and nothing that its errors belie."""

import html
import json
import re
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

from errlens.analysis.confusion.matrix import confusion_matrix_of_arrays
from errlens.analysis.confusion.sentences import NOTHING_SCORED, none_exceptional
from errlens.classes.names import ClassNames, Superclasses
from errlens.report.markdown import escaped
from tests.conftest import call, ends, make_run

# What may only be said where nothing is wrong.
GOOD_NEWS = ("No errors", "no class was taken", "No class was taken", "No image is wrong")
NEVER = ("No two classes are taken for one another", "without enough evidence", " nan", "None")


class Case(NamedTuple):
    """`counts` are images by true and predicted class, as `a>b`; `said` is all that is told."""

    classes: str
    counts: dict[str, int]
    said: tuple[str, ...]


def right(classes, n):
    return {f"{name}>{name}": n for name in classes}


CASES = {
    "perfect": Case(
        "abc", right("abc", 10), ("No errors in 30 images: no class was taken for another.",)
    ),
    "perfect, with a class without images": Case(
        "abcd", right("abc", 10), ("No errors in 30 images: no class was taken for another.",)
    ),
    "one class": Case("a", {"a>a": 5}, ("There is one class: nothing can be taken for another.",)),
    "one image": Case(
        "abc", {"a>a": 1}, ("No errors in 1 image: no class was taken for another.",)
    ),
    "one image, wrong": Case(
        "abc",
        {"a>b": 1},
        (
            "No two classes have errors both ways.",
            "The only error: a taken for b in 1 of 1 images, the other way in none: b has no "
            "images.",
        ),
    ),
    "all wrong, in a circle": Case(
        "abcd",
        {"a>b": 20, "b>c": 20, "c>d": 20, "d>a": 20},
        (
            "No two classes have errors both ways.",
            "4 confusions go one way, more often than chance, most clearly a taken for b in 20 of "
            "20 images, the other way in 0 of 20 images.",
        ),
    ),
    "all wrong, two by two": Case(
        "abcd",
        {"a>b": 20, "b>a": 20, "c>d": 20, "d>c": 20},
        (
            "2 pairs are mutually confused, most clearly a ~ b (20 of 20 and 20 of 20 images, "
            "q <0.001).",
        ),
    ),
    "all wrong, anyhow": Case(
        "abcd",
        {f"{x}>{y}": 20 for x in "abcd" for y in "abcd" if x != y},
        (
            "No pair is shown to be mutually confused by 240 images; the strongest candidate is "
            "a ~ b (20 of 60 and 20 of 60 images, q 0.286): chance may explain it.",
            "The most frequent error: a taken for b in 20 of 60 images, the other way in 20 of 60 "
            "images.",
        ),
    ),
    "all errors into one class": Case(
        "abcd",
        {"a>a": 10, "b>a": 10, "c>a": 10, "d>a": 10},
        (
            "No two classes have errors both ways.",
            "The most frequent error: b taken for a in 10 of 10 images, the other way in 0 of 10 "
            "images.",
        ),
    ),
    "errors only into a class without images": Case(
        "abcdefgh",
        {**right("abcdefg", 30), "a>h": 12},
        (
            "No two classes have errors both ways.",
            "1 confusion goes one way, more often than chance: a taken for h in 12 of 42 images, "
            "the other way in none: h has no images.",
        ),
    ),
    "one image of each class": Case(
        "abcd",
        {"a>b": 1, "b>a": 1, "c>c": 1, "d>d": 1},
        (
            "No pair is shown to be mutually confused by 4 images; the strongest candidate is "
            "a ~ b (1 of 1 and 1 of 1 images): a single error one way.",
            "No kind of error happened twice.",
        ),
    ),
    "few errors": Case(
        "abcd",
        {**right("abcd", 10), "a>b": 2, "b>a": 1, "c>d": 1},
        (
            "No pair is shown to be mutually confused by 44 images; the strongest candidate is "
            "a ~ b (2 of 12 and 1 of 11 images): a single error one way.",
            "The most frequent error: a taken for b in 2 of 12 images, the other way in 1 of 11 "
            "images.",
        ),
    ),
    "two classes": Case(
        "ab",
        {"a>a": 17, "a>b": 3, "b>a": 2, "b>b": 18},
        (
            "With two classes nothing can be tested, as there is nothing to compare their errors "
            "with: a was taken for b in 3 of 20 images, b was taken for a in 2 of 20 images.",
        ),
    ),
    "two classes, all wrong": Case(
        "ab",
        {"a>b": 9, "b>a": 9},
        (
            "With two classes nothing can be tested, as there is nothing to compare their errors "
            "with: a was taken for b in 9 of 9 images, b was taken for a in 9 of 9 images.",
        ),
    ),
    "two classes, one way": Case(
        "ab",
        {"a>a": 1, "a>b": 8},
        (
            "With two classes nothing can be tested, as there is nothing to compare their errors "
            "with: a was taken for b in 8 of 9 images, b was taken for a in none: b has no "
            "images.",
        ),
    ),
    "two classes, perfect": Case(
        "ab", right("ab", 4), ("No errors in 8 images: no class was taken for another.",)
    ),
    "a pair that misses only the lift": Case(
        "abcde",
        {
            **right("abcde", 150),
            **{f"{x}>{y}": 9 for x in "abcde" for y in "abcde" if x != y},
            "a>b": 40,
            "b>a": 33,
            "c>a": 25,
            "c>b": 25,
        },
        (),
    ),
    "one way beside a pair": Case(
        "abcdefgh",
        {**right("abcdefgh", 50), "a>b": 8, "b>a": 7, "c>d": 11},
        (
            "1 pair is mutually confused: a ~ b (8 of 58 and 7 of 57 images, q <0.001).",
            "1 confusion goes one way, more often than chance: c taken for d in 11 of 61 images, "
            "the other way in 0 of 50 images.",
        ),
    ),
}


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


def make(case):
    rows = [key.split(">") for key, count in case.counts.items() for _ in range(count)]
    table = pd.DataFrame(rows, columns=["label", "pred"])
    table.insert(0, "path", [f"{row:04d}.jpg" for row in range(len(rows))])
    make_run(table, classes=case.classes)


def tell():
    """Let the commands speak: return what stands on terminal, page and in the summary."""
    terminal = ends("confusion run --no-figures")
    ends("misclassified run --no-figures -q")
    ends("report run -q")
    return terminal.stdout, *pages()


def pages():
    page, summary = (Path("run", name).read_text() for name in ("report.html", "summary.md"))
    body = page[page.index("<main") : page.index("</main>")]
    return html.unescape(re.sub(r"<[^>]+>", "", body)), summary


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_terminal_page_and_summary_say_the_same(case):
    make(case)
    terminal, page, summary = tell()
    told = json.loads(call("confusion run --no-figures --json").stdout)
    if case.said:
        assert tuple(told["sentences"]) == case.said
    for sentence in told["sentences"]:
        assert sentence in terminal
        assert sentence in page
        # Where a finding says which classes are mixed up, the summary says no more.
        assert escaped(sentence, most=1_000) in summary or re.search(r"^1\. ", summary, re.M)
    for text in (terminal, page, summary):
        assert not [words for words in NEVER if words in text]
        if told["n_errors"]:
            assert not [words for words in GOOD_NEWS if words in text]
        if len(case.classes) == 2:
            assert "lift" not in text


def test_a_likely_pair_is_named_with_its_figures_and_the_rule_it_misses():
    make(CASES["a pair that misses only the lift"])
    terminal, page, summary = tell()
    pairs = pd.read_csv("run/confusion/pairs.csv").set_index(["class_a", "class_b"])
    first = pairs.loc["a", "b"]
    assert (first["status"], first["mutual"]) == ("likely", False)
    assert 1 < first["lift_ab"] < 2
    lifts = f"lifts of {first['lift_ab']:.1f} and {first['lift_ba']:.1f}, not 2 both ways"
    counts = f"{first['a_as_b']} of {first['n_a']} and {first['b_as_a']} of {first['n_b']} images"
    assert f"likely to be mutually confused, most clearly a ~ b ({counts}, q " in terminal
    for text in (terminal, page, summary):
        assert lifts in text
    assert "likely: all but the lifts (A ~ B)" in terminal
    assert f"likely: {lifts}" in page
    assert "candidate" not in summary
    assert "Next: errlens misclassified run --select 'a~b'" in terminal


def test_a_run_without_labels_names_no_command_that_would_be_refused():
    Path("table.csv").write_text("path,label,pred\na.jpg,,cat\nb.jpg,,dog\n")
    ends("import table.csv -o run -q")
    ends("report run -q")
    page, summary = pages()
    for text in (page, summary):
        assert "without labels, nothing is right or wrong" in text
        assert "errlens confusion" not in text
        assert "errlens misclassified" not in text.replace("errlens misclassified run --notes", "")
        assert not [words for words in (*GOOD_NEWS, *NEVER) if words in text]
    for command in ("confusion", "misclassified"):
        ends(f"{command} run", 3)


def test_what_is_absorbed_is_shown_next():
    make(CASES["all wrong, in a circle"])
    terminal, page, _ = tell()
    assert "one way, more than chance (A -> B)" in terminal
    assert "Next: errlens misclassified run --select a/b" in terminal
    assert "hardly ever the other way" in page


def test_no_group_is_told_with_its_reason():
    make(CASES["all wrong, in a circle"])
    assert "one is built around a mutually confused pair, and none is shown" in tell()[1]


def test_labels_that_the_model_lacks_alone_are_neither_right_nor_wrong():
    Path("table.csv").write_text("path,label,pred\na.jpg,fox,cat\nb.jpg,fox,dog\n")
    Path("classes.json").write_text('["cat", "dog", "cow"]')
    ends("import table.csv -o run --classes classes.json --allow-unknown -q")
    assert NOTHING_SCORED in call("misclassified run --no-figures").stdout
    ends("report run -q")
    for text in pages():
        assert "nothing is right or wrong" in text
        assert "errlens confusion" not in text
        assert not [words for words in (*GOOD_NEWS, *NEVER) if words in text]


@pytest.mark.parametrize(
    ("parents", "said"),
    [
        ({"cat": "pet", "dog": "pet", "cow": "farm"}, "No error crosses a superclass."),
        ({"cat": "pet", "dog": "pet"}, "superclass; those of 1 class without one are left out."),
    ],
)
def test_that_no_error_crosses_a_superclass_is_said_of_the_classes_that_have_one(parents, said):
    classes = ClassNames(("cat", "dog", "cow"))
    superclasses = Superclasses.from_mapping(parents, classes, source="parents.csv")
    matrix = confusion_matrix_of_arrays([0, 1, 2], [1, 0, 2], classes, superclasses)
    assert none_exceptional(matrix).endswith(said)
