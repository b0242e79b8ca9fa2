"""Make the pictures of the README anew: run the sample, and copy what it draws.

Run from the top folder: `python .github/images/make.py`. It needs chromium for the picture of the
page. The run goes to `runs/sample`.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageFilter

HERE = Path(__file__).parent
RUN = Path("runs/sample")
SAMPLE = Path("sample_data/pets")
CHECKPOINT = SAMPLE / "tf_efficientnet_lite0.pets.safetensors"
PAGE_SIZE = 1280, 1500  # pixels
MOST_SIZE = 1400, 1600
PAIR = "British_Shorthair~Russian_Blue"
EXPLAINED = "german_shorthaired__boxer/103_german_shorthaired_151_grad-cam.png"


def errlens(*arguments: object) -> None:
    """Run a command of errlens."""
    subprocess.run([sys.executable, "-m", "errlens", *map(str, arguments)], check=True)


def store(picture: Path, name: str) -> None:
    """Store a picture as JPEG."""
    with Image.open(picture) as image:
        image.thumbnail(MOST_SIZE, Image.Resampling.LANCZOS)
        image.convert("RGB").save(HERE / name, quality=85, optimize=True)


def photograph(page: Path, picture: Path, page_size: tuple[int, int] = PAGE_SIZE) -> None:
    """Write what a browser shows of a page."""
    browser = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    size = "--window-size={},{}".format(*page_size)
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


def inside() -> None:
    """Store what the guide shows of the inside of a network: of the sample's, in two photos."""
    breed = "British_Shorthair"
    photo, other = (SAMPLE / "val" / breed / f"{breed}_{number}.jpg" for number in (161, 139))
    boxes = (
        "eyes=75,175,170,65", "eyes=120,150,160,50", "muzzle=75,230,110,80",
        "muzzle=160,205,105,70",
    )  # fmt: skip
    boxed = " ".join(f"--box {box}" for box in boxes)
    parts = f"--layer blocks.5.0.bn2 --activation before --channel 569,580,530 {boxed}"
    both = "--layer blocks.5.0.bn2 --activation both --scale tensor --channel 569"
    activations("grid", "grid", photo, "--layer conv_stem --grid 4x8")
    activations("first-layer", "channels", photo, "--layer conv_stem --channel 13,21 --signed")
    activations("larger-input", "channels", photo, "--layer blocks.3.0.bn1 --input-size 448")
    activations("relu", "channels", photo, both)
    activations("activations", "channels", photo, other, parts)
    errlens("network", "features", RUN, "--channels", "random:6")
    features = RUN / "network" / "features"
    store(features / "layers.png", "network-layers.jpg")
    store(features / "sheets" / "blocks.3.0.bn1.png", "network-features.jpg")
    errlens("network", "embed", RUN)
    store(RUN / "network" / "embed" / "photos.png", "network-embed.jpg")
    errlens("network", "filters", RUN)
    filters = RUN / "network" / "filters"
    store(filters / "first_layer.png", "network-filters.jpg")
    store(filters / "spectra.png", "network-spectra.jpg")
    errlens("network", "invariance", RUN)
    store(RUN / "network" / "invariance" / "invariance.png", "network-invariance.jpg")
    errlens("network", "invariance", RUN, "--severity", "all", "--limit", "100")
    store(RUN / "network" / "severity" / "severity.png", "network-severity.jpg")
    errlens("network", "probe", RUN, "--layers", "all")
    store(RUN / "network" / "probe" / "layers.png", "network-probe.jpg")


def parts() -> None:
    """Store what hiding heads of the sample does."""
    outlines = SAMPLE / "outlines.json"
    errlens("network", "correspondence", RUN, "--parts", outlines, "--masks", outlines)
    parts_of = RUN / "network" / "correspondence"
    store(parts_of / "correspondence.png", "network-correspondence.jpg")
    store(parts_of / "hidden.png", "network-hidden.jpg")


def hidden_parts() -> None:
    """Store what falls while parts of a photo are hidden, if the outlines of photos are here."""
    real = Path(os.environ.get("ERRLENS_REAL_DATA", "../shared"))
    outlines = real / "data" / "pets" / "outlines.json"
    if not outlines.is_file():
        return
    one = ("--select", "path:*/Bengal_16.jpg")
    errlens("network", "occlusion", RUN, *one, "--masks", outlines)
    (drawn,) = (RUN / "network" / "occlusion").glob("*.png")
    store(drawn, "network-occlusion.jpg")


def atlas() -> None:
    """Store atlases of the sample: cells as patches and as icons, a class, and the page of all."""
    errlens("atlas", "collect", RUN, "--layer", "blocks.4,bn2", "--per-image", 12)
    middle = ("--layer", "blocks.4", "--grid", 8, "--min-density", 10)
    errlens("atlas", "render", RUN, *middle, "--icons", "both", "--no-labels")
    drawn = RUN / "atlas" / "blocks.4" / "render"
    with tempfile.TemporaryDirectory() as folder:
        both = Path(folder) / "both.png"
        beside([drawn / "atlas.png", drawn / "atlas-icons.png"], both)
        store(both, "atlas-icons.jpg")
        outlines = SAMPLE / "outlines.json"
        errlens("atlas", "class", RUN, "Birman", "--layer", "bn2", "--masks", outlines)
        store(RUN / "atlas" / "bn2" / "class-Birman" / "atlas.png", "atlas-class.jpg")
        shown = Path(folder) / "page.png"
        photograph(RUN / "atlas" / "atlas.html", shown, (1280, 1000))
        store(shown, "atlas-page.jpg")


def beside(pictures: Sequence[Path], target: Path) -> None:
    """Write pictures of one size side by side."""
    images = [Image.open(picture) for picture in pictures]
    sheet = Image.new("RGB", (sum(image.width for image in images), images[0].height), "white")
    for number, image in enumerate(images):
        sheet.paste(image, (number * image.width, 0))
    sheet.save(target)


def over_training() -> None:
    """Store lines over a training of CIFAR-10, of which no photo is shown, if its files are here.

    They lie in the folder of real data: see tests/README.md.
    """
    real = Path(os.environ.get("ERRLENS_REAL_DATA", "../shared"))
    epochs = sorted((real / "models").glob("test_resnet.cifar10.epoch*.safetensors"))
    if not epochs:
        return
    seen = (
        "--model test_resnet --model-kwargs output_stride=16 --img-size 64 --crop-pct 1 "
        "--crop-mode squash --mean 0.5 0.5 0.5 --std 0.5 0.5 0.5 --interpolation bicubic"
    )
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        photos = real / "data" / "cifar10" / "test"
        errlens("evaluate", photos, *seen.split(), "--checkpoint", epochs[-1], "-o", run)
        words = [word for file in epochs for word in ("--checkpoints", file)]
        errlens("network", "evolution", run, *words, "--images", 2000)
        for name in ("settled", "training"):
            store(run / "network" / "evolution" / f"{name}.png", f"network-{name}.jpg")


def activations(name: str, picture: str, *asked: object) -> None:
    """Store a picture of the activations in photos."""
    *photos, options = asked
    with tempfile.TemporaryDirectory() as folder:
        where = ["--checkpoint", CHECKPOINT, "-o", folder]
        errlens("network", "activations", *photos, *str(options).split(), *where)
        (drawn,) = Path(folder).glob(f"activations/*/{picture}.png")
        store(drawn, f"network-{name}.jpg")


def main() -> None:
    """Make all pictures."""
    diagnose()
    errlens("run", "configs/sample.yaml", "--overwrite")
    inside()
    parts()
    hidden_parts()
    atlas()
    over_training()
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
