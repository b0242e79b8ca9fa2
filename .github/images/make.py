"""Make the pictures of the README anew: run the sample, and copy what it draws.

Run from the top folder: `python .github/images/make.py`. It needs chromium for the picture of the
page. The run goes to `runs/sample`.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageFilter

HERE = Path(__file__).parent
RUN = Path("runs/sample")
SAMPLE = Path("sample_data/pets")
CHECKPOINT = SAMPLE / "tf_efficientnet_lite0.pets.safetensors"
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


def darken(photos: Path, dark: Path) -> None:
    """Copy photos, every third of them as if it had been taken at night."""
    for number, photo in enumerate(sorted(photos.rglob("*.jpg"))):
        copy = dark / photo.relative_to(photos)
        copy.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(photo) as image:
            night = image.filter(ImageFilter.GaussianBlur(8))
            (night if number % 3 == 0 else image.copy()).save(copy, quality=92)


def diagnose() -> None:
    """Store the sheet of a fault that was planted: dark photos."""
    with tempfile.TemporaryDirectory() as folder:
        photos, run = Path(folder) / "photos", Path(folder) / "run"
        darken(SAMPLE / "val", photos)
        errlens("evaluate", photos, "--checkpoint", CHECKPOINT, "-o", run)
        errlens("diagnose", run, "--no-model")
        store(run / "diagnosis" / "gallery" / "finding-1-slice.png", "diagnose.jpg")


def activations() -> None:
    """Store three channels of a layer in two photos, with boxes around eyes and muzzle."""
    breed = "British_Shorthair"
    photos = [SAMPLE / "val" / breed / f"{breed}_{number}.jpg" for number in (161, 139)]
    boxes = (
        "eyes=75,175,170,65", "eyes=120,150,160,50", "muzzle=75,230,110,80",
        "muzzle=160,205,105,70",
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        what = ["--layer", "blocks.5.0.bn2", "--activation", "before", "--channel", "569,580,530"]
        what += [word for box in boxes for word in ("--box", box)]
        where = ["--checkpoint", CHECKPOINT, "-o", folder]
        errlens("network", "activations", *photos, *what, *where)
        (picture,) = Path(folder).glob("activations/*/channels.png")
        store(picture, "network-activations.jpg")


def main() -> None:
    """Make all pictures."""
    diagnose()
    activations()
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
