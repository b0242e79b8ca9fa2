"""What a person does to mark images on the page, for tests in a real browser."""

import json
from pathlib import Path

import pytest

from errlens.analysis.marks.files import IMAGE_COLUMNS, read_marks
from errlens.analysis.marks.mark import Mark, marks_tree
from errlens.commands.options.selecting import SelectOptions


def set_mark(page, row, verdict, label=None, remark=""):
    said = {"verdict": verdict, "label": label, "remark": remark}
    page.evaluate("([row, said]) => page.marks.set(row, said)", [row, said])


def mark_of(page, row):
    said = page.evaluate("row => page.marks.of(row)", row)
    return said and Mark(said["verdict"], said["label"], said["remark"])


def saved(page, name):
    """Save a file with its button, and return where it lies."""
    with page.expect_download() as download:
        page.locator(f"#marks button[data-save='{name}']").click()
    assert download.value.suggested_filename == name
    download.value.save_as(name)
    return Path(name)


def open_image(page, row):
    page.evaluate("row => { location.hash = `images?image=${row}` }", row)
    page.wait_for_selector(f"#lightbox[open] .mark-editor[data-image='{row}']")


def close(page):
    """Close the lightbox, and the images that were open before."""
    for _ in range(5):
        if not page.locator("#lightbox").is_visible():
            return
        page.keyboard.press("Escape")
        page.wait_for_timeout(100)
    pytest.fail("the lightbox does not close")


def read(path, run):
    """Read a file of marks as `--marks` does."""
    selection = SelectOptions().choose(run)
    return read_marks(path, selection.images, selection.among, run.info.run_hash)


def images_of(run):
    return run.read_predictions(IMAGE_COLUMNS)


def theirs(run, marks, name="anna.json", **changes):
    tree = marks_tree(marks, images_of(run).table, run.info.run_hash) | changes
    Path(name).write_text(json.dumps(tree), encoding="utf-8")
