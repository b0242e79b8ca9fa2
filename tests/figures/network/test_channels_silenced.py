"""What is drawn of channels stays on the sheet, whatever the names, and says all numbers."""

import numpy as np
import pytest
from matplotlib.text import Text

from errlens.figures.network.ablation import SilencedChannels, draw_ablation
from errlens.figures.network.distinguishing import (
    ChannelFigures,
    GroupValues,
    WrongImage,
    draw_distinguishing,
)

LONG = "an american pit bull terrier that was taken for a staffordshire bull terrier"


def texts(figure):
    """Return all texts that are seen, after making sure that none leaves the sheet."""
    renderer = figure.canvas.get_renderer()
    seen = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    width, height = figure.canvas.get_width_height()
    for text in seen:
        box = text.get_window_extent(renderer)
        assert box.x0 >= 0, text.get_text()
        assert box.y0 >= 0, text.get_text()
        assert box.x1 <= width, text.get_text()
        assert box.y1 <= height, text.get_text()
    return [text.get_text() for text in seen]


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("name", ["cat", LONG])
def test_groups_of_any_size_and_images_are_drawn(name, signed):
    rng = np.random.default_rng(0)
    groups = [
        GroupValues(name, "right", rng.random(300, np.float32) - signed),
        GroupValues(f"{name} (1)", "wrong", np.zeros(1, np.float32)),
    ]
    image = WrongImage(
        rng.integers(0, 255, (40, 60, 3), np.uint8),
        rng.random((3, 4), np.float32),
        (2, 1),
        f"row 7: 0.5\nas {name}",
    )
    channels = [
        ChannelFigures("channel 3", ["first fact", "second fact"], groups, [image, image]),
        ChannelFigures("channel 4", [], groups[1:], []),
    ]
    figure = draw_distinguishing(channels, title=name, legend=name * 2, signed=signed)
    said = texts(figure)
    assert {"channel 3", "channel 4", "second fact", "it fires in no wrong image"} <= {*said}
    assert len(figure.pictures) == 2


@pytest.mark.parametrize("name", ["channel 3", LONG])
def test_bars_say_their_numbers(name):
    silenced = [
        SilencedChannels(name, 12, 1_234),
        SilencedChannels("random channel 5", 0, 0, control=True),
    ]
    said = texts(draw_ablation(silenced, title=name, legend="of 20 errors"))
    assert said.count("0") == 2
    assert {"12", "1,234", name} <= {*said}


def test_nothing_but_zeros_and_no_controls_are_drawn():
    texts(draw_ablation([SilencedChannels("channel 0", 0, 0)], title="a or b", legend=""))
