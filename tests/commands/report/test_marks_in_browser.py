"""Marks of images on the page, in a real browser."""

import json

import pytest

from errlens.analysis.marks.files import write_run_marks
from errlens.analysis.marks.mark import VERDICTS, Mark
from tests.commands.report.marking import (
    images_of,
    mark_of,
    open_image,
    saved,
    set_mark,
    theirs,
)
from tests.report.pages import report

NO_STORAGE = """Object.defineProperty(window, "localStorage", {
    get() { throw new DOMException("The operation is insecure.", "SecurityError"); },
});"""
FULL_STORAGE = """Storage.prototype.setItem = () => {
    throw new DOMException("full", "QuotaExceededError");
};"""


@pytest.mark.usefixtures("run")
def test_an_image_is_marked_with_the_keyboard(visit):
    page = visit()
    open_image(page, 3)
    for key, verdict in zip("1234", VERDICTS, strict=True):
        page.keyboard.press(key)
        assert mark_of(page, 3) == Mark(verdict)
        pressed = page.locator(".mark-editor [aria-pressed=true]")
        assert pressed.inner_text().endswith(verdict)
        assert page.locator(".right-class:visible").count() == (key == "1")
        page.locator("#lightbox-title").focus()  # after 1 it is in the field of the right label
    page.keyboard.press("0")
    assert mark_of(page, 3) is None
    page.keyboard.press("2")
    page.keyboard.press("Escape")
    page.wait_for_selector("#lightbox", state="hidden")
    page.keyboard.press("3")  # no image is open
    assert mark_of(page, 3) == Mark("ambiguous")
    marked = page.locator("[data-row='3'].shot")
    assert {*marked.evaluate_all("all => all.map(one => one.dataset.marked)")} == {"ambiguous"}
    assert page.locator("#marks-own .verdict-tag").all_inner_texts() == ["ambiguous"]


@pytest.mark.usefixtures("run")
def test_each_mark_is_said_to_be_saved(visit):
    page = visit()
    open_image(page, 3)
    said = page.locator(".mark-editor > [role=status]")
    assert said.inner_text() == ""
    page.keyboard.press("2")
    page.wait_for_selector("text=Saved in this browser.")
    page.keyboard.press("0")
    page.wait_for_selector("text=The mark is taken away.")
    page.locator(".mark-editor textarea").fill("odd")
    page.wait_for_selector("text=Saved in this browser.")
    page.keyboard.press("Escape")
    assert "Marks made here stay in this browser; errlens view" in page.inner_text("#marks")


@pytest.mark.usefixtures("run")
def test_the_link_to_an_image_is_copied_and_the_page_behind_stays(visit):
    page = visit(before="navigator.clipboard.writeText = async (text) => { copied = text; };")
    open_image(page, 3)
    page.click("#lightbox-link")
    page.wait_for_selector("text=copied: it opens where this file is at the same place")
    assert page.evaluate("copied") == page.url
    assert "image=3" in page.url
    page.wait_for_timeout(100)
    before = page.evaluate("scrollY")
    page.mouse.move(700, 500)
    page.mouse.wheel(0, 3000)
    page.mouse.wheel(0, 3000)
    page.wait_for_timeout(300)
    assert page.evaluate("scrollY") == before
    photo, editor = (
        page.locator(f"#lightbox {where}").bounding_box() for where in (".photo", ".mark-editor")
    )
    assert editor["x"] >= photo["x"] + photo["width"]


@pytest.mark.usefixtures("run")
def test_digits_in_a_remark_are_its_text(visit):
    page = visit()
    open_image(page, 3)
    page.keyboard.press("1")
    page.locator(".mark-editor textarea").click()
    page.keyboard.type("seen 0 to 4 times")
    page.locator(".right-label").click()
    page.keyboard.type("2 dogs")
    page.keyboard.press("Tab")
    assert mark_of(page, 3) == Mark("wrong label", None, "seen 0 to 4 times")
    assert "no class 2 dogs" in page.locator(".right-class .problem").inner_text()
    page.get_by_role("button", name="say so in the remark").click()
    assert mark_of(page, 3) == Mark("wrong label", None, "seen 0 to 4 times, 2 dogs")


def test_the_right_class_is_typed_or_guessed(visit, run):
    page = visit()
    label, pred = (
        run.read_predictions((name,)).table[name].to_pylist()
        for name in ("label_name", "pred_name")
    )
    assert label[0] != pred[0]
    open_image(page, 0)
    page.keyboard.press("1")
    for typed, meant in [("WOLF", "wolf"), ("dog", "dog"), ("lynx", None), (label[0], None)]:
        page.locator(".right-label").fill(typed)
        page.locator(".right-label").press("Tab")
        assert mark_of(page, 0) == Mark("wrong label", meant)
    assert page.locator(".right-class .problem").inner_text() == "That is the label it has."
    page.locator(".guesses button", has_text=pred[0]).click()
    assert mark_of(page, 0) == Mark("wrong label", pred[0])
    page.locator("#lightbox-title").focus()
    page.keyboard.press("2")
    assert mark_of(page, 0) == Mark("ambiguous")
    page.keyboard.press("1")
    assert mark_of(page, 0) == Mark("wrong label", pred[0])  # it still stands there


@pytest.mark.usefixtures("run")
def test_one_goes_on_from_image_to_image_while_marking(visit):
    page = visit()
    page.locator("#tiles .shot button").first.click()
    page.wait_for_selector("#lightbox[open]")
    rows = page.locator("#tiles .shot").evaluate_all("all => all.map(one => one.dataset.row)")
    for row in rows[:3]:
        page.wait_for_selector(f".mark-editor[data-image='{row}']")
        page.keyboard.press("1")
        page.locator(".guesses button").first.click()
        page.keyboard.press("ArrowRight")
    page.wait_for_selector(f".mark-editor[data-image='{rows[3]}']")
    assert page.evaluate("page.marks.rows()") == sorted(map(int, rows[:3]))
    assert all(mark_of(page, int(row)).label for row in rows[:3])


@pytest.mark.usefixtures("run")
def test_a_remark_is_a_mark_and_each_image_has_its_own(visit):
    page = visit()
    open_image(page, 0)
    page.locator(".mark-editor textarea").fill("look at its ears")
    page.locator("#lightbox-after").click()
    assert mark_of(page, 0) == Mark("interesting", None, "look at its ears")
    assert page.locator(".mark-editor textarea").input_value() == ""
    page.locator("#lightbox-before").click()
    page.wait_for_selector(".mark-editor[data-image='0']")
    assert page.locator(".mark-editor textarea").input_value() == "look at its ears"


@pytest.mark.usefixtures("run")
def test_marks_are_kept_and_another_window_knows_them(visit):
    page = visit()
    set_mark(page, 5, "bad image", remark="blurred")
    with page.expect_popup() as opened:
        page.evaluate("() => { window.open(location.href) }")
    other = opened.value
    other.wait_for_selector("#marks-own .marked-image")
    set_mark(other, 7, "ambiguous")
    page.wait_for_selector("#marks-own [data-row='7']")
    assert mark_of(page, 7) == Mark("ambiguous")
    set_mark(page, 5, "interesting")
    other.close()
    page.reload()
    page.wait_for_selector("#marks-own .marked-image")
    assert [mark_of(page, row) for row in (5, 7)] == [Mark("interesting"), Mark("ambiguous")]
    page.evaluate("""() => {
        for (const key of Object.keys(localStorage)) localStorage.setItem(key, '{"1": 7, ');
    }""")
    page.reload()
    page.wait_for_selector("#marks-none")
    assert page.evaluate("page.marks.rows()") == []


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("before", [NO_STORAGE, FULL_STORAGE], ids=["none", "full"])
def test_where_nothing_can_be_kept_it_is_said(visit, before):
    page = visit(before=before)
    open_image(page, 2)
    page.keyboard.press("1")
    said = page.locator(".mark-editor > [role=status].problem")
    assert said.inner_text() == "It cannot be kept: it is gone when this page is closed."
    page.keyboard.press("Escape")
    assert "save marks.json before you close it" in page.locator("#marks-said").inner_text()
    assert json.loads(saved(page, "marks.json").read_text())["marks"][0]["row"] == 2


def test_marks_of_a_colleague_are_told_apart_and_taken_over(visit, run):
    said = {
        0: Mark("wrong label", "dog", "<b>sure</b>"),
        3: Mark("ambiguous"),
        6: Mark("bad image"),
    }
    theirs(run, said)
    write_run_marks(run, {9: Mark("interesting")}, images_of(run))
    report("run --marks anna.json")
    page = visit()
    heads = page.locator("#marks-others h3").all_inner_texts()
    assert heads == ["Marks of run/marks.json", "Marks of anna.json"]
    assert page.locator("#marks-own li").count() == 0
    assert page.locator("#marks-others li").count() == 4
    assert page.evaluate("page.marks.rows()") == []
    set_mark(page, 3, "interesting", remark="mine")
    open_image(page, 0)
    assert "<b>sure</b>" in page.locator(".theirs").inner_text()
    page.locator(".theirs").get_by_role("button", name="take over").click()
    assert mark_of(page, 0) == said[0]
    assert page.locator(".mark-editor textarea").input_value() == "<b>sure</b>"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="take over 1 that you have not marked").last.click()
    assert [mark_of(page, row) for row in said] == [
        said[0], Mark("interesting", None, "mine"), said[6],
    ]  # fmt: skip
    others = page.locator("#marks-others").inner_text()
    assert "1 mark taken over; 1 image that you marked otherwise kept as you did." in others
    assert "yours: interesting" in others


@pytest.mark.usefixtures("run")
def test_all_is_forgotten_once_it_is_confirmed(visit):
    page = visit()
    for row in range(3):
        set_mark(page, row, "ambiguous")
    page.click("#marks-forget")
    assert "Forget 3 marks?" in page.locator("#marks-sure").inner_text()
    page.keyboard.press("Enter")  # the focus is on keeping them
    assert page.locator("#marks-sure").is_hidden()
    assert page.evaluate("page.marks.rows()") == [0, 1, 2]
    page.click("#marks-forget")
    page.click("#marks-forget-yes")
    assert page.evaluate("page.marks.rows()") == []
    assert page.locator("#marks-none").is_visible()
    page.reload()
    page.wait_for_selector("#marks-none")
    assert page.evaluate("page.marks.rows()") == []


@pytest.mark.usefixtures("run")
def test_marked_images_are_a_view(visit):
    page = visit()
    for row in (2, 5, 30):
        set_mark(page, row, "bad image")
    page.locator("#marks-said a", has_text="3 bad image").click()
    page.wait_for_selector("#tiles .shot[data-row='30']")
    rows = page.locator("#tiles .shot").evaluate_all(
        "all => all.map(one => Number(one.dataset.row))"
    )
    assert sorted(rows) == [2, 5, 30]
