import pyarrow as pa

from errlens.analysis.mistakes.copies import find_copies
from errlens.predictions.table import SCHEMA


def table(*rows):
    names = ("path", "status", "label_name", "content_hash")
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    return pa.table(
        {
            name: pa.array(
                [one and one.encode().ljust(16) for one in columns[name]]
                if name == "content_hash"
                else columns[name],
                pa.binary(16) if name == "content_hash" else pa.string(),
            ).cast(SCHEMA.field(name).type)
            for name in names
        }
    )


def test_copies_are_told_by_their_hash_and_contradict_one_another_by_their_labels():
    found = find_copies(
        table(
            ("cat/1.jpg", "ok", "cat", "x"),
            ("cat/2.jpg", "ok", "cat", "y"),
            ("cat/3.jpg", "ok", "cat", "x"),
            ("dog/1.jpg", "ok", "dog", "x"),
            ("dog/2.jpg", "ok", "dog", "z"),
            ("dog/3.jpg", "ok", "dog", "z"),
        )
    )
    assert (found.n_repeated, found.n_listed) == (3, 0)
    assert [[place["path"] for place in places] for places in found.contradictions] == [
        ["cat/1.jpg", "cat/3.jpg", "dog/1.jpg"]
    ]


def test_a_file_listed_twice_is_told_from_a_copy():
    rows = [("a.jpg", "ok", "cat", "x"), ("a.jpg", "ok", "cat", "x"), ("b.jpg", "ok", "cat", "x")]
    assert find_copies(table(*rows))[:2] == (2, 1)


def test_a_photo_without_a_label_contradicts_nothing_and_an_unknown_label_does():
    assert (
        find_copies(table(("a.jpg", "ok", "cat", "x"), ("b.jpg", "ok", None, "x"))).contradictions
        == []
    )
    found = find_copies(table(("a.jpg", "ok", "cat", "x"), ("b.jpg", "label_unknown", "cow", "x")))
    assert len(found.contradictions) == 1


def test_files_that_are_no_images_and_rows_without_a_file_repeat_nothing():
    rows = [
        ("a.jpg", "unreadable", "cat", "empty"),
        ("b.jpg", "unreadable", "dog", "empty"),
        ("c.jpg", "ok", "cat", None),
        ("d.jpg", "ok", "dog", None),
    ]
    assert find_copies(table(*rows)) == (0, 0, [])
