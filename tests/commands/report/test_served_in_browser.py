"""The page as `errlens view` serves it, in a real browser."""

import json
import math
from pathlib import Path

import pytest
from PIL import Image

from errlens.analysis.marks.files import IMAGE_COLUMNS
from errlens.commands.view.options import ViewOptions
from errlens.commands.view.preparing import prepare
from errlens.run.folder import open_run
from errlens.serving.marks import RunMarks
from errlens.serving.views import View
from tests.conftest import ends
from tests.report.pages import EVIL, add_parts, make
from tests.report.sections.network.made import write_embed
from tests.serving.conftest import serving

WIDE = {"width": 1400, "height": 1000}


@pytest.fixture
def visit_served(browser, tmp_path, monkeypatch):
    """Open the page of a run that is served, and see that it asks for nothing from elsewhere."""
    monkeypatch.chdir(tmp_path)
    ending, odd = [], []

    def opened(to="", **options):
        served = prepare(open_run("run"), ViewOptions(run=Path("run"), **options))
        running = serving(served.routes)
        server = running.__enter__()
        page = browser.new_page(viewport=WIDE)
        page.set_default_timeout(5_000)
        page.on("console", lambda message: odd.append(message.text))
        page.on("pageerror", lambda error: odd.append(str(error)))
        page.on("dialog", lambda dialog: (odd.append(dialog.message), dialog.dismiss()))
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith(("data:", server.address))
                else odd.append(request.url)
            ),
        )
        page.goto(server.address + to)
        page.wait_for_selector("#tiles .shot img")
        ending.append((page, running))
        page.served, page.server, page.odd = served, server, odd
        return page

    yield opened
    for page, running in ending:
        page.close()
        running.__exit__(None, None, None)
    assert odd == []


def rows_shown(page):
    return page.locator("#tiles .shot").evaluate_all("all => all.map(one => +one.dataset.row)")


def until(page, found, wanted):
    for _ in range(200):
        if (now := found()) == wanted:
            return
        page.wait_for_timeout(20)
    assert now == wanted


def width_of(image):
    """Wait until a picture is there, and return its width."""
    for _ in range(200):
        if width := image.evaluate("one => one.naturalWidth"):
            return width
        image.page.wait_for_timeout(20)
    raise AssertionError("no picture")


def test_images_are_found_sorted_and_opened(visit_served):
    make()
    add_parts()
    page = visit_served()
    wrong = page.served.finder.find(View(side="wrong", sort="confidence", down=True)).tolist()
    page.select_option("[name=sort]", "confidence")
    until(page, lambda: rows_shown(page), wrong)
    assert width_of(page.locator("#tiles .shot img").first) > 0
    page.fill("[name=text]", "LION")
    lions = page.served.finder.find(
        View(side="wrong", text="lion", sort="confidence", down=True)
    ).tolist()
    until(page, lambda: rows_shown(page), lions)
    page.locator("#tiles .shot button").first.click()
    page.wait_for_selector("dialog[open] .photo img")
    assert f"image={lions[0]}" in page.url
    page.keyboard.press("ArrowRight")
    until(page, lambda: f"image={lions[1]}" in page.url, True)
    assert width_of(page.locator("dialog .photo img")) > 0


def test_a_deep_link_opens_the_same_view(visit_served):
    make()
    page = visit_served("#images?true=cat&pred=lion&sort=path&image=3")
    page.wait_for_selector("dialog[open]")
    assert "images/003.png" in page.locator("dialog").inner_text()
    page.keyboard.press("Escape")
    found = page.served.finder.find(View(true=("cat",), pred=("lion",), sort="path")).tolist()
    until(page, lambda: rows_shown(page), found)


def test_a_cell_shows_its_images(visit_served):
    make()
    page = visit_served()
    page.locator("#panel .shot img").first.wait_for()
    assert width_of(page.locator("#panel .shot img").first) > 0


def test_marks_are_in_the_run_and_there_again(visit_served):
    run = make()
    page = visit_served()
    page.locator("#tiles .shot button").first.click()
    row = int(page.locator("#tiles .shot").first.get_attribute("data-row"))
    page.wait_for_selector("dialog[open] .photo img")
    page.keyboard.press("2")
    until(page, run.marks_file.exists, True)
    page.wait_for_selector("text=Saved in the run folder.")
    assert "made on a report.html are not here" in page.inner_text("#marks")
    kept = json.loads(run.marks_file.read_text())["marks"]
    assert [(mark["row"], mark["verdict"]) for mark in kept] == [(row, "ambiguous")]
    page.reload()
    page.wait_for_selector(f"#tiles .shot[data-row='{row}'][data-marked=ambiguous]")
    assert page.evaluate("localStorage.length") == 0
    other = page.context.browser.new_page()
    other.goto(page.url.partition("#")[0] + "#images?marked=ambiguous")
    other.wait_for_selector("#tiles .shot")
    assert rows_shown(other) == [row]
    other.close()


def test_marks_of_another_program_are_there_with_the_next_mark(visit_served):
    run = make()
    page = visit_served("#images?image=1")
    other = RunMarks(run, run.read_predictions(IMAGE_COLUMNS))
    other.write(json.dumps({"changes": [[5, {"verdict": "bad image"}]]}).encode())
    page.wait_for_selector(".mark-editor")
    page.keyboard.press("2")
    until(page, lambda: page.evaluate("page.marks.rows()"), [1, 5])
    assert other.count() == 2


def test_a_mark_that_was_not_kept_goes_along_with_the_next(visit_served):
    run = make()
    page = visit_served("#images?image=1")
    page.wait_for_selector(".mark-editor")
    run.marks_file.write_text("{")
    page.keyboard.press("2")
    page.wait_for_selector("text=It cannot be kept")
    run.marks_file.unlink()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".mark-editor:not([data-image='1'])")
    page.keyboard.press("3")
    until(page, run.marks_file.exists, True)
    page.wait_for_selector("text=It cannot be kept", state="hidden")
    assert len(json.loads(run.marks_file.read_text())["marks"]) == 2
    assert all("422" in text for text in page.odd)
    page.odd.clear()


def test_heat_maps_are_made_when_they_are_asked_for(visit_served, photos, tiny):
    ends(f"evaluate {photos} --model {tiny} --img-size 8 -o run -q")
    page = visit_served("#images?side=&sort=path&image=1")
    page.set_default_timeout(60_000)
    page.select_option("dialog .explainer select", "gradient")
    page.get_by_role("button", name="Explain", exact=True).click()
    assert width_of(page.locator("dialog .explainer img")) > 200
    page.reload()  # and it is still there
    assert width_of(page.locator("dialog .explainer img")) > 200
    assert page.locator("dialog .explainer figcaption").inner_text() == "gradient"
    sheet, part = (
        page.locator(where).bounding_box()["width"]
        for where in ("dialog .one-image", "dialog .explainer")
    )
    assert part > 0.9 * sheet
    page.select_option("dialog .explainer select", "grad-cam")
    page.get_by_role("button", name="Explain", exact=True).click()
    said = page.locator("dialog .explainer [role=status]")
    until(page, lambda: "cannot explain this network" in said.inner_text(), True)
    assert all("422" in text for text in page.odd)  # browsers tell of any answer like this
    page.odd.clear()


def test_a_photo_that_is_gone_has_no_outline(visit_served, photos, tiny):
    for shade, path in enumerate(Path(photos, "blue").iterdir()):
        Image.new("RGB", (60, 30), (0, 0, 200 + shade)).save(path)
    ends(f"evaluate {photos} --model {tiny} --img-size 8 -o run -q")
    paths = open_run("run").read_predictions(("path",)).table["path"].to_pylist()
    Path(photos, "blue", "1.png").unlink()
    page = visit_served(f"#images?side=&sort=path&image={paths.index('blue/2.png')}")
    page.wait_for_selector("dialog .fed")
    page.evaluate("row => { location.hash = `images?image=${row}` }", paths.index("blue/1.png"))
    page.wait_for_selector("dialog .photo .gone")
    assert page.locator("dialog .fed").count() == 0
    assert "inside of the outline" not in page.locator("dialog").inner_text()
    page.odd.clear()


def test_an_imported_run_says_why_there_are_no_heat_maps(visit_served):
    make()
    page = visit_served("#images?image=1")
    assert "were imported" in page.locator("dialog .explainer").inner_text()


def test_photos_that_are_gone_leave_the_reason(visit_served):
    make()
    Path("images/003.png").unlink()
    page = visit_served("#images?true=cat&sort=path")
    gone = page.locator("#tiles .shot[data-row='3'] .gone")
    gone.wait_for()
    assert gone.inner_text() == "no picture: no such file"
    assert all("404" in text for text in page.odd)
    page.odd.clear()


def test_the_page_says_when_its_server_is_gone(visit_served):
    make()
    page = visit_served()
    assert page.locator(".no-server").is_hidden()
    page.server.shutdown()
    page.server.server_close()
    page.server.connections.end_overdue(now=lambda: math.inf)
    page.select_option("[name=side]", "right")
    page.locator(".no-server").wait_for()
    assert page.locator("#without").is_hidden()
    said = page.locator(".no-server").inner_text()
    assert said.startswith("The program that serves this page has ended. errlens view run starts")
    assert all("ERR_" in text for text in page.odd)
    page.odd.clear()


def test_names_that_are_html_or_script_do_nothing(visit_served):
    make(EVIL, superclasses=False)
    page = visit_served()
    for name in EVIL:
        page.select_option("[name=true]", name)
        found = page.served.finder.find(View(true=(name,), side="wrong", sort="loss")).tolist()
        until(page, lambda: sorted(rows_shown(page)), sorted(found))
    assert page.locator("img[src=x]").count() == 0


def test_images_are_chosen_on_the_map_and_marked(visit_served):
    run = make()
    write_embed(run)
    page = visit_served()
    canvas = page.locator("#scatter-canvas")
    for key, row in [("Home", 0), ("ArrowRight", 1)]:
        canvas.press(key)
        page.wait_for_selector(f"#scatter-where >> text=images/{row:03}.png")
        canvas.press("Space")
    page.wait_for_selector("#scatter-chosen .shot[data-row='1'] img")
    page.click("#scatter-chosen [data-verdict='bad image']")
    until(page, lambda: sorted(kept(run)), [0, 1])


def kept(run):
    path = run.path / "marks.json"
    return [mark["row"] for mark in json.loads(path.read_text())["marks"]] if path.exists() else []
