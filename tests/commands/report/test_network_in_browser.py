"""The section on the inside of the network: figures in a dialog, and tables that are sorted."""

import pytest

from errlens.run.folder import open_run
from tests.report.pages import make, report
from tests.report.sections.network.made import write_all


def looked_into():
    write_all(make())
    report()


@pytest.fixture
def page(copy_of, visit):
    copy_of(looked_into)
    assert open_run("run")
    return visit(to="#network")


def test_figures_are_opened_walked_through_and_closed_by_keys(page):
    figures = page.locator(".drawn button")
    page.wait_for_selector(".drawn img[src]")
    figures.first.focus()
    page.keyboard.press("Enter")
    dialog = page.locator("#drawing[open]")
    title = dialog.locator("h2")
    first = title.inner_text()
    assert first == page.locator(".drawn img").first.get_attribute("alt")
    assert f"1 of {figures.count()}" in dialog.inner_text()
    page.keyboard.press("ArrowLeft")  # there is none before the first
    assert title.inner_text() == first
    page.keyboard.press("ArrowRight")
    assert f"2 of {figures.count()}" in dialog.inner_text()
    assert title.inner_text() != first
    page.keyboard.press("Escape")
    assert dialog.count() == 0
    second = page.evaluate("document.activeElement.querySelector('img').dataset.picture")
    assert second == "network/channels/ablation.png"


def test_a_table_is_sorted_by_the_head_that_is_pressed(page):
    table = page.locator("#network-features table")
    head, fires = table.locator("th button", has_text="fires in"), "tbody td:nth-child(3)"
    head.click()
    assert table.locator(fires).all_inner_texts() == ["40 of 48", "30 of 48", "0 of 48"]
    head.click()
    assert table.locator(fires).all_inner_texts() == ["0 of 48", "30 of 48", "40 of 48"]
    assert page.locator("#network th[aria-sort=ascending]").count() == 1


def test_the_strongest_image_of_a_channel_opens_its_record(page):
    page.locator("#network-features button.link").first.click()
    page.wait_for_selector("#lightbox[open]")
    assert page.url.endswith("&image=4")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_wider_than_a_narrow_page(copy_of, visit, theme):
    copy_of(looked_into)
    page = visit(viewport={"width": 360, "height": 700}, color_scheme=theme)
    page.evaluate(
        "for (const one of document.querySelectorAll('#network details')) one.open = true"
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
