import gzip
import hashlib
import http.client
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.error import URLError

import pytest
import torchvision.datasets
from PIL import Image
from torchvision.datasets import (
    CIFAR10,
    DTD,
    GTSRB,
    MNIST,
    SVHN,
    EuroSAT,
    FGVCAircraft,
    Flowers102,
    Food101,
    Imagenette,
    OxfordIIITPet,
)
from torchvision.datasets import utils as torchvision_utils
from typer.testing import CliRunner

import errlens
from errlens.cli import app
from errlens.data import torchvision_sets
from errlens.data.samples import find_samples
from errlens.data.torchvision_sets import torchvision_samples
from errlens.errors import (
    DataSetUnavailable,
    UnfitDataSet,
    UnfitOption,
    UnknownDataSet,
)
from errlens.model.names import imagenet_names
from tests.data.data_sets import (
    aircraft,
    assert_like,
    cifar,
    dtd,
    eurosat,
    flowers,
    food,
    house_numbers,
    imagenette,
    mnist,
    pets,
    traffic_signs,
    write_lines,
    write_photo,
)


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Let every way out of torchvision fail at once."""

    def unreachable(*_args, **_kwargs):
        raise URLError("no network in the tests")

    monkeypatch.setattr(torchvision_utils.urllib.request, "urlopen", unreachable)


# What a data set becomes


@pytest.mark.parametrize(
    ("make", "kind", "options"),
    [
        (pets, OxfordIIITPet, {"split": "test"}),
        (dtd, DTD, {"split": "test"}),
        (dtd, DTD, {"split": "val"}),
        (food, Food101, {"split": "test"}),
        (eurosat, EuroSAT, {}),
        (aircraft, FGVCAircraft, {"split": "test"}),
    ],
)
def test_photos_that_are_files_stay_where_they_are(tmp_path, make, kind, options):
    dataset = kind(make(tmp_path), **options)
    before = sorted(tmp_path.rglob("*"))
    found = torchvision_samples(kind.__name__, root=tmp_path, **options)
    assert_like(found, dataset, dataset.classes)
    assert found.classes.names == tuple(dataset.classes)
    assert set(found.frame["split"]) == {options.get("split")}
    assert found.root == tmp_path
    assert sorted(tmp_path.rglob("*")) == before


def test_classes_may_be_more_than_a_split_shows(tmp_path, monkeypatch):
    dataset = Flowers102(flowers(tmp_path, monkeypatch), split="test")
    found = torchvision_samples("Flowers102", root=tmp_path)
    assert_like(found, dataset, Flowers102.classes)
    assert len(found.classes) == 102


@pytest.mark.parametrize(("split", "train"), [("train", True), ("test", False), (None, False)])
def test_cifar_becomes_files_without_loss(tmp_path, monkeypatch, split, train):
    dataset = CIFAR10(cifar(tmp_path, monkeypatch), train=train)
    found = torchvision_samples("CIFAR10", root=tmp_path, split=split)
    assert_like(found, dataset, ["truck", "airplane", "bird"])
    assert found.frame["path"][1] == f"errlens/CIFAR10-{split or 'test'}/00001.png"
    assert found.classes.names == ("truck", "airplane", "bird")


def test_grey_images_stay_grey_files(tmp_path):
    dataset = MNIST(mnist(tmp_path), train=False)
    found = torchvision_samples("MNIST", root=tmp_path)
    assert_like(found, dataset, MNIST.classes)
    with Image.open(tmp_path / found.frame["path"][0]) as image:
        assert image.mode == "L"


def test_classes_without_names_are_numbers_in_the_order_of_numbers(tmp_path, monkeypatch):
    numbers = [str(number) for number in range(12)]
    found = torchvision_samples("GTSRB", root=traffic_signs(tmp_path))
    assert_like(found, GTSRB(tmp_path, split="test"), numbers)
    assert found.classes.names == tuple(numbers)
    found = torchvision_samples("SVHN", root=house_numbers(tmp_path, monkeypatch))
    assert_like(found, SVHN(tmp_path, split="test"), numbers)


def test_synsets_are_labels_that_imagenet_models_know_too(tmp_path):
    dataset = Imagenette(imagenette(tmp_path), split="val")
    found = torchvision_samples("Imagenette", root=tmp_path)
    assert_like(found, dataset, dataset.wnids)
    assert found.classes.names == ("tench", "parachute")
    assert imagenet_names().unknown(found.labels) == found.classes.unknown(found.labels) == []


def test_class_names_that_repeat_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(MNIST, "classes", ["crane"] * 2 + [str(number) for number in range(2, 10)])
    found = torchvision_samples("MNIST", root=mnist(tmp_path))
    assert found.classes.names[:3] == ("crane (0)", "crane (1)", "2")
    assert "crane (0)" in set(found.frame["label_name"])


def test_a_photo_that_is_listed_but_not_there_keeps_its_row(tmp_path):
    (dtd(tmp_path) / "dtd" / "dtd" / "images" / "banded" / "banded_2.jpg").unlink()
    found = torchvision_samples("DTD", root=tmp_path).frame
    assert found["path"].tolist()[-1] == "dtd/dtd/images/banded/banded_2.jpg"
    assert found["label_name"].tolist()[-1] == "banded"
    assert found["size_bytes"].isna().tolist() == [False, False, True]


def test_a_root_from_here_is_the_same_as_from_the_top(tmp_path, monkeypatch):
    there = torchvision_samples("OxfordIIITPet", root=pets(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    here = torchvision_samples("OxfordIIITPet", root=Path("data"))
    assert here.root == there.root == tmp_path / "data"
    assert here.frame.equals(there.frame)


def test_class_folders_of_any_kind_are_a_data_set_too(tmp_path):
    write_photo(tmp_path / "dog" / "1.png", 1)
    Path(os.fsdecode(bytes(tmp_path) + b"/dog/caf\xe9.png")).touch()
    found = torchvision_samples("ImageFolder", root=tmp_path).frame
    assert found["path"].tolist() == ["dog/1.png", "dog/caf\\xe9.png"]
    assert found["problem"].tolist() == [None, "file name is not UTF-8"]


# Splits


@pytest.mark.parametrize(
    ("make", "name", "split", "valid"),
    [
        (pets, "OxfordIIITPet", "val", "'trainval', 'test'"),
        (dtd, "DTD", "trainval", "'train', 'val', 'test'"),
        (mnist, "MNIST", "val", "'train', 'test'"),
    ],
)
def test_a_split_that_is_none_is_answered_with_those_there_are(tmp_path, make, name, split, valid):
    with pytest.raises(UnfitOption) as failure:
        torchvision_samples(name, root=make(tmp_path), split=split)
    said = str(failure.value)
    assert sorted(said.partition("one of ")[2].split(", ")) == sorted(valid.split(", "))


def test_without_a_name_the_split_is_test_or_val_or_the_usual(tmp_path):
    (tmp_path / "pets").mkdir()
    found = torchvision_samples("OxfordIIITPet", root=pets(tmp_path))
    assert set(found.frame["split"]) == {"test"}
    found = torchvision_samples("Imagenette", root=imagenette(tmp_path))
    assert set(found.frame["split"]) == {"val"}


def test_a_data_set_of_one_piece_has_no_splits(tmp_path):
    with pytest.raises(UnfitOption, match="EuroSAT has no splits"):
        torchvision_samples("EuroSAT", root=eurosat(tmp_path), split="test")


def test_emnist_gives_the_test_images_of_a_split_that_must_be_named(tmp_path):
    raw = tmp_path / "EMNIST" / "raw"
    for suffix in ("images-idx3-ubyte", "labels-idx1-ubyte"):
        source = mnist(tmp_path / suffix) / "MNIST" / "raw" / f"t10k-{suffix}"
        raw.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, raw / f"emnist-digits-test-{suffix}")
    found = torchvision_samples("EMNIST", root=tmp_path, split="digits")
    assert found.frame["label_name"].tolist() == ["3", "0", "9"]
    with pytest.raises(UnfitOption, match="'digits'"):
        torchvision_samples("EMNIST", root=tmp_path)


# What cannot be had


def test_an_unknown_name_suggests_the_nearest(tmp_path):
    with pytest.raises(UnknownDataSet, match="'OxfordPets'") as failure:
        torchvision_samples("OxfordPets", root=tmp_path)
    assert failure.value.exit_code == 2
    assert "OxfordIIITPet" in failure.value.hint
    for name in ("", "VisionDataset", "wrap_dataset_for_transforms_v2"):
        with pytest.raises(UnknownDataSet):
            torchvision_samples(name, root=tmp_path)


def test_files_that_are_not_there_can_be_downloaded(tmp_path):
    for name in (
        "OxfordIIITPet",
        "CIFAR10",
        "EuroSAT",
        "Food101",
        "MNIST",
        "SVHN",
        "SEMEION",
        "Places365",
    ):
        with pytest.raises(DataSetUnavailable, match=f"{name} in '{tmp_path}'") as failure:
            torchvision_samples(name, root=tmp_path)
        assert "--download" in failure.value.hint
        assert "download=True" not in str(failure.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["OxfordIIITPet", "CIFAR10", "EuroSAT", "MNIST"])
def test_a_download_that_fails_is_one_sentence(tmp_path, name):
    with pytest.raises(DataSetUnavailable, match="no network in the tests") as failure:
        torchvision_samples(name, root=tmp_path, download=True)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize(
    "error",
    [http.client.IncompleteRead(b""), RuntimeError("File not found or corrupted."), EOFError()],
)
def test_whatever_goes_wrong_in_a_download_is_explained(tmp_path, monkeypatch, error):
    def fail(*_args, **_kwargs):
        raise error

    monkeypatch.setattr(torchvision.datasets.dtd, "download_and_extract_archive", fail)
    with pytest.raises(DataSetUnavailable, match="cannot fetch or open DTD"):
        torchvision_samples("DTD", root=tmp_path, download=True)


def test_a_download_is_torchvisions_own_and_says_nothing_on_standard_output(
    tmp_path, monkeypatch, capsys
):
    def fetch(_url, download_root, **_kwargs):
        sys.stdout.write("Extracting")
        dtd(Path(download_root).parent)

    monkeypatch.setattr(torchvision.datasets.dtd, "download_and_extract_archive", fetch)
    assert len(torchvision_samples("DTD", root=tmp_path, split="test", download=True)) == 3
    assert capsys.readouterr().out == ""


def test_mnist_is_fetched_checked_and_unpacked_by_torchvision(tmp_path, monkeypatch):
    raw = mnist(tmp_path / "elsewhere") / "MNIST" / "raw"
    packed = {f"{file.name}.gz": gzip.compress(file.read_bytes()) for file in raw.iterdir()}
    resources = [(name, hashlib.md5(data).hexdigest()) for name, data in packed.items()]
    monkeypatch.setattr(MNIST, "resources", resources)

    def fetch(url, filename, *_args):
        Path(filename).write_bytes(packed[url.rpartition("/")[2]])

    monkeypatch.setattr(torchvision_utils, "_get_redirect_url", lambda url, **_: url)
    monkeypatch.setattr(torchvision_utils, "_urlretrieve", fetch)
    found = torchvision_samples("MNIST", root=tmp_path, download=True)
    assert found.frame["label_name"].tolist() == ["3 - three", "0 - zero", "9 - nine"]


def test_what_cannot_be_downloaded_says_so(tmp_path):
    with pytest.raises(UnfitOption, match="cannot download FER2013"):
        torchvision_samples("FER2013", root=tmp_path, download=True)


def test_files_of_another_kind_are_an_input_error(tmp_path):
    write_lines(pets(tmp_path) / "oxford-iiit-pet" / "annotations" / "test.txt", "samoyed_1 1")
    with pytest.raises(DataSetUnavailable, match="not enough values"):
        torchvision_samples("OxfordIIITPet", root=tmp_path)


def test_a_package_that_torchvision_lacks_is_named(tmp_path, monkeypatch):
    flowers(tmp_path, monkeypatch)
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    with pytest.raises(DataSetUnavailable, match=r"needs the package 'scipy") as failure:
        torchvision_samples("Flowers102", root=tmp_path)
    assert "pip install scipy" in failure.value.hint


@pytest.mark.parametrize("name", ["CocoDetection", "Kinetics", "FakeData", "PhotoTour"])
def test_data_sets_that_need_more_than_a_root_are_refused(tmp_path, name):
    with pytest.raises(UnfitDataSet, match=name):
        torchvision_samples(name, root=tmp_path)


@pytest.mark.parametrize("name", ["VOCDetection", "CelebA", "MovingMNIST", "LFWPairs"])
def test_what_is_known_to_have_no_labels_is_not_even_fetched(tmp_path, name):
    with pytest.raises(UnfitDataSet, match="image and its label"):
        torchvision_samples(name, root=tmp_path, download=True)


def test_masks_boxes_and_lists_are_no_labels(tmp_path, monkeypatch):
    monkeypatch.setattr(torchvision_sets, "_OTHER_TASKS", frozenset())
    folder = tmp_path / "VOCdevkit" / "VOC2012"
    write_photo(folder / "JPEGImages" / "1.jpg", 1)
    write_photo(folder / "SegmentationClass" / "1.png", 2)
    write_lines(folder / "Annotations" / "1.xml", "<annotation><object>cat</object></annotation>")
    for kind, part in (("VOCSegmentation", "Segmentation"), ("VOCDetection", "Main")):
        write_lines(folder / "ImageSets" / part / "train.txt", "1")
        with pytest.raises(UnfitDataSet, match="image and its label"):
            torchvision_samples(kind, root=tmp_path)


# The command


@pytest.fixture
def run_errlens(tiny):
    """Run the command line in a folder that holds the tiny model."""

    def invoke(*arguments: object):
        model = ["--model", tiny, "--img-size", "8", "--crop-pct", "1.0"]
        return CliRunner().invoke(app, ["evaluate", *map(str, arguments), *model])

    return invoke


def test_outputs_are_named_in_the_order_of_the_data_set(run_errlens, tmp_path):
    pets(tmp_path / "data")
    said = run_errlens("torchvision:OxfordIIITPet", "--root", "data", "--split", "test")
    assert said.exit_code == 0, said.output
    run = errlens.open_run("runs/OxfordIIITPet-test-tiny_colours")
    # Sorted, the Abyssinian would come first; the first output of this model is for blue.
    assert run.info.settings.class_names == ["Samoyed", "Abyssinian", "Great Pyrenees"]
    assert run.info.data == "torchvision:OxfordIIITPet"
    assert run.info.data_root == str(tmp_path / "data")
    found = {row["path"]: row for row in run.predictions.table.to_pylist()}
    row = found["oxford-iiit-pet/images/samoyed_0.jpg"]
    assert (row["label"], row["pred"], row["split"]) == (0, 2, "test")
    assert run.metrics["top1"]["value"] == 2 / 6
    assert "found 6 images in 3 classes (split 'test') in data" in said.stderr
    assert "3 classes named by the labels of OxfordIIITPet" in said.stderr


def test_images_out_of_memory_are_photos_for_every_command(run_errlens, tmp_path, monkeypatch):
    cifar(tmp_path / "data", monkeypatch)
    command = ("torchvision:CIFAR10", "--root", "data", "--limit", "2")
    assert run_errlens(*command).exit_code == 0
    run = errlens.open_run("runs/CIFAR10-tiny_colours")
    found = run.predictions.table.to_pylist()
    assert len(found) == 2
    assert all((Path(run.info.data_root) / row["path"]).is_file() for row in found)
    assert run.info.settings.class_names == ["truck", "airplane", "bird"]
    # The same again goes on where it was.
    assert run_errlens(*command).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "exit_code", "expected"),
    [
        ("torchvision:OxfordIIITPet", 2, "--root"),
        ("torchvision:OxfordPets --root data", 2, "OxfordIIITPet"),
        ("torchvision:OxfordIIITPet --root data --split val", 2, "trainval"),
        ("torchvision:DTD --root data", 3, "--download"),
        ("photos --download", 2, "--download"),
    ],
)
@pytest.mark.usefixtures("photos")
def test_mistakes_end_in_a_sentence(run_errlens, tmp_path, arguments, exit_code, expected):
    pets(tmp_path / "data")
    said = run_errlens(*arguments.split())
    assert said.exit_code == exit_code
    assert expected in said.stderr
    assert not Path("runs").exists()


def test_a_class_file_wins_over_the_data_set(run_errlens, tmp_path):
    pets(tmp_path / "data")
    write_lines(tmp_path / "names.txt", "Great Pyrenees", "Abyssinian", "Samoyed")
    said = run_errlens(
        "torchvision:OxfordIIITPet", "--root", "data", "--classes", "names.txt", "-o", "run"
    )
    assert said.exit_code == 0, said.output
    assert errlens.open_run("run").metrics["top1"]["value"] == 1


def test_folders_need_no_torch(photos):
    code = (
        "import sys, errlens.data.torchvision_sets; from errlens.data.samples import find_samples\n"
        f"find_samples(__import__('pathlib').Path({str(photos)!r}))\n"
        "assert not {'torch', 'torchvision'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert find_samples(photos).classes is None
