"""Time `errlens view` on many predictions, in a browser.

A seeded generator writes a run of 1,280,000 predictions of 1,000 classes, whose images share a few
small photos. Then the program serves it, and Chromium opens the page again and again::

    python tests/benchmarks/view_speed.py [--images 1280000] [--classes 1000] [--rounds 5]

What is told: seconds from the start to the address; bytes of the page; seconds from the request to
the first paint, and until nothing is asked for any more; and from a click on a cell's link to its
first 60 pictures on the screen, for a cell not looked at before.
"""

import argparse
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

from tests.benchmarks.confusion_speed import draw_predictions, write_run

PHOTOS = 64
PICTURES = 60
SETTLED = 20  # milliseconds

PAINTED = """() => performance.getEntriesByType('paint').map(one => one.startTime)"""
SHOWN = """() => [...document.querySelectorAll('#tiles .shot img')]
    .filter(one => one.complete && one.naturalWidth).length"""


def make_run(folder: Path, n: int, k: int) -> None:
    """Write a run whose images share a few photos."""
    label, pred = draw_predictions(n, k, error=0.25, seed=0)
    names = [f"photos/{number:02d}.jpg" for number in range(PHOTOS)]
    write_run(folder, label, pred, k, names)
    (folder / "photos").mkdir()
    for number, name in enumerate(names):
        pixels = np.random.default_rng(number).integers(0, 255, (12, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((320, 240)).save(folder / name)


def strongest_cells(page, most: int) -> list[tuple[str, str]]:
    """Return true and predicted class of kinds of errors with at least 60 images."""
    return page.evaluate(
        """most => {
            const data = JSON.parse(document.getElementById('data').textContent);
            const { names, cells } = data.matrix;
            return [...Array(most).keys()].map(
                at => [names[cells[3 * at]], names[cells[3 * at + 1]]]);
        }""",
        most,
    )


def shows(page, address: str, least: int) -> float:
    """Return the seconds until a view has so many pictures."""
    start = time.perf_counter()
    page.evaluate("document.querySelectorAll('#tiles .shot').forEach(one => one.remove())")
    page.evaluate("place => { location.hash = place }", address)
    while page.evaluate(SHOWN) < least:
        page.wait_for_timeout(SETTLED)
    return time.perf_counter() - start


def tell(what: str, seconds: list[float]) -> None:
    print(
        f"{what:34} median {statistics.median(seconds):6.2f} s"
        f"  ({min(seconds):.2f} to {max(seconds):.2f})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=1_280_000)
    parser.add_argument("--classes", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", type=Path, help="where to write the run, and leave it")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        run = args.keep or Path(temporary, "run")
        if not run.exists():
            make_run(run, args.images, args.classes)
        with serving(run) as address:
            visit_again_and_again(
                address, args.rounds, min(PICTURES, args.images // args.classes // 20)
            )


@contextmanager
def serving(run: Path) -> Iterator[str]:
    """Let the program serve a run, and tell how long that takes."""
    start = time.perf_counter()
    program = Path(sys.executable).with_name("errlens")
    process = subprocess.Popen([program, "view", run, "-q"], stdout=subprocess.PIPE, text=True)
    address = re.search(r"http://\S+", process.stdout.readline())[0]
    print(f"{'until it serves':34} {time.perf_counter() - start:13.2f} s")
    try:
        yield address
    finally:
        process.terminate()
        process.wait()


def visit_again_and_again(address: str, rounds: int, least: int) -> None:
    """Open the page, and a cell with so many pictures, each time another one."""
    with urllib.request.urlopen(address) as answer:
        print(f"{'the page':34} {len(answer.read()) / 1e6:13.2f} MB")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    paints, settled, cells, again = [], [], [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for number in range(rounds):
            page = browser.new_page(viewport={"width": 1400, "height": 1000})
            start = time.perf_counter()
            page.goto(address)
            while not (painted := page.evaluate(PAINTED)):
                page.wait_for_timeout(SETTLED)
            paints.append(max(painted) / 1000)
            page.wait_for_load_state("networkidle")
            settled.append(time.perf_counter() - start)
            true, pred = strongest_cells(page, rounds)[number]
            view = f"#images?true={true}&pred={pred}&sort=loss".replace(" ", "+")
            cells.append(shows(page, view, least))
            again.append(shows(page, view.replace("loss", "confidence"), least))
            page.close()
        browser.close()
    tell("first paint", paints)
    tell("all its pictures, and rest", settled)
    tell("a cell's first pictures", cells)
    tell("the same, sorted otherwise", again)


if __name__ == "__main__":
    main()
