"""The map of an atlas: nothing is cut, covered or told wrongly."""

import io
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.patches import Rectangle

from errlens.figures.atlas.captions import placed
from errlens.figures.atlas.map import (
    AGAINST,
    LABEL,
    LABEL_LINES,
    LEAST_LABELLED,
    MapCells,
    draw_atlas,
    label_lines,
    relative_strength,
)
from errlens.figures.paper.sheet import text_width

SIDE = 40
NAMES = ["pug", "american staffordshire terrier with a very long name", "a" * 80, "東京", "\n$x$"]


def drawn(**looks):
    """Draw five cells, each in a colour of its own."""
    icons = np.zeros((5, SIDE, SIDE, 3), np.uint8)
    icons[:] = (np.arange(5)[:, None, None, None] + 1) * np.array([40, 20, 10], np.uint8)
    places = np.array([[0, 0], [0, 3], [1, 1], [2, 2], [3, 3]])
    cells = MapCells(4, places, icons, **looks)
    return draw_atlas(cells, title="An atlas", legend="How to read it. " * 20), cells


def pixels_of(figure):
    """Return the picture as pixels, and where its icons are."""
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[:, :, :3], figure.pictures


def saved(figure, kind):
    file = io.BytesIO()
    figure.savefig(file, format=kind, metadata={"Date": None} if kind == "svg" else {})
    return file.getvalue()


def test_icons_stand_on_their_cells_as_they_are():
    figure, cells = drawn()
    pixels, boxes = pixels_of(figure)
    for icon, (left, top, right, bottom) in zip(cells.icons, boxes, strict=True):
        np.testing.assert_array_equal(pixels[top:bottom, left:right], icon)
    steps = {boxes[1][0] - boxes[0][0], 3 * (boxes[2][1] - boxes[0][1])}
    assert len(steps) == 1


@pytest.mark.parametrize("looks", [
    {}, {"labels": NAMES}, {"marks": [(0, "corner"), (4, "the far corner " * 8)]},
    {"labels": NAMES, "density": np.arange(1, 6), "strength": np.linspace(-1, 1, 5)},
], ids=str)  # fmt: skip
def test_nothing_is_cut(looks):
    figure, _ = drawn(**looks)
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    width, height = figure.canvas.get_width_height()
    for text in figure.axes[0].texts:
        box = text.get_window_extent(renderer)
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height, text.get_text()


@given(st.text(min_size=1, max_size=90), st.integers(60, 200))
def test_a_label_has_two_lines_at_most_and_no_line_is_wider_than_its_icon(name, width):
    lines = label_lines(name, width)
    assert 1 <= len(lines) <= LABEL_LINES
    assert text_width(lines, size=LABEL) <= width


def test_the_fewer_points_the_smaller_by_area():
    figure, cells = drawn(density=np.array([100, 25, 100, 100, 1]))
    pixels, boxes = pixels_of(figure)
    areas = [
        (pixels[top:bottom, left:right] == icon[0, 0]).all(axis=2).sum()
        for icon, (left, top, right, bottom) in zip(cells.icons, boxes, strict=True)
    ]
    assert areas[0] == SIDE**2
    assert areas[1] == pytest.approx(SIDE**2 / 4, rel=0.05)
    assert 0 < areas[4] < areas[1]


def test_the_less_is_said_the_fainter_and_what_speaks_against_has_a_frame():
    figure, _ = drawn(strength=np.array([2.0, 1.0, 0.5, 0.0, -2.0]))
    pixels, boxes = pixels_of(figure)
    middles = [
        pixels[(top + bottom) // 2, (left + right) // 2].astype(int)
        for left, top, right, bottom in boxes
    ]
    full = np.array([[40, 20, 10]]) * np.arange(1, 6)[:, None]
    opacity = [
        (255 - middle[2]) / (255 - icon[2]) for middle, icon in zip(middles, full, strict=True)
    ]
    assert all(first > second for first, second in pairwise(opacity[:4]))
    assert opacity[4] == pytest.approx(1, abs=0.01)
    framed = [tuple(pixels[top, left]) == AGAINST for left, top, _, _ in boxes]
    assert framed == [False, False, False, False, True]


def test_strength_of_nothing_is_nothing():
    np.testing.assert_array_equal(relative_strength(np.zeros(3)), np.zeros(3))


def test_a_marked_cell_is_framed_and_its_caption_lies_beside_it():
    figure, _ = drawn(marks=[(2, "baseball")])
    frame, caption = (patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle))
    left, top, right, bottom = figure.pictures[2]
    assert (*frame.get_xy(), frame.get_width(), frame.get_height()) == (
        left, top, right - left, bottom - top,
    )  # fmt: skip
    written = [text for text in figure.axes[0].texts if text.get_text() == "baseball"]
    assert len(written) == 1
    x, y = written[0].get_position()
    assert caption.get_x() <= x <= caption.get_x() + caption.get_width()
    assert caption.get_y() <= y <= caption.get_y() + caption.get_height()


BOX = st.tuples(st.integers(0, 9), st.integers(0, 9)).map(
    lambda at: (100 * at[0], 100 * at[1], 100 * at[0] + 96, 100 * at[1] + 96)
)


@given(
    st.lists(st.tuples(BOX, st.text("ab c", min_size=1, max_size=60)), max_size=4), st.lists(BOX)
)
def test_captions_lie_on_the_map(marks, cells):
    around = (0, 0, 1000, 1000)
    for caption in placed(marks, cells, around):
        left, top, right, bottom = caption.box
        assert 0 <= left < right <= 1000
        assert 0 <= top < bottom <= 1000


def test_a_caption_covers_no_cell_where_there_is_room_beside_them():
    cells = [(0, 0, 96, 96), (100, 0, 196, 96), (0, 100, 96, 196)]
    (caption,) = placed([(cells[1], "baseball")], cells, (0, 0, 1000, 1000))
    left, top, right, bottom = caption.box
    for cell in cells:
        assert right <= cell[0] or left >= cell[2] or bottom <= cell[1] or top >= cell[3]


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_a_map_is_always_the_same_bytes(kind):
    looks = {"labels": NAMES, "marks": [(0, "corner")], "density": np.arange(1, 6)}
    first, second = (saved(drawn(**looks)[0], kind) for _ in range(2))
    assert first == second


def test_a_drawing_can_be_written_twice_and_names_no_date():
    figure, _ = drawn(labels=NAMES)
    first, second = (saved(figure, "svg") for _ in range(2))
    assert first == second
    assert b"dc:date" not in first


def test_a_rank_stands_in_the_corner_of_its_cell_where_others_are_all_around():
    cells = [(x, y, x + 96, y + 96) for x in (0, 100, 200) for y in (0, 100, 200)]
    (caption,) = placed([(cells[4], "1")], cells, (0, 0, 296, 296))
    assert caption.box[:2] == cells[4][:2]
    (_, second) = placed([(cells[4], "1"), (cells[4], "2")], cells, (0, 0, 296, 296))
    assert second.box[:2] != cells[4][:2]


@pytest.mark.parametrize(("labels", "side"), [(NAMES, LEAST_LABELLED), (None, SIDE)])
def test_small_icons_are_enlarged_where_names_stand_on_them(labels, side):
    figure, _ = drawn(labels=labels)
    _, boxes = pixels_of(figure)
    assert {right - left for left, _, right, _ in boxes} == {side}
