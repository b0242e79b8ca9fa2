"""Photos that are far too long, too large or all of one colour, among others that are fine."""

import io
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import timm
import torch
from PIL import Image
from typer.testing import CliRunner

import errlens
import errlens.attribution.photos
from errlens.attribution.methods import method_names
from errlens.cli import app
from errlens.commands.explain import pictures as _explain_figures
from errlens.data.objects import outlines
from errlens.data.photos.images import ImageFile, Photo
from errlens.data.photos.loading import prepare_input
from errlens.data.photos.preprocess import Preprocessing
from errlens.data.photos.thumbnails import load_thumbnails
from errlens.errors import PictureTooLarge
from errlens.figures.maps.overlay import overlay
from errlens.figures.paper import sheet
from errlens.report.thumbnails import ThumbnailCache, Wanted
from errlens.run.csv_tables import read_csv

TEXT = ("sample_id", "file", "status", "error", "method", "target", "flag")
MODEL = ["--model", "test_resnet", "--checkpoint", "weights.safetensors", "--img-size", "64"]
SIZES = [(1, 100_000), (100_000, 1), (1, 1), (2, 3000), (40, 50), (2000, 2000)]
FLAT = [(0, 0, 0), (255, 255, 255), (120, 120, 120)]
PLACES = ([], ["--on", "original"], ["--on", "original", "--overlay-only"], ["--style", "matlab"])


@pytest.fixture(autouse=True)
def run(tmp_path, monkeypatch):
    """A run over odd photos, one of which is larger than, for a test, may be drawn on."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    for number, (width, height) in enumerate(SIZES[:-1]):
        pixels = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
        save(Image.fromarray(pixels), f"photos/a/{number}.png")
    for number, colour in enumerate(FLAT):
        save(Image.new("RGB", (40, 40), colour), f"photos/b/{number}.png")
    save(Image.new("L", SIZES[-1], 90), "photos/b/large.png")
    monkeypatch.setattr(errlens.attribution.photos, "MOST_PIXELS", 1_000_000)
    torch.manual_seed(0)
    module = timm.create_model("test_resnet", pretrained=False, num_classes=2)
    safetensors.torch.save_model(module, "weights.safetensors")
    succeed("evaluate", "photos", *MODEL, "-o", "run", "--max-bad", "100%")
    return errlens.open_run("run")


def save(image, name):
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    image.save(name)


def succeed(*arguments):
    said = CliRunner().invoke(app, [*arguments, "-q"])
    assert said.exit_code == 0, said.output
    return said


def index(folder="run/explain"):
    return read_csv(Path(folder, "index.csv"), text=TEXT)


def test_each_odd_photo_is_explained_or_a_row_with_a_reason(run):
    everything = "--select", "path:*"
    for options in PLACES:
        succeed("explain", "run", *everything, *options, "--overwrite")
        table = index()
        assert table["row"].nunique() == len(run.predictions.frame.query("status == 'ok'"))
        failed = table[table["status"] == "failed"]
        large = ["large.png"] if "--overlay-only" in options else []
        assert [Path(name).name for name in failed["sample_id"].unique()] == large
        assert failed["error"].str.contains("4 megapixels are too many to draw on").all()
        for file in table["file"].dropna():
            with Image.open(Path("run/explain", file)) as picture:
                picture.load()


def test_every_method_and_study_takes_photos_without_anything_on_them():
    # The network is no transformer.
    fit = [name for name in method_names() if name != "attention-relevance"]
    methods = [word for name in fit for word in ("--method", name)]
    quick = ["--steps", "2", "--samples", "2", "--mask", "50%"]
    quick += ["--check", "--cover", "--sweep", "--winners"]
    succeed("explain", "run", "--select", "path:b/[0-2].png", *methods, *quick)
    table = index()
    assert set(table["method"]) == set(fit)
    assert set(table["status"]) == {"ok"}


def test_photos_without_a_run_may_be_odd():
    photos = sorted(map(str, Path("photos").glob("a/*.png")))
    succeed("explain", *photos, *MODEL, "--num-classes", "2", "--on", "original")
    assert index("explained")["row"].nunique() == len(photos)


@pytest.mark.parametrize("failure", [MemoryError, "too large a sheet"])
def test_a_picture_that_cannot_be_drawn_is_a_row_and_the_others_stay(monkeypatch, failure):
    real, drawn = _explain_figures.draw_heatmaps, []

    def draw(image, panels, **options):
        drawn.append(None)
        if len(drawn) == 2:
            if failure is MemoryError:
                raise MemoryError
            with monkeypatch.context() as patched:
                patched.setattr(sheet, "MOST_SIDE", 100)
                return real(image, panels, **options)
        return real(image, panels, **options)

    monkeypatch.setattr(_explain_figures, "draw_heatmaps", draw)
    succeed("explain", "run", "--select", "path:a/*", "--save-maps")
    table = index()
    failed = table[table["status"] == "failed"]
    assert failed["row"].nunique() == 1
    assert failed["error"].str.contains("too large").all()
    assert failed["file"].isna().all()
    assert len(list(Path("run/explain/maps").iterdir())) == table["row"].nunique() - 1


def test_outlines_of_odd_photos_are_no_failure():
    box = (0.5, 0.5, 0.5)
    preprocessing = Preprocessing((224, 224), 0.875, "border", "bicubic", box, box)
    for width, height in SIZES[:2]:
        known = {"a.png": {"width": width, "height": height, "polygons": [[0, 0, 1, 1, 1, 0]]}}
        found = outlines.Outlines(known, Path("a.json")).regions("a.png", preprocessing)
        assert found.object is None


def test_tiles_and_thumbnails_of_odd_photos_are_as_large_as_they_should_be(run):
    files = [ImageFile(path) for path in sorted(Path("photos").rglob("*.png"))]
    preprocessing = Preprocessing.from_dict(run.info.settings.preprocessing)
    for one in load_thumbnails(files, side=200, preprocessing=preprocessing):
        assert 1 <= min(one.shown.shape[:2]) <= max(one.shown.shape[:2]) <= 200
    for photo in ThumbnailCache(Path("thumbnails")).photos(map(Wanted, files)):
        assert photo.thumbnail[:4] == b"RIFF"
    succeed("misclassified", "run", "--select", "path:*", "--as-fed")
    succeed("report", "run")


def test_a_thumbnail_without_memory_for_it_has_a_reason(monkeypatch):
    def refuse(*_args, **_options):
        raise MemoryError

    monkeypatch.setattr(Image.Image, "thumbnail", refuse)
    small, large = load_thumbnails(
        map(ImageFile, (Path("photos/a/2.png"), Path("photos/a/0.png"))), side=8
    )
    assert small.shown.shape[:2] == (8, 8)
    assert "memory" in large.reason


@pytest.mark.parametrize("shape", [(1, 100_000), (100_000, 1)])
def test_a_thread_under_a_map_keeps_its_size(shape):
    photo = np.zeros((*shape, 3), np.uint8)
    found = overlay(photo, np.ones((7, 7), np.float32), scale=1.0, box=(0, 0, *shape[::-1]))
    assert found.shape == photo.shape


def test_a_sheet_has_as_many_pixels_as_can_be_drawn():
    sheet.Sheet(2**16 - 1, 10).finished().savefig(io.BytesIO())
    with pytest.raises(PictureTooLarge, match="65536 x 10 pixels is too large"):
        sheet.Sheet(2**16, 10)


@pytest.mark.parametrize("size", [(1, 99), (3, 299), (99, 1)])
def test_a_photo_with_no_pixel_left_is_a_row_whatever_its_shape(size):
    half = (0.5, 0.5, 0.5)
    sides = (32, 224) if size[0] < size[1] else (224, 32)
    narrow = Preprocessing(sides, 1.0, "border", "bicubic", half, half)
    photo = Photo(Image.new("RGB", size), *size, b"")
    assert "at least a pixel" in prepare_input(photo, narrow).reason
