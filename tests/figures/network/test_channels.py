import numpy as np
import pytest

from errlens.figures.maps.overlay import BLUE, RED
from errlens.figures.network.channel_grid import LINES, Block, draw_channel_grid
from errlens.figures.network.channel_panels import Band, Picture, Row, draw_panels
from errlens.figures.network.shades import Scale, fitted, shaded


def drawn(figure):
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[:, :, :3]


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_shades_run_from_black_to_white_or_from_blue_to_red():
    shares = np.array([[0, 0.5, 1]])
    assert shaded(shares, signed=False).tolist() == [[[0] * 3, [128] * 3, [255] * 3]]
    assert shaded(shares, signed=True).tolist() == [[list(BLUE), [255] * 3, list(RED)]]


@pytest.mark.parametrize(("shape", "size"), [((7, 7), (63, 63)), ((2, 8), (16, 64))])
def test_a_small_map_becomes_squares_of_one_size(shape, size):
    shares = np.random.default_rng(0).random(shape)
    enlarged = fitted(shares, 64, 64)
    assert enlarged.shape == size
    times = size[0] // shape[0]
    np.testing.assert_allclose(enlarged[::times, ::times], shares, rtol=1e-6)


def test_a_large_map_is_averaged():
    shares = np.random.default_rng(0).random((128, 128))
    expected = shares.reshape(64, 2, 64, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(fitted(shares, 64, 64), expected, rtol=1e-5)


def test_each_channel_of_each_block_has_its_tile():
    shares = np.linspace(0, 1, 6).reshape(6, 1, 1).repeat(4, axis=1).repeat(4, axis=2)
    figure = draw_channel_grid(
        [Block("one", shares), Block("other", shares)],
        grid=(2, 3),
        tile=20,
        title="a layer",
        scale=Scale(-1, 4, signed=False),
    )
    pixels = drawn(figure)
    on_lines = (pixels == LINES[False]).all(axis=2)
    middles = {tuple(colour) for colour in pixels[~on_lines].tolist()}
    for share in np.linspace(0, 1, 6):
        assert (round(255 * share),) * 3 in middles
    assert {"one", "other", "0", "3", "+0", "+2", "a layer", "4", "\N{MINUS SIGN}1"} <= set(
        texts(figure)
    )
    assert len(figure.pictures) == 3  # two grids and the scale


def test_a_grid_of_many_narrow_tiles_leaves_out_numbers_that_would_overlap():
    figure = draw_channel_grid(
        [Block("one", np.zeros((400, 2, 2)))], grid=(20, 20), tile=4, title="a layer"
    )
    written = texts(figure)
    assert "+0" in written
    assert "+1" not in written


def test_single_channels_stand_below_their_titles_with_captions():
    red = np.full((40, 30, 3), (255, 0, 0), np.uint8)
    row = Row("a photo", [Picture(red, "as fed"), Picture(None), Picture(red, "max 3")])
    band = Band(["image", "channel 14", "channel 47"], [row, row])
    figure = draw_panels([band, band], title="a layer")
    assert (drawn(figure) == (255, 0, 0)).all(axis=2).sum() == 8 * red[..., 0].size
    assert {"image", "channel 14", "channel 47", "a photo", "as fed", "max 3"} <= set(texts(figure))


def test_no_text_leaves_the_page():
    long = "a name that is far longer than a picture is wide, and goes on " * 3
    row = Row(long, [Picture(np.zeros((20, 20, 3), np.uint8), long)] * 2)
    figure = draw_panels(
        [Band([long, "b"], [row])], title=long, subtitle=long, scale=Scale(0, 1e-7, signed=True)
    )
    page = figure.bbox
    drawn(figure)
    for axes in figure.axes:
        for text in axes.texts:
            box = text.get_window_extent()
            assert box.x0 >= 0
            assert box.x1 <= page.x1
            assert box.y0 >= 0
            assert box.y1 <= page.y1
