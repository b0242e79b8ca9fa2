import numpy as np
import pytest

from errlens.figures.network.correspondence.hidden_parts import TILE, Row, draw_hidden_parts
from errlens.figures.network.correspondence.likeness import PART, Likeness, Panel, draw_likeness

ROWS = [
    Likeness("stem", 0.2, 0.3, 0.25, 0.35, True),
    Likeness("a.very.long.name.of.a.layer", 0.5, 0.45, 0.4, 0.5, False),
]


def texts(figure):
    written = [text.get_text() for axes in figure.axes for text in axes.texts]
    labels = [tick.get_text() for axes in figure.axes for tick in axes.get_yticklabels()]
    return [*written, *labels]


def test_each_part_has_its_panels_on_one_scale():
    panels = [Panel("channels", ROWS), Panel("places", ROWS[:1])]
    figure = draw_likeness([("head", panels), ("tail", panels)], title="T", legend="L")
    drawn = figure.axes[1:]
    assert len(drawn) == 4
    assert drawn[0].get_xlim() == drawn[2].get_xlim()
    low, high = drawn[0].get_xlim()
    assert low < 0.2
    assert high > 0.5
    assert {"head", "tail", "stem", "0.200 / 0.300"} <= {*texts(figure)}


def test_what_is_sure_is_filled():
    figure = draw_likeness([("head", [Panel("channels", ROWS)])], title="T", legend="L")
    marks = [line for line in figure.axes[1].lines if line.get_marker() == "o"]
    assert [mark.get_markerfacecolor() for mark in marks] == [PART, "white"]
    assert [float(mark.get_xdata()[0]) for mark in marks] == [0.2, 0.5]


def test_where_all_is_alike_there_is_a_scale_all_the_same():
    same = [Likeness("stem", 0.0, 0.0, 0.0, 0.0, False)]
    figure = draw_likeness(
        [("head", [Panel("channels", same), Panel("places", [])])], title="T", legend="L"
    )
    low, high = figure.axes[1].get_xlim()
    assert low < 0 < high


@pytest.mark.parametrize("side", [8, 300])
def test_photos_stand_below_one_another(side):
    photo = np.full((side, side, 3), 200, np.uint8)
    rows = [
        Row("as fed", [photo, photo], ["0.900", "0.500"]),
        Row("hidden", [photo, None], ["0.1", ""]),
    ]
    figure = draw_hidden_parts(rows, names=["a", "b"], title="T", legend="L")
    assert {"as fed", "hidden", "a", "b", "0.900"} <= {*texts(figure)}
    assert len(figure.pictures) == 4
    pixels = figure.axes[0].images[0].get_array()
    left, top, right, bottom = figure.pictures[0]
    assert (right - left, bottom - top) == (TILE, TILE)
    assert (pixels[top:bottom, left:right] == 200).all()
    left, top, right, bottom = figure.pictures[3]
    assert (pixels[top:bottom, left:right] == 238).all()
