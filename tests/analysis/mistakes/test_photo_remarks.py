import pytest

from errlens.analysis.mistakes.copies import Copies
from errlens.analysis.mistakes.photo_remarks import copy_remarks, photo_remarks
from errlens.data.photos.oddities import Oddities, Traits, count_oddities


def of(*traits: Traits) -> Oddities:
    return count_oddities([(f"{number}.png", one) for number, one in enumerate(traits)])


def test_ordinary_photos_need_no_word():
    assert photo_remarks(of(Traits(), Traits()), {}) == []
    assert copy_remarks(Copies(0, 0, [])) == []


@pytest.mark.parametrize(
    ("traits", "unscaled", "scaled"),
    [
        (Traits("I;16", 65_535), "above 255 is white; --scale-16bit brings", None),
        (Traits("I;16B", 20_000), "above 255 is white; --scale-16bit brings", None),
        (Traits("I;16", 4_095), "scaled they would be dark; export them", "scaled they are dark"),
        (Traits("I;16", 255), None, "scaled they are dark"),
        (Traits("I;16", 1), "black, or nearly", "scaled they are dark"),
        (Traits("I", 65_535), "above 255 is white", None),
        (Traits("F", 1.0), "they are black; --scale-16bit brings", None),
        (Traits("F", 1.05), "they are black; --scale-16bit brings", None),
        (Traits("F", 2.6), "black, or nearly", "scaled they are dark"),
        (Traits("F", 250.0), None, None),
        (Traits("I", 255), None, None),
        (Traits("I", 10), "black, or nearly", "scaled they are dark"),
        (Traits("F", None), "no number", "no number"),
    ],
)
def test_what_becomes_of_values_beyond_a_byte(traits, unscaled, scaled):
    for expected, preprocessing in ((unscaled, {}), (scaled, {"scale_16bit": True})):
        said = photo_remarks(of(traits), preprocessing)
        assert len(said) == (expected is not None)
        assert expected is None or expected in said[0]
        assert not said or "1 photo (0.png) is of more than 8 bits" in said[0]


def test_turned_photos_are_counted_unless_they_are_turned_back():
    turned = of(*[Traits(turned=True)] * 4, Traits())
    (said,) = photo_remarks(turned, {"exif": False})
    assert said.startswith("4 photos (0.png, 1.png, 2.png, ...) are to be turned")
    assert "--exif" in said
    assert photo_remarks(turned, {"exif": True}) == []


def test_photos_of_one_value_are_counted():
    (said,) = photo_remarks(of(Traits(single_valued=True)), {})
    assert said.startswith("1 photo (0.png) is of one single value")


def test_copies_are_counted_with_those_under_several_labels():
    places = [
        {"path": "cat/1.jpg", "label_name": "cat"},
        {"path": "dog/1.jpg", "label_name": "dog"},
    ]
    assert copy_remarks(Copies(1, 0, [places])) == [
        "1 image repeats another one byte by byte: the figures count it again",
        "1 photo stands under several labels, of which one can be right: "
        "cat/1.jpg (cat) = dog/1.jpg (dog)",
    ]
    said = copy_remarks(Copies(7, 2, [places, places]))
    assert "7 images repeat another one byte by byte (2 by a second row for one file)" in said[0]
    assert said[1].startswith("2 photos stand under several labels")
