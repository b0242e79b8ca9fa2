from pathlib import Path

import pytest

from errlens.data.photos.images import Unread
from errlens.report.images.pictures import Pictures
from tests.conftest import call
from tests.report.pages import fake_explanations, make


@pytest.mark.parametrize("name", ["../outside.png", "../../outside.png", "/outside.png"])
def test_a_picture_of_another_place_is_refused(name):
    fake_explanations(make(), more=[name])
    said = call("report run")
    assert said.exit_code == 3
    assert "leads out of 'run/explain'" in said.stderr
    assert not Path("run/report.html").exists()


def test_a_picture_has_a_place_as_long_as_there_is_room():
    pictures = Pictures(100)
    pictures.add("0", b"x" * 30)
    pictures.add("1", b"x" * 30)
    pictures.add("2", Unread("missing", "no such file"))
    assert list(pictures.uris) == ["0"]
    assert pictures.absent == {"1": "left out: the page is full", "2": "no such file"}
