"""What is odd about photos, and that it is said."""

import json
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import errlens
from errlens.cli import app
from tests.commands.evaluate.conftest import evaluate_shades
from tests.conftest import COLOURS


def test_photos_of_16_bits_are_told_offered_and_scaled_and_the_run_remembers(shades):
    for path in shades.rglob("*.png"):
        with Image.open(path) as image:
            grey = np.asarray(image.convert("L"))
        Image.fromarray(grey.astype(np.uint16) * 257).save(path)
    right = "--mean 0 0 0 --std 1 1 1 -q"
    result = evaluate_shades(shades, f"-o white {right}")
    assert "90 photos (bright/00.png, bright/01.png, bright/02.png, ...) are of" in result.stderr
    assert "(I;16, up to 53,456)" in result.stderr
    assert "--scale-16bit brings them" in result.stderr
    assert errlens.open_run("white").metrics["top1"]["value"] == pytest.approx(1 / 3)
    result = evaluate_shades(shades, f"-o grey {right} --scale-16bit")
    assert "more than 8 bits" not in result.stderr
    white, grey = errlens.open_run("white"), errlens.open_run("grey")
    assert grey.metrics["top1"]["value"] == 1
    assert grey.info.settings.preprocessing["scale_16bit"] is True
    assert white.info.run_hash != grey.info.run_hash
    for run in (white, grey):
        assert run.info.photos["deep"]["I;16"]["n"] == 90
    result = evaluate_shades(shades, f"-o white {right} --expect top1=0.95")
    assert "this setting restores it: --scale-16bit" in result.stderr


def test_the_classifier_of_a_run_is_loaded_again_with_its_reading(shades):
    from errlens.model.reload import reload_classifier

    evaluate_shades(shades, "-o run --scale-16bit --exif")
    found = reload_classifier(errlens.open_run("run").info).preparation
    assert (found.scale_16bit, found.exif) == (True, True)


def test_photos_turned_by_exif_are_counted_and_expected_upright(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "halves", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    Path("halves.py").write_text(HALVES)
    back = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90}
    for bright, name in enumerate(("lower", "upper")):
        for number in range(60):
            pixels = np.random.default_rng(number).integers(0, 100, (16, 16), dtype=np.uint8)
            pixels[8 - 8 * bright : 16 - 8 * bright] += 120
            image, exif = Image.fromarray(pixels).convert("RGB"), Image.Exif()
            if number % 2:
                exif[0x0112] = 3 + 3 * (number % 4 == 3)
                image = image.transpose(back[exif[0x0112]])
            Path("photos", name).mkdir(parents=True, exist_ok=True)
            image.save(Path("photos", name, f"{number:02}.png"), exif=exif)
    command = "evaluate photos --model halves:Halves --img-size 16 --crop-pct 1.0 -q"
    result = CliRunner().invoke(app, shlex.split(f"{command} -o run --expect top1=0.98"))
    assert result.exit_code == 0, result.output
    assert (
        "60 photos (lower/01.png, lower/03.png, lower/05.png, ...) are to be turned"
        in result.stderr
    )
    assert "this setting restores it: --exif" in result.stderr
    assert errlens.open_run("run").info.photos["turned"]["n"] == 60
    result = CliRunner().invoke(app, shlex.split(f"{command} -o upright --exif"))
    assert result.stderr == ""
    assert errlens.open_run("upright").metrics["top1"]["value"] == 1


HALVES = """
import torch


class Halves(torch.nn.Module):
    def forward(self, images):
        rows = images.mean(dim=(1, 3))
        half = rows.shape[1] // 2
        return 5 * torch.stack([rows[:, half:].mean(1), rows[:, :half].mean(1)], dim=1)
"""


def test_what_was_counted_survives_a_stop(run_errlens, photos):
    for folder in COLOURS:
        exif = Image.Exif()
        exif[0x0112] = 3
        with Image.open(photos / folder / "1.png") as image:
            image.save(photos / folder / "1.png", exif=exif)
    Image.new("RGB", (8, 8)).save(photos / "red" / "flat.png")
    run_errlens(f"{photos} -o run --part-size 4")
    whole = json.loads(Path("run/run.json").read_text())["photos"]
    assert (whole["turned"]["n"], whole["single_valued"]["n"]) == (3, 1)
    Path("run/predictions/part-00001.parquet").unlink()
    result = run_errlens(f"{photos} -o run --part-size 4")
    assert result.exit_code == 0
    assert "8 of 13 are there from before" in result.stderr or "9 of 13" in result.stderr
    assert json.loads(Path("run/run.json").read_text())["photos"] == whole


def test_a_photo_in_two_classes_is_told_even_quietly(run_errlens, photos):
    (photos / "red" / "copy.png").write_bytes((photos / "blue" / "1.png").read_bytes())
    result = run_errlens(f"{photos} -o run -q")
    assert result.exit_code == 0
    assert "1 image repeats another one byte by byte" in result.stderr
    assert "1 photo stands under several labels" in result.stderr
    assert "blue/1.png (blue) = red/copy.png (red)" in result.stderr
    CliRunner().invoke(app, ["report", "run"])
    page = Path("run/report.html").read_text()
    assert "1 photo stands under several labels" in page
    assert "red/copy.png (red)" in page


def test_a_file_listed_twice_is_told(run_errlens, photos):
    Path("list.csv").write_text(f"path,label\n{photos}/red/0.png,red\n{photos}/red/0.png,red\n")
    Path("classes.txt").write_text("\n".join(COLOURS))
    result = run_errlens("list.csv -o run --classes classes.txt")
    assert (
        "1 image repeats another one byte by byte (1 by a second row for one file)" in result.stderr
    )
