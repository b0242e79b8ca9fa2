import json

from errlens.data.photos.oddities import Oddities, PhotoCount, Traits, count_oddities, total

PHOTOS = [
    ("a.jpg", Traits()),
    ("b.png", Traits("I;16", 65_000.0)),
    ("c.jpg", Traits(turned=True)),
    ("d.tif", Traits("F", 1.0, single_valued=True)),
    ("e.png", Traits("I;16", 900.0)),
    *((f"{number}.jpg", Traits(turned=True)) for number in range(5)),
]


def test_each_kind_is_counted_with_its_first_examples():
    found = count_oddities(PHOTOS)
    assert found.deep == {
        "F": PhotoCount(1, ("d.tif",), 1),
        "I;16": PhotoCount(2, ("b.png", "e.png"), 65_000),
    }
    assert found.turned == PhotoCount(6, ("c.jpg", "0.jpg", "1.jpg"))
    assert found.single_valued == PhotoCount(1, ("d.tif",))


def test_parts_add_up_to_the_whole_however_they_are_cut():
    whole = count_oddities(PHOTOS)
    for cut in range(len(PHOTOS) + 1):
        assert total([count_oddities(PHOTOS[:cut]), count_oddities(PHOTOS[cut:])]) == whole
    assert total([]) == count_oddities([("a.jpg", Traits())]) == Oddities()


def test_what_is_written_is_read_and_an_older_run_has_nothing():
    found = count_oddities(PHOTOS)
    assert Oddities.from_dict(json.loads(json.dumps(found.as_dict()))) == found
    assert Oddities.from_dict({}) == Oddities()
