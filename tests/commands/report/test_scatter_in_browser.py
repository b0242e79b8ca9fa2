"""The map of images on the page: pointed at, walked over, chosen from with a line, and marked."""

from pathlib import Path

import pytest

from errlens.analysis.marks.mark import Mark
from tests.commands.report.marking import close, mark_of, set_mark
from tests.report.pages import EVIL, make, report
from tests.report.sections.network.made import places, write_embed

CORNERS = [(-1.4, -1.4), (1.4, -1.4), (1.4, 1.4), (-1.4, 1.4), (-1.4, -1.4)]  # in steps of the grid


def mapped():
    write_embed(make())
    report()


def mapped_with_odd_names():
    evil = ("</script><script>alert(1)</script>", *EVIL[:2], "<b>bold</b>")
    run = make(evil, superclasses=False)
    write_embed(run, table=places(run, evil), groups=[evil])
    report()


@pytest.fixture
def page(copy_of, visit):
    copy_of(mapped)
    return opened(visit())


def opened(page):
    page.wait_for_selector("#scatter:not([hidden])")
    page.locator("#scatter-canvas").scroll_into_view_if_needed()
    page.wait_for_function("document.getElementById('scatter-canvas').height > 300")
    return page


def place_of(page, row, across=0.0, down=0.0):
    """Return where an image is in the window, or so many steps of the grid beside it on the map."""
    box = page.locator("#scatter-canvas").bounding_box()
    xs, ys = (
        page.evaluate(f"[0, 1, 8].map((at) => page.scatter.{axis}[at])") for axis in ("x", "y")
    )
    x, y = page.evaluate("at => [page.scatter.x[at], page.scatter.y[at]]", row)
    x, y = x + across * (xs[1] - xs[0]), y + down * (ys[2] - ys[0])
    x, y = (min(0.995, max(0.005, share)) for share in (x, y))
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def draw_around(page, row, keys=()):
    """Draw a line around an image and the eight next to it."""
    (x, y), *others = [place_of(page, row, *corner) for corner in CORNERS]
    for key in keys:
        page.keyboard.down(key)
    page.mouse.move(x, y)
    page.mouse.down()
    for x, y in others:
        page.mouse.move(x, y, steps=6)
    page.mouse.up()
    for key in keys:
        page.keyboard.up(key)


def chosen(page):
    """Return the rows that are listed, once all that are chosen are."""
    n = page.evaluate("document.getElementById('scatter-chosen').hidden") or int(
        page.inner_text("#scatter-chosen h5").split()[0]
    )
    if n is True:
        return []
    page.wait_for_function(
        "n => document.querySelectorAll('#scatter-chosen .shot').length === n", arg=n
    )
    tiles = page.locator("#scatter-chosen .shot")
    return tiles.evaluate_all("all => all.map((tile) => Number(tile.dataset.row))")


def test_pointing_at_an_image_says_what_it_is_and_a_click_opens_it(page):
    page.mouse.move(*place_of(page, 12))
    page.wait_for_selector("text=images/012.png: lion, taken for cat")
    page.mouse.move(*place_of(page, 13))
    page.wait_for_selector("text=images/013.png: lion, right")
    page.mouse.click(*place_of(page, 13))
    page.wait_for_selector("#lightbox[open]")
    assert page.url.endswith("&image=13")
    assert page.inner_text("#lightbox-position") == "1 of 1"
    close(page)
    assert page.evaluate("document.activeElement.id") == "scatter-canvas"
    page.mouse.click(*place_of(page, 13, across=0.5, down=0.5))  # there is nothing
    assert not page.locator("#lightbox").is_visible()


def test_images_inside_of_a_line_are_listed_and_marked_at_once(page):
    set_mark(page, 10, "interesting", remark="mine")
    draw_around(page, 9)
    assert chosen(page) == [0, 1, 9, 18, 2, 8, 10, 16, 17]  # errors first
    assert page.inner_text("#scatter-chosen h5") == "9 images chosen, 4 errors among them"
    page.click("#scatter-chosen [data-verdict='ambiguous']")
    page.wait_for_selector("text=8 images marked as ambiguous; 1 image marked before kept")
    assert {row: mark_of(page, row) for row in (0, 10, 18, 3)} == {
        0: Mark("ambiguous"), 10: Mark("interesting", None, "mine"), 18: Mark("ambiguous"), 3: None,
    }  # fmt: skip
    marked = page.locator("#scatter-chosen .shot[data-marked='ambiguous']")
    assert marked.count() == 8
    assert "9 images marked" in page.inner_text("#marks-said")
    page.click("text=take back")
    page.wait_for_selector("text=8 marks taken back.")
    assert page.evaluate("page.marks.rows()") == [10]


def test_the_selection_is_copied_and_walked_through(page):
    draw_around(page, 9)
    command = page.inner_text("#scatter-chosen code")
    assert command.startswith("errlens misclassified run --select row:0 --select row:1 --select ")
    page.locator("#scatter-chosen .shot button").nth(1).click()
    page.wait_for_selector("#lightbox[open]")
    page.wait_for_function("document.getElementById('lightbox-position').textContent === '2 of 9'")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("location.hash.endsWith('image=9')")
    page.keyboard.press("4")
    assert mark_of(page, 9) == Mark("interesting")
    close(page)


def test_shift_adds_to_those_chosen_and_escape_chooses_none(page):
    draw_around(page, 9)
    draw_around(page, 46, keys=["Shift"])
    assert {*chosen(page)} == {0, 1, 2, 8, 9, 10, 16, 17, 18, 37, 38, 39, 45, 46, 47}
    page.keyboard.down("Shift")
    page.mouse.click(*place_of(page, 0))
    page.keyboard.up("Shift")
    assert 0 not in chosen(page)
    draw_around(page, 46)
    assert {*chosen(page)} == {37, 38, 39, 45, 46, 47}
    page.locator("#scatter-canvas").press("Escape")
    assert chosen(page) == []


def test_images_are_reached_opened_and_chosen_by_keys(page):
    canvas = page.locator("#scatter-canvas")
    canvas.press("Home")  # the first error
    page.wait_for_selector("#scatter-where >> text=images/000.png")
    for key, row in [("ArrowRight", 1), ("ArrowDown", 9), ("ArrowLeft", 8), ("ArrowLeft", 8)]:
        canvas.press(key)
        page.wait_for_selector(f"#scatter-where >> text=images/{row:03}.png")
    canvas.press("Space")
    page.wait_for_selector("#scatter-where >> text=Chosen. Enter opens it, Space leaves it out.")
    canvas.press("ArrowUp")
    canvas.press("Space")
    assert {*chosen(page)} == {0, 8}
    canvas.press("Space")
    assert chosen(page) == [8]
    canvas.press("Enter")
    page.wait_for_selector("#lightbox[open]")
    assert page.url.endswith("&image=0")
    close(page)
    assert page.evaluate("document.activeElement.id") == "scatter-canvas"


def test_what_is_filtered_away_is_neither_pointed_at_nor_chosen(page):
    page.select_option("#scatter-side", label="errors")
    page.select_option("#scatter-kind", label="confused: cat ~ lion")
    page.click("#scatter-all")
    assert chosen(page) == [0, 1, 3, 6, 9, 12, 15, 18, 21]
    assert "all of them errors" in page.inner_text("#scatter-chosen h5")
    page.mouse.click(*place_of(page, 2))  # is right
    assert not page.locator("#lightbox").is_visible()
    page.select_option("#scatter-kind", label="dog")
    draw_around(page, 33)
    assert chosen(page) == [24, 33]
    page.click("#scatter-none")
    assert chosen(page) == []


def test_names_that_are_code_are_text(copy_of, visit):
    copy_of(mapped_with_odd_names)
    page = opened(visit())
    names = page.locator("#scatter-kind option").all_inner_texts()
    assert "</script><script>alert(1)</script>" in names
    page.mouse.move(*place_of(page, 12))
    page.wait_for_selector("#scatter-tip:not([hidden])")
    assert EVIL[0] in page.inner_text("#scatter-tip")
    draw_around(page, 9)
    assert len(chosen(page)) == 9


def test_an_image_that_the_page_does_not_list_is_said_to_be_none_of_its(page):
    page.evaluate("page.store.facts = async () => ({ top: [], near: [], heatmaps: [] })")
    page.mouse.move(*place_of(page, 5))
    page.wait_for_selector("text=row 5 is not on this page")
    draw_around(page, 9)
    page.wait_for_selector("#scatter-chosen >> text=row 18 is not on this page")


def test_a_drag_that_is_broken_off_chooses_nothing(page):
    x, y = place_of(page, 9, *CORNERS[0])
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y, steps=4)
    page.locator("#scatter-canvas").dispatch_event("pointercancel")
    page.mouse.move(x + 60, y + 60, steps=4)
    page.mouse.up()
    assert chosen(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_errors_and_classes_are_drawn_in_the_colours_of_the_page(copy_of, visit, theme):
    copy_of(mapped)
    page = opened(visit(color_scheme=theme))

    def pixel(row):
        return page.evaluate(
            """at => {
                const canvas = document.getElementById("scatter-canvas");
                const copy = document.createElement("canvas");
                [copy.width, copy.height] = [canvas.width, canvas.height];
                const pen = copy.getContext("2d", { willReadFrequently: true });
                pen.drawImage(canvas, 0, 0);
                const { x, y } = page.scatter;
                const place = [x[at] * copy.width, y[at] * copy.height].map(Math.round);
                return [...pen.getImageData(...place, 1, 1).data];
            }""",
            row,
        )

    def hue(number):
        text = page.evaluate("name => page.colours([name])[name]", f"hue-{number}")
        return [int(part) for part in text.removeprefix("rgb(").rstrip(")").split(",")]

    page.wait_for_timeout(200)
    names = page.evaluate("page.scatter.names")
    assert pixel(0)[:3] == hue(names.index("cat"))  # an error, not seen through
    assert pixel(12)[:3] == hue(names.index("lion"))
    assert pixel(2)[:3] == pytest.approx(hue(names.index("cat")), abs=2)
    assert 0 < pixel(2)[3] < 255


@pytest.fixture
def without_javascript(browser, visit):  # noqa: ARG001 - which goes to an empty folder
    context = browser.new_context(java_script_enabled=False)
    yield context.new_page()
    context.close()


def test_without_javascript_the_picture_of_the_map_is_there(copy_of, without_javascript):
    copy_of(mapped)
    page = without_javascript
    page.goto(Path("run/report.html").absolute().as_uri())
    picture = page.locator("[data-picture='network/embed/map.png']")
    assert picture.is_visible()
    assert picture.bounding_box()["height"] > 50
    assert not page.locator("#scatter").is_visible()


def test_on_paper_the_picture_stands_for_the_map(page):
    assert not page.locator("[data-picture='network/embed/map.png']").is_visible()
    page.emulate_media(media="print")
    assert not page.locator("#scatter").is_visible()
    assert page.locator("[data-picture='network/embed/map.png']").is_visible()
