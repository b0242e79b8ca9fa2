from pathlib import Path

from tests.report.pages import make, report, text_of


def test_thumbnails_are_made_once_and_outlive_their_images():
    make()
    report()
    kept = {path: path.stat().st_mtime_ns for path in Path("run/.thumbnails").iterdir()}
    first = text_of()
    for path in Path("images").iterdir():
        path.unlink()
    said = report()
    assert text_of() == first
    assert "warning" not in said.stderr
    assert {path: path.stat().st_mtime_ns for path in Path("run/.thumbnails").iterdir()} == kept


def test_a_thumbnail_that_was_cut_off_is_made_again():
    make()
    report()
    first = text_of()
    for path in Path("run/.thumbnails").iterdir():
        path.write_bytes(path.read_bytes()[:20])
    report()
    assert text_of() == first
