from errlens.data.photos.images import Unread
from errlens.report.images.pictures import Pictures
from errlens.report.thumbnails import Shown


def test_a_picture_has_a_place_as_long_as_there_is_room():
    pictures = Pictures(130)
    assert pictures.add("0", b"x" * 30)
    assert not pictures.is_full
    assert not pictures.add("1", b"x" * 30)
    pictures.add("2", Unread("missing", "no such file"))
    assert list(pictures.uris) == ["0"]
    assert pictures.absent == {"2": "no such file"}
    assert pictures.missing == ["2"]
    assert pictures.is_full


def test_large_pictures_have_no_more_than_their_share():
    pictures = Pictures(100_000)
    pictures.for_large = 3_000
    for row in range(4):
        pictures.add_photo(row, Shown(b"x" * 10, b"x" * 900), besides=0)
    assert list(pictures.uris) == ["0", "0@", "1", "1@", "2", "3"]
    assert pictures.rows == [0, 1, 2, 3]


def test_what_is_said_of_an_image_takes_room_too():
    pictures = Pictures(1_000)
    assert not pictures.add("0", b"x", besides=1_000)
    assert pictures.add("0", b"x", besides=900)
