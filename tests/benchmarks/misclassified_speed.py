"""Time `errlens misclassified`: tables of many predictions, and a gallery of large photos.

Two runs are made of seeded noise: 100,000 predictions with 20,000 errors and no images, and 200
errors with a JPEG of 12 megapixels each. Then the command runs in fresh processes, alternating with
the plain way of looking at photos: Pillow, thumbnails and matplotlib's subplots::

    python tests/benchmarks/misclassified_speed.py [--rounds 5]
"""

import argparse
import multiprocessing
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

PLAIN = """
import sys
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas
from PIL import Image

run, photos = sys.argv[1:]
table = pandas.read_parquet(f"{run}/predictions")
wrong = table[table["correct"] == False].sort_values("loss", ascending=False)
figure, axes = plt.subplots(-(-len(wrong) // 6), 6, figsize=(14, 2.4 * (len(wrong) // 6)))
for axis in axes.flat:
    axis.set_axis_off()
for axis, (_, one) in zip(axes.flat, wrong.iterrows()):
    image = Image.open(f"{photos}/{one.path}")
    image.thumbnail((200, 200))  # decodes a JPEG at a smaller size
    axis.imshow(image)
    axis.set_title(f"{one.label_name} -> {one.pred_name} {one.confidence:.2f}", fontsize=6)
figure.savefig(f"{run}/plain.png")
"""


def make_table(n: int, wrong: int, classes: int, *, suffix: str) -> pd.DataFrame:
    """Return labels and predictions with probabilities of all classes."""
    rng = np.random.default_rng(0)
    label = np.arange(n) % classes
    pred = np.where(
        rng.permutation(n) < wrong, (label + rng.integers(1, classes, n)) % classes, label
    )
    prob = rng.random((n, classes)).astype(np.float64)
    prob[np.arange(n), pred] += 2
    prob /= prob.sum(axis=1, keepdims=True)
    table = pd.DataFrame(prob, columns=[f"prob_class {index:02d}" for index in range(classes)])
    table.insert(0, "label", [f"class {index:02d}" for index in label])
    table.insert(0, "path", [f"{row:06d}{suffix}" for row in range(n)])
    return table


def make_run(folder: Path, n: int, wrong: int, *, photos: bool) -> None:
    """Import such a table; with photos, draw them first."""
    folder.mkdir()
    make_table(n, wrong, 10, suffix=".jpg").to_parquet(folder / "table.parquet")
    if photos:
        rng = np.random.default_rng(0)
        for row in range(n):
            coarse = rng.integers(0, 255, (150, 200, 3), dtype=np.uint8)
            large = Image.fromarray(coarse).resize((4000, 3000), Image.Resampling.BICUBIC)
            large.save(folder / f"{row:06d}.jpg", quality=92)
    table = folder / "table.parquet"
    command = [
        sys.executable,
        "-m",
        "errlens",
        "import",
        str(table),
        "-o",
        str(folder / "run"),
        "-q",
    ]
    subprocess.run(command, check=True)


def seconds(command: list[str]) -> float:
    """Return the seconds a command takes."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        many, large = Path(temporary, "many"), Path(temporary, "large")
        for folder, n, wrong, photos in ((many, 100_000, 20_000, False), (large, 200, 200, True)):
            maker = multiprocessing.get_context("spawn").Process(
                target=make_run, args=(folder, n, wrong), kwargs={"photos": photos}
            )
            maker.start()
            maker.join()
        errlens = [sys.executable, "-m", "errlens", "misclassified"]
        programs = {
            "ranking and tables of 20,000 errors": [*errlens, str(many / "run"), "--no-figures"],
            "gallery of 200 photos, 12 megapixels": [*errlens, str(large / "run"), "--tiles=200"],
            "Pillow and matplotlib, the same photos": [
                sys.executable, "-c", PLAIN, str(large / "run"), str(large),
            ],
        }  # fmt: skip
        found: dict[str, list[float]] = {name: [] for name in programs}
        for _ in range(args.rounds):
            for name, command in programs.items():
                found[name].append(seconds(command))
        for name, taken in found.items():
            median = statistics.median(taken)
            print(f"{name:40} median {median:6.2f} s  ({min(taken):.2f} to {max(taken):.2f})")


if __name__ == "__main__":
    main()
