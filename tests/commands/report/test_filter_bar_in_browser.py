"""What is typed into the filter bar, and how parts of the page scroll, in a real browser."""

import pytest

from tests.commands.report.marking import close, open_image
from tests.report.pages import make, report


@pytest.fixture
def page(visit, run):  # noqa: ARG001 - whose page it is
    page = visit()
    page.wait_for_selector("#tiles .shot")
    return page


def view(page):
    return page.evaluate("page.place.view")


def test_a_confidence_acts_while_it_is_typed(page):
    for typed in ("0.3", "0,3", ".3", "30%", "30 %", " 0.30 "):
        before = page.evaluate("history.length")
        page.locator("[name=from]").press_sequentially(typed)
        page.wait_for_function("() => page.place.view.from === 0.3")
        assert page.evaluate("history.length") <= before + 1
        page.select_option("[name=sort]", "confidence")
        page.evaluate("page.goTo({ view: { ...page.place.view, sort: 'path' } })")
        assert page.input_value("[name=from]") == typed
        assert page.locator("#range-problem").is_hidden()
        page.click("#reset")


def test_what_is_typed_stays_when_another_filter_changes_at_once(page):
    page.evaluate("""() => {
        const from = document.querySelector("[name=from]");
        from.value = "0,4";
        from.dispatchEvent(new Event("input", { bubbles: true }));
    }""")
    page.select_option("[name=sort]", "confidence")
    assert page.input_value("[name=from]") == "0,4"
    assert (view(page)["from"], view(page)["sort"]) == (0.4, "confidence")


def test_what_is_no_confidence_is_refused_with_a_word(page):
    for typed in ("-0.1", "abc", "101 %", "101", "-5"):
        page.fill("[name=to]", typed)
        page.wait_for_selector("#range-problem:not([hidden])")
        said = page.locator("#range-problem").inner_text()
        assert said == f"A confidence is from 0 to 1, or from 0 to 100 %: {typed} filters nothing."
        page.select_option("[name=sort]", "path")
        assert page.input_value("[name=to]") == typed
        assert "to" not in view(page)
        page.click("#reset")
        assert page.input_value("[name=to]") == ""
        assert page.locator("#range-problem").is_hidden()


def test_a_number_above_one_is_a_percentage_and_is_said_to_be(page):
    for typed, meant in (("50", 0.5), ("1,5", 0.015), ("100", 1)):
        page.fill("[name=from]", typed)
        page.wait_for_function("meant => page.place.view.from === meant", arg=meant)
        said = page.locator("#range-problem")
        assert said.inner_text() == f"{typed} is taken as {typed} %."
        assert page.input_value("[name=from]") == typed
    page.fill("[name=from]", "1")
    page.wait_for_selector("#range-problem", state="hidden")
    assert view(page)["from"] == 1


def test_where_nothing_is_found_it_is_said_which_filter_does_it(page):
    look = "view => { page.goTo({ view: { sort: 'loss', down: true, ...view } }) }"
    cats = {"true": "cat", "side": "wrong"}
    page.evaluate(look, cats | {"from": 0.99})
    page.wait_for_selector("#without button")
    wrong = page.evaluate("view => page.store.find(view).then(({ total }) => total)", cats)
    said = page.locator("#without button").all_inner_texts()
    assert said == [f"without confidence from 0.990: {wrong}"]
    page.click("#without button")
    page.wait_for_selector("#none-matching", state="hidden")
    assert page.locator("#matching").inner_text().startswith(f"{wrong} of")
    assert page.input_value("[name=from]") == ""
    page.evaluate(look, {"pred": "dog", "text": "nowhere", "from": 0.99})
    page.wait_for_selector("#no-single:not([hidden])")
    assert page.locator("#without").is_hidden()


def test_no_choice_of_the_filter_bar_is_cut(page):
    for name in ("side", "marked"):
        room, needed = page.locator(f"[name={name}]").evaluate("""one => {
            const free = one.cloneNode(true);
            free.style.width = "auto";
            free.querySelectorAll("option:not(:first-child)").forEach((each) => each.remove());
            one.after(free);
            const widths = [one.offsetWidth, free.offsetWidth];
            free.remove();
            return widths;
        }""")
        assert room >= needed, name


def test_an_image_opens_at_its_top(page):
    body = page.locator("#lightbox .one-image")
    page.set_viewport_size({"width": 900, "height": 400})
    for row in (0, 1):
        open_image(page, row)
        assert body.evaluate("one => one.scrollTop") == 0
        body.evaluate("one => { one.scrollTop = 600 }")
        assert body.evaluate("one => one.scrollTop") > 50
        close(page)
    open_image(page, 0)
    body.evaluate("one => { one.scrollTop = 600 }")
    page.click("#lightbox-after")
    page.wait_for_selector(".mark-editor:not([data-image='0'])")
    assert body.evaluate("one => one.scrollTop") == 0


def test_half_a_row_says_that_more_classes_follow(visit):
    make([f"class_{at:02d}" for at in range(30)], superclasses=False, images=False, each=2)
    report()
    page = visit()
    share = page.locator("#classes").evaluate("""box => {
        const end = box.getBoundingClientRect().top + box.clientTop + box.clientHeight;
        const rows = [...box.querySelectorAll("tbody tr:not(.space)")].map((one) => one.getBoundingClientRect());
        const last = rows.find((one) => one.top < end && one.bottom > end);
        return (end - last.top) / last.height;
    }""")  # noqa: E501
    assert 0.3 < share < 0.7
