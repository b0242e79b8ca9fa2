import io
import sys
from pathlib import Path
from typing import ClassVar

import pytest
import torchvision.datasets
from PIL import Image
from torchvision.datasets import (
    MNIST,
    VisionDataset,
)

from errlens.data.torchvision_sets import torchvision_samples
from errlens.errors import (
    InputError,
    UnfitDataSet,
)
from tests.data.data_sets import (
    assert_like,
    mnist,
    noise,
    pets,
    write_lines,
    write_photo,
)


class Packed(VisionDataset):
    """Photos within one file, as LSUN has them."""

    def __len__(self):
        return 2

    def __getitem__(self, index):
        buffer = io.BytesIO()
        Image.fromarray(noise(index, 4, 5, 3)).save(buffer, format="PNG")
        return Image.open(buffer).convert("RGB"), index


class Opened(VisionDataset):
    """Photos opened as files first, as torchvision did before it had loaders."""

    def __len__(self):
        return 1

    def __getitem__(self, index):
        with Path(self.root, "photo.jpg").open("rb") as file:
            return Image.open(file).convert("RGB"), index


@pytest.fixture
def offered(monkeypatch):
    """Add a data set to those of torchvision."""

    def offer(kind):
        monkeypatch.setattr(torchvision.datasets, kind.__name__, kind, raising=False)
        monkeypatch.setattr(torchvision.datasets, "__all__", [kind.__name__])

    return offer


def test_photos_within_a_larger_file_become_files(tmp_path, offered):
    offered(Packed)
    found = torchvision_samples("Packed", root=tmp_path)
    assert_like(found, Packed(tmp_path), "01")
    assert found.frame["path"].tolist() == [f"errlens/Packed/0000{n}.png" for n in range(2)]


def test_a_file_that_is_open_already_has_a_name(tmp_path, offered):
    offered(Opened)
    write_photo(tmp_path / "photo.jpg", 1)
    found = torchvision_samples("Opened", root=tmp_path)
    assert found.frame["path"].tolist() == ["photo.jpg"]
    assert found.frame["label_name"].tolist() == ["0"]


def open_photo(path):
    return Image.open(path, mode="r").convert("RGB")


class Loader:
    """Opens photos for a data set, as those of LSUN leave it to another class."""

    def load(self, root, *, name="photo.jpg"):
        return open_photo(f"{root}/{name}")


class Indirect(VisionDataset):
    """Photos that another class and a function of the same module open."""

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return Loader().load(self.root), index


def test_whatever_opens_images_in_the_module_of_a_data_set_opens_none(tmp_path, offered):
    offered(Indirect)
    (tmp_path / "photo.jpg").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0")
    found = torchvision_samples("Indirect", root=tmp_path)
    assert found.frame["path"].tolist() == ["photo.jpg"]


class Watching(VisionDataset):
    """Notes what Pillow opens images by for all others while the data set is read."""

    pillow = sys.modules["PIL.Image"]
    seen: ClassVar = []

    def __len__(self):
        return 1

    def __getitem__(self, index):
        self.seen.append(self.pillow.open)
        return Image.open(Path(self.root, "photo.jpg")).convert("RGB"), index


def test_pillow_stays_itself_for_others_all_the_while(tmp_path, offered):
    offered(Watching)
    write_photo(tmp_path / "photo.jpg", 1)
    found = torchvision_samples("Watching", root=tmp_path)
    assert found.frame["path"].tolist() == ["photo.jpg"]
    assert Watching.seen == [Image.open]


def test_pillow_is_itself_again_afterwards(tmp_path):
    before = Image.open
    torchvision_samples("OxfordIIITPet", root=pets(tmp_path))
    assert Image.open is before
    write_lines(tmp_path / "oxford-iiit-pet" / "annotations" / "test.txt", "samoyed_1 7 1 1")
    with pytest.raises(UnfitDataSet, match="label 6, but 1 class"):
        torchvision_samples("OxfordIIITPet", root=tmp_path)
    assert Image.open is before


def test_an_export_is_made_once_and_again_only_when_something_changed(tmp_path):
    def export() -> dict[str, int]:
        torchvision_samples("MNIST", root=tmp_path)
        files = (tmp_path / "errlens" / "MNIST-test").iterdir()
        return {file.name: file.stat().st_mtime_ns for file in files}

    mnist(tmp_path)
    first = export()
    assert sorted(first) == ["00000.png", "00001.png", "00002.png", "sha256.txt"]
    assert export() == first
    (tmp_path / "errlens" / "MNIST-test" / "00001.png").unlink()
    assert sorted(export()) == sorted(first)
    images = tmp_path / "MNIST" / "raw" / "t10k-images-idx3-ubyte"
    images.write_bytes(images.read_bytes()[:-1] + b"\x01")
    export()
    assert_like(
        torchvision_samples("MNIST", root=tmp_path), MNIST(tmp_path, train=False), MNIST.classes
    )


def test_an_export_that_was_stopped_is_made_afresh(tmp_path, monkeypatch):
    mnist(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(
            Image.Image, "save", lambda *_, **__: (_ for _ in ()).throw(OSError("full"))
        )
        with pytest.raises(InputError, match="full"):
            torchvision_samples("MNIST", root=tmp_path)
    found = torchvision_samples("MNIST", root=tmp_path)
    assert_like(found, MNIST(tmp_path, train=False), MNIST.classes)
