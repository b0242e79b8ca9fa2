import numpy as np

from errlens.figures.network.filter_grid import FilterSheet, FilterTile, as_image, draw_filters
from errlens.figures.network.filter_spectra import (
    COLOURS,
    LayerBands,
    NetworkBands,
    draw_spectra,
)


def drawn(figure):
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[:, :, :3]


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def bands(name, shares, **what):
    noise = (0.1, 0.3, 0.6)
    facts = {"aliasing": None, "dead": 0, "alike": None, **what}
    return LayerBands(name, "3x3", shares, noise if shares else None, **facts)


def test_zero_is_grey_and_the_ends_of_the_scale_black_and_white():
    colours = as_image(np.array([[[-1.0, 0.0]], [[0.0, 0.0]], [[1.0, 9.0]]]))
    assert colours.tolist() == [[[0, 128, 255], [128, 128, 255]]]
    assert as_image(np.array([[[np.nan]]])).tolist() == [[[128, 128, 128]]]


def test_channels_that_are_no_colours_stand_side_by_side():
    pixels = as_image(np.stack([np.full((2, 2), value) for value in (-1.0, 0.0, 1.0, 0.5)]))
    assert pixels.shape == (2, 4 * 2 + 3, 3)
    assert pixels[0, :, 0].tolist() == [0, 0, 255, 128, 128, 255, 255, 255, 255, 191, 191]


def test_each_filter_has_its_tile_and_number_in_each_network():
    weights = np.random.default_rng(0).uniform(-1, 1, (7, 3, 5, 5))
    tiles = [FilterTile(each, "dead" * (at == 2), at == 2) for at, each in enumerate(weights)]
    figure = draw_filters([FilterSheet("one", tiles), FilterSheet("other", tiles[:1])], title="t")
    assert len(figure.pictures) == 8
    pixels = drawn(figure)
    for (left, top, right, bottom), expected in zip(figure.pictures, weights, strict=False):
        step = (right - left) // 5
        found = pixels[top + step // 2 : bottom : step, left + step // 2 : right : step]
        np.testing.assert_array_equal(found[:5, :5], as_image(expected))
    assert {"t", "one", "other", "0", "1", "2 dead", "6"} <= {*texts(figure)}


def test_filters_as_large_as_patches_and_of_one_place_are_drawn():
    for shape in ((2, 3, 64, 64), (1, 1, 1, 1), (3, 3, 1, 7), (2, 6, 3, 3)):
        sheet = FilterSheet("one", [FilterTile(each) for each in np.zeros(shape)])
        assert len(draw_filters([sheet], title="t").pictures) == shape[0]


def test_bars_are_as_long_as_their_shares():
    layers = [
        bands("a", (0.5, 0.25, 0.25), aliasing=(0.4, 0.75), dead=3, alike=2),
        bands("b", None, dead=1234),
    ]
    figure = draw_spectra([NetworkBands("net", layers)], title="t", legend="l")
    widths = {}
    for patch in figure.axes[0].patches:
        colour = "#{:02x}{:02x}{:02x}".format(*(round(255 * c) for c in patch.get_facecolor()[:3]))
        widths.setdefault(colour, []).append(patch.get_width())
    low, middle, high = (widths[COLOURS[band]][0] for band in ("low", "middle", "high"))
    assert (low / 2, low / 2) == (middle, high)
    assert {"t", "net", "a", "b", "50.0 %", "25.0 %", "3", "2", "1,234"} <= {*texts(figure)}


def test_a_hundred_and_sixty_layers_and_two_networks_fit_on_a_sheet():
    layers = [bands(f"layer.{number}", (0.3, 0.3, 0.4)) for number in range(160)]
    figure = draw_spectra([NetworkBands("net", layers)] * 2, title="t", legend="l")
    assert drawn(figure).shape[0] < 4000
    assert texts(figure).count("layer.159") == 2


def test_a_layer_without_shares_and_one_that_is_all_dead_are_drawn():
    dead = bands("dead", (np.nan,) * 3, aliasing=(np.nan, 0.75), dead=8)
    drawn(draw_spectra([NetworkBands("net", [dead])], title="t", legend="l"))
