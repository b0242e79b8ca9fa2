"""The page of `errlens report` in a real browser, opened from disk."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import errlens
from errlens import formats
from errlens.escapes import printable, shell_line
from tests.conftest import ends
from tests.report.pages import EVIL, add_parts, make, make_page, report

WIDE, NARROW = {"width": 1400, "height": 1000}, {"width": 400, "height": 900}


def overflow(page):
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")


def columns(page, number):
    return page.locator(f"#classes tbody tr:not(.space) td:nth-child({number})").all_inner_texts()


def test_the_table_of_classes_is_sorted_and_searched(visit, copy_of):
    copy_of(make_page)
    page = visit()
    page.get_by_role("button", name="class", exact=True).click()
    assert columns(page, 1) == ["cat", "dog", "lion", "wolf"]
    page.keyboard.press("Enter")
    assert columns(page, 1) == ["wolf", "lion", "dog", "cat"]
    assert page.locator("th[aria-sort=descending]").inner_text().startswith("class")
    page.fill("#search", "FELINE")
    assert columns(page, 1) == ["lion", "cat"]
    assert page.locator("#found").inner_text() == "2 of 4 classes"
    page.fill("#search", "lion")
    page.locator("#classes button.link").click()
    assert page.locator("#panel").get_attribute("data-cell") == "lion → cat"


@pytest.mark.parametrize("width", [400, 800, 1200])
@pytest.mark.parametrize(
    "classes", [("yes", "no"), ("a_rather_long_name_of_a_class", "WWWWWWWWWWWW")]
)
def test_no_number_and_no_name_is_cut_in_the_table_of_classes(visit, copy_of, width, classes):
    copy_of(make_page, classes=classes, superclasses=False)
    page = visit(viewport={"width": width, "height": 900})
    cut = page.locator("#classes th, #classes tbody td, #classes tbody button").evaluate_all(
        "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.innerText)"
    )
    assert not [text for text in cut if text]
    rows = page.locator("#classes tr:not(.space)").evaluate_all(
        "all => all.reduce((sum, row) => sum + row.offsetHeight, 0)"
    )
    assert page.locator("#classes").evaluate("box => box.offsetHeight") <= rows + 20


def test_on_a_narrow_page_wide_tables_and_the_way_back_are_in_sight(visit, copy_of):
    copy_of(make_page)
    page = visit(viewport=NARROW)
    page.wait_for_selector(".sideways", state="visible")
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    page.locator("#sections a[href='#images']").click()
    page.wait_for_function(
        "() => Math.abs(document.querySelector('#images').getBoundingClientRect().top - 54) < 5"
    )
    assert overflow(page) <= 0
    page.set_viewport_size(WIDE)
    page.wait_for_selector(".sideways", state="hidden")


def test_light_and_dark(visit, copy_of):
    copy_of(make_page)

    def brightness(page):
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(int, re.findall(r"\d+", colour)[:3])) / 3

    page = visit(color_scheme="dark")
    assert brightness(page) < 60
    page.click("#theme")
    assert brightness(page) > 200
    page.click("#theme")
    assert brightness(page) < 60
    assert brightness(visit(color_scheme="light")) > 200


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
def test_nothing_sticks_out(visit, viewport):
    names = ("a_name_without_any_place_to_break_it_" * 3, "lion", "dog", "wolf")
    make(names, superclasses=False)
    add_parts_without_notes()
    report()
    page = visit(viewport=viewport)
    assert overflow(page) <= 0
    page.select_option("#strongest", index=1)
    assert overflow(page) <= 0


def add_parts_without_notes():
    for command in ("confusion", "misclassified"):
        ends(f"{command} run --no-figures -q")


def test_names_that_are_html_or_script_do_nothing(visit):
    make(EVIL, superclasses=False)
    add_parts_without_notes()
    report()
    page = visit()
    for index in range(1, page.locator("#strongest option").count()):
        page.select_option("#strongest", index=index)
    page.fill("#search", "<script>")
    assert columns(page, 1) == [EVIL[0]]
    assert page.locator("img[src=x]").count() == 0
    ends("report run -q --select path:*")
    assert EVIL[0] in visit("report-path.html").locator("main").inner_text()


def test_names_that_cannot_be_seen_are_shown_escaped_and_meant_by_the_command(visit):
    names = ("\x1b[31mred\x07", "bl\u202eue\nline", "it's \u200b", "plain")
    make(names, superclasses=False)
    add_parts_without_notes()
    report()
    page = visit()
    assert sorted(columns(page, 1)) == sorted(map(printable, names))
    for index in range(1, page.locator("#strongest option").count()):
        page.select_option("#strongest", index=index)
        command = page.locator("#panel code").inner_text()
        read = subprocess.run(
            ["bash", "-c", f"printf '%s\\0' {command}"], capture_output=True, check=True, text=True
        )
        words = read.stdout.split("\0")[:-1]
        assert words[:4] == ["errlens", "misclassified", "run", "--select"]
        assert set(words[4].split("/")) <= set(names)
    shown = page.locator("body").inner_text().replace("\n", "").replace("\t", "")
    assert not [one for one in shown if one in "\x1b\x07\u202e\u200b"]


def script_of_the_page(browser, name, end):
    """Return a function of the page's script, to be called with one argument."""
    text = (
        Path(errlens.__file__).parent / "report" / "templates" / "scripts" / "base.js"
    ).read_text()
    body = text[text.index(f"function {name}(") : text.index(end)]
    unseen = re.search(r"const UNSEEN = .*", text)[0]
    page = browser.new_page()
    return lambda *given: page.evaluate(
        f"given => {{ {unseen} {body} return {name}(...given); }}", given
    )


def test_the_page_writes_shares_and_words_as_everything_else_does(browser):
    bare = script_of_the_page(browser, "bare", "const percent")
    random = np.random.default_rng(0)
    parts = [(k, n) for n in (1, 3, 8, 16, 80, 400, 2000) for k in range(0, n + 1, 1 + n // 40)]
    for share in [*random.random(100), 1e-9, 1 - 1e-9, 1 - 1e-15, *(k / n for k, n in parts)]:
        assert f"{bare(float(share))} %" == formats.share(float(share)), share
        assert f"{bare(float(share), 2000)} %" == formats.share(float(share), 2000), share
    quoted = script_of_the_page(browser, "quoted", "function wilson")
    for word in (
        "cat",
        "a b",
        "it's",
        "é",
        "a\x1bf",
        "\\\u202e'",
        "\x7f",
        "\ufeff",
        "\xa0",
        "\xad",
    ):
        assert quoted(word) == shell_line([word])


def import_large_run(*, n_classes, n_images):
    """Import predictions of which a quarter are wrong, most of these for a neighbour."""
    random = np.random.default_rng(0)
    names = [f"class_{index:04d}" for index in range(n_classes)]
    label = np.repeat(np.arange(n_classes), n_images // n_classes)
    near = np.where(
        random.random(n_images) < 0.6, label ^ 1, random.integers(n_classes, size=n_images)
    )
    pred = np.where(random.random(n_images) < 0.25, near % n_classes, label)
    table = pd.DataFrame(
        {
            "path": [f"{names[one]}/{row:08d}.jpeg" for row, one in enumerate(label)],
            "label": [names[one] for one in label],
            "pred": [names[one] for one in pred],
            "confidence": random.uniform(0.2, 1, n_images),
        }
    )
    table.to_csv("table.csv", index=False)
    ends("import table.csv -o run --labels names -q")


def test_every_picture_has_a_text_and_every_control_a_name(visit, copy_of):
    copy_of(make_page, parts=True)
    page = visit()
    page.select_option("#strongest", index=1)
    assert page.locator("img:not([alt])").count() == 0
    nameless = page.evaluate(
        "[...document.querySelectorAll('button, input, select, canvas')].filter(one =>"
        " !(one.textContent || one.labels?.length || one.getAttribute('aria-label') ||"
        " one.querySelector('img')?.alt)).length"
    )
    assert nameless == 0
    assert page.locator("main .shot img:not([src])").count() == 0


def test_it_prints_whole_and_light(visit, copy_of):
    copy_of(make_page)
    page = visit(color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator("nav").is_hidden()
    assert page.pdf()[:4] == b"%PDF"


def test_a_page_about_a_selection(visit):
    make()
    add_parts()
    report("run --select cat~lion")
    page = visit("report-cat~lion.html")
    page.wait_for_selector(".shot img[src]")
    assert page.locator(".shot").count() > 4
    assert overflow(page) <= 0
    page.locator(".shot button").nth(1).click()
    page.wait_for_selector("#lightbox .photo img[src]")
    page.keyboard.press("Escape")
    page.wait_for_selector("#lightbox", state="hidden")
    assert overflow(visit("report-cat~lion.html", viewport=NARROW)) <= 0


def test_a_thousand_classes_appear_within_two_seconds(visit):
    import_large_run(n_classes=1000, n_images=50_000)
    report()
    assert Path("run/report.html").stat().st_size < 20_000_000
    page = visit()
    paints = page.evaluate("performance.getEntriesByType('paint').map(one => one.startTime)")
    assert max(paints) < 2_000
    assert page.locator("#classes tbody tr").count() < 100  # only those in sight
    page.focus("#canvas")
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    assert page.locator("#panel").get_attribute("data-cell")
    page.locator("#classes").evaluate("one => { one.scrollTop = 15000 }")
    for _ in range(100):  # waiting for a function would take the eval that the page forbids
        if page.evaluate("document.querySelector('#classes tr.space td').offsetHeight") > 10000:
            break
        page.wait_for_timeout(20)
    else:
        pytest.fail("the table does not follow")
