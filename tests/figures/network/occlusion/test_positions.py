import numpy as np
import pytest

from errlens.figures.network.occlusion.positions import UNKNOWN, ValueScale, cells, ink_on
from errlens.figures.paper.distinct import DISTINCT
from errlens.figures.paper.sheet import Sheet, house_style


def bar(values, marked):
    """Return what is written beside a bar of values."""
    scale = ValueScale(np.array(values), marked)
    with house_style():
        sheet = Sheet(200, 200)
        scale.draw(sheet, sheet.blank(), 10, 10, 150, "{:g}".format)
    return [text.get_text() for text in sheet.finished().axes[0].texts]


@pytest.mark.parametrize(
    ("values", "marked", "written"),
    [
        ([[0.2, 0.4]], 0.3, ["0.4", "0", "0.3"]),
        ([[-2.0, -1.0]], -1.5, ["0", "-2", "-1.5"]),
        ([[0.2, 0.4]], 0.5, ["0", "0.5"]),
        ([[0.0]], 0.0, ["0", "0"]),
        ([[np.nan, np.nan]], 0.5, ["0", "0.5"]),
    ],
)
def test_a_bar_has_zero_and_marks_the_value_without_a_square(values, marked, written):
    assert bar(values, marked) == written


def test_what_is_not_finite_has_no_colour_of_the_bar():
    values = np.array([[0.0, np.nan, 1.0]])
    colours = ValueScale(values, 1.0).colours(values)
    assert tuple(colours[0, 1]) == UNKNOWN
    assert UNKNOWN not in {tuple(colours[0, 0]), tuple(colours[0, 2])}


def test_cells_fill_the_panel_to_its_edges():
    colours = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    picture = cells(colours, (30, 50))
    assert picture.shape == (30, 50, 3)
    assert (picture[:15, :25] == colours[0, 0]).all()
    assert (picture[15:, 25:] == colours[1, 1]).all()


@pytest.mark.parametrize("colour", DISTINCT)
def test_numbers_can_be_read_on_each_colour(colour):
    shares = np.array(colour) / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    light = float(linear @ [0.2126, 0.7152, 0.0722])  # relative luminance of WCAG 2
    contrast = {"black": (light + 0.05) / 0.05, "white": 1.05 / (light + 0.05)}
    assert contrast[ink_on(colour)] >= 4.5
