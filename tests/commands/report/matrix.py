"""What the browser shows of the matrix of a page, asked in the words of tests."""

from urllib.parse import parse_qs

import pandas as pd

from tests.conftest import make_run


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
