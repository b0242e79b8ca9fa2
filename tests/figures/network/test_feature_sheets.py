"""Sheets of what channels answer to: what lies where on them."""

import numpy as np
import pytest

from errlens.figures.network.feature_sheets import PALE, TILE, Block, Section, draw_feature_sheet
from errlens.figures.paper.writing import Writing


def plain(colour, side=20):
    return np.full((side, side, 3), colour, np.uint8)


def pixels(figure):
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[:, :, :3]


def said(figure):
    writings = [each for each in figure.axes[0].collections if isinstance(each, Writing)]
    return [text for writing in writings for text in writing.texts]


def sheet(blocks, top=4, heading=""):
    return draw_feature_sheet([Section(heading, blocks)], title="Title", legend="How", top=top)


def test_projections_are_at_the_left_and_patches_at_the_right_each_in_its_place():
    photos = [plain((200, n, 0)) for n in range(4)]
    projections = [plain((0, n, 200)) for n in range(4)]
    figure = sheet([Block("channel 3", ["cat 4"], photos, projections)])
    ((left, top, right, bottom),) = figure.pictures
    drawn = pixels(figure)[top:bottom, left:right]
    assert drawn.shape[0] == 2 * TILE + 2
    centres = [TILE // 2, TILE + 2 + TILE // 2]
    half = 2 * TILE + 2 + 8
    for number in range(4):
        down, across = centres[number // 2], centres[number % 2]
        assert drawn[down, across].tolist() == [0, number, 200]
        assert drawn[down, half + across].tolist() == [200, number, 0]
    assert said(figure) == ["channel 3", "cat 4"]


def test_fewer_patches_leave_pale_places_and_none_at_all_a_reason():
    few = sheet([Block("a", [], [plain(10)] * 3)])
    ((left, top, right, bottom),) = few.pictures
    drawn = pixels(few)[top:bottom, left:right]
    assert drawn[-TILE // 2, -TILE // 2].tolist() == [PALE] * 3
    none = sheet([Block("a", [], [], why_none="never above zero in 12 images")])
    assert " ".join(said(none)).endswith("never above zero in 12 images")
    assert not none.pictures


@pytest.mark.parametrize("shape", [(3, 3), (7, 20), (300, 100)])
def test_patches_of_any_shape_keep_it_inside_of_a_tile(shape):
    figure = sheet([Block("a", [], [np.zeros((*shape, 3), np.uint8)])], top=1)
    ((left, top, right, bottom),) = figure.pictures
    black = (pixels(figure)[top:bottom, left:right] < 30).all(axis=2)
    rows, columns = black.any(axis=1).sum(), black.any(axis=0).sum()
    assert max(rows, columns) == TILE
    assert rows / columns == pytest.approx(shape[0] / shape[1], rel=0.1)


def test_many_channels_go_on_in_further_lines_and_sections_stand_below_each_other():
    blocks = [Block(f"channel {n}", [], [plain(9)] * 9, [plain(9)] * 9) for n in range(10)]
    figure = draw_feature_sheet(
        [Section("layer1", blocks), Section("layer2", blocks[:1])], title="T", legend="", top=9
    )
    lefts = [place[0] for place in figure.pictures]
    tops = [place[1] for place in figure.pictures]
    assert len(figure.pictures) == 11
    assert len({*tops[:10]}) == 3
    assert tops[10] > max(tops[:10])
    assert lefts[10] == lefts[0]
    assert pixels(figure).shape[1] <= 1600


def test_names_that_no_font_has_are_escaped():
    assert said(sheet([Block("a", ["two\nlines"], [plain(1)])])) == ["a", "two\\nlines"]
