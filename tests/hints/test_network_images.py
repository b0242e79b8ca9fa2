"""Hints about the images that commands about a network are given."""

import pytest

from tests.hints.walking import IN_PHOTOS, Row, Walk

pytestmark = IN_PHOTOS
PHOTO = "photos/red/3.png"
OWN = "commands.network.images"

ROWS = [
    Row(
        f"{OWN}.model_and_images:hint",
        "network activations --model tiny:spatial",
        "errlens network activations IMAGE... --model NAME",
        "{} -o new",
        fill={"IMAGE...": PHOTO, "NAME": "tiny:spatial"},
    ),
    Row(
        f"{OWN}._run_given:hint",
        f"network activations {PHOTO}",
        f"errlens network activations {PHOTO} --model NAME",
        "{} -o new",
        fill={"NAME": "tiny:spatial"},
    ),
    Row(
        f"{OWN}._run_given:hint2",
        "network activations seen -q --mean 0.5 0.5 0.5",
        "leave that out",
        "network activations seen -q",
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_is_proposed_works(row, walk: Walk):
    row.follow(walk)
