"""The confusion matrix of the page in a real browser, held against the tables beside it."""

import json
import re
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pandas as pd
import pytest

import errlens
from errlens import formats
from tests.conftest import ends, make_run
from tests.report.pages import EVIL, add_parts, make, report

NARROW = {"width": 400, "height": 900}


def cells():
    return pd.read_csv("run/confusion/cells.csv", keep_default_na=False)


def names(page, side="rows"):
    """Return the classes that are named at one side, in their order."""
    return page.locator(f"#{side} .name").all_text_contents()


def chosen(page):
    return page.locator("#panel").get_attribute("data-cell")


def drawn(page):
    """Return the numbers that are written into the cells when they are drawn anew."""
    return page.evaluate("""() => {
        const said = [], pen = CanvasRenderingContext2D.prototype, write = pen.fillText;
        pen.fillText = function (text, ...where) {
            said.push(text);
            write.call(this, text, ...where);
        };
        document.dispatchEvent(new Event("repaint"));
        pen.fillText = write;
        return said;
    }""")


def address(page):
    return parse_qs(page.evaluate("location.hash").removeprefix("#matrix?"))


def go(page, place):
    """Follow a link to a place in the matrix."""
    page.evaluate(
        """(place) => new Promise((followed) => {
            addEventListener("hashchange", followed, { once: true });
            location.hash = `#matrix?${place}`;
        }).then(() => null)""",
        place,
    )


def colour_of(page, row, column):
    """Return the colour of a cell, red, green and blue, near its corner."""
    return page.evaluate(
        """([row, column]) => {
            const canvas = document.getElementById("canvas");
            const step = canvas.width / document.querySelectorAll("#rows .name").length;
            const [x, y] = [column, row].map((at) => Math.round((at + 0.2) * step));
            const copy = document.createElement("canvas").getContext("2d");
            copy.drawImage(canvas, -x, -y);
            return [...copy.getImageData(0, 0, 1, 1).data].slice(0, 3);
        }""",
        [row, column],
    )


def make_many(n_classes=75, *, superclasses=True):
    """Import a run in which each class is taken for the next one, and for one further on."""
    known = [f"kind {index:02d}" for index in range(n_classes)]
    table = pd.DataFrame(
        [
            (f"{label}/{image}.png", name, known[(label + shift) % n_classes], 0.5)
            for label, name in enumerate(known)
            for image, shift in enumerate((0, 0, 0, 1, 1, 17))
        ],
        columns=["path", "label", "pred", "confidence"],
    )
    parents = {name: f"family {index // 15}" for index, name in enumerate(known)}
    return make_run(table, classes=known, superclasses=parents if superclasses else None)


def test_the_strongest_cell_is_there_from_the_start(visit):
    make()
    add_parts()
    report()
    page = visit()
    first = cells().iloc[0]
    assert chosen(page) == f"{first.true_class} → {first.pred_class}"
    share, interval = formats.share(first["rate"]), formats.share_range(first.low, first.high)
    told = f"{first['count']} of {first.n} images ({share}; 95 % interval {interval})"
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


def test_a_click_on_a_cell_shows_its_images(visit):
    make()
    add_parts()
    report()
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


def test_the_matrix_is_walked_with_the_keyboard(visit):
    make()
    report()
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


def test_cells_and_diagonal_hold_what_the_table_says(visit):
    make()
    add_parts()
    report()
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


def test_more_errors_are_further_along_the_scale_and_its_ends_are_labelled(visit):
    make()
    add_parts()
    report()
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


def test_the_axes_and_the_superclasses_are_named_at_both_sides(visit):
    make()
    report()
    page = visit()
    for side, axis in {"rows": "true class", "columns": "predicted class"}.items():
        assert page.locator(f"#{side} .axis").text_content() == axis
        assert page.locator(f"#{side} .superclass").all_text_contents() == ["canine", "feline"]
        assert page.locator(f"#{side} .bracket").count() == 2


def test_without_superclasses_there_are_no_brackets(visit):
    make(superclasses=False)
    report()
    assert visit().locator("#plot .bracket").count() == 0


def test_part_of_the_classes_is_chosen(visit):
    make()
    report()
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


def test_cells_between_other_classes_are_faded(visit):
    make(("a", "b", "c", "d"), superclasses=False, each=30)
    ends("confusion run --no-figures -q")
    report()
    page = visit(color_scheme="light")
    page.fill("#class", "a")
    order = names(page)
    assert set(order) == {"a", "b", "d"}  # one image of a was taken for d
    places = [order.index(name) for name in "abd"]
    bright = [sum(colour_of(page, place, place)) for place in places]
    assert bright[0] < bright[1] == bright[2]


@pytest.mark.parametrize("classes", [("cat", "lion", "dog", "wolf"), ("b/b", "b", "5 %", "%2F")])
def test_a_link_to_a_cell_opens_it(visit, classes):
    make(classes, superclasses=False)
    ends("confusion run --no-figures -q")
    report()
    page = visit()
    for index, (true, pred) in enumerate(cells()[["true_class", "pred_class"]].values):
        page.select_option("#strongest", index=index + 1)
        place = page.evaluate("location.hash").removeprefix("#matrix?")
        if not {*"/%"} & {*true, *pred}:
            assert parse_qs(place) == {"cell": [f"{true}/{pred}"]}
        page.select_option("#strongest", index=1 if index else 2)
        page.evaluate("history.replaceState(null, '', '#main')")
        go(page, place)
        assert chosen(page) == f"{true} → {pred}"
    assert page.locator("#matrix").evaluate("one => Math.abs(one.getBoundingClientRect().top) < 99")


def test_the_address_holds_focus_filter_and_numbers(visit):
    make()
    report()
    page = visit()
    page.select_option("#focus", "superclass:canine")
    page.check("#rates")
    page.evaluate("location.reload()")
    page.wait_for_selector("#panel h3")
    assert sorted(names(page)) == ["dog", "wolf"]
    assert page.locator("#rates").is_checked()
    page.fill("#class", "lion")
    page.evaluate("location.reload()")
    page.wait_for_selector("#panel h3")
    assert page.locator("#class").input_value() == "lion"
    assert set(names(page)) == {"lion", "cat"}
    for nonsense in ("cell=nobody", "cell=%E0%A4", "focus=superclass:bird&cell=a/b/c", "class=%00"):
        go(page, nonsense)
        assert chosen(page)
        assert len(names(page)) > 1


def test_what_the_pointer_is_on_is_said_beside_it(visit):
    make()
    report()
    page = visit()
    order, box = names(page), page.locator("#canvas").bounding_box()
    step = box["width"] / 4
    at = {name: step * (order.index(name) + 0.5) for name in order}
    canvas, tip = page.locator("#canvas"), page.locator("#tip")
    for (true, pred), said in {
        ("cat", "lion"): "cat → lion: 4 of 12, 33.3 %",
        ("dog", "dog"): "dog, right: 8 of 12, 66.7 %",
        ("lion", "dog"): "lion → dog: 0 of 12, 0.0 %",
    }.items():
        canvas.hover(position={"x": at[pred], "y": at[true]})
        assert tip.inner_text() == said
        on = page.locator("#plot .name.on").all_text_contents()
        assert on == [pred, true]  # above, and at the left
    page.mouse.move(0, 0)
    assert tip.is_hidden()


def test_a_class_without_images_says_so(visit):
    table = pd.DataFrame({"path": ["0.png", "1.png"], "label": ["cat", "dog"], "pred": "cat"})
    make_run(table, classes=("cat", "dog", "nobody"))
    report()
    page = visit()
    assert page.locator(".keys").inner_text().count("no images") == 1
    row, step = names(page).index("nobody"), page.locator("#canvas").bounding_box()["width"] / 3
    for column in range(3):
        page.hover("#canvas", position={"x": step * (column + 0.5), "y": step * (row + 0.5)})
        assert page.locator("#tip").inner_text().endswith(": no images")


@pytest.mark.parametrize(
    "classes",
    [
        ("yes", "no"),
        tuple(f"staffordshire_terrier_{index:02d}" for index in range(38)),
        ("a_name_without_any_place_to_break_it_" * 3, "lion", "中国犬" * 12, "wolf"),
    ],
    ids=["two", "many", "long"],
)
def test_no_label_is_cut_and_nothing_sticks_out(visit, classes):
    make(classes, superclasses=False, each=3, images=False)
    report()
    for width in (400, 800, 1400):
        page = visit(viewport={"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        out = page.locator("#plot svg text").evaluate_all("""all => all.filter((one) => {
            const box = one.getBoundingClientRect();
            const sheet = one.ownerSVGElement.getBoundingClientRect();
            return box.left < sheet.left - 1 || box.right > sheet.right + 1 ||
                box.top < sheet.top - 1 || box.bottom > sheet.bottom + 1;
        }).map((one) => one.textContent)""")
        assert out == []
        inside, room = page.locator("#plot").evaluate("one => [one.scrollWidth, one.clientWidth]")
        if len(classes) > 30:
            assert sorted(names(page)) == sorted(classes)
        else:
            assert inside <= room


def test_names_stay_in_sight_while_the_cells_scroll(visit):
    make(tuple(f"staffordshire_terrier_{index:02d}" for index in range(38)), superclasses=False)
    report()
    page = visit(viewport=NARROW)
    assert page.locator("#plot").evaluate("one => [one.scrollLeft, one.className]") == [0, "wider"]
    page.locator("#plot").evaluate("one => { one.scrollLeft = 10000 }")
    assert page.locator("#plot").evaluate("one => one.scrollLeft") > 100
    plot, name = (
        page.locator(where).first.bounding_box() for where in ("#plot", "#rows .name >> nth=0")
    )
    assert plot["x"] <= name["x"] < plot["x"] + plot["width"] / 2
    # Walking brings a cell back into sight.
    page.focus("#canvas")
    page.keyboard.press("Home")
    for _ in range(30):
        page.keyboard.press("ArrowLeft")
    cursor, names_end = page.locator("#cursor").bounding_box(), name["x"] + name["width"]
    assert names_end - 8 <= cursor["x"] <= plot["x"] + plot["width"]


def test_it_is_light_on_paper_and_dark_in_the_dark(visit):
    make()
    report()
    page = visit(color_scheme="dark")
    order = names(page)
    empty = (order.index("cat"), order.index("dog"))
    assert sum(colour_of(page, *empty)) < 200
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert sum(colour_of(page, *empty)) > 700
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert sum(colour_of(page, *empty)) < 200
    page.click("#theme")
    assert sum(colour_of(page, *empty)) > 700


def test_forced_colours_leave_the_cells_their_own(visit):
    make()
    report()
    page = visit(forced_colors="active")
    order = names(page)
    wrong = colour_of(page, order.index("cat"), order.index("lion"))
    assert wrong != colour_of(page, order.index("cat"), order.index("cat"))
    assert max(wrong) - min(wrong) > 20  # no grey


def test_the_strongest_cells_are_a_table_too(visit):
    make()
    add_parts()
    report()
    page = visit()
    page.locator("details.strongest summary").click()
    rows = page.locator("details.strongest tr").all_inner_texts()[1:]
    table = cells().head(20)
    assert len(rows) == len(table)
    for row, (_, cell) in zip(rows, table.iterrows(), strict=True):
        assert row.split("\t") == [
            f"{cell.true_class} → {cell.pred_class}",
            f"{cell['count']} of {cell.n}",
            formats.share(cell["rate"]),
            formats.share_range(cell.low, cell.high),
        ]
    page.locator("details.strongest button").last.click()
    assert chosen(page) == rows[-1].split("\t")[0]


def test_the_page_writes_shares_in_cells_as_pictures_do(browser):
    scripts = Path(errlens.__file__).parent / "report" / "templates" / "scripts"
    base, own = ((scripts / name).read_text() for name in ("base.js", "matrix/cells.js"))
    bare = base[base.index("function bare(") : base.index("const percent")]
    bare = re.sub(r"(?m)^  // .*$", "", bare)
    share = re.search(r"function cellShare\(x\) \{.*?\n  \}", own, re.DOTALL)[0]
    page = browser.new_page()
    values = [0, 1, 1e-9, 1 - 1e-9, 0.0004, 0.002, 0.125, *np.random.default_rng(0).random(200)]
    written = page.evaluate(
        f"(all) => {{ {bare.split('// As errlens')[0]} {share} return all.map(cellShare); }}",
        [float(value) for value in values],
    )
    assert written == [formats.cell_share(float(value)) for value in values]
    page.close()


def test_a_thousand_classes_are_fluent(visit):
    random = np.random.default_rng(0)
    label = np.repeat(np.arange(1000), 40)
    pred = np.where(random.random(40_000) < 0.5, random.integers(1000, size=40_000), label)
    known = np.array([f"class_{index:04d}" for index in range(1000)])
    pd.DataFrame({"path": np.arange(40_000), "label": known[label], "pred": known[pred]}).to_csv(
        "table.csv", index=False
    )
    ends("import table.csv -o run --labels names -q")
    report()
    page = visit()
    took = page.evaluate("""() => {
        const by = (id) => document.getElementById(id), canvas = by("canvas");
        const point = (kind, at) => {
            const box = canvas.getBoundingClientRect(), where = box.left + 60 * at;
            canvas.dispatchEvent(new MouseEvent(kind,
                { bubbles: true, clientX: where, clientY: box.top + 40 * at }));
        };
        const set = (id, value) => {
            by(id).value = value;
            by(id).dispatchEvent(new Event(id === "focus" ? "change" : "input"));
        };
        const best = (work) => Math.min(...[1, 2, 3, 4, 5, 6, 7].map((at) => {
            const start = performance.now();
            work(at);
            return performance.now() - start;
        }));
        return {
            hover: best((at) => point("mousemove", at)),
            click: best((at) => point("click", at)),
            redraw: best(() => document.dispatchEvent(new Event("repaint"))),
            most: best(() => set("focus", "most")),
            find: best((at) => set("class", `class_010${at}`)),
            all: best(() => set("focus", "all")),
        };
    }""")
    assert max(took.values()) < 100, took  # 50 on a machine that has nothing else to do
    assert took["hover"] < 20, took
