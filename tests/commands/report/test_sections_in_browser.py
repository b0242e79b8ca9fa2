"""The words and charts of the page in a real browser: what is seen first, read and moved."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.conftest import ends
from tests.report.pages import CLASSES, add_parts, fake_explanations, make, make_page, report

WIDE, NARROW = {"width": 1400, "height": 1000}, {"width": 400, "height": 900}
BOTH = pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])


def two_classes(n=200):
    """Import a run of two classes, of which the rarer one is looked for."""
    random = np.random.default_rng(0)
    is_one = np.arange(n) % 4 == 0
    prob = 1 / (1 + np.exp(-random.normal(np.where(is_one, 0.4, -1.5))))
    table = pd.DataFrame(
        {
            "path": [f"{row:03d}.png" for row in range(n)],
            "label": np.where(is_one, "defect", "good"),
            "pred": np.where(prob >= 0.5, "defect", "good"),
            "confidence": np.maximum(prob, 1 - prob).round(6),
        }
    )
    table.to_csv("two.csv", index=False)
    ends("import two.csv -o run -q")
    return is_one, np.where(table["pred"] == "defect", table["confidence"], 1 - table["confidence"])


def page_of_two_classes():
    two_classes()
    report()


def with_gates(run):
    gate = {"name": "accuracy " * 20, "metric": "top1", "op": ">=", "threshold": 0.9, "value": 0.6}
    gate |= {"low": 0.5, "high": 0.7, "n": 48, "passed": False, "reason": "too low"}
    run.gates_file.write_text(json.dumps({"gates": [gate], "passed": False}))


def with_everything(*, images=True):
    """Make a run with pairs, notes, gates and an older run."""
    make(images=images)
    Path("run").rename("old")
    Path("table.csv").unlink(missing_ok=True)
    run = make(each=13, images=images)
    add_parts()
    ends("compare old run --no-figures -q")
    with_gates(run)
    report()


def current(page):
    return page.locator("nav [aria-current]").all_inner_texts()


def wait_until(page, seen):
    for _ in range(100):  # waiting for a function would take the eval that the page forbids
        if seen():
            return
        page.wait_for_timeout(20)
    pytest.fail("it does not come")


def test_the_first_findings_are_seen_with_their_photos_at_once(visit, copy_of):
    copy_of(with_everything)
    page = visit()
    photos = page.locator("#verdict .findings img")
    wait_until(page, lambda: photos.first.evaluate("one => one.naturalWidth > 0"))
    box = photos.first.bounding_box()
    assert box["y"] + box["height"] < WIDE["height"]
    assert box["width"] > 90
    assert page.locator("#verdict .missing").count() == 0
    said = page.locator("#verdict").inner_text()
    assert "% right" in said
    assert "Top-1 went from" in said
    assert page.locator("#verdict table").is_hidden()
    page.locator("#verdict .gates summary").click()
    assert page.locator("#verdict table").is_visible()


def test_the_section_that_is_read_is_marked(visit, copy_of):
    copy_of(with_everything)
    page = visit()
    wait_until(page, lambda: current(page) == ["Verdict"])
    for title in ("Metrics", "Comparison", "Verdict"):
        page.locator("nav a", has_text=title).first.click()
        wait_until(page, lambda title=title: current(page) == [title])


@BOTH
def test_a_heat_map_opens_its_image_and_shows_that_it_goes_on(visit, viewport):
    fake_explanations(make())
    report()
    page = visit(viewport=viewport)
    assert "Not filtered: heat maps of the wrong images with the h" in page.inner_text("#images")
    page.locator("#images .heat").scroll_into_view_if_needed()
    scroll = page.locator("#images .heat .scroll")
    is_wider = viewport == NARROW
    wait_until(page, lambda: ("wider" in scroll.get_attribute("class")) == is_wider)
    scroll.evaluate("one => { one.scrollLeft = 10000 }")
    assert scroll.evaluate("one => one.tabIndex") == (0 if is_wider else -1)
    if is_wider:
        wait_until(page, lambda: "at-end" in scroll.get_attribute("class"))
    scroll.locator("img").click()
    assert "row:0" not in page.inner_text("dialog")  # an imported run has no model
    wait_until(page, lambda: page.locator("dialog .heat img").evaluate("one => one.width > 0"))
    assert page.evaluate("location.hash").endswith("image=0")


def test_outlines_in_the_legend_of_calibration_are_seen(visit, copy_of):
    copy_of(make_page, images=False)
    sizes = (
        visit()
        .locator(".swatch .gap")
        .evaluate_all(
            "all => all.map(one => one.getBoundingClientRect()).map(box => [box.width, box.height])"
        )
    )
    assert len(sizes) == 2
    assert all(width > 15 and height > 7 for width, height in sizes)


@BOTH
@pytest.mark.parametrize("images", [True, False], ids=["photos", "none"])
def test_nothing_sticks_out_and_no_value_is_cut(visit, copy_of, viewport, images):
    copy_of(with_everything, images=images)
    page = visit(viewport=viewport)
    for one in page.locator("main details summary").all():
        one.click()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    cut = page.locator(".scroll").evaluate_all(
        "all => all.filter(one => one.scrollWidth > one.clientWidth + 1 &&"
        " !one.classList.contains('wider')).length"
    )
    assert cut == 0
    overlapping = page.locator(".change").evaluate_all(
        "all => all.filter(row => { const boxes = [...row.children].map(one =>"
        " one.getBoundingClientRect()); return boxes.some((a, at) => boxes.some((b, to) => to > at"
        " && a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1"
        " && b.top < a.bottom - 1)); }).length"
    )
    assert overlapping == 0


def test_what_a_finger_has_to_hit_is_high_enough(visit, copy_of):
    copy_of(with_everything)
    page = visit(viewport=NARROW)
    page.wait_for_timeout(300)  # the table of classes comes after the first paint
    low = page.locator("nav a, button, select, summary, .all a").evaluate_all(
        "all => all.map(one => [one.outerHTML.slice(0, 80), one.getBoundingClientRect().height])"
        ".filter(([name, height]) => height && height < 31.5)"
    )
    assert low == []


def test_a_run_without_photos_has_no_empty_boxes(visit, copy_of):
    copy_of(with_everything, images=False)
    page = visit()
    page.wait_for_timeout(100)
    assert page.locator(".gone:visible, .shot img:visible, .missing:visible").count() <= 1
    assert "no photos" in page.locator("#health").inner_text()
    assert page.locator("#pairs .shot").first.is_visible()  # in words
    page.locator("#pairs .shot button").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("dialog").is_visible()


def test_headings_go_down_one_level_at_a_time(visit, copy_of):
    copy_of(with_everything)
    page = visit()
    levels = page.locator("h1, h2, h3, h4, h5").evaluate_all(
        "all => all.map(one => Number(one.tagName[1]))"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_a_group_that_is_a_pair_is_told_once(visit, copy_of):
    copy_of(with_everything)
    groups = pd.read_csv("run/confusion/groups.csv")
    assert set(groups["size"]) == {2}
    page = visit()
    assert page.locator("#groups").count() == 0
    assert "Groups" not in page.locator("nav").inner_text()
    assert page.locator("#pairs article").count() == len(groups)


def test_moving_the_threshold_counts_misses_and_false_alarms(visit):
    is_one, prob = two_classes()
    report()
    page = visit()
    says = page.locator("#threshold-does")
    assert "From 0.500 on" in says.inner_text()
    page.locator("#threshold").evaluate(
        "one => { one.value = 200; one.dispatchEvent(new Event('input')); }"
    )
    misses, alarms = int((is_one & (prob < 0.2)).sum()), int((~is_one & (prob >= 0.2)).sum())
    assert f"{misses} of 50 missed" in says.inner_text()
    assert f"{alarms} of 150 called wrongly" in says.inner_text()
    page.fill("#cost-miss", "20")
    assert f"cost {20 * misses + alarms:,}" in says.inner_text()
    page.click("#cheapest")
    assert "no threshold is cheaper" in says.inner_text()
    at = np.linspace(0, 1, 1001)
    costs = [20 * (is_one & (prob < one)).sum() + (~is_one & (prob >= one)).sum() for one in at]
    assert f"cost {min(costs):,}" in says.inner_text()
    for name in ("roc", "pr"):
        assert page.locator(f"#{name}-at").is_visible()


@BOTH
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_two_classes_fit_in_light_and_dark(visit, copy_of, viewport, scheme):
    copy_of(page_of_two_classes)
    page = visit(viewport=viewport, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.locator("#pairs article").count() == 0
    curve = page.locator("#two-classes .curve").first
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert curve.evaluate("one => getComputedStyle(one).stroke") != paper


def test_on_paper_what_is_folded_is_open(visit, copy_of):
    copy_of(with_everything)
    page = visit()
    assert page.locator("main details:not([open])").count() > 0
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("main details:not([open])").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("main details[open]").count() == 0


def test_bars_of_classes_are_as_long_as_their_differences(visit, copy_of):
    copy_of(with_everything)
    page = visit()
    rows = page.locator(".change").evaluate_all(
        "all => all.map(one => [one.querySelector('.by b').innerText,"
        " one.querySelector('rect').getBoundingClientRect().width])"
    )
    assert len(rows) == len(CLASSES)
    table = pd.read_csv("run/compare/classes.csv")
    sizes = np.abs(table["difference"].to_numpy())
    drawn = np.array([width for _, width in rows])
    if sizes.max() > 0:
        np.testing.assert_allclose(drawn / drawn.max(), sizes / sizes.max(), atol=0.02)


def test_words_of_statistics_are_explained_also_without_a_mouse(visit):
    make()
    report()
    page = visit()
    word = page.locator("#metrics abbr", has_text="macro F1").first
    word.evaluate("one => { one.closest('details')?.setAttribute('open', '') }")
    word.focus()
    shown = word.evaluate("one => getComputedStyle(one, '::after').content")
    assert "harmonic mean of recall and precision" in shown
