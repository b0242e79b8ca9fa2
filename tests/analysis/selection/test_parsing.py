"""How selectors are read."""

import time

import pytest

from errlens.analysis.selection.parsing import pair_selector, parse_selector
from errlens.classes.names import ClassNames
from errlens.errors import UnfitSelection


@pytest.mark.parametrize(
    ("names", "selector", "meant"),
    [
        (("a/b", "c"), "a/b/c", [("/", (0, 1))]),
        (("a~b", "c"), "c~a~b", [("~", (1, 0))]),
        (("x+y", "z"), "true:x+y", [("true", (0,))]),
        (("x+y", "z"), "true:x+y+pred:z", [("true", (0,)), ("pred", (1,))]),
        (("true:z", "z"), "true:z/z", [("/", (0, 1))]),
        (("a", "b/c", "a/b"), "a/b/b/c", [("/", (2, 1))]),
    ],
)
def test_separators_in_names_are_no_problem_where_one_reading_is_left(names, selector, meant):
    terms = parse_selector(selector, ClassNames(names))
    assert [(term.kind, term.classes) for term in terms] == meant


def test_a_pair_has_a_selector_where_it_has_one_reading():
    assert pair_selector("a+b", "c", ClassNames(("a+b", "c"))) == "a+b~c"
    assert pair_selector("a~b", "c", ClassNames(("a~b", "c", "a", "b~c"))) is None


def test_several_readings_are_told():
    with pytest.raises(UnfitSelection, match="may mean several things") as failure:
        parse_selector("a/b/c", ClassNames(("a", "b/c", "a/b", "c")))
    assert "'a/b' / 'c'" in str(failure.value)
    assert "'a' / 'b/c'" in str(failure.value)


def test_a_glob_may_hold_a_plus_where_nothing_else_can_be_meant():
    (term,) = parse_selector("path:a+b*", ClassNames(("cat", "dog", "cow")))
    assert term.glob == "a+b*"
    assert len(parse_selector("path:a+errors", ClassNames(("cat", "dog", "cow")))) == 2


def test_the_nearest_names_are_told():
    with pytest.raises(UnfitSelection) as failure:
        parse_selector("cta~dog", ClassNames(("cat", "dog", "cow")))
    assert "cat" in failure.value.hint


@pytest.mark.parametrize(
    ("text", "kind", "classes"),
    [
        ("true:n02123045", "true", (0,)),
        ("pred:Grey_Cat ", "pred", (1,)),
        ("Tabby cat~GREY-CAT", "~", (0, 1)),
        ("correct:ba\u0308r", "correct", (2,)),
    ],
)
def test_classes_may_be_spelt_otherwise(text, kind, classes):
    (term,) = parse_selector(text, ClassNames(("tabby", "grey cat", "b\u00e4r")))
    assert (term.kind, term.classes) == (kind, classes)


def test_a_selector_of_three_thousand_terms_is_read_in_seconds():
    names = ClassNames(tuple(f"class {number}" for number in range(3000)))
    start = time.perf_counter()
    text = "+".join(f"true:{name}" for name in names.names)
    assert len(parse_selector(text, names)) == 3000
    assert time.perf_counter() - start < 10


def test_a_glob_with_countless_readings_is_refused_at_once():
    start = time.perf_counter()
    with pytest.raises(UnfitSelection, match="more than 1000 things"):
        parse_selector("+".join(["path:a+b"] * 40), ClassNames(("cat", "dog", "cow")))
    assert time.perf_counter() - start < 10


BREEDS = ClassNames(
    ("Staffordshire bull terrier", "American pit bull terrier", "pug", "->", "a...b")
)


@pytest.mark.parametrize(
    ("printed", "typed"),
    [
        ("pug ~ American pit bull terrier", "pug~American pit bull terrier"),
        ("pug -> American pit bull terrier", "pug/American pit bull terrier"),
        ("pug \u2192 American pit bull terrier", "pug/American pit bull terrier"),
        ("pug->pug2", None),
        ("row 17", "row:17"),
        ("row: 17", "row:17"),
        ("group 1", "group:1"),
        ("worst 20+true: pug", "worst:20+true:pug"),
        ("true:Staff\u2026terrier", "true:Staffordshire bull terrier"),
        ("Staff...terrier ~ pug", "Staffordshire bull terrier~pug"),
        ("pred:\u2026bull terrier", None),
        ("true:a...b", "true:a...b"),
    ],
)
def test_what_tables_print_is_read_as_what_is_typed(printed, typed):
    if typed is None:
        with pytest.raises(UnfitSelection):
            parse_selector(printed, BREEDS)
    else:
        assert parse_selector(printed, BREEDS) == parse_selector(typed, BREEDS)


def test_rows_take_the_path_of_a_table():
    (term,) = parse_selector("rows:out/a+b.csv", BREEDS)
    assert (term.kind, term.file) == ("rows", "out/a+b.csv")
    assert [term.kind for term in parse_selector("rows:worst.csv+true:pug", BREEDS)] == [
        "rows",
        "true",
    ]
    with pytest.raises(UnfitSelection, match="path of a table"):
        parse_selector("rows:", BREEDS)


def test_the_path_of_an_image_alone_is_told_how_it_is_selected():
    with pytest.raises(UnfitSelection) as caught:
        parse_selector("pug/0073.jpg", BREEDS)
    assert caught.value.hint == "path:pug/0073.jpg selects the image of this path"
