import numpy as np
import pytest

from errlens.figures.network.occlusion.figure import (
    NOT_FINITE,
    OTHERS,
    LabelMap,
    OcclusionFigure,
    Tiles,
    ValueMap,
    draw_occlusion,
)
from errlens.figures.network.occlusion.positions import UNKNOWN
from errlens.figures.paper.distinct import DISTINCT, OTHER
from errlens.formats import significant

PHOTO = np.full((40, 40, 3), 90, np.uint8)


def drawn(classes, names=("cat: 100.0 %",), *, values=None, tiles=1, others="", **more):
    shape = np.shape(classes)
    values = np.full(shape, 0.5, np.float32) if values is None else values
    figure = OcclusionFigure(
        heading="(a)",
        detail="",
        photo=PHOTO,
        square=(0, 0, 8, 8),
        activity=ValueMap("(b)", "", values, 0.7, significant),
        tiles=Tiles("(c)", "", [PHOTO] * tiles),
        probability=ValueMap("(d)", "", values, 0.7, significant),
        labels=LabelMap("(e)", "", np.array(classes), names, others),
        **more,
    )
    return draw_occlusion(figure, title="T", subtitle="S")


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def colours_at(figure, place):
    left, top, right, bottom = place
    pixels = figure.axes[0].images[0].get_array()[top:bottom, left:right]
    return {tuple(map(int, pixel)) for pixel in pixels.reshape(-1, pixels.shape[-1])[:, :3]}


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (3, 3)])
def test_photos_and_colours_are_recorded_so_that_dark_pages_keep_them(shape):
    figure = drawn(np.zeros(shape, int), tiles=3)
    photo, activity, _, *tiles, chance, _, label, swatch = figure.pictures
    sizes = [(place[2] - place[0], place[3] - place[1]) for place in (photo, activity, chance)]
    assert sizes == [sizes[0]] * 3
    assert len(tiles) == 3
    assert colours_at(figure, label) == colours_at(figure, swatch) == {DISTINCT[0]}


def test_the_legend_names_all_classes_shown_and_numbers_them_as_the_cells():
    names = [f"class {number}: 10.0 %" for number in range(len(DISTINCT))]
    classes = [[*range(len(DISTINCT)), OTHERS, NOT_FINITE]]
    figure = drawn(classes, names, others="2 other classes: 10.0 %")
    said = texts(figure)
    for number, name in enumerate(names, 1):
        assert f"{number}  {name}" in said
        assert str(number) in said
    assert "2 other classes: 10.0 %" in said
    label = figure.pictures[-len(DISTINCT) - 2]
    assert colours_at(figure, label) == {*DISTINCT, OTHER, UNKNOWN}


def test_nothing_of_a_long_name_is_beyond_the_page():
    name = "a class of a name that takes more than one line " * 4 + "end: 100.0 %"
    figure = drawn([[0]], [name], notes=["A note of many words. " * 30])
    assert "end: 100.0 %" in " ".join(texts(figure))
    page = figure.bbox
    for text in figure.axes[0].texts:
        edges = text.get_window_extent(figure.canvas.get_renderer())
        assert page.x0 <= edges.x0 <= edges.x1 <= page.x1, text
        assert page.y0 <= edges.y0 <= edges.y1 <= page.y1, text


def test_the_object_and_what_the_projection_shows_are_lined():
    inside = np.zeros((40, 40), np.float32)
    inside[10:30, 10:30] = 1
    plain = drawn([[0]])
    lined = drawn([[0]], object=inside, crop=(5, 5, 35, 35))
    label = plain.pictures[-2]
    assert colours_at(plain, label) == {DISTINCT[0]}
    assert colours_at(lined, label) > {DISTINCT[0]}
    activity = plain.pictures[1]
    assert len(colours_at(plain, activity)) < len(colours_at(lined, activity))
