import json
from http import HTTPStatus
from threading import Thread

import pytest

from errlens.analysis.marks.files import IMAGE_COLUMNS, read_run_marks
from errlens.errors import BadMarks
from errlens.serving.answers import Refused
from errlens.serving.marks import RunMarks
from tests.report.pages import make

WRONG = {"verdict": "wrong label", "label": "dog", "remark": "a dog, surely"}
ODD = {"verdict": "bad image", "label": None, "remark": "\u202e<script>\n'"}


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return make(images=False)


@pytest.fixture
def images(run):
    return run.read_predictions(IMAGE_COLUMNS)


@pytest.fixture
def marks(run, images):
    return RunMarks(run, images)


def write(marks, changes):
    return marks.write(json.dumps({"changes": changes}).encode())


def kept(marks):
    return json.loads(marks.read().content)


def test_marks_are_kept_in_the_run_and_taken_back(run, images, marks):
    assert kept(marks) == {}
    assert not run.marks_file.exists()
    write(marks, [[3, WRONG], [40, ODD]])
    assert kept(marks) == {"3": WRONG, "40": ODD}
    assert marks.verdicts().by_row == {3: "wrong label", 40: "bad image"}
    before = marks.verdicts().version
    # Another program reads the same, and so does the next call.
    assert {row: mark._asdict() for row, mark in read_run_marks(run, images).items()} == {
        3: WRONG,
        40: ODD,
    }
    assert kept(RunMarks(run, images)) == kept(marks)
    write(marks, [[3, None], [5, {"verdict": "ambiguous"}]])
    assert {*kept(marks)} == {"5", "40"}
    assert marks.verdicts().version > before
    assert marks.count() == 2


def test_two_pages_do_not_undo_each_other(run, images, marks):
    threads = [
        Thread(target=write, args=(marks, [[row, {"verdict": "interesting"}]])) for row in range(30)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {*read_run_marks(run, images)} == {*range(30)}
    assert [path.name for path in run.path.iterdir() if path.name.endswith(".tmp")] == []


@pytest.mark.parametrize(
    "changes",
    [
        None, {}, 3, "x", [[1]], [[1, 2]], [["1", WRONG]], [[1.5, WRONG]], [[True, WRONG]],
        [[1, {}]], [[1, {"verdict": 3}]], [[1, {"verdict": "wrong label", "remark": 3}]],
    ],
)  # fmt: skip
def test_what_is_no_change_is_refused_and_changes_nothing(run, marks, changes):
    with pytest.raises(Refused) as caught:
        marks.write(json.dumps(changes if changes == {} else {"changes": changes}).encode())
    assert caught.value.status == HTTPStatus.BAD_REQUEST
    assert not run.marks_file.exists()


@pytest.mark.parametrize("body", [b"", b"\xff", b"{", b"[" * 100_000, b'{"changes": NaN}', b"null"])
def test_what_is_no_json_is_refused(run, marks, body):
    with pytest.raises(Refused) as caught:
        marks.write(body)
    assert caught.value.status == HTTPStatus.BAD_REQUEST
    assert not run.marks_file.exists()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ([48, WRONG], "the last row of the run is 47"),
        ([-1, WRONG], "the last row of the run is 47"),
        ([10**30, WRONG], "the last row of the run is 47"),
        ([1, {**WRONG, "verdict": "good"}], "no verdict 'good'"),
        ([1, {**WRONG, "label": "zebra"}], "'zebra' is no class"),
        ([1, {**WRONG, "remark": "x" * 2001}], "2,001 characters"),
    ],
)
def test_marks_that_do_not_fit_the_run_are_refused(run, marks, change, why):
    with pytest.raises(Refused, match=why) as caught:
        write(marks, [[2, WRONG], change])
    assert caught.value.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert kept(marks) == {}
    assert not run.marks_file.exists()


def test_nothing_is_written_through_a_link(run, marks, tmp_path):
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_text("{}")
    run.marks_file.symlink_to(elsewhere)
    with pytest.raises(Refused, match="leads out"):
        write(marks, [[3, WRONG]])
    assert elsewhere.read_text() == "{}"


def test_a_folder_that_cannot_be_written_to_is_said(run, marks):
    run.marks_file.mkdir()
    with pytest.raises(Refused, match=r"marks\.json"):
        write(marks, [[3, WRONG]])
    run.marks_file.rmdir()
    assert kept(marks) == {}


def test_two_programs_do_not_undo_each_other(run, images, marks):
    other = RunMarks(run, images)
    threads = [
        Thread(target=write, args=(program, [[row, {"verdict": "interesting"}]]))
        for row in range(20)
        for program in [(marks, other)[row % 2]]
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {*read_run_marks(run, images)} == {*range(20)}
    assert marks.count() == other.count() == 20
    assert [path.name for path in run.path.iterdir() if path.name.startswith(".marks")] == []


def test_of_one_image_the_newest_change_counts_whoever_made_it(run, images, marks):
    other = RunMarks(run, images)
    write(marks, [[3, WRONG], [4, WRONG]])
    answer = write(other, [[3, ODD], [4, None]])
    assert json.loads(answer.content) == {"3": ODD}
    assert kept(marks) == {"3": ODD}
    before = marks.verdicts()
    assert before.by_row == {3: "bad image"}
    run.marks_file.unlink()  # a person did
    assert kept(marks) == {}
    assert marks.verdicts().version > before.version
    assert json.loads(write(marks, [[5, ODD]]).content) == {"5": ODD}


def test_a_file_that_is_damaged_meanwhile_is_not_written_over(run, marks):
    write(marks, [[3, WRONG]])
    run.marks_file.write_text("{")
    for ask in (marks.read, marks.verdicts, lambda: write(marks, [[4, ODD]])):
        with pytest.raises(Refused, match="cannot be read as JSON"):
            ask()
    with pytest.raises(BadMarks):
        marks.count()
    assert run.marks_file.read_text() == "{"


def test_a_damaged_file_is_no_reason_to_begin_anew(run, images):
    run.marks_file.write_text("{")
    with pytest.raises(BadMarks):
        RunMarks(run, images)
