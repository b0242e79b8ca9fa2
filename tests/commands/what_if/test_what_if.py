import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from errlens.cli import app


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run of three animals: cats are taken for dogs and dogs for cats, a fox for a cat."""
    monkeypatch.chdir(tmp_path)
    lines = ["path,label,pred,split"]
    for number, (label, pred) in enumerate(
        [("cat", "cat")] * 4 + [("cat", "dog")] * 2 + [("dog", "dog")] * 3 + [("dog", "cat")] * 2
        + [("fox", "fox")] * 3 + [("fox", "cat")]
    ):  # fmt: skip
        lines.append(f"{number}.png,{label},{pred},")
    (tmp_path / "table.csv").write_text("\n".join(lines))
    said = CliRunner().invoke(app, ["import", "table.csv", "-o", "run", "-q"])
    assert said.exit_code == 0, said.output
    return "run"


def what_if(*arguments):
    return CliRunner().invoke(app, ["what-if", *arguments])


def test_old_and_new_stand_side_by_side(run, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    said = what_if(run, "--merge", "cat+dog")
    assert said.exit_code == 0, said.output
    rows = {line.split("  ")[0]: line.split() for line in said.stdout.splitlines()}
    assert rows["top-1"][1:3] == ["66.7", "%"]
    assert "93.3" in rows["top-1"]
    assert rows["classes"][1:] == ["3", "2"]
    assert rows["images"][1:] == ["15", "15"]
    assert "counted for what their predicted class became part of" in " ".join(said.stderr.split())
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_changes_are_combined_and_told_as_json(run, tmp_path):
    (tmp_path / "rows.csv").write_text("row,label\n4,dog\n5,dog\n")
    (tmp_path / "more.csv").write_text("sample_id,label\n9.png,cat\n")
    said = what_if(run, "--drop", "fox", "--relabel", "rows.csv", "--relabel", "more.csv", "--json")
    tree = json.loads(said.stdout)
    assert (tree["left_out"], tree["relabelled"], tree["undecided"]) == (4, 3, 0)
    assert (tree["old"]["n"], tree["new"]["n"]) == (15, 11)
    assert tree["new"]["top1"]["value"] == pytest.approx(10 / 11)
    assert tree["new"]["classes"] == ["cat", "dog"]
    # With two classes nothing can be tested.
    assert (tree["old"]["n_mutual"], tree["new"]["n_mutual"]) == (0, None)


def test_gates_are_judged_as_they_would_be(run):
    gates = ["--fail-under", "top1=0.9", "--fail-under", "recall:cat+dog=0.99"]
    said = what_if(run, "--merge", "cat+dog", *gates, "--fail-over", "n=0")
    assert said.exit_code == 0, said.output  # nothing was checked in earnest
    assert [line.split()[:2] for line in said.stdout.splitlines()[-3:]] == [
        ["PASS", "top1"], ["PASS", "recall:cat+dog"], ["FAIL", "n"]
    ]  # fmt: skip
    found = json.loads(what_if(run, "--merge", "cat+dog", "--json", *gates).stdout)
    assert [one["passed"] for one in found["gates"]] == [True, True]
    said = what_if(run, "--merge", "cat+dog", "--fail-under", "recall:cat=0.5")
    assert said.exit_code == 2


def test_an_image_whose_class_was_dropped_is_undecided_and_said_so(run):
    said = what_if(run, "--drop", "cat", "--json")
    tree = json.loads(said.stdout)
    assert (tree["left_out"], tree["undecided"], tree["new"]["n"]) == (6, 3, 6)
    assert "3 images undecided" in said.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([], 2, "nothing is to be changed"),
        (["--merge", "cat+dgo"], 2, "did you mean dog"),
        (["--drop", "foxx"], 2, "did you mean fox"),
        (["--relabel", "nowhere.csv"], 3, "does not exist"),
        (["--relabel", "odd.csv"], 3, "did you mean cat"),
    ],
)
def test_what_cannot_be_done_ends_with_a_sentence(arguments, code, says, run, tmp_path):
    (tmp_path / "odd.csv").write_text("row,label\n1,cta\n")
    said = what_if(run, *arguments)
    assert said.exit_code == code, said.output
    assert says in said.stderr


def test_it_never_imports_torch(run):
    code = (
        "import sys\nfrom errlens.cli import app\n"
        f"try: app(['what-if', {run!r}, '--merge', 'cat+dog'])\n"
        "except SystemExit as end: assert not end.code\n"
        "assert not {'torch', 'timm', 'matplotlib', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_a_list_says_which_classes_are_left(run, tmp_path):
    (tmp_path / "some.txt").write_text("cat\ndog\n")
    trees = [
        json.loads(what_if(run, *options, "--json").stdout)
        for options in (["--only", "some.txt"], ["--only", "cat", "--only", "dog"],
                        ["--drop", "fox"])
    ]  # fmt: skip
    assert trees[0] == trees[1] == trees[2]
    assert trees[0]["new"]["classes"] == ["cat", "dog"]
    assert "2 of 3 classes are left" in what_if(run, "--only", "some.txt").stderr


def test_a_list_of_other_classes_is_bad_input(run, tmp_path):
    (tmp_path / "some.txt").write_text("cat\ndig\n")
    said = what_if(run, "--only", "some.txt")
    assert said.exit_code == 3
    assert "did you mean dog?" in said.stderr
    assert what_if(run, "--only", "gone.txt").exit_code == 3


def test_worst_csv_with_a_changed_label_mends_it_and_as_it_is_changes_nothing(run, tmp_path):
    assert CliRunner().invoke(app, ["misclassified", run, "-q"]).exit_code == 0
    worst = tmp_path / "run" / "misclassified" / "worst.csv"
    said = what_if(run, "--relabel", str(worst), "--json")
    assert json.loads(said.stdout)["relabelled"] == 0
    assert "no label is changed" in said.stderr
    lines = worst.read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if '"cat","dog"' in line)
    lines[at] = lines[at].replace('"cat","dog"', '"dog","dog"')
    (tmp_path / "mended.csv").write_text("\n".join(lines).replace(",", ";"))
    tree = json.loads(what_if(run, "--relabel", "mended.csv", "--json").stdout)
    assert tree["relabelled"] == 1
    assert tree["new"]["top1"]["value"] == pytest.approx(11 / 15)


def test_rows_without_a_right_label_are_counted(run, tmp_path):
    head = "row,sample_id,path,label_name,label,verdict,remark\n"
    (tmp_path / "labels.csv").write_text(
        f"{head}4,4.png,4.png,cat,dog,wrong label,\n5,5.png,5.png,cat,,wrong label,blurred\n"
    )
    (tmp_path / "more.csv").write_text("row,label\n9,\n10,cat\n11,\n")
    said = what_if(run, "--relabel", "labels.csv")
    assert said.exit_code == 0, said.output
    assert "1 row without a label passed over" in said.stderr
    said = what_if(run, "--relabel", "labels.csv", "--relabel", "more.csv")
    assert "3 rows without a label passed over" in said.stderr
    (tmp_path / "worst.csv").write_text("row,label_name\n4,dog\n5,cat\n")
    assert "passed over" not in what_if(run, "--relabel", "worst.csv").stderr
