import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

import errlens
from tests.conftest import REPOSITORY, ends

DIGITS = REPOSITORY / "sample_data" / "digits"


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """The run of configs/digits.yaml, but that few of its errors are diagnosed."""
    out = tmp_path_factory.mktemp("digits") / "run"
    options = ["--set", f"out={out}", "--set", "diagnose.top=20"]
    ends(["run", REPOSITORY / "configs" / "digits.yaml", *options])
    return errlens.open_run(out)


def test_the_digits_are_near_ninety_percent(digits):
    assert digits.metrics["n"] == digits.metrics["n_ok"] == 1258
    assert 0.87 < digits.metrics["top1"]["value"] < 0.92


def test_the_digits_confuse_a_pair_both_ways_and_cross_a_superclass(digits):
    table = digits.predictions.frame
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (table["label"].to_numpy(int), table["pred"].to_numpy(int)), 1)
    np.fill_diagonal(counts, 0)
    assert np.minimum(counts, counts.T).max() >= 5
    crossing = table[table["super_label"] != table["super_pred"]]
    assert len(crossing)
    assert not crossing["correct"].any()


@pytest.fixture
def written_anew(tmp_path):
    """The images as the script beside them writes them."""
    script = tmp_path / "make_images.py"
    script.write_text((DIGITS / "make_images.py").read_text())
    subprocess.run([sys.executable, script], check=True)
    return tmp_path


def test_the_images_are_scikit_learns_by_the_script_beside_them(written_anew):
    source = load_digits()
    files = sorted(DIGITS.glob("*/*/*.png"))
    assert len(files) == len(source.images)
    for file in files:
        with Image.open(file) as image, Image.open(written_anew / file.relative_to(DIGITS)) as anew:
            pixels = np.asarray(image)
            np.testing.assert_array_equal(pixels, np.asarray(anew))
        place = int(file.stem)
        np.testing.assert_array_equal(pixels[::4, ::4], np.round(source.images[place] * 255 / 16))
        assert file.parent.name == str(source.target[place])


def test_the_digits_are_small():
    assert sum(file.stat().st_size for file in DIGITS.rglob("*") if file.is_file()) < 5_000_000
