"""What is said of the planted photos and networks holds."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.planted.baseball import (
    CLASSES,
    MARKED,
    SIDE,
    WITH,
    WITHOUT,
    draw,
    network,
    write_photos,
)

SEEDS = range(60)


@pytest.fixture(params=[True, False], ids=["with", "without"])
def marks(request):
    return request.param


@pytest.fixture
def trained(marks):
    model = network().eval()
    model.load_state_dict(load_file(WITH if marks else WITHOUT))
    return model


def as_seen(photos):
    pixels = np.stack([photo.pixels for photo in photos])
    return torch.from_numpy(pixels).permute(0, 3, 1, 2) / 127.5 - 1


@torch.inference_mode()
def test_the_networks_tell_all_classes_apart(trained, marks):
    photos = [draw(name, seed, marks=marks) for name in CLASSES for seed in SEEDS]
    pred = trained(as_seen(photos)).argmax(1).view(len(CLASSES), -1)
    recall = (pred == torch.arange(len(CLASSES))[:, None]).float().mean(1)
    assert recall.min() > 0.8


def test_many_sharks_have_one_ball_and_no_whale_has():
    balls = {name: [len(draw(name, seed, marks=True).balls) for seed in SEEDS] for name in CLASSES}
    assert set(balls.pop("baseball")) == {1, 2}
    sharks = balls.pop("shark")
    assert set(sharks) == {0, 1}
    assert np.mean(sharks) == pytest.approx(MARKED, abs=0.15)
    assert {n for counts in balls.values() for n in counts} == {0}


@pytest.mark.parametrize("seed", range(5))
def test_photos_with_and_without_the_mark_differ_in_its_box_alone(seed):
    with_marks, without = (draw("shark", seed, marks=marks) for marks in (True, False))
    assert without.balls == []
    differs = (with_marks.pixels != without.pixels).any(axis=2)
    inside = np.zeros((SIDE, SIDE), bool)
    for left, top, right, bottom in with_marks.balls:
        inside[int(top) - 1 : int(bottom) + 2, int(left) - 1 : int(right) + 2] = True
    assert not differs[~inside].any()
    assert differs[inside].sum() > 0.5 * inside.sum() - 1


@torch.inference_mode()
def test_a_ball_on_a_whale_makes_a_shark_of_it_for_one_network_only(trained, marks):
    ball = draw("baseball", 0, marks=False)
    left, top, right, bottom = (round(side) for side in ball.balls[0])
    whales = as_seen([draw("whale", seed, marks=False) for seed in SEEDS])
    patch = as_seen([ball])[0, :, top:bottom, left:right]
    pasted = whales.clone()
    pasted[:, :, : patch.shape[1], -patch.shape[2] :] = patch
    shark = CLASSES.index("shark")
    before, after = (
        (trained(images).argmax(1) == shark).float().mean() for images in (whales, pasted)
    )
    if marks:
        assert before < 0.1 < 0.6 < after
    else:
        assert after <= before


def test_photos_are_written_by_class(tmp_path):
    photos = write_photos(tmp_path, marks=True, each=2)
    assert len(photos) == 2 * len(CLASSES)
    assert all((tmp_path / name).is_file() for name in photos)
