"""Damaged files: whatever bytes a file holds, it becomes an input or a row with a reason."""

import io
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import errlens
from errlens.data.photos.images import Unread
from errlens.data.photos.loading import Input, load_input
from errlens.data.photos.preprocess import Preprocessing

# As when errlens predicts; a warning from anywhere else fails the test.
pytestmark = pytest.mark.filterwarnings(r"ignore:::PIL\..*")

HALF = (0.5,) * 3
PATIENCE = 30  # seconds for one file, on a busy machine


def scene(turn: int = 0) -> Image.Image:
    """Draw a sky, a hill and a sun, with the noise of a camera."""
    down, across = np.mgrid[0:40, 0:56]
    pixels = np.empty((40, 56, 3))
    pixels[:] = (110, 160, 230)
    pixels[down > 26 + 5 * np.sin(across / 9)] = (60, 120, 40)
    pixels[(down - 10) ** 2 + (across - 40) ** 2 < 36] = (250, 230, 120)
    pixels += np.random.default_rng(turn).normal(0, 6, pixels.shape)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).rotate(90 * turn)


def encoded(image: Image.Image, file_format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def several_frames(file_format: str, **options: object) -> bytes:
    others = [scene(1), scene(2)]
    return encoded(scene(), file_format, save_all=True, append_images=others, **options)


def healthy_files() -> list[bytes]:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x0131] = 6, "a camera", "a program"
    return [
        encoded(scene(), "JPEG", exif=exif),
        encoded(scene(), "JPEG", progressive=True),
        encoded(scene().convert("L"), "JPEG", quality=40),
        encoded(scene().convert("CMYK"), "JPEG"),
        several_frames("MPO"),
        encoded(scene(), "PNG", exif=exif),
        encoded(scene().quantize(32), "PNG", transparency=bytes(range(32))),
        several_frames("PNG"),
        encoded(scene(), "GIF"),
        several_frames("GIF"),
        encoded(scene(), "WEBP", exif=exif),
        encoded(scene(), "WEBP", lossless=True),
        encoded(scene(), "BMP"),
        encoded(scene().quantize(16), "BMP"),
        several_frames("TIFF", exif=exif),
        encoded(scene(), "TIFF", compression="tiff_lzw"),
        encoded(scene(), "TIFF", compression="jpeg"),
        encoded(scene(), "PPM"),
    ]


# Ways to damage a file


def flip_bits(content: bytes, rng: np.random.Generator) -> bytes:
    damaged = bytearray(content)
    for _ in range(rng.integers(1, 9)):
        damaged[somewhere(content, rng)] ^= 1 << int(rng.integers(8))
    return bytes(damaged)


def overwrite(content: bytes, rng: np.random.Generator) -> bytes:
    start, length = somewhere(content, rng), int(rng.integers(1, 9))
    filling = rng.choice([b"\0", b"\xff", b"\x80", rng.bytes(1)]) * length
    return content[:start] + filling + content[start + length :]


def insert(content: bytes, rng: np.random.Generator) -> bytes:
    start = somewhere(content, rng)
    return content[:start] + rng.bytes(int(rng.integers(1, 33))) + content[start:]


def delete(content: bytes, rng: np.random.Generator) -> bytes:
    start = somewhere(content, rng)
    return content[:start] + content[start + int(rng.integers(1, 33)) :]


def truncate(content: bytes, rng: np.random.Generator) -> bytes:
    return content[: int(rng.integers(len(content)))]


def somewhere(content: bytes, rng: np.random.Generator) -> int:
    """Choose a place, one time in four among the first bytes, where the header is."""
    return int(rng.integers(min(len(content), 80) if rng.random() < 0.25 else len(content)))


DAMAGES: tuple[Callable[[bytes, np.random.Generator], bytes], ...] = (
    flip_bits, overwrite, insert, delete, truncate,
)  # fmt: skip


def damaged_files(count: int, *, seed: int) -> Iterator[bytes]:
    rng, healthy = np.random.default_rng(seed), healthy_files()
    for number in range(count):
        content = healthy[number % len(healthy)]
        if rng.random() < 0.15:  # the head of one file on the tail of another
            other = healthy[rng.integers(len(healthy))]
            content = content[: rng.integers(1, len(content))] + other[rng.integers(len(other)) :]
        for damage in rng.choice(np.array(DAMAGES, dtype=object), rng.integers(1, 3)):
            content = damage(content, rng) if content else content
        yield content


def what_becomes_of(path: Path, network: Preprocessing) -> str:
    """Load a file, check what comes of it, and return its status."""
    begun = time.monotonic()
    found = load_input(path, network)
    assert time.monotonic() - begun < PATIENCE
    if isinstance(found, Unread):
        assert found.reason
        assert found.reason.isprintable(), found.reason
        assert len(found.reason) < 300, found.reason
        assert "Warning" not in found.reason, found.reason
        return found.status
    assert isinstance(found, Input)
    assert (found.value.dtype, found.value.shape) == (np.uint8, (*network.img_size, 3))
    assert min(found.width, found.height) >= 1
    return "ok"


def check_damaged_files(folder: Path, count: int, *, seed: int) -> Counter[str]:
    modes = ("center", "squash", "border")
    networks = [Preprocessing((32, 32), 0.9, mode, "bicubic", HALF, HALF) for mode in modes]
    path, statuses = folder / "damaged.jpg", Counter[str]()
    for number, content in enumerate(damaged_files(count, seed=seed)):
        path.write_bytes(content)
        try:
            statuses[what_becomes_of(path, networks[number % 3])] += 1
        except BaseException:
            print(f"file {number} of seed {seed}: {content!r}")  # noqa: T201 - to be repeated
            raise
    return statuses


def test_healthy_files_are_all_read(tmp_path):
    for content in healthy_files():
        (tmp_path / "healthy").write_bytes(content)
        found = load_input(
            tmp_path / "healthy", Preprocessing((8, 8), 1, "squash", "bicubic", HALF, HALF)
        )
        assert isinstance(found, Input)


def test_a_damaged_file_is_an_input_or_has_a_reason(tmp_path):
    statuses = check_damaged_files(tmp_path, 500, seed=1)
    assert set(statuses) == {"ok", "unreadable"}
    assert min(statuses.values()) > 50


@pytest.mark.slow
def test_ten_thousand_damaged_files_are_inputs_or_have_reasons(tmp_path, capfd):
    statuses = check_damaged_files(tmp_path, 10_000, seed=2)
    assert set(statuses) == {"ok", "unreadable"}
    assert min(statuses.values()) > 1000
    with capfd.disabled():
        print(dict(statuses))  # noqa: T201 - what a long test is run for


def test_every_damaged_file_of_a_run_is_one_row(tiny, photos, tmp_path, capsys):
    for number, content in enumerate(damaged_files(200, seed=3)):
        (photos / "green" / f"damaged{number:03}.jpg").write_bytes(content)
    run = errlens.evaluate(
        photos, model=tiny, out=tmp_path / "run", img_size=8, crop_pct=1.0, max_bad="100%"
    )
    rows = run.predictions.table.to_pylist()
    assert sorted(row["path"] for row in rows) == sorted(
        path.relative_to(photos).as_posix() for path in photos.rglob("*.*")
    )
    assert {row["status"] for row in rows} == {"ok", "unreadable"}
    assert all((row["error"] is None) == (row["status"] == "ok") for row in rows)
    said = capsys.readouterr()
    assert said.out == ""
    assert all(line.startswith("warning: ") for line in said.err.splitlines())  # of what is turned
