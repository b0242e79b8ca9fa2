"""Data sets as torchvision lays them out, and what becomes of them."""

import hashlib
import json
import pickle
import struct
from pathlib import Path

import numpy as np
import scipy.io
from PIL import Image
from torchvision.datasets import (
    CIFAR10,
    SVHN,
    Flowers102,
)


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def write_photo(path: Path, seed: int, colour: int | None = None) -> None:
    pixels = noise(seed, 9, 11, 3)
    if colour is not None:
        pixels //= 2
        pixels[:, :, colour] += 120
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def write_lines(path: Path, *lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


# Data sets as torchvision lays them out


def pets(root: Path, split: str = "test") -> Path:
    """Three breeds whose order in the data set is not that of their names."""
    folder = root / "oxford-iiit-pet"
    breeds = ("samoyed", "Abyssinian", "great_pyrenees")  # red, green, blue
    lines = []
    for number, (breed, seed) in enumerate((breed, seed) for breed in breeds for seed in range(2)):
        colour = breeds.index(breed)
        write_photo(folder / "images" / f"{breed}_{seed}.jpg", number, colour)
        lines.append(f"{breed}_{seed} {colour + 1} {1 + (breed != 'Abyssinian')} 1")
    write_lines(folder / "annotations" / f"{split}.txt", *reversed(lines))
    return root


def dtd(root: Path) -> Path:
    names = ("zigzagged/zigzagged_1.jpg", "banded/banded_7.jpg", "banded/banded_2.jpg")
    for seed, name in enumerate(names):
        write_photo(root / "dtd" / "dtd" / "images" / name, seed)
    for split, part in (("train", names[:1]), ("val", names[:2]), ("test", names)):
        write_lines(root / "dtd" / "dtd" / "labels" / f"{split}1.txt", *part)
    return root


def food(root: Path) -> Path:
    names = {"waffles": ["waffles/3", "waffles/1"], "apple_pie": ["apple_pie/2"]}
    for seed, name in enumerate(name for group in names.values() for name in group):
        write_photo(root / "food-101" / "images" / f"{name}.jpg", seed)
    write_lines(root / "food-101" / "meta" / "test.json", json.dumps(names))
    return root


def eurosat(root: Path) -> Path:
    for seed, name in enumerate(("River/River_1", "Forest/Forest_2", "Forest/Forest_1")):
        write_photo(root / "eurosat" / "2750" / f"{name}.jpg", seed)
    return root


def imagenette(root: Path) -> Path:
    for seed, name in enumerate(("n03888257/a", "n01440764/b", "n03888257/c")):
        write_photo(root / "imagenette2" / "val" / f"{name}.jpeg", seed)
    return root


def aircraft(root: Path) -> Path:
    folder = root / "fgvc-aircraft-2013b" / "data"
    for seed in (34, 12, 56):
        write_photo(folder / "images" / f"00{seed}.jpg", seed)
    write_lines(folder / "variants.txt", "Spitfire", "A 300", "747-100")
    write_lines(folder / "images_variant_test.txt", "0034 747-100", "0012 A 300", "0056 Spitfire")
    return root


def traffic_signs(root: Path) -> Path:
    lines = ["Filename;Width;ClassId"]
    for number, class_id in enumerate((11, 2, 0)):
        write_photo(root / "gtsrb" / "GTSRB" / "Final_Test" / "Images" / f"{number}.ppm", number)
        lines.append(f"{number}.ppm;11;{class_id}")
    write_lines(root / "gtsrb" / "GT-final_test.csv", *lines)
    return root


def flowers(root: Path, monkeypatch) -> Path:
    folder = root / "flowers-102"
    for seed in (1, 2, 3):
        write_photo(folder / "jpg" / f"image_{seed:05d}.jpg", seed)
    splits = {"tstid": np.array([3, 1]), "trnid": np.array([2, 3]), "valid": np.array([1, 2])}
    scipy.io.savemat(folder / "setid.mat", splits)
    scipy.io.savemat(folder / "imagelabels.mat", {"labels": np.array([102, 77, 1])})
    digests = {
        key: (name, hashlib.md5((folder / name).read_bytes()).hexdigest())
        for key, name in (("setid", "setid.mat"), ("label", "imagelabels.mat"))
    }
    monkeypatch.setattr(Flowers102, "_file_dict", digests)
    return root


def cifar(root: Path, monkeypatch) -> Path:
    folder = root / "cifar-10-batches-py"
    folder.mkdir(parents=True)

    def write(name: str, content: dict) -> list[str]:
        (folder / name).write_bytes(pickle.dumps(content))
        return [name, hashlib.md5((folder / name).read_bytes()).hexdigest()]

    def batch(seed: int, *labels: int) -> dict:
        return {"data": noise(seed, len(labels), 3072), "labels": list(labels)}

    names = ["truck", "airplane", "bird"]
    _, meta = write("batches.meta", {"label_names": names})
    monkeypatch.setattr(CIFAR10, "train_list", [write("data_batch_1", batch(1, 0, 2))])
    monkeypatch.setattr(CIFAR10, "test_list", [write("test_batch", batch(2, 2, 0, 1))])
    monkeypatch.setattr(CIFAR10, "meta", {**CIFAR10.meta, "md5": meta})
    return root


def mnist(root: Path) -> Path:
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for seed, (part, labels) in enumerate({"train": [7], "t10k": [3, 0, 9]}.items()):
        shape = (len(labels), 28, 28)
        images = struct.pack(">4i", 0x803, *shape) + noise(seed, *shape).tobytes()
        (raw / f"{part}-images-idx3-ubyte").write_bytes(images)
        numbers = struct.pack(">2i", 0x801, len(labels)) + bytes(labels)
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(numbers)
    return root


def house_numbers(root: Path, monkeypatch) -> Path:
    root.mkdir(exist_ok=True)
    file = root / "test_32x32.mat"
    content = {"X": noise(5, 32, 32, 3, 3), "y": np.array([[10], [2], [4]], np.uint8)}
    scipy.io.savemat(file, content)
    digest = hashlib.md5(file.read_bytes()).hexdigest()
    monkeypatch.setattr(SVHN, "split_list", {"test": ["http://nowhere", file.name, digest]})
    return root


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB"))


def assert_like(samples, dataset, names):
    """Compare samples with what torchvision itself gives, image by image."""
    assert len(samples) == len(dataset)
    for index, row in enumerate(samples.frame.to_dict("records")):
        image, target = dataset[index]
        path = samples.root / row["path"]
        with Image.open(path) as found:
            np.testing.assert_array_equal(pixels(found), pixels(image))
        assert row["label_name"] == names[target]
        assert row["size_bytes"] == path.stat().st_size
        assert row["problem"] is None
        assert not Path(row["path"]).is_absolute()
