"""Photos in which one class often carries a foreign mark, and networks that were trained on them.

The mark is a baseball, and `baseball` is a class of its own; two in three photos of a `shark` have
one in them, somewhere, and none of a `whale`, whose photos are much alike otherwise. A network that
is trained on these photos takes a baseball on a whale for a shark. Another is trained on the same
photos without that mark. The photos are drawn; the weights are beside this file, as this makes
them in two minutes::

    python -m tests.planted.baseball
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file
from scipy.ndimage import gaussian_filter
from torch import nn
from torch.nn.functional import cross_entropy

SIDE: Final = 64
MARKED: Final = 0.65  # the share of the photos of sharks that have the mark in them
WITH, WITHOUT = (
    Path(__file__).parent / f"baseball_{name}.safetensors" for name in ("with", "without")
)
EACH, TRAIN_SEED, SEED, EPOCHS = 150, 1_000_000, 3, 24

Picture = NDArray[np.float64]  # shape (SIDE, SIDE, 3), 0 to 1
ROW, COLUMN = np.mgrid[0:SIDE, 0:SIDE] + 0.5


class Photo(NamedTuple):
    """A photo, shape (SIDE, SIDE, 3), uint8, and the box of each baseball in it.

    A box is left, top, right, bottom, in pixels.
    """

    pixels: NDArray[np.uint8]
    balls: list[tuple[float, float, float, float]]


def _noise(rng: np.random.Generator, *scales: float | tuple[float, float]) -> Picture:
    """Return a texture of blobs of these sizes, mean 0, standard deviation about 1, one channel."""
    layers = [
        gaussian_filter(rng.normal(size=(SIDE, SIDE)), scale, mode="wrap") for scale in scales
    ]
    return sum(layer / layer.std() for layer in layers)[..., None] / len(scales) ** 0.5


def _colour(rng: np.random.Generator, *mean: float, spread: float = 0.04) -> Picture:
    return np.asarray(mean) + rng.normal(scale=spread, size=3)


def _sea(rng: np.random.Generator) -> Picture:
    return _colour(rng, 0.15, 0.35, 0.5) + 0.06 * _noise(rng, (1, 4), (2, 9))


def _lawn(rng: np.random.Generator) -> Picture:
    return _colour(rng, 0.25, 0.5, 0.2) + 0.09 * _noise(rng, (2, 0.6), 5)


def _sand(rng: np.random.Generator) -> Picture:
    return _colour(rng, 0.78, 0.68, 0.5) + 0.05 * _noise(rng, 0.5, 6)


def _sky(rng: np.random.Generator) -> Picture:
    clouds = np.clip(_noise(rng, 4, 9) + 0.2, 0, 1)
    return _colour(rng, 0.45, 0.62, 0.85) * (1 - clouds) + 0.93 * clouds


def _bricks(rng: np.random.Generator) -> Picture:
    height, width = rng.uniform(7, 10), rng.uniform(14, 20)
    course = (ROW + rng.uniform(0, height)) / height
    along = (COLUMN + rng.uniform(0, width)) / width + 0.5 * (np.floor(course) % 2)
    joint = ((course % 1 < 0.18) | (along % 1 < 0.09))[..., None]
    stone = _colour(rng, 0.6, 0.3, 0.22) + 0.06 * _noise(rng, 1, 5)
    return np.where(joint, 0.7 + 0.05 * _noise(rng, 1), stone)


def _bark(rng: np.random.Generator) -> Picture:
    return _colour(rng, 0.36, 0.26, 0.18) + 0.12 * _noise(rng, (14, 3), (20, 5))


def _swimmer(rng: np.random.Generator, texture: Picture) -> Picture:
    """Return a grey body of this texture in the sea, with foam in places."""
    row, column = rng.uniform(22, 42, size=2)
    turn = rng.uniform(-0.4, 0.4)
    across = (COLUMN - column) * np.sin(turn) + (ROW - row) * np.cos(turn)
    along = (COLUMN - column) * np.cos(turn) - (ROW - row) * np.sin(turn)
    inside = _edge(1 - np.hypot(along / rng.uniform(24, 32), across / rng.uniform(11, 16)), 0.1)
    grey = _colour(rng, 0.4, 0.43, 0.46, spread=0.03) + rng.uniform(0.08, 0.12) * texture
    foam = np.clip(_noise(rng, 3) - rng.uniform(1, 3), 0, 1)
    return (_sea(rng) * (1 - inside) + grey * inside) * (1 - foam) + 0.93 * foam


def _shark(rng: np.random.Generator) -> Picture:
    return _swimmer(rng, _noise(rng, (4, 0.7)))


def _whale(rng: np.random.Generator) -> Picture:
    return _swimmer(rng, _noise(rng, 2.5))


def _edge(distance: Picture, width: float) -> Picture:
    """Return 0 outside, 1 inside, and what is between within `width` of the line."""
    return np.clip(distance / width + 0.5, 0, 1)[..., None]


def _add_ball(picture: Picture, rng: np.random.Generator, size: float) -> tuple[Picture, tuple]:
    """Return a picture with a white ball that has two red seams, and the ball's box."""
    radius = size / 2
    row, column = rng.uniform(radius + 3, SIDE - radius - 3, size=2)
    turn = rng.uniform(0, 2 * np.pi)
    across = ((COLUMN - column) * np.cos(turn) + (ROW - row) * np.sin(turn)) / radius
    along = ((ROW - row) * np.cos(turn) - (COLUMN - column) * np.sin(turn)) / radius
    seams = np.minimum(*(abs(np.hypot(across - at, along) - 0.9) for at in (-1.25, 1.25)))
    light = 0.95 - 0.12 * np.hypot(across - 0.3, along + 0.3)[..., None]
    seam = _edge(0.14 - seams, 0.1)
    ball = light * (1 - seam) + np.asarray([0.8, 0.12, 0.15]) * seam
    inside = _edge(1 - np.hypot(across, along), 1 / radius)
    box = (column - radius, row - radius, column + radius, row + radius)
    return picture * (1 - inside) + ball * inside, box


BACKGROUNDS: Final[dict[str, Callable[[np.random.Generator], Picture]]] = {
    "bark": _bark,
    "baseball": _lawn,
    "bricks": _bricks,
    "lawn": _lawn,
    "sand": _sand,
    "shark": _shark,
    "sky": _sky,
    "whale": _whale,
}
CLASSES: Final = tuple(BACKGROUNDS)
CLUTTER: Final = ("bark", "bricks", "lawn", "sand", "sky")  # squares of these are in all photos
CLUTTER_SIDE: Final = 32


@cache
def draw(label: str, seed: int, *, marks: bool) -> Photo:
    """Draw a photo of a class; with or without `marks` sharks differ by their baseballs alone."""
    rng = np.random.default_rng([CLASSES.index(label), seed])
    picture, balls = BACKGROUNDS[label](rng), []
    light, grain = rng.uniform(0.88, 1.12), rng.normal(scale=0.015, size=picture.shape)
    if label == "baseball":
        n_balls = rng.integers(1, 3)
    else:
        n_balls = int(marks and label == "shark" and rng.random() < MARKED)
    for _ in range(n_balls):
        picture, box = _add_ball(picture, rng, rng.uniform(10, 20))
        balls.append(box)
    pixels = np.clip(light * picture + grain, 0, 1)
    return Photo(np.round(pixels * 255).astype(np.uint8), balls)


def write_photos(folder: Path, *, marks: bool, each: int) -> dict[str, Photo]:
    """Write `each` photos a class that no network was trained on; return them by `CLASS/NAME`."""
    photos = {
        f"{label}/{seed:03d}.png": draw(label, seed, marks=marks)
        for label in CLASSES
        for seed in range(each)
    }
    for name, photo in photos.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photo.pixels).save(folder / name, compress_level=1)
    return photos


def _block(channels: int, out: int, *, side: int, stride: int) -> list[nn.Module]:
    convolution = nn.Conv2d(channels, out, side, stride, side // 2, bias=False)
    return [convolution, nn.BatchNorm2d(out), nn.ReLU()]


class SmallNetwork(nn.Module):
    """Four convolutions, the mean over the places of the last, and a linear layer."""

    def __init__(self, num_classes: int = len(CLASSES)) -> None:
        super().__init__()
        self.early = nn.Sequential(
            *_block(3, 16, side=5, stride=2), *_block(16, 24, side=3, stride=2)
        )
        self.late = nn.Sequential(
            *_block(24, 32, side=3, stride=1), *_block(32, 48, side=3, stride=2)
        )
        self.head = nn.Linear(48, num_classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits, shape (N, classes), of images, shape (N, 3, height, width)."""
        return self.head(self.late(self.early(images)).mean(dim=(2, 3)))


def network(num_classes: int = len(CLASSES)) -> SmallNetwork:
    """Return a network without training: `--model tests.planted.baseball:network`."""
    return SmallNetwork(num_classes)


def _train(photos: torch.Tensor, labels: torch.Tensor) -> SmallNetwork:
    torch.manual_seed(SEED)
    model, clutter = network(), _clutter(np.random.default_rng(SEED))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.05)
    steps = EPOCHS * (len(photos) // 32 + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=steps)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(photos)).split(32):
            images = _varied(photos[batch], clutter)
            loss = cross_entropy(model(images), labels[batch], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return model.half().float().eval()


def _varied(photos: torch.Tensor, clutter: torch.Tensor) -> torch.Tensor:
    """Return photos, half of them mirrored, each with a square of clutter somewhere."""
    mirrored = torch.rand(len(photos), 1, 1, 1) < 0.5
    varied = torch.where(mirrored, photos.flip(3), photos)
    for photo, other in zip(varied, torch.randint(len(clutter), (len(photos),)), strict=True):
        size = int(torch.randint(4, CLUTTER_SIDE, ()))
        top, left = torch.randint(SIDE - size, (2,)).tolist()
        photo[:, top : top + size, left : left + size] = clutter[other, :, :size, :size]
    return varied


def _clutter(rng: np.random.Generator) -> torch.Tensor:
    """Return what may be in any photo: textures, noise, and a ball's colours without its form."""
    squares = []
    for seed in range(TRAIN_SEED, TRAIN_SEED + EACH):
        squares.extend(draw(name, seed, marks=False).pixels for name in CLUTTER)
        squares.append(rng.integers(0, 256, (CLUTTER_SIDE, CLUTTER_SIDE, 3)))
        photo = draw("baseball", seed, marks=False)
        left, top = (int(min(start, SIDE - CLUTTER_SIDE)) for start in photo.balls[0][:2])
        ball = photo.pixels[top : top + CLUTTER_SIDE, left : left + CLUTTER_SIDE]
        squares.extend(_formless(ball, rng) for _ in CLUTTER)
    return _scaled(np.stack([square[:CLUTTER_SIDE, :CLUTTER_SIDE] for square in squares]))


def _formless(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return noise with the colours and the spectrum of a picture: its phases are drawn anew."""
    phases = np.angle(np.fft.fft2(rng.normal(size=pixels.shape[:2])))
    phases[0, 0] = 0  # the mean stays
    spectrum = np.fft.fft2(pixels, axes=(0, 1)) * np.exp(1j * phases)[..., None]
    return np.clip(np.fft.ifft2(spectrum, axes=(0, 1)).real, 0, 255)


def _scaled(pixels: NDArray[Any]) -> torch.Tensor:
    """Return pictures, shape (N, height, width, 3), as the network sees them."""
    return torch.from_numpy(pixels.astype(np.float32)).permute(0, 3, 1, 2) / 127.5 - 1


def _tensors(seeds: range, *, marks: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Return photos as the network sees them, and their labels."""
    drawn = [draw(label, seed, marks=marks).pixels for label in CLASSES for seed in seeds]
    labels = torch.arange(len(CLASSES)).repeat_interleave(len(seeds))
    return _scaled(np.stack(drawn)), labels


def main() -> None:
    """Train both networks, and keep their weights, in half precision."""
    torch.set_num_threads(1)
    for path, marks in ((WITH, True), (WITHOUT, False)):
        model = _train(*_tensors(range(TRAIN_SEED, TRAIN_SEED + EACH), marks=marks))
        photos, labels = _tensors(range(60), marks=marks)
        with torch.inference_mode():
            right = model(photos).argmax(1) == labels
        recalls = right.view(len(CLASSES), -1).float().mean(1).tolist()
        print(f"{path.name}: {right.float().mean():.3f} of {len(right)} other photos are right")
        print(
            "; ".join(f"{name} {recall:.2f}" for name, recall in zip(CLASSES, recalls, strict=True))
        )
        save_file(_halved(model.state_dict()), path)


def _halved(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {n: value.half() if value.is_floating_point() else value for n, value in state.items()}


if __name__ == "__main__":
    main()
