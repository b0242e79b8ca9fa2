"""Which image of one run is which of another."""

from pathlib import Path

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from errlens.analysis.pairing import MATCHED, matched, outcomes
from errlens.cli import app
from errlens.run import open_run


def images(*rows):
    """Make a table of (sample_id, content, label, pred)."""
    columns = ["sample_id", "content_hash", "label_name", "pred_name"]
    frame = pd.DataFrame(rows, columns=columns).astype({"content_hash": "object"})
    frame.insert(0, "row", range(len(frame)))
    return frame.assign(correct=frame["label_name"] == frame["pred_name"])


def test_images_are_matched_by_name_whatever_their_order():
    old = images(("a", b"1", "cat", "dog"), ("b", b"2", "dog", "dog"))
    new = images(("b", b"9", "dog", "cat"), ("a", b"8", "cat", "cat"), ("c", b"7", "cat", "cat"))
    found = matched(old, new)
    assert list(found) == list(MATCHED)
    assert found["sample_id"].tolist() == ["b", "a"]
    assert found["row"].tolist() == [0, 1]
    assert found["old"].tolist() == [True, False]
    assert found["new"].tolist() == [False, True]
    assert found["old_pred"].tolist() == ["dog", "dog"]


def test_renamed_images_are_matched_by_content_that_no_other_has():
    old = images(
        ("x/a", b"1", "cat", "cat"), ("x/b", b"2", "cat", "cat"), ("x/c", b"2", "cat", "dog"),
        ("x/d", None, "cat", "cat"),
    )  # fmt: skip
    new = images(
        ("y/a", b"1", "cat", "dog"), ("y/b", b"2", "cat", "cat"), ("y/d", None, "cat", "cat")
    )
    found = matched(old, new)
    assert found["sample_id"].tolist() == ["y/a"]
    assert found["new_pred"].tolist() == ["dog"]


def test_images_whose_labels_differ_are_no_comparison():
    old, new = images(("a", b"1", "cat", "cat")), images(("a", b"1", "dog", "cat"))
    assert not len(matched(old, new))


@given(st.sets(st.integers(0, 50)), st.sets(st.integers(0, 50)))
def test_as_many_are_matched_as_both_have(old, new):
    def made(ids):
        rows = [(f"{one}.png", str(one).encode(), "cat", "cat") for one in sorted(ids)]
        return images(*rows)

    found = matched(made(old), made(new))
    assert set(found["sample_id"]) == {f"{one}.png" for one in old & new}
    assert found["row"].is_monotonic_increasing


def test_only_images_that_count_have_an_outcome(photos, tiny):
    (photos / "red/broken.png").write_bytes(b"no photo")
    options = ["--model", tiny, "--img-size", "8", "-o", "run", "--max-bad", "1", "-q"]
    assert CliRunner().invoke(app, ["evaluate", str(photos), *options]).exit_code == 0
    run = open_run(Path("run"))
    found = outcomes(run)
    frame = run.predictions.frame
    counts = (frame["status"] == "ok") & frame["label"].notna()
    assert found["row"].tolist() == frame.loc[counts, "row"].tolist()
    assert found["correct"].tolist() == frame.loc[counts, "correct"].tolist()
    assert matched(found, found)["old"].tolist() == found["correct"].tolist()
