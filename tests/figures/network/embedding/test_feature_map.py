import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errlens.figures.network.embedding.feature_map import COLOURS, Map, draw_map
from errlens.figures.network.embedding.photo_map import FRAME, SIDE, draw_photo_map, with_room


def drawn(figure) -> np.ndarray:
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[:, :, :3]


def rgb(text: str) -> tuple[int, ...]:
    return tuple(int(text[at : at + 2], 16) for at in (1, 3, 5))


def test_errors_are_crosses_in_the_colour_of_their_label():
    places = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 0.5]])
    of = Map(places, np.array([0, 1, -1]), ["cat", "dog"], np.array([False, True, False]))
    figure = draw_map(of, title="3 images", legend="how to read it")
    pixels = drawn(figure).reshape(-1, 3)
    assert (pixels == rgb(COLOURS[1])).all(axis=1).sum() > 50
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert {"cat", "dog", "other classes", "an error"} <= {*texts}


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_an_outline_holds_most_of_a_group_and_none_of_what_is_far(scale):
    rng = np.random.default_rng(0)
    places = scale * np.concatenate([rng.normal(size=(80, 2)), rng.normal(20.0, size=(20, 2))])
    members = np.arange(100) < 80
    of = Map(places, np.zeros(100, int), ["a"], np.zeros(100, bool), [("a ~ b", members)])
    figure = draw_map(of, title="", legend="")
    (outline,) = [one for one in figure.axes[1].collections if hasattr(one, "levels")]
    inside = outline.get_paths()[0].contains_points(places)
    assert 0.7 <= inside[:80].mean() <= 0.95
    assert not inside[80:].any()


def test_a_group_in_one_place_or_of_few_images_draws_without_an_outline_or_a_warning():
    places = np.zeros((9, 2))
    places[8] = 1.0
    groups = [("few", np.arange(9) < 3), ("one place", np.arange(9) < 8)]
    draw_map(Map(places, np.zeros(9, int), ["a"], places[:, 0] > 2, groups), title="", legend="")


@settings(max_examples=12)
@given(st.integers(2, 80), st.integers(0, 50))
def test_photos_never_cover_one_another_and_the_first_is_always_shown(n, seed):
    rng = np.random.default_rng(seed)
    places = rng.normal(size=(n, 2))
    order = rng.permutation(n)
    chosen = with_room(places, order)
    assert chosen[0] == order[0]
    photo = np.zeros((40, 60, 3), np.uint8)
    figure = draw_photo_map(
        places, {int(at): (photo, "right") for at in chosen[:5]}, title="", legend=""
    )
    boxes = figure.pictures
    for at, (left, top, right, bottom) in enumerate(boxes):
        assert max(right - left, bottom - top) <= SIDE
        for other_left, other_top, other_right, other_bottom in boxes[:at]:
            apart = right <= other_left or other_right <= left
            assert apart or bottom <= other_top or other_bottom <= top


def test_photos_stand_at_their_places_in_a_frame():
    places = np.array([[0.0, 0.0], [1.0, 1.0]])
    photo = np.full((66, 66, 3), 200, np.uint8)
    figure = draw_photo_map(places, {1: (photo, "wrong")}, title="", legend="")
    ((left, top, right, bottom),) = figure.pictures
    pixels = drawn(figure)
    assert left > figure.bbox.width / 2
    assert top < figure.bbox.height / 2
    assert tuple(pixels[top + 1, left + 1]) == (213, 94, 0)
    assert (pixels[top + FRAME : bottom - FRAME, left + FRAME : right - FRAME] == 200).all()
