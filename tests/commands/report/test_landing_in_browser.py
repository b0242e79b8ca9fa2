"""Where the page opens: by a link to a part of it, and after a reload; in a real browser."""

import pytest

TOP = "name => document.querySelector(`#${name}`).getBoundingClientRect().top"
# Something above everything else that takes its room late.
LATE = """high => new Promise((done) => setTimeout(() => {
    const late = document.createElement("div");
    late.style.height = `${high}px`;
    document.querySelector("main").prepend(late);
    requestAnimationFrame(() => requestAnimationFrame(done));
}, 50))"""


def top(page, name):
    return page.evaluate(TOP, name)


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("width", [1400, 400])
@pytest.mark.parametrize("name", ["matrix", "class-table", "images", "marks"])
def test_a_link_leads_to_its_part_however_late_the_page_grows(visit, name, width):
    page = visit(to=f"#{name}", viewport={"width": width, "height": 600})
    wanted = 16 if width > 1000 else 54  # below the list of sections
    page.wait_for_selector("#tiles .shot")
    assert top(page, name) == pytest.approx(wanted, abs=4)
    page.evaluate(LATE, 700)
    assert top(page, name) == pytest.approx(wanted, abs=4)
    page.reload()
    page.wait_for_selector("#tiles .shot")
    page.evaluate(LATE, 500)
    assert top(page, name) == pytest.approx(wanted, abs=4)


@pytest.mark.usefixtures("run")
def test_the_page_is_the_readers_once_he_has_scrolled(visit):
    page = visit(to="#images", viewport={"width": 1400, "height": 600})
    page.wait_for_selector("#tiles .shot")
    page.mouse.move(700, 300)
    page.mouse.wheel(0, -5000)
    page.wait_for_function("() => scrollY === 0")
    page.evaluate(LATE, 700)
    assert page.evaluate("scrollY") == 0
    page.reload()  # at the top, whatever the address names
    page.wait_for_selector("#tiles .shot")
    page.evaluate(LATE, 300)
    assert page.evaluate("scrollY") == 0


@pytest.mark.usefixtures("run")
def test_a_reload_finds_the_place_inside_of_a_part(visit):
    page = visit(to="#matrix", viewport={"width": 1400, "height": 600})
    page.wait_for_selector("#tiles .shot")
    page.evaluate("scrollTo(0, document.querySelector('#images').offsetTop + 250)")
    before = top(page, "images")
    page.reload()
    page.wait_for_selector("#tiles .shot")
    page.evaluate(LATE, 300)
    assert top(page, "images") == pytest.approx(before, abs=4)
    page.click("#sections a[href='#marks']")
    page.go_back()
    at = "document.querySelector('#images').getBoundingClientRect().top"
    page.wait_for_function(f"before => Math.abs({at} - before) < 5", arg=before)
