import json
import re
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib import pyplot as plt
from matplotlib.text import Text
from PIL import Image

from errlens.figures.maps.bars import BAR, GROUNDS
from errlens.figures.maps.heatmaps import ACROSS, SIDE, Panel, draw_heatmaps
from errlens.figures.maps.outline import outlined
from errlens.figures.maps.overlay import common_scale, overlay
from errlens.figures.paper.places import PICTURES
from errlens.figures.paper.sheet import TEXT, text_width, wrapped

HARD = (
    "x" * 300,
    "$a_b^c$",
    "two\nlines",
    "",
    "猫" * 40,
    "😀🦄\ud800" * 9,
    "staffordshire_bull_terrier" * 3,
    "a word " * 40,
)
MINUS = "\N{MINUS SIGN}"
NUMBER = re.compile(rf"([≥≤] )?{MINUS}?[\d.]+(e[+{MINUS}]\d+)?")
OPTIONS = {"title": "A → B (0.93)", "subtitle": "Grad-CAM at layer4", "unit": "logits"}


def photo(height=SIDE, width=SIDE):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def some_map(seed, *, size=7, scale=1.0):
    values = np.random.default_rng(seed).normal(size=(size, size)).astype(np.float32)
    return (values * np.float32(scale / abs(values).max())).astype(np.float32)


def three():
    maps = [some_map(1, scale=2.0), some_map(2, scale=5.0)]
    names = ("image", "predicted", "true", "difference")
    shown = (None, *maps, maps[0] - maps[1])
    return [Panel(name, values, "7 x 7") for name, values in zip(names, shown, strict=True)]


def pixels_of(figure):
    file = BytesIO()
    figure.savefig(file)
    return np.asarray(Image.open(file).convert("RGB"))


def boxes_of(figure):
    """Return all texts with their boxes in pixels."""
    pixels_of(figure)
    renderer = figure.canvas.get_renderer()
    texts = [text for text in figure.findobj(Text) if text.get_text()]
    return [(text.get_text(), text.get_window_extent(renderer)) for text in texts]


def words_of(figure):
    return [text for text, _ in boxes_of(figure)]


def where(pixels, wanted):
    """Return the row and column at which a picture stands in another, or None."""
    for y, x in np.argwhere((pixels == wanted[0, 0]).all(axis=2)):
        part = pixels[y : y + wanted.shape[0], x : x + wanted.shape[1]]
        if part.shape == wanted.shape and (part == wanted).all():
            return int(y), int(x)
    return None


def drawn(image, values, **shades):
    """Return a panel's picture: the overlay, its strongest area outlined."""
    return outlined(overlay(image, values, **shades), values, box=None, upsampling="bilinear")


def bars(scale, length, *, signed=True, **shades):
    """Return the pixels of a colour bar from left to right."""
    ground = np.repeat(np.array(GROUNDS, np.uint8), BAR // 2)[:, None, None]
    values = np.linspace(-scale if signed else 0, scale, length, dtype=np.float32)[None]
    over = np.ascontiguousarray(np.broadcast_to(ground, (BAR, length, 3)))
    return overlay(over, values, scale=scale, signed=signed, **shades)


@pytest.mark.parametrize(
    "shades", [{}, {"alpha": 0.8}, {"colormap": "jet"}, {"signed": False}], ids=str
)
def test_panels_are_overlays_pixel_by_pixel_on_one_scale_in_their_order(shades):
    image, panels = photo(), three()
    page = pixels_of(draw_heatmaps(image, panels, **OPTIONS, **shades))
    scale = common_scale([panel.values for panel in panels[1:]])
    expected = [image]
    expected += [drawn(image, panel.values, scale=scale, **shades) for panel in panels[1:]]
    places = [where(page, one) for one in expected]
    assert None not in places
    assert len({y for y, _ in places}) == 1
    assert [x for _, x in places] == sorted({x for _, x in places})


@pytest.mark.parametrize("signed", [True, False])
def test_the_colour_bar_ends_at_the_scale_and_says_so(signed):
    panels = [Panel("map", some_map(3, scale=2.5))]
    figure = draw_heatmaps(photo(), panels, **OPTIONS, signed=signed)
    scale = float(abs(panels[0].values).max())
    bar = np.rot90(bars(scale, SIDE, signed=signed))
    y, x = where(pixels_of(figure), bar)
    numbers = {text: box for text, box in boxes_of(figure) if box.x0 > x and box.x0 < x + BAR + 12}
    signs = [f"{MINUS}2.5", f"{MINUS}1.25", "0", "1.25", "2.5"]
    assert [*numbers] == (signs if signed else ["0", "0.625", "1.25", "1.88", "2.5"])
    height = figure.get_size_inches()[1] * figure.dpi
    assert numbers["2.5"].y1 == pytest.approx(height - y, abs=2)
    lowest = numbers[f"{MINUS}2.5" if signed else "0"]
    assert lowest.y0 == pytest.approx(height - y - SIDE, abs=2)
    assert "logits" in words_of(figure)


def test_without_a_unit_each_map_has_its_own_scale_and_bar():
    image = photo()
    maps = [some_map(seed, scale=10.0**seed) for seed in range(3)]
    panels = [Panel("image", None), *(Panel(f"map {at}", one) for at, one in enumerate(maps))]
    figure = draw_heatmaps(image, panels, title="A", unit=None)
    page = pixels_of(figure)
    for values in maps:
        scale = float(abs(values).max())
        y, x = where(page, drawn(image, values, scale=scale))
        below = page[y + SIDE :, x : x + SIDE]
        assert where(below, bars(scale, SIDE))[1] == 0
        assert f"{scale:.3g}" in words_of(figure)
        assert f"{MINUS}{scale:.3g}" in words_of(figure)


def test_many_panels_stand_in_rows():
    image = photo(64, 64)
    panels = [Panel(f"map {at}", some_map(at)) for at in range(ACROSS + 3)]
    figure = draw_heatmaps(image, panels, title="A", unit=None, side=64)
    page = pixels_of(figure)
    shown = [drawn(image, one.values, scale=abs(one.values).max()) for one in panels]
    places = [where(page, one) for one in shown]
    assert len({y for y, _ in places}) == 2
    assert places == sorted(places)
    assert [x for _, x in places[:4]] == [x for _, x in places[5:]]


def test_a_small_image_is_enlarged_in_whole_pixels_and_a_large_one_reduced():
    values = some_map(1)
    for size, factor in ((32, 7), (100, 2), (150, 1)):
        image = photo(size, size)
        shown = overlay(image, values, scale=float(abs(values).max()))
        figure = draw_heatmaps(image, [Panel("map", values)], explained=False, **OPTIONS)
        page = pixels_of(figure)
        assert where(page, np.kron(shown, np.ones((factor, factor, 1), np.uint8))) is not None
    brown = np.full((900, 450, 3), (128, 64, 0), np.uint8)
    page = pixels_of(draw_heatmaps(brown, [Panel("image", None)], **OPTIONS))
    y, x = where(page, brown[:SIDE, : SIDE // 2])
    assert (page == brown[0, 0]).all(axis=2).sum() == SIDE * SIDE // 2
    assert (y + SIDE, x + SIDE // 2) < page.shape[:2]


@pytest.mark.parametrize("shape", [(1, 1), (1, 2000), (2000, 1), (60, 224)])
def test_images_may_have_any_shape(shape):
    figure = draw_heatmaps(photo(*shape), three(), **OPTIONS)
    assert_all_is_seen(figure)


def test_without_any_map_there_is_no_scale():
    words = words_of(draw_heatmaps(photo(), [Panel("image", None, "224 x 224")], **OPTIONS))
    assert words == ["A → B (0.93)", "Grad-CAM at layer4", "image", "224 x 224"]


def assert_all_is_seen(figure):
    """Check that no text is cut, lies on another or on a picture."""
    width, height = figure.get_size_inches() * figure.dpi
    boxes = boxes_of(figure)
    for text, box in boxes:
        assert min(box.x0, box.y0, width - box.x1, height - box.y1) >= 0, text
    for at, (text, box) in enumerate(boxes):
        for other, its in boxes[at + 1 :]:
            apart = box.shrunk(0.98, 0.7), its.shrunk(0.98, 0.7)
            assert not apart[0].overlaps(apart[1]), (text, other)
    return boxes


@pytest.mark.parametrize("unit", [None, "change of the logit " * 12])
@pytest.mark.parametrize(("count", "signed"), [(1, True), (1, False), (len(HARD), True)])
def test_no_text_is_cut_and_none_lies_on_another(unit, count, signed):
    panels = [
        Panel(name, some_map(at, scale=2.345e-38 if at % 2 else 1.2345e6), name)
        for at, name in enumerate(HARD[:count])
    ]
    long = {"title": "".join(HARD[:5]), "subtitle": "".join(HARD[5:]), "unit": unit}
    image = np.full((SIDE, 40, 3), 255, np.uint8)
    assert_all_is_seen(draw_heatmaps(image, panels, signed=signed, **long))


def test_no_text_lies_on_a_picture():
    names = [name for name in HARD if name]
    image = np.full((SIDE, SIDE, 3), (0, 255, 0), np.uint8)
    page = pixels_of(draw_heatmaps(image, [Panel(name, None, name) for name in names], **OPTIONS))
    assert (page == image[0, 0]).all(axis=2).sum() == len(names) * SIDE * SIDE


def test_every_letter_of_a_heading_is_there():
    figure = draw_heatmaps(photo(), [Panel("y" * 300, None, "z" * 300)], **OPTIONS)
    letters = "".join(words_of(figure))
    assert letters.count("y") == 301  # and that of layer4
    assert letters.count("z") == 300


def test_headings_stand_on_one_line():
    panels = [Panel("one", None), Panel("qgjpy", None), Panel("long " * 20 + "end", None)]
    figure = draw_heatmaps(photo(), panels, **OPTIONS)
    texts = [text for text in figure.findobj(Text) if text.get_text() in {"one", "qgjpy"}]
    assert len({text.get_position()[1] for text in texts}) == 1
    last = [text for text in figure.findobj(Text) if text.get_text().endswith("end")]
    assert last[0].get_position()[1] == texts[0].get_position()[1]


def test_the_users_settings_do_not_matter():
    expected = pixels_of(draw_heatmaps(photo(), three(), **OPTIONS))
    with plt.style.context(["dark_background", {"image.cmap": "jet", "axes.unicode_minus": False}]):
        found = pixels_of(draw_heatmaps(photo(), three(), **OPTIONS))
    np.testing.assert_array_equal(found, expected)


@settings(max_examples=15, deadline=None)
@given(
    arrays(
        np.float32,
        st.tuples(st.integers(1, 9), st.integers(1, 9)),
        elements=st.floats(allow_nan=False, allow_infinity=False, width=32),
    ),
    st.sampled_from([None, "logits"]),
    st.booleans(),
)
def test_any_finite_map_can_be_drawn(values, unit, signed):
    panels = [Panel("map", values), Panel("image", None)]
    figure = draw_heatmaps(photo(32, 32), panels, title="A", unit=unit, signed=signed, side=64)
    assert_all_is_seen(figure)


def numbers_of(figure):
    """Return the numbers of the colour bars."""
    return [text for text in words_of(figure) if NUMBER.fullmatch(text)]


def value_of(text):
    return float(text.strip("≥≤ ").replace(MINUS, "-"))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([1, 3, 7, 20, 70]), st.floats(1e-20, 1e20), st.integers(0, 99)),
        min_size=1,
        max_size=3,
    ),
    st.booleans(),
    st.booleans(),
)
def test_no_value_is_beyond_a_bar_that_does_not_say_so(shapes, shared, positive):
    maps = [some_map(seed, size=size, scale=scale) for size, scale, seed in shapes]
    maps = [np.abs(values) if positive else values for values in maps]
    if not shared:
        maps = maps[:1]
    panels = [Panel("map", values) for values in maps]
    figure = draw_heatmaps(photo(32, 32), panels, title="A", unit="logits" if shared else None)
    first, *_, last = sorted(numbers_of(figure), key=value_of)
    assert last.startswith("≥ ") == (value_of(last) * (1 + 1e-6) < max(map(np.max, maps)))
    assert first.startswith("≤ ") == (value_of(first) * (1 + 1e-6) > min(map(np.min, maps)))
    assert value_of(first) == -value_of(last)
    if all(values.size < 64 * 64 for values in maps):
        assert not last.startswith("≥")


def test_the_peak_of_a_coarse_map_is_on_the_bar_whatever_stands_beside_it():
    peak = np.full((14, 14), 0.05, np.float32)
    peak[3, 4] = 1.5651
    panels = [Panel("one", peak), Panel("other", some_map(1, size=14, scale=0.1), "14 x 14")]
    figure = draw_heatmaps(photo(), panels, **OPTIONS)
    assert "1.57" in words_of(figure)
    assert "weak: at most 0.1" in words_of(figure)
    assert not any("≥" in text for text in words_of(figure))


def test_a_signed_map_is_drawn_signed_also_where_nothing_is_negative():
    values = np.abs(some_map(1))
    image = photo()
    for unit in ("logits", None):
        page = pixels_of(draw_heatmaps(image, [Panel("map", values)], title="A", unit=unit))
        expected = drawn(image, values, scale=float(values.max()), signed=True)
        assert where(page, expected) is not None
    panels = [Panel("map", values, signed=False)]
    page = pixels_of(draw_heatmaps(image, panels, title="A", unit=None))
    expected = drawn(image, values, scale=float(values.max()), signed=False)
    assert where(page, expected) is not None


def test_a_panel_says_what_its_colours_and_lines_mean():
    panels = [Panel("image", None), Panel("map", some_map(1))]
    words = words_of(draw_heatmaps(photo(), panels, **OPTIONS))
    assert (
        "red: for, blue: against; outlined: the strongest fifth, dashed where it speaks against"
        in " ".join(words)
    )
    words = " ".join(words_of(draw_heatmaps(photo(), panels, signed=False, **OPTIONS)))
    assert "purple: strong, for or against; outlined: the strongest fifth" in words
    assert "dashed" not in words
    words = " ".join(words_of(draw_heatmaps(photo(), panels, colormap="viridis", **OPTIONS)))
    assert "red" not in words
    assert "outlined" not in " ".join(
        words_of(draw_heatmaps(photo(), panels, explained=False, **OPTIONS))
    )


def test_a_png_says_where_its_pictures_are_and_all_else_is_grey_writing():
    red = np.full((SIDE, SIDE, 3), (200, 30, 30), np.uint8)
    panels = [Panel("image", None, legend=(((0, 0, 250), "a colour"),)), Panel("m", some_map(1))]
    file = BytesIO()
    draw_heatmaps(red, panels, **OPTIONS).savefig(file)
    picture = Image.open(file)
    pixels = np.asarray(picture.convert("RGB")).astype(int)
    covered = np.zeros(pixels.shape[:2], bool)
    for left, top, right, bottom in json.loads(picture.text[PICTURES]):
        covered[top:bottom, left:right] = True
    coloured = np.ptp(pixels, axis=2) > 0
    assert coloured.sum() > SIDE * SIDE
    assert not (coloured & ~covered).any()


@pytest.mark.parametrize("text", ["staffordshire_bull_terrier_of_the_old_kind", "a-b c.d " * 20])
def test_lines_end_between_words_or_parts_of_a_name(text):
    lines = wrapped(text, 150, size=TEXT)
    assert len(lines) > 1
    assert max(text_width([line], size=TEXT) for line in lines) <= 150
    for line in lines[:-1]:
        assert line.endswith(("_", "-", ".", "c.d", "a-b"))
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_no_line_begins_with_the_percent_of_a_number():
    for width in range(60, 200, 5):
        lines = wrapped("the square takes 10.1 % of it, the median 100.0 %", width, size=TEXT)
        assert not [line for line in lines if line.startswith("%")]


def test_a_number_and_a_word_that_fits_a_line_are_never_broken():
    text = "predicted: staffordshire_bull, logit -0.0936 or 12.5e-7"
    for width in range(90, 400, 10):
        words = {word for line in wrapped(text, width, size=TEXT) for word in line.split()}
        for word in text.split():
            assert word in words or text_width([word], size=TEXT) > width
