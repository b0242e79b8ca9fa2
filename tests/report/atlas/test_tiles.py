"""Tiles of a sheet: the right ones, no larger than asked for, and kept."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from errlens.report.atlas.data import nearest_cells
from errlens.report.atlas.tiles import Sheet, tiles_of

SIDE = 40


@pytest.fixture
def sheet(tmp_path):
    """Five tiles, three a row, each of one grey."""
    pixels = np.zeros((2 * SIDE, 3 * SIDE, 3), np.uint8)
    for at in range(5):
        top, left = SIDE * (at // 3), SIDE * (at % 3)
        pixels[top : top + SIDE, left : left + SIDE] = 40 * (at + 1)
    Image.fromarray(pixels).save(tmp_path / "sheet.png")
    return Sheet(tmp_path / "sheet.png", SIDE, 3, range(5), widest=20, quality=80)


def opened(tile):
    return Image.open(io.BytesIO(base64.b64decode(tile)))


def test_tiles_are_cut_where_they_lie(sheet, tmp_path):
    for wanted in (range(5), [4, 0]):
        tiles = tiles_of(sheet._replace(wanted=wanted), kept_in=tmp_path / "kept")
        assert [opened(tile).size for tile in tiles] == [(20, 20)] * len(wanted)
        greys = [np.asarray(opened(tile)).mean() for tile in tiles]
        assert greys == pytest.approx([40 * (at + 1) for at in wanted], abs=3)
    assert len(list((tmp_path / "kept").iterdir())) == 2


def test_why_there_are_none(sheet, tmp_path):
    assert tiles_of(sheet._replace(side=100), kept_in=tmp_path) == "smaller than its tiles"
    assert tiles_of(sheet._replace(path=tmp_path / "no.png"), kept_in=tmp_path) == "no such file"
    (tmp_path / "text.png").write_text("text")
    assert isinstance(tiles_of(sheet._replace(path=tmp_path / "text.png"), kept_in=tmp_path), str)


def test_tiles_need_no_place_to_be_kept(sheet, tmp_path):
    (tmp_path / "file").write_text("")
    assert len(tiles_of(sheet, kept_in=tmp_path / "file")) == 5


@pytest.mark.parametrize("n", [1, 2, 30])
def test_cells_alike_are_found_as_by_brute_force(n):
    activation = np.random.default_rng(n).normal(size=(n, 5)).astype(np.float32)
    activation[0] = 0  # a dead cell is like no other
    found = nearest_cells(activation)
    assert [len(near) for near in found] == [min(8, n - 1)] * n
    for cell, near in enumerate(found):
        for other, cosine in near:
            lengths = np.linalg.norm(activation[cell]) * np.linalg.norm(activation[other])
            expected = activation[cell] @ activation[other] / lengths if lengths else 0
            assert cosine == pytest.approx(expected, abs=6e-4)
        assert [cosine for _, cosine in near] == sorted(
            (cosine for _, cosine in near), reverse=True
        )
