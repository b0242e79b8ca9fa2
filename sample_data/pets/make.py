"""Write the sample of pets: photos, outlines, superclasses and weights.

Run from anywhere: `python make.py PETS WEIGHTS`. PETS is a folder with `val`, a folder of photos
for each breed, `superclasses.csv` and `outlines.json`, the outlines of the photos in their own
pixels; WEIGHTS are those of a tf_efficientnet_lite0 with an output for each breed, in single
precision. The files land beside this one, or in the folder that a third argument names.

Photos whose shorter side has more than 320 pixels are made smaller, and their outlines with them.
The others stay as they are. Some outlines end at the collar, or are those of something else: where
one lacks the head, the photo has the box of the head alone. Weights are stored in half precision,
which costs no prediction and half the bytes, together with what the network is and what its outputs
are called.
"""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from safetensors.torch import load_file, save_file

HERE = Path(__file__).parent
SHORTER_SIDE = 320
QUALITY = 88
LEAST_OF_HEAD = 0.25  # of its box, that the outline of an animal covers
ARCHITECTURE = "tf_efficientnet_lite0"
WEIGHTS = f"{ARCHITECTURE}.pets.safetensors"


def write_photo(source: Path, target: Path) -> tuple[int, int]:
    """Write a photo with its shorter side at most 320 pixels, and return its width and height."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(source) as photo:
        scale = SHORTER_SIDE / min(photo.size)
        if scale >= 1:
            shutil.copyfile(source, target)
            return photo.size
        size = round(photo.width * scale), round(photo.height * scale)
        smaller = photo.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    smaller.save(target, quality=QUALITY, optimize=True)
    return size


def scaled(numbers: list[float], size: tuple[int, int], outline: dict) -> list[float]:
    """Return x, y, x, y ... of a photo in the pixels of the smaller one, to a tenth of them."""
    factors = size[0] / outline["width"], size[1] / outline["height"]
    return [round(number * factors[at % 2], 1) for at, number in enumerate(numbers)]


def holds_the_head(outline: dict) -> bool:
    """Tell whether the polygons cover a good part of the box of the head."""
    animal = Image.new("L", (outline["width"], outline["height"]))
    for polygon in outline["pet_polygons"]:
        ImageDraw.Draw(animal).polygon(polygon, fill=1)
    return np.asarray(animal.crop(outline["head_box_xyxy"])).mean() >= LEAST_OF_HEAD


def smaller_outline(outline: dict, size: tuple[int, int]) -> dict:
    """Return the outline for a photo of another size; without polygons that lack the head."""
    polygons = outline["pet_polygons"] if holds_the_head(outline) else []
    return {
        "width": size[0],
        "height": size[1],
        "polygons": [scaled(polygon, size, outline) for polygon in polygons],
        "part_box": scaled(outline["head_box_xyxy"], size, outline),
    }


def write_photos(pets: Path, out: Path) -> None:
    """Write all photos and the outlines that are known of them."""
    outlines = json.loads((pets / "outlines.json").read_text(encoding="utf-8"))
    found = {}
    for source in sorted((pets / "val").glob("*/*.jpg")):
        name = source.relative_to(pets / "val").as_posix()
        size = write_photo(source, out / "val" / name)
        found[name] = smaller_outline(outlines[f"val/{name}"], size)
    # A line for each photo.
    lines = [f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in found.items()]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    (out / "outlines.json").write_text(text, encoding="utf-8")


def write_weights(weights: Path, out: Path, breeds: list[str]) -> None:
    """Write the weights in half precision."""
    state = {
        name: value.half() if value.is_floating_point() else value
        for name, value in load_file(weights).items()
    }
    if not all(value.isfinite().all() for value in state.values()):
        raise SystemExit(f"{weights}: a weight is too large for half precision")
    config = {"architecture": ARCHITECTURE, "num_classes": len(breeds), "label_names": breeds}
    save_file(state, out / WEIGHTS, {"config": json.dumps(config)})


def main(pets: Path, weights: Path, out: Path = HERE) -> None:
    """Write all of it."""
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(pets / "superclasses.csv", out / "superclasses.csv")
    write_photos(pets, out)
    breeds = sorted(folder.name for folder in (out / "val").iterdir())
    write_weights(weights, out, breeds)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(*map(Path, sys.argv[1:]))
