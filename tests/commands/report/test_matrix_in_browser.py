"""The confusion matrix of the page in a real browser, held against the tables beside it."""

import json
from urllib.parse import parse_qs

import pandas as pd

from errlens import formats
from tests.commands.report.matrix import (
    address,
    cells,
    chosen,
    colour_of,
    drawn,
    make_many,
    names,
)
from tests.conftest import ends
from tests.report.pages import EVIL, make, make_page, report


def test_the_strongest_cell_is_there_from_the_start(visit, copy_of):
    copy_of(make_page, parts=True)
    page = visit()
    first = cells().iloc[0]
    assert chosen(page) == f"{first.true_class} → {first.pred_class}"
    share, interval = formats.share(first["rate"]), formats.share_range(first.low, first.high)
    told = f"{first['count']} of {first.n} images ({share}; 95 % interval {interval})"
    told = told.replace(" %", "\N{NO-BREAK SPACE}%")
    assert page.locator("#panel .numbers").inner_text() == told
    assert page.locator("#where").inner_text() == f"{chosen(page)}: {told}"
    shots = page.locator("#panel .shot img")
    assert shots.count() == first["count"]
    assert shots.first.evaluate("one => one.naturalWidth") > 0
    assert page.evaluate("document.activeElement === document.body")
    assert page.evaluate("location.hash") == ""
    assert page.locator("#cursor").is_visible()


def test_the_panel_links_to_all_images_of_the_cell_and_of_its_classes(visit):
    make((*EVIL[:2], "a/b", "c&d=e"), superclasses=False)
    ends("confusion run --no-figures -q")
    report()
    page = visit()
    for index, (true, pred) in enumerate(cells()[["true_class", "pred_class"]].values):
        page.select_option("#strongest", index=index + 1)
        links = page.locator("#panel a").evaluate_all("all => all.map((a) => a.hash)")
        views = [parse_qs(link.removeprefix("#images?")) for link in links]
        assert views == [{"true": [true]}, {"true": [pred]}, {"true": [true], "pred": [pred]}]
        count = cells()["count"][index]
        assert page.locator("#panel a.all").inner_text() == f"all {count}"


def test_on_a_narrow_page_a_tap_brings_the_images_into_view(visit, copy_of):
    copy_of(make_page, parts=True)
    page = visit(viewport={"width": 400, "height": 600}, has_touch=True)
    page.locator("#canvas").evaluate("one => one.scrollIntoView()")
    box = page.locator("#canvas").bounding_box()
    step = box["width"] / len(names(page))
    true, pred = cells().iloc[1][["true_class", "pred_class"]]
    across, down = names(page, "columns").index(pred), names(page).index(true)
    page.touchscreen.tap(box["x"] + (across + 0.5) * step, box["y"] + (down + 0.5) * step)
    top = "document.querySelector('#panel .shots').getBoundingClientRect().top"
    page.wait_for_function(f"() => {top} < 400")
    assert chosen(page) == f"{true} → {pred}"
    page.wait_for_selector("#tip", state="hidden")


def test_a_click_on_a_cell_shows_its_images(visit, copy_of):
    copy_of(make_page, parts=True)
    page = visit()
    first = chosen(page)
    canvas, found = page.locator("#canvas"), set()
    side = canvas.bounding_box()["width"]
    for across in range(4):
        for down in range(4):
            place = {"x": side * (across + 0.5) / 4, "y": side * (down + 0.5) / 4}
            canvas.click(position=place)
            found.add(chosen(page))
    assert first in found
    assert found == {
        f"{true} → {pred}" for true, pred in cells()[["true_class", "pred_class"]].values
    }
    assert "--select" in page.locator("#panel code").inner_text()
    page.get_by_role("button", name="The other way").click()


def test_the_matrix_is_walked_with_the_keyboard(visit, copy_of):
    copy_of(make_page)
    page = visit()
    page.focus("#canvas")
    page.keyboard.press("Home")
    first = page.locator("#where").inner_text()
    assert " → " in first
    page.keyboard.press("ArrowUp")
    assert page.locator("#where").inner_text() != first
    assert page.locator("#where").inner_text().endswith("Enter shows the images.")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "panel"
    assert page.locator("#panel .shot").count() >= 1
    assert page.locator("#where").inner_text().startswith(chosen(page))
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_cells_and_diagonal_hold_what_the_table_says(visit, copy_of):
    copy_of(make_page, parts=True)
    page = visit()
    counts = pd.read_csv("run/confusion/matrix.csv", index_col=0)
    order = names(page)
    assert names(page, "columns") == order
    expected = counts.loc[order, order].to_numpy()
    assert sorted(drawn(page)) == sorted(str(count) for count in expected.ravel() if count)
    page.check("#rates")
    shares = (expected / expected.sum(axis=1, keepdims=True)).ravel()
    assert sorted(drawn(page)) == sorted(filter(None, map(formats.cell_share, shares)))
    assert address(page)["numbers"] == ["rates"]


def test_more_errors_are_further_along_the_scale_and_its_ends_are_labelled(visit, copy_of):
    copy_of(make_page, parts=True)
    page = visit(color_scheme="light")
    most = cells()["count"].max()
    ticks = page.locator("#ticks span").all_inner_texts()
    assert (ticks[0], ticks[-1]) == ("0", f"{most} images")
    order = names(page)
    light = {
        row["count"]: sum(colour_of(page, order.index(row.true_class), order.index(row.pred_class)))
        for _, row in cells().iterrows()
    }
    by_count = [light[count] for count in sorted(light)]
    assert by_count == sorted(by_count, reverse=True)
    assert len(set(by_count)) > 1
    page.check("#rates")
    largest = cells()["rate"].max()
    assert page.locator("#ticks span").last.inner_text() == formats.share(largest)


def test_the_axes_and_the_superclasses_are_named_at_both_sides(visit, copy_of):
    copy_of(make_page)
    page = visit()
    for side, axis in {"rows": "true class", "columns": "predicted class"}.items():
        assert page.locator(f"#{side} .axis").text_content() == axis
        assert page.locator(f"#{side} .superclass").all_text_contents() == ["canine", "feline"]
        assert page.locator(f"#{side} .bracket").count() == 2


def test_without_superclasses_there_are_no_brackets(visit, copy_of):
    copy_of(make_page, superclasses=False)
    assert visit().locator("#plot .bracket").count() == 0


def test_part_of_the_classes_is_chosen(visit, copy_of):
    copy_of(make_page)
    page = visit()
    options = page.locator("#focus option").all_inner_texts()
    assert options == ["all 4 classes", "canine (2 classes)", "feline (2 classes)"]
    page.select_option("#focus", "superclass:canine")
    assert sorted(names(page)) == ["dog", "wolf"]
    assert chosen(page) in ("dog → wolf", "wolf → dog")  # the strongest that is in sight
    assert address(page)["focus"] == ["superclass:canine"]
    # A cell that is out of sight is shown among all.
    page.select_option("#strongest", label="cat → lion, 4")
    assert len(names(page)) == 4
    assert page.locator("#focus").input_value() == "all"
    assert chosen(page) == "cat → lion"


def test_groups_of_classes_are_those_of_the_table(visit):
    make(each=60)
    ends("confusion run --no-figures -q")
    report()
    page = visit()
    groups = pd.read_csv("run/confusion/groups.csv")
    assert len(groups) > 0
    for number, classes in groups[["group", "classes"]].values:
        page.select_option("#focus", f"group:{number}")
        assert sorted(names(page)) == sorted(json.loads(classes))


def test_among_many_classes_superclasses_are_named_and_lead_to_their_classes(visit):
    make_many()
    report()
    page = visit()
    assert names(page) == [f"family {index}" for index in range(5)]
    assert "at most 60 classes" in page.locator("#shown").inner_text()
    page.locator("#rows .name", has_text="family 3").click()
    assert sorted(names(page)) == [f"kind {index}" for index in range(45, 60)]
    assert page.locator("#focus").input_value() == "superclass:family 3"
    page.select_option("#focus", "most")
    assert len(names(page)) == 40


def test_a_class_is_shown_with_what_it_is_confused_with(visit):
    make_many()
    ends("confusion run --no-figures -q")
    report()
    page = visit()
    table = cells()
    page.fill("#class", "KIND 07")
    mine = table[(table.true_class == "kind 07") | (table.pred_class == "kind 07")]
    assert set(names(page)) == {*mine.true_class, *mine.pred_class}
    assert page.locator("#shown").inner_text() == "kind 07, and the 4 classes it is confused with."
    assert "kind 07" in chosen(page)
    # A click on a name does the same for that class.
    page.locator("#columns .name", has_text="kind 24").click()
    assert page.locator("#class").input_value() == "kind 24"
    assert "kind 41" in names(page)
    page.fill("#class", "kind 1")
    assert page.locator("#shown").inner_text().startswith("10 classes with “kind 1” in their name")
    assert {f"kind 1{digit}" for digit in range(10)} <= set(names(page))
    page.fill("#class", "nobody")
    assert page.locator("#shown").inner_text() == "No class has “nobody” in its name."
    assert len(names(page)) > 0
    page.fill("#class", "")
    assert len(names(page)) == 5
