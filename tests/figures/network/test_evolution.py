"""The sheet of channels over a training."""

import numpy as np

from errlens.figures.network.evolution import Moment, Row, draw_evolution
from errlens.figures.paper.writing import Writing

PHOTO = np.zeros((8, 8, 3), np.uint8)


def test_a_class_whose_name_is_too_long_loses_its_middle_and_not_its_end():
    moments = [
        Moment(PHOTO, PHOTO, ("6.0000", name), jump=False)
        for name in ("english_cocker_spaniel_of_the_north", "english_cocker_spaniel_of_the_south")
    ]
    figure = draw_evolution(
        [Row("channel 3", moments)], ["epoch1", "epoch2"], title="bn2", legend="as it is"
    )
    said = "\n".join(text for drawn in figure.findobj(Writing) for text in drawn.texts)
    assert "…" in said
    assert "north" in said
    assert "south" in said
    assert "english" in said
