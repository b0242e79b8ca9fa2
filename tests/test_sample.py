import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits
from typer.testing import CliRunner

import errlens
from errlens.cli import app

REPOSITORY = Path(__file__).parent.parent
DIGITS = REPOSITORY / "sample_data" / "digits"


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """The run of configs/sample.yaml."""
    out = tmp_path_factory.mktemp("sample") / "run"
    arguments = ["run", str(REPOSITORY / "configs" / "sample.yaml"), "--set", f"out={out}"]
    said = CliRunner().invoke(app, arguments)
    assert said.exit_code == 0, said.output
    return errlens.open_run(out)


def test_the_sample_is_near_ninety_percent(sample):
    assert sample.metrics["n"] == sample.metrics["n_ok"] == 1258
    assert 0.87 < sample.metrics["top1"]["value"] < 0.92


def test_the_sample_confuses_a_pair_both_ways_and_crosses_a_superclass(sample):
    table = sample.predictions.frame
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
    digits = load_digits()
    files = sorted(DIGITS.glob("*/*/*.png"))
    assert len(files) == len(digits.images)
    for file in files:
        with Image.open(file) as image, Image.open(written_anew / file.relative_to(DIGITS)) as anew:
            pixels = np.asarray(image)
            np.testing.assert_array_equal(pixels, np.asarray(anew))
        place = int(file.stem)
        np.testing.assert_array_equal(pixels[::4, ::4], np.round(digits.images[place] * 255 / 16))
        assert file.parent.name == str(digits.target[place])


def test_the_sample_is_small():
    assert sum(file.stat().st_size for file in DIGITS.rglob("*") if file.is_file()) < 5_000_000
