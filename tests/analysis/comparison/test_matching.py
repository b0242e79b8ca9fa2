"""Which image of one run is which of another."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from errlens.analysis.comparison.matching import (
    MATCHED,
    matched,
    other_files,
    outcomes,
    read_baseline,
    relabelled,
)
from errlens.cli import app
from errlens.errors import MissingInput, NotARun, UnfitBaseline
from errlens.run.folder import open_run
from tests.analysis.comparison.outcomes import outcome


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


def test_a_baseline_is_a_run_or_its_file_and_holds_what_counts(photos, tiny):
    (photos / "red/broken.png").write_bytes(b"no photo")
    options = ["--model", tiny, "--img-size", "8", "-o", "run", "--max-bad", "1", "-q"]
    assert CliRunner().invoke(app, ["evaluate", str(photos), *options]).exit_code == 0
    of_run = read_baseline(Path("run"))
    of_file = read_baseline(Path("run/baseline.parquet"))
    assert len(of_run) == 12
    pd.testing.assert_frame_equal(of_run, of_file, check_dtype=False)
    here = outcomes(open_run(Path("run")))
    for one in (of_run, of_file):
        assert matched(one, here)["sample_id"].tolist() == here["sample_id"].tolist()


def test_what_is_no_baseline_is_refused(tmp_path):
    with pytest.raises(MissingInput, match="baseline"):
        read_baseline(tmp_path / "nothing")
    with pytest.raises(NotARun):
        read_baseline(tmp_path)
    (tmp_path / "text.parquet").write_text("no table")
    with pytest.raises(UnfitBaseline, match=r"no baseline\.parquet"):
        read_baseline(tmp_path / "text.parquet")
    images(("a", b"1", "cat", "cat")).drop(columns="correct").to_parquet(tmp_path / "less.parquet")
    with pytest.raises(UnfitBaseline, match=r"no baseline\.parquet"):
        read_baseline(tmp_path / "less.parquet")


def test_what_has_another_label_or_another_file_is_counted():
    old, new = outcome([0, 1, 2], [0, 1, 2]), outcome([0, 1, 3], [0, 1, 2], content="d")
    assert relabelled(old, new) == 1
    assert other_files(old, new) == 3
    assert relabelled(old, old) == other_files(old, old) == 0
    assert other_files(old.assign(content_hash=None), new) == 0
