"""Write scikit-learn's handwritten digits as class folders of PNG images.

Run from anywhere: `python make_images.py`. The images land beside this file: of every digit 30 %
in `train`, the rest in `val`, in the order of the data set. Each of the 8 x 8 pixels becomes a
square of 4 x 4, so that a person can see it; nothing is interpolated.
"""

from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

HERE = Path(__file__).parent
TRAIN_SHARE = 0.3
SQUARE = 4


def main() -> None:
    """Write all images."""
    digits = load_digits()
    for label in range(10):
        (places,) = np.nonzero(digits.target == label)
        n_train = round(TRAIN_SHARE * len(places))
        for rank, place in enumerate(places):
            split = "train" if rank < n_train else "val"
            pixels = np.round(digits.images[place] * (255 / 16)).astype(np.uint8)
            target = HERE / split / str(label) / f"{place:04d}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.kron(pixels, np.ones((SQUARE, SQUARE), np.uint8))).save(target)


if __name__ == "__main__":
    main()
