"""Time the properties of photos against cleanvision, on the same JPEGs of 12 megapixels.

The photos of a folder are enlarged to 4000 x 3000 pixels with grain as cameras have it, and are
measured in fresh processes, alternating: by errlens as an ImageNet network is fed them (brightness,
contrast, sharpness, colour, borders, EXIF and a perceptual hash, the files hashed), and by
cleanvision with all its checks, from an environment of its own::

    python -m venv other && other/bin/pip install cleanvision
    python tests/benchmarks/properties_speed.py DATA other/bin/python [--photos 40] [--rounds 3]
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = (4000, 3000)
GRAIN = 4  # standard deviation, in shades

ERRLENS = """
import sys
from pathlib import Path
from errlens.data.photos.images import ImageFile
from errlens.data.photos.preprocess import Preprocessing
from errlens.data.properties.measuring import measure

half = (0.5, 0.5, 0.5)
as_fed = Preprocessing((224, 224), 0.875, "center", "bicubic", half, half)
found = measure([ImageFile(path) for path in sorted(Path(sys.argv[1]).iterdir())], as_fed=as_fed)
assert set(found["status"]) == {"ok"}
"""

CLEANVISION = """
import sys
from cleanvision import Imagelab

if __name__ == "__main__":
    Imagelab(data_path=sys.argv[1]).find_issues(verbose=False)
"""


def enlarge(photos: list[Path], folder: Path) -> None:
    """Save the photos at 12 megapixels."""
    for number, photo in enumerate(photos):
        large = Image.open(photo).convert("RGB").resize(SIZE, Image.Resampling.BICUBIC)
        grain = np.random.default_rng(number).normal(0, GRAIN, (*SIZE[::-1], 1))
        pixels = (np.asarray(large) + grain).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:04d}.jpg", quality=92)


def seconds(command: list[str]) -> float:
    """Return the seconds a command takes."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path, help="a folder of JPEGs")
    parser.add_argument("other", help="the Python that has cleanvision")
    parser.add_argument("--photos", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "photos")
        folder.mkdir()
        enlarge(sorted(args.data.rglob("*.jpg"))[: args.photos], folder)
        script = Path(temporary, "cleanvision_all.py")
        script.write_text(CLEANVISION)
        programs = {
            "errlens, all properties": [sys.executable, "-c", ERRLENS, str(folder)],
            "cleanvision, all checks": [args.other, str(script), str(folder)],
        }
        found: dict[str, list[float]] = {name: [] for name in programs}
        for _ in range(args.rounds):
            for name, command in programs.items():
                found[name].append(seconds(command))
        for name, taken in found.items():
            each = 1000 * statistics.median(taken) / args.photos
            print(f"{name:28} median {statistics.median(taken):6.2f} s  {each:6.0f} ms a photo")


if __name__ == "__main__":
    main()
