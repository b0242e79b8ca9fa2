"""The right label of an image with a wrong one, as it is typed on the page, in a real browser."""

import pytest

from errlens.analysis.marks.mark import Mark
from tests.commands.report.marking import close, mark_of, open_image, set_mark
from tests.report.pages import make, report

BREEDS = (
    "American_Bulldog", "american_pit_bull_terrier", "basset-hound", "British Shorthair", "cat",
    "german_shorthaired", "wheaten_terrier", "wolf",
)  # fmt: skip
PIT_BULL = "american_pit_bull_terrier"


@pytest.fixture
def page(visit):
    make(BREEDS, superclasses=False, images=True, each=4)
    report()
    page = visit()
    open_image(page, 0)  # labelled as the first of them
    page.keyboard.press("1")
    return page


def problem(page):
    return page.locator(".right-class .problem").inner_text()


def test_a_part_that_only_one_class_has_is_completed(page):
    field = page.locator(".right-label")
    for typed, meant in {
        "american_p": PIT_BULL, "pit bull": PIT_BULL, "PIT-BULL": PIT_BULL, "pitbull": PIT_BULL,
        "bull pit": PIT_BULL, "Basset_": "basset-hound", "british": "British Shorthair",
        "hound": "basset-hound", "haired": "german_shorthaired",
        "bull": PIT_BULL,  # the other one is the label that it has
    }.items():  # fmt: skip
        field.fill(typed)
        field.press("Enter")
        assert (typed, mark_of(page, 0)) == (typed, Mark("wrong label", meant))
        assert field.input_value() == meant
    for typed, said in {
        "terrier": f"terrier may be {PIT_BULL}, wheaten_terrier.",
        "zebra": "The run has no class zebra.",
        "-": "The run has no class -.",
        "American_Bulldog": "That is the label it has.",
    }.items():
        field.fill(typed)
        field.press("Enter")
        assert said in problem(page)
        assert mark_of(page, 0) == Mark("wrong label")


def test_words_that_are_no_class_are_kept_as_a_remark_when_the_image_is_left(page):
    page.keyboard.type("zebra")  # the focus is in the field
    close(page)
    assert mark_of(page, 0) == Mark("wrong label", None, "zebra")
    open_image(page, 1)
    page.keyboard.press("1")
    page.keyboard.type("a mule")
    page.evaluate("document.querySelector('#lightbox-after').click()")  # no change of the focus
    page.wait_for_selector(".mark-editor[data-image='3']")  # the next one that is wrong
    assert mark_of(page, 1) == Mark("wrong label", None, "a mule")
    page.keyboard.press("1")
    page.keyboard.type("terrier")
    page.go_back()
    page.wait_for_selector("#lightbox", state="hidden")
    assert mark_of(page, 3) == Mark("wrong label", None, "terrier")
    open_image(page, 8)
    page.keyboard.press("1")
    page.keyboard.type("pit bu")
    page.reload()
    page.wait_for_selector("#marks-own .marked-image")
    assert mark_of(page, 8) == Mark("wrong label", PIT_BULL)


def test_a_wrong_label_is_incomplete_until_the_right_one_is_given(page):
    tile, words = page.locator("main .shot[data-row='0']").first, "wrong label, right one missing"
    badge = "one => getComputedStyle(one, '::after').content"

    def said():
        return tile.evaluate(badge), page.locator("#marks-own .verdict-tag").inner_text()

    page.wait_for_selector("#marks-own .verdict-tag")
    assert said() == (f'"{words}"', words)
    page.keyboard.type("cat")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"#marks-own .verdict-tag:not(:text('{words}'))")
    assert said() == ('"wrong label"', "wrong label")
    # After it was given the keys are those of the image again.
    page.keyboard.press("2")
    assert mark_of(page, 0) == Mark("ambiguous")
    page.locator("[data-verdict='wrong label']").click()
    focused = "document.activeElement.classList.contains('right-label')"
    assert page.evaluate(focused)
    set_mark(page, 0, "wrong label")
    page.locator(".right-label").fill("")
    page.keyboard.press("ArrowRight")  # nothing is typed: on to the next image
    page.wait_for_selector(".mark-editor[data-image='1']")
