"""The page of an atlas, in a real browser: moved and zoomed, weighed, opened, linked to."""

import json
import re
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pytest

from errlens.report.atlas.maps import read_maps
from errlens.report.atlas.page import write_atlas_page
from errlens.run.folder import open_run
from tests.commands.report.test_images_in_browser import wait_for
from tests.planted.atlas_maps import (
    plant_class_map,
    plant_layer,
    plant_map,
    plant_pair_map,
    plant_paste,
)
from tests.report.pages import make, report

EVIL = (
    "</script><img src=x onerror=alert(1)>", "__proto__", "constructor", '"><b>bold</b>',
    "قطة سوداء", "🐈\u200d⬛ cat", "a name that is far too long for any tile " * 4, "cat",
)  # fmt: skip
PAGE = "atlas/atlas.html"
PHONE = {"width": 390, "height": 844}


def planted(names=("cat", "lion", "dog", "wolf")):
    run = make(names, superclasses=False)
    for depth, layer in enumerate(("layer3", "layer4")):
        points = plant_layer(run, layer, depth=depth, seed=depth)
        plant_map(run, points, side=6, gaps=9, icons=layer == "layer4", seed=depth)
        plant_class_map(run, points, names[0])
        plant_pair_map(run, points, names[0], names[1])
    suspect = int(maps_in(run)["class"].suspects["cell"].iloc[0])
    plant_paste(run, names[1], names[0], layer="layer4", cells=[suspect])
    report()


def planted_with_odd_names():
    planted(EVIL)


def maps_in(run, layer="layer4"):
    return {atlas.made.kind: atlas for atlas in read_maps(run).maps if atlas.made.layer == layer}


@pytest.fixture
def atlas(copy_of):
    """A run with its atlas, by kind the maps of the late layer."""
    copy_of(planted)
    return maps_in(open_run("run"))


@pytest.fixture
def opened(atlas, visit):  # noqa: ARG001 - made first
    """Open the page at a place."""

    def open_at(to="", **how):
        page = visit(PAGE, to=to, **how)
        if how.get("java_script_enabled", True):
            page.wait_for_selector(".cell >> nth=0")
        return page

    return open_at


def link(kind="render", layer="layer4", **fields):
    names = {"render": "render", "class": "class-cat", "compare": "compare-cat__lion"}
    given = {"layer": layer, "map": names[kind], **fields}
    return "#" + "&".join(f"{name}={value}" for name, value in given.items())


def place(page):
    """Return what the address says."""
    fields = parse_qs(page.evaluate("location.hash.slice(1)"), keep_blank_values=True)
    return {name: values[0] for name, values in fields.items()}


def box(page, cell):
    return page.locator(f'.cell[data-cell="{cell}"]').bounding_box()


def settled(page):
    """Wait until the address knows where the map was moved to."""
    page.wait_for_timeout(400)


def test_tiles_lie_where_their_cells_are_and_show_their_pictures(opened, atlas):
    page = opened(link())
    cells = atlas["render"].cells
    tiles = page.locator(".cell")
    assert tiles.count() == len(cells)
    assert tiles.locator(".label").all_inner_texts() == cells["top_class"].tolist()
    frame = page.locator("#plot").bounding_box()
    boxes = [box(page, cell) for cell in cells["cell"]]
    side = boxes[0]["width"]
    for of_tile, of_cell in zip(boxes, cells.itertuples(), strict=True):
        first = boxes[0]
        right = of_cell.cell_column - cells["cell_column"][0]
        down = of_cell.cell_row - cells["cell_row"][0]
        assert of_tile["x"] - first["x"] == pytest.approx(side * right, abs=1)
        assert of_tile["y"] - first["y"] == pytest.approx(side * down, abs=1)
        assert of_tile["width"] == pytest.approx(of_tile["height"], abs=0.5)
        assert frame["x"] - 1 <= of_tile["x"]
        assert of_tile["x"] + side <= frame["x"] + frame["width"] + 1
        assert of_tile["y"] + side <= frame["y"] + frame["height"] + 1
    assert page.evaluate("[...document.images].every((each) => !each.src || each.complete)")
    wide = page.locator(".face").evaluate_all("all => all.map((each) => each.clientWidth)")
    assert np.corrcoef(wide, np.sqrt(cells["n_points"]))[0, 1] > 0.9
    page.uncheck("#sizes")
    wide = page.locator(".face").evaluate_all("all => all.map((each) => each.clientWidth)")
    assert max(wide) - min(wide) <= 1
    page.uncheck("#labels")
    assert not page.locator(".label >> nth=0").is_visible()
    assert place(page) == {"layer": "layer4", "map": "render", "sizes": "off", "labels": "off"}


def test_buttons_and_wheel_zoom_and_a_drag_moves(opened):
    page = opened(link())
    before = box(page, 0)
    page.click("#in")
    assert box(page, 0)["width"] == pytest.approx(1.35 * before["width"], rel=0.01)
    page.click("#out")
    assert box(page, 0) == pytest.approx(before, abs=0.5)
    assert page.is_disabled("#out")
    # What is under the pointer stays there.
    frame = page.locator("#plot").bounding_box()
    x, y = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
    page.mouse.move(x, y)
    page.mouse.wheel(0, -200)
    wait_for(page, lambda page: box(page, 0)["width"] > 1.5 * before["width"])
    near = box(page, 0)
    assert (x - near["x"]) / near["width"] == pytest.approx(
        (x - before["x"]) / before["width"], abs=0.02
    )
    page.mouse.down()
    page.mouse.move(x - 60, y - 30, steps=5)
    page.mouse.up()
    moved = box(page, 0)
    assert (moved["x"] - near["x"], moved["y"] - near["y"]) == pytest.approx((-60, -30), abs=1)
    assert page.is_hidden("#panel")  # what ends a drag opens nothing
    settled(page)
    page.reload()
    page.wait_for_selector(".cell >> nth=0")
    assert box(page, 7)["width"] == pytest.approx(near["width"], rel=0.01)
    assert box(page, 0)["x"] == pytest.approx(moved["x"], abs=3)
    page.click("#whole")
    assert box(page, 0) == pytest.approx(before, abs=0.5)


def test_keys_move_and_zoom_the_map(opened):
    page = opened(link())
    page.focus("#plot")
    whole = box(page, 0)
    page.keyboard.press("ArrowRight")
    assert box(page, 0) == pytest.approx(whole, abs=0.5)  # beside the map there is nothing
    page.keyboard.press("+")
    page.keyboard.press("+")
    near = box(page, 0)
    assert near["width"] == pytest.approx(1.35**2 * whole["width"], rel=0.01)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    moved = box(page, 0)
    assert moved["x"] < near["x"] - 50
    assert moved["y"] < near["y"] - 50
    page.keyboard.press("Home")
    assert box(page, 0) == pytest.approx(whole, abs=0.5)


def test_two_fingers_zoom(opened):
    page = opened(link(), has_touch=True)
    before = box(page, 0)
    frame = page.locator("#plot").bounding_box()
    x, y = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
    page.evaluate(
        """([x, y]) => {
          const plot = document.getElementById("plot");
          const send = (type, pointerId, clientX) => plot.dispatchEvent(new PointerEvent(
            type, { pointerId, clientX, clientY: y, bubbles: true, pointerType: "touch" }));
          send("pointerdown", 1, x - 50); send("pointerdown", 2, x + 50);
          send("pointermove", 1, x - 100); send("pointermove", 2, x + 100);
          send("pointerup", 1, x - 100); send("pointerup", 2, x + 100);
        }""",
        [x, y],
    )
    assert box(page, 0)["width"] == pytest.approx(2 * before["width"], rel=0.02)


def shown_weights(page):
    tiles = page.locator(".cell")
    sides = tiles.evaluate_all("all => all.map((each) => each.dataset.side)")
    opacities = "all => all.map((each) => Number(getComputedStyle(each).opacity))"
    opacity = tiles.locator("img").evaluate_all(opacities)
    return np.where(np.array(sides) == "for", 1, -1), np.array(opacity)


def check_weights(page, values):
    sign, opacity = shown_weights(page)
    assert sign.tolist() == np.where(values < 0, -1, 1).tolist()
    expected = 0.12 + 0.88 * np.abs(values) / np.abs(values).max()
    assert opacity == pytest.approx(expected, abs=0.01)


def test_cells_are_weighed_by_a_class_and_by_a_pair(opened, atlas):
    page = opened(link())
    attribution = atlas["render"].attribution
    assert set(shown_weights(page)[1]) == {1.0}
    page.select_option("#weigh", label="dog")
    check_weights(page, attribution[:, 2])
    assert "takes from dog" in page.inner_text("#key")
    page.select_option("#against", label="cat")
    check_weights(page, attribution[:, 2] - attribution[:, 0])
    assert "adds more to cat" in page.inner_text("#key")
    assert place(page) == {"layer": "layer4", "map": "render", "class": "dog", "against": "cat"}
    page.go_back()
    check_weights(page, attribution[:, 2])
    page.select_option("#weigh", label="nothing")
    assert set(shown_weights(page)[1]) == {1.0}
    # A map that is of classes is weighed by them.
    page.select_option("#map", label="class cat")
    check_weights(page, atlas["class"].attribution[:, 0])
    page.select_option("#map", label="pair cat against lion")
    of_pair = atlas["compare"].attribution
    check_weights(page, of_pair[:, 0] - of_pair[:, 1])


def test_a_click_opens_a_cell_with_all_that_is_known_of_it(opened, atlas):
    page = opened(link())
    page.click('.cell[data-cell="4"]')
    panel = page.locator("#panel")
    cells, attribution = atlas["render"].cells, atlas["render"].attribution
    assert panel.locator("h2").inner_text() == f"Cell 4: adds most to {cells['top_class'][4]}"
    assert page.evaluate("document.activeElement.tagName") == "H2"
    n_points, n_images = cells.loc[4, ["n_points", "n_images"]]
    assert f"{n_points} points of {n_images} image" in panel.inner_text()
    names = np.array(["cat", "lion", "dog", "wolf"])
    order = np.argsort(-attribution[4])
    assert panel.locator(".bars .name").all_inner_texts() == names[order].tolist()
    long = panel.locator(".bar").evaluate_all(
        "all => all.map((each) => each.clientWidth / each.parentElement.clientWidth)"
    )
    strongest = np.abs(attribution[4]).max()
    assert long == pytest.approx(np.abs(attribution[4][order]) / strongest, abs=0.02)
    sources = atlas["render"].sources.query("cell == 4")
    shown = panel.locator(".sources .name").all_inner_texts()
    assert shown == [Path(name).name for name in sources["sample_id"]]
    links = panel.locator(".sources a").evaluate_all("all => all.map((each) => each.href)")
    assert links[0].endswith(f"/run/report.html#images?image={sources['row'].iloc[0]}")
    assert panel.locator(".icons figcaption").all_inner_texts() == ["nearest patch", "optimised"]


def test_cells_alike_are_those_with_the_nearest_activations(opened, atlas):
    page = opened(link(cell=3))
    activation = atlas["render"].activation.astype(float)
    units = activation / np.linalg.norm(activation, axis=1, keepdims=True)
    alike = units @ units[3]
    alike[3] = -1
    order = np.argsort(-alike)[:8]
    shown = page.locator("[data-near]").evaluate_all("all => all.map((each) => +each.dataset.near)")
    assert shown == order.tolist()
    assert f"cosine {alike[order[0]]:.3f}" in page.inner_text(".alike li >> nth=0")
    page.click("[data-near] >> nth=0")
    assert place(page)["cell"] == str(order[0])
    assert page.inner_text("#panel h2").startswith(f"Cell {order[0]}:")
    page.go_back()
    assert page.inner_text("#panel h2").startswith("Cell 3:")


def test_a_deep_link_restores_all_of_the_view(opened, atlas):
    to = (
        link("class", "layer3", cell=2, icons="patches", labels="off", view="2,1.5,1.5")
        + "&class=wolf"
    )
    page = opened(to)
    assert page.input_value("#layer") == "0"
    assert page.locator("#map option:checked").inner_text() == "class cat"
    assert page.locator("#weigh option:checked").inner_text() == "wolf"
    assert page.inner_text("#panel h2").startswith("Cell 2:")
    assert not page.is_checked("#labels")
    whole = opened(link("class", "layer3"))
    assert box(page, 0)["width"] > 1.2 * box(whole, 0)["width"]
    # Back and forward go over layers, maps and cells.
    whole.select_option("#layer", label="layer4")
    whole.click('.cell[data-cell="1"]')
    whole.select_option("#map", label="all classes")
    assert whole.is_hidden("#panel")
    whole.go_back()
    assert whole.inner_text("#panel h2").startswith("Cell 1:")
    assert whole.locator(".cell").count() == len(atlas["class"])
    whole.go_back()
    whole.go_back()
    assert whole.locator("#layer option:checked").inner_text() == "layer3"


@pytest.mark.parametrize(
    "to", ["#layer=none&map=none&cell=9999&class=none&view=a,b", "#%ff%", "#cell=-1&view=0,0,0"]
)
def test_an_address_that_means_nothing_shows_the_first_map(opened, to):
    page = opened(to)
    assert page.locator("#layer option:checked").inner_text() == "layer3"
    assert page.is_hidden("#panel")


def test_optimised_icons_are_shown_where_there_are_some(opened):
    page = opened(link())
    first = page.locator(".cell img >> nth=0")
    patch = first.get_attribute("src")
    page.select_option("#icons", "optimised")
    assert first.get_attribute("src") != patch
    page.select_option("#layer", label="layer3")
    assert page.is_hidden("#icons")


def test_all_is_within_reach_of_the_keyboard(opened, atlas):
    page = opened(link())
    page.focus("#plot")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.cell") == "0"
    assert page.inner_text("#where").startswith("Cell 0: adds most to")
    cells = atlas["render"].cells
    row = cells[cells["cell_row"] == cells["cell_row"][0]]
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.cell") == str(row["cell"].iloc[1])
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    below = cells.loc[int(page.evaluate("document.activeElement.dataset.cell"))]
    assert below["cell_row"] > cells["cell_row"][0]
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    last = len(cells) - 1
    assert page.inner_text("#panel h2").startswith(f"Cell {last}:")
    page.keyboard.press("Escape")
    assert page.is_hidden("#panel")
    assert page.evaluate("document.activeElement.dataset.cell") == str(last)
    assert page.locator('.cell[tabindex="0"]').count() == 1
    unnamed = page.locator("button, select, input, #plot").evaluate_all(
        """all => all.filter((each) =>
          !(each.ariaLabel || each.textContent.trim() || each.closest("label"))).length"""
    )
    assert unnamed == 0


def test_suspects_are_named_with_what_pasting_them_did(opened, atlas):
    page = opened(link("class"))
    suspects = atlas["class"].suspects
    assert page.locator("#suspects li").count() == min(10, len(suspects))
    assert page.locator(".cell[data-suspect]").count() == len(suspects)
    page.click("#suspects button >> nth=0")
    first = suspects.iloc[0]
    assert page.inner_text("#panel h2").startswith(f"Cell {first['cell']}:")
    said = page.inner_text("#panel")
    assert "Suspect 1 of cat" in said
    assert "75.0 % of it lies on the background" in said
    assert "confirmed: pasted into photos of lion, 41.0 % turn to cat (41 of 100" in said


def test_names_that_are_code_are_text(copy_of, visit):
    copy_of(planted_with_odd_names)
    page = visit(PAGE)
    page.wait_for_selector(".cell >> nth=0")
    for name in ("__proto__", "constructor", EVIL[0]):
        page.select_option("#weigh", label=name)
        assert page.evaluate("page.names[page.place.weigh]") == name
        page.reload()
        assert page.evaluate("page.names[page.place.weigh]") == name
    for number in page.locator("#map option").evaluate_all("all => all.map((each) => each.value)"):
        page.select_option("#map", number)
        page.click(".cell >> nth=0")
        page.wait_for_selector("#panel h2")
        assert page.locator("b, img[src=x]").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size(PHONE)
    page.wait_for_timeout(100)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_photos_are_not_inverted_in_the_dark(opened):
    page = opened(link(cell=1), color_scheme="dark")
    filters = "all => all.map((each) => getComputedStyle(each).filter)"
    assert {*page.locator("img").evaluate_all(filters)} == {"none"}
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(map(int, re.findall(r"\d+", paper)[:3])) < 60
    page.click("#theme")
    page.click("#theme")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_phone_shows_it_without_scrolling_sideways(opened):
    page = opened(link("class", cell=1), viewport=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    frame = page.locator("#plot").bounding_box()
    assert frame["width"] > 300
    page.click("#in")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    high = page.locator("#atlas :is(select, button:not(.cell, .link)):visible").evaluate_all(
        "all => all.map((each) => each.getBoundingClientRect().height)"
    )
    assert min(high) >= 32


def test_on_paper_and_without_scripts_there_are_the_maps_as_drawn(opened, atlas):
    page = opened(link("class"))
    page.emulate_media(media="print")
    assert page.is_hidden("#atlas")
    visible = page.locator(".still img:visible")
    assert visible.count() == 1
    assert visible.get_attribute("alt") == "The map of layer4: cat"
    still = opened(java_script_enabled=False)
    assert still.locator(".still img:visible").count() == 2 * len(atlas)
    assert still.locator("noscript").is_visible()


def test_a_page_whose_maps_are_all_old_says_so(copy_of, visit):
    copy_of(planted)
    run = open_run("run")
    for layer in ("layer3", "layer4"):
        place = Path("run/atlas", layer, "made_from.json")
        record = json.loads(place.read_text())
        place.write_text(json.dumps({**record, "options": {"seed": 1}}))
    write_atlas_page(run)
    page = visit(PAGE)
    assert page.locator(".missing").count() == 6
    assert "made of other points" in page.inner_text(".missing >> nth=0")
    assert page.is_hidden("#atlas")


def test_the_report_leads_to_the_atlas_and_back(atlas, visit):  # noqa: ARG001 - made first
    page = visit("report.html")
    said = page.locator("#network-atlas")
    assert said.locator("a").first.get_attribute("href") == PAGE
    assert "600 points of layer4" in said.inner_text()
    table = said.locator("table")
    assert "confirmed: pasted into photos of lion" in table.inner_text()
    assert said.locator(".drawn").count() == 7  # one of optimised icons
    for picture in said.locator(".drawn img").all():
        shown, whole = (
            picture.evaluate(f"img => img.{kind}Height / img.{kind}Width")
            for kind in ("client", "natural")
        )
        assert shown == pytest.approx(whole, rel=0.02)  # a map is cut nowhere


def test_many_cells_open_at_once(copy_of, visit):
    copy_of(many)
    page = visit(PAGE)
    page.wait_for_selector(".cell >> nth=0")
    assert page.locator(".cell").count() == 144
    assert Path("run", PAGE).stat().st_size < 6_000_000
    started = page.evaluate("performance.now()")
    page.select_option("#layer", label="b")
    assert page.evaluate("performance.now()") - started < 3_000


def many():
    run = make(superclasses=False, images=False)
    for depth, layer in enumerate("abcd"):
        points = plant_layer(run, layer, depth=depth, seed=depth)
        plant_map(run, points, side=12, gaps=0, icon_size=96, seed=depth)
    write_atlas_page(run)


def test_numbers_of_the_panel_are_those_of_the_arrays(opened, atlas):
    page = opened(link(cell=0))
    shown = page.evaluate("page.names.map((_, of) => page.place.map.attribution(0, of))")
    expected = atlas["render"].attribution[0]
    assert shown == pytest.approx(expected.tolist(), abs=float(np.abs(expected).max()) / 30_000)
