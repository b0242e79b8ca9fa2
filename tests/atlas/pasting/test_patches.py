import numpy as np
import pytest
from PIL import Image

from errlens.analysis.atlas.pasting.noise import scrambled
from errlens.analysis.atlas.pasting.placing import CENTER, CORNERS, GRID, corner, pasted_size
from errlens.atlas.pasting.patches import (
    cut,
    noise_of,
    outlined_as,
    pasted,
    read_patch,
)
from errlens.errors import MissingInput, NoImages, UnfitOption


def drawn(width, height, *, mode="RGB", seed=0):
    random = np.random.default_rng(seed)
    channels = {"RGB": (3,), "RGBA": (4,), "L": ()}[mode]
    return Image.fromarray(random.integers(0, 256, (height, width, *channels), np.uint8))


def test_at_size_0_the_picture_is_the_same_one():
    picture = drawn(40, 30)
    assert pasted(picture, drawn(9, 9, mode="RGBA"), size=0, position=CENTER) is picture


@pytest.mark.parametrize("position", GRID, ids=lambda position: position.name)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_opaque_pixels_are_exactly_those_of_the_patch_and_all_others_stay(mode, position):
    picture = drawn(40, 30, mode=mode)
    before = np.asarray(picture).copy()
    patch = drawn(15, 9).convert("RGBA")
    after = np.asarray(pasted(picture, patch, size=0.5, position=position))  # 15 of 30: as it is
    left, top = corner((15, 9), (40, 30), position)
    inside = np.zeros((30, 40), bool)
    inside[top : top + 9, left : left + 15] = True
    expected = np.asarray(patch.convert(mode))
    np.testing.assert_array_equal(after[inside].reshape(expected.shape), expected)
    np.testing.assert_array_equal(after[~inside], before[~inside])
    np.testing.assert_array_equal(np.asarray(picture), before)


def test_another_size_is_what_pillow_makes_of_it_by_lanczos_filter():
    picture, patch = drawn(40, 40), drawn(16, 8).convert("RGBA")
    after = pasted(picture, patch, size=0.8, position=CORNERS[3])
    expected = patch.convert("RGB").resize((32, 16), Image.Resampling.LANCZOS)
    np.testing.assert_array_equal(np.asarray(after)[24:, 8:], np.asarray(expected))


def test_transparent_pixels_leave_the_picture_and_half_of_them_mix():
    pixels = np.full((4, 4, 4), 200, np.uint8)
    pixels[..., 3] = [[0, 0, 128, 128], *[[0, 0, 255, 255]] * 3]
    picture = Image.new("RGB", (8, 8), (100, 100, 100))
    after = np.asarray(pasted(picture, Image.fromarray(pixels), size=0.5, position=CORNERS[0]))
    assert (after[:4, :2] == 100).all()
    assert (after[1:4, 2:4] == 200).all()
    assert abs(int(after[0, 2, 0]) - 150) <= 1


@pytest.mark.parametrize("position", GRID, ids=lambda position: position.name)
@pytest.mark.parametrize("shape", [(3, 50), (50, 3), (7, 7), (1, 1)])
def test_wherever_it_is_all_of_it_lies_inside(shape, position):
    for size in (0.01, 0.33, 1.0):
        width, height = pasted_size(shape, (31, 47), size)
        left, top = corner((width, height), (31, 47), position)
        assert 0 <= left <= 31 - width
        assert 0 <= top <= 47 - height


def test_noise_keeps_means_variances_and_spectrum_but_no_pattern():
    random = np.random.default_rng(0)
    # Nothing that would have to be clipped.
    grid = np.add.outer(np.sin(np.arange(48) / 3), np.cos(np.arange(48) / 5))
    pixels = np.rint(128 + 12 * grid[..., None] * [1, -1, 0.5] + random.normal(0, 3, (48, 48, 3)))
    pixels = pixels.astype(np.uint8)
    noise = scrambled(pixels, np.ones((48, 48), bool), np.random.default_rng(1))
    np.testing.assert_allclose(noise.mean(axis=(0, 1)), pixels.mean(axis=(0, 1)), atol=0.1)
    np.testing.assert_allclose(noise.std(axis=(0, 1)), pixels.std(axis=(0, 1)), rtol=0.02)
    spectra = [np.abs(np.fft.fft2(each[..., 0] - each[..., 0].mean())) for each in (pixels, noise)]
    assert np.corrcoef(spectra[0].ravel(), spectra[1].ravel())[0, 1] > 0.99
    together = [np.corrcoef(each.reshape(-1, 3).T)[0, 1] for each in (pixels, noise)]
    assert together[0] == pytest.approx(together[1], abs=0.02)
    opaque = np.ones((48, 48), bool)
    alike = [
        np.corrcoef(
            pixels[..., 0].ravel(),
            scrambled(pixels, opaque, np.random.default_rng(seed))[..., 0].ravel(),
        )[0, 1]
        for seed in range(40)
    ]
    assert abs(np.mean(alike)) < 0.2  # as often against the pattern as with it


def test_noise_has_the_outline_of_its_patch_and_none_is_made_of_one_colour():
    patch = drawn(12, 12, mode="RGBA")
    noise = noise_of(patch, np.random.default_rng(0))
    assert noise.getchannel("A").tobytes() == patch.getchannel("A").tobytes()
    red = Image.new("RGBA", (8, 8), (255, 0, 0, 255))
    assert noise_of(red, np.random.default_rng(0)) is None


def test_a_crop_gets_the_size_and_the_outline_of_the_suspect():
    patch = drawn(12, 9, mode="RGBA")
    crop = outlined_as(drawn(6, 6).convert("RGBA"), patch)
    assert crop.size == patch.size
    assert crop.getchannel("A").tobytes() == patch.getchannel("A").tobytes()


def test_a_box_that_reaches_out_is_moved_inside():
    picture = drawn(20, 10)
    patch = cut(picture, (-3.0, 4.0, 5.0, 12.0))
    expected = np.asarray(picture)[2:10, 0:8]
    np.testing.assert_array_equal(np.asarray(patch)[..., :3], expected)
    assert cut(picture, (-50, -50, 50, 50)).size == (20, 10)


def test_a_patch_that_is_none_is_refused(tmp_path):
    with pytest.raises(MissingInput):
        read_patch(tmp_path / "none.png")
    (tmp_path / "text.png").write_text("text")
    with pytest.raises(NoImages, match="cannot be read"):
        read_patch(tmp_path / "text.png")
    Image.new("RGBA", (4, 4)).save(tmp_path / "clear.png")
    with pytest.raises(UnfitOption, match="transparent"):
        read_patch(tmp_path / "clear.png")
