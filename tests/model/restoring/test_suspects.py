from dataclasses import replace

import pytest

from errlens.data.photos.preprocess import Preprocessing
from errlens.model.restoring.suspects import usual_suspects

TIMM = Preprocessing(
    (224, 224), 0.875, "center", "bicubic", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
)
GREY = Preprocessing((28, 28), 1.0, "squash", "bilinear", (0.5,), (0.5,))


@pytest.mark.parametrize("used", [TIMM, GREY, replace(TIMM, bgr=True, img_size=(320, 320))])
def test_every_suspect_is_another_setting_and_says_what_it_changes(used):
    suspects = usual_suspects(used)
    assert len({one.preprocessing for one in suspects} | {used}) == len(suspects) + 1
    for changes, preprocessing in suspects:
        assert replace(used, **changes) == preprocessing


@pytest.mark.parametrize(
    "trained",
    [
        {"mean": (0.5,) * 3, "std": (0.5,) * 3},
        {"mean": (0.0,) * 3, "std": (1 / 255,) * 3},
        {"bgr": True},
        {"img_size": (128, 128)},
        {"crop_pct": 1.0},
        {"crop_mode": "squash", "crop_pct": 1.0},
        {"interpolation": "bilinear"},
    ],
)
def test_what_training_scripts_do_is_among_the_suspects(trained):
    assert replace(TIMM, **trained) in {one.preprocessing for one in usual_suspects(TIMM)}


def test_a_single_mistake_can_be_undone():
    for _, mistaken in usual_suspects(TIMM):
        if mistaken.crop_mode != "squash":
            assert TIMM in {one.preprocessing for one in usual_suspects(mistaken)}


def test_one_channel_has_no_colours_to_exchange():
    assert all({"mean", "bgr"}.isdisjoint(one.changes) for one in usual_suspects(GREY))


@pytest.mark.parametrize("used", [TIMM, replace(TIMM, exif=True, scale_16bit=True)])
def test_how_files_are_read_is_suspect_only_where_some_are_special(used):
    plain = usual_suspects(used)
    assert all({"exif", "scale_16bit"}.isdisjoint(suspect.changes) for suspect in plain)
    special = usual_suspects(used, turned=True, deep=True)
    assert [suspect.changes for suspect in special[:2]] == [
        {"exif": not used.exif},
        {"scale_16bit": not used.scale_16bit},
    ]
    assert special[2:] == plain
