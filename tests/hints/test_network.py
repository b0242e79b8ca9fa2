"""Hints of the commands that look inside a network."""

import pytest

from tests.hints.walking import IN_PHOTOS, Row, Walk

pytestmark = IN_PHOTOS

ROWS = [
    Row(
        "commands.network.subject.SubjectOptions.find_subject:hint",
        "network layers test_vit --model test_resnet -q",
        "leave one of them out",
        "network layers test_vit -q",
    ),
    Row(
        "commands.network.subject.SubjectOptions._of_run:hint",
        "network layers seen --img-size 32 -q",
        "leave that out",
        "network layers seen -q",
    ),
    Row(
        "commands.network.filters.command._subjects:hint",
        "network filters seen seen -q",
        "leave the second out",
        "network filters seen -q",
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_is_proposed_works(row, walk: Walk):
    row.follow(walk)
