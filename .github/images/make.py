"""Make the pictures of the README anew: run the sample, and copy what it draws.

Run from the top folder: `python .github/images/make.py`. It needs chromium for the picture of the
page. The run goes to `runs/sample`.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent
RUN = Path("runs/sample")
PAGE_SIZE = 1280, 1500  # pixels
PAIR = "British_Shorthair~Russian_Blue"
EXPLAINED = "german_shorthaired__boxer/103_german_shorthaired_151_grad-cam.png"


def errlens(*arguments: object) -> None:
    """Run a command of errlens."""
    subprocess.run([sys.executable, "-m", "errlens", *map(str, arguments)], check=True)


def store(picture: Path, name: str) -> None:
    """Store a picture as JPEG."""
    with Image.open(picture) as image:
        image.convert("RGB").save(HERE / name, quality=88, optimize=True)


def photograph(page: Path, picture: Path) -> None:
    """Write what a browser shows of a page."""
    browser = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    size = "--window-size={},{}".format(*PAGE_SIZE)
    where = [f"--screenshot={picture}", page.absolute().as_uri()]
    subprocess.run([*browser, size, *where], check=True, stderr=subprocess.DEVNULL)


def main() -> None:
    """Make all pictures."""
    errlens("run", "configs/sample.yaml", "--overwrite")
    errlens("misclassified", RUN, "--select", PAIR)
    store(RUN / "misclassified" / "gallery" / f"{PAIR}.png", "misclassified.jpg")
    store(RUN / "explain" / EXPLAINED, "explain.jpg")
    with Image.open(RUN / "confusion" / "matrix-1-cat.png") as matrix:
        matrix.convert("RGB").save(HERE / "confusion.png", optimize=True)
    with tempfile.TemporaryDirectory() as folder:
        shown = Path(folder) / "page.png"
        photograph(RUN / "report.html", shown)
        store(shown, "report.jpg")


if __name__ == "__main__":
    main()
