from dataclasses import replace

import pytest

from errlens.data.photos.preprocess import Preprocessing
from errlens.model.restoring.candidates import candidate_settings

TIMM = Preprocessing(
    (224, 224), 0.875, "center", "bicubic", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
)
GREY = Preprocessing((28, 28), 1.0, "squash", "bilinear", (0.5,), (0.5,))


@pytest.mark.parametrize("used", [TIMM, GREY, replace(TIMM, bgr=True, img_size=(320, 320))])
def test_every_candidate_is_another_setting_and_says_what_it_changes(used):
    candidates = candidate_settings(used)
    assert (
        len({candidate.preprocessing for candidate in candidates} | {used}) == len(candidates) + 1
    )
    for changes, preprocessing in candidates:
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
def test_what_training_scripts_do_is_among_the_candidates(trained):
    assert replace(TIMM, **trained) in {
        candidate.preprocessing for candidate in candidate_settings(TIMM)
    }


def test_a_single_mistake_can_be_undone():
    for _, mistaken in candidate_settings(TIMM):
        if mistaken.crop_mode != "squash":
            assert TIMM in {candidate.preprocessing for candidate in candidate_settings(mistaken)}


def test_one_channel_has_no_colours_to_exchange():
    assert all(
        {"mean", "bgr"}.isdisjoint(candidate.changes) for candidate in candidate_settings(GREY)
    )


@pytest.mark.parametrize("used", [TIMM, replace(TIMM, exif=True, scale_16bit=True)])
def test_how_files_are_read_is_a_candidate_only_where_some_are_special(used):
    plain = candidate_settings(used)
    assert all({"exif", "scale_16bit"}.isdisjoint(candidate.changes) for candidate in plain)
    special = candidate_settings(used, turned=True, deep=True)
    assert [candidate.changes for candidate in special[:2]] == [
        {"exif": not used.exif},
        {"scale_16bit": not used.scale_16bit},
    ]
    assert special[2:] == plain
