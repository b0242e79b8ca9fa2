"""`errlens compare` and the selectors of what changed, on runs imported from small tables."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from errlens.cli import app
from errlens.run.csv_tables import read_csv
from tests.conftest import call, contents, ends, make_run, refused

CLASSES = ("cat", "lion", "dog", "wolf")
LABEL = ["cat"] * 6 + ["lion"] * 6 + ["dog"] * 6
OLD = ["cat", "cat", "lion", "lion", "cat", "dog"] + ["lion"] * 5 + ["cat"] + ["dog"] * 6
NEW = ["cat", "lion", "cat", "dog", "cat", "dog"] + ["lion"] * 6 + ["dog"] * 4 + ["wolf", "cat"]
FIXED, BROKEN = {2, 11}, {1, 16, 17}


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def make(out, pred, label=LABEL, *, classes=CLASSES, paths=None, prob=True, images=False):
    """Import a table in which later rows are less certain of what they say."""
    paths = paths or [f"images/{row:02d}.png" for row in range(len(label))]
    table = pd.DataFrame({"path": paths, "label": label, "pred": pred})
    if prob:
        for name in classes:
            table[f"prob_{name}"] = [
                0.7 - row / 100 if name == one else 0.1 for row, one in enumerate(pred)
            ]
        columns = [f"prob_{name}" for name in classes]
        table[columns] = table[columns].div(table[columns].sum(axis=1), axis=0)
    make_run(table, out, classes=classes, images=images)


def make_runs(**options):
    make("old", OLD, **options)
    make("new", NEW, **options)


def compare(arguments="old new"):
    return ends(f"compare {arguments}")


def read(name, folder="new/compare"):
    return read_csv(Path(folder, name), text=("class_name", "old_pred", "new_pred", "run", "test"))


def test_what_was_fixed_and_what_broke_is_told_by_image_class_and_pair():
    make_runs(images=True)
    said = compare()
    assert set(contents("new/compare")) == {
        "runs.csv", "classes.csv", "pairs.csv", "fixed.csv", "broken.csv", "made_from.json",
        "gallery/broken.png", "gallery/fixed.png",
    }  # fmt: skip
    broken, fixed = read("broken.csv"), read("fixed.csv")
    assert broken["row"].tolist() == sorted(BROKEN)  # of earlier rows the model is surer: worse
    assert set(fixed["row"]) == FIXED
    assert broken["old_pred"].tolist() == ["cat", "dog", "dog"]
    assert broken["new_pred"].tolist() == ["lion", "wolf", "cat"]
    assert (broken["new_loss"] > broken["old_loss"]).all()
    classes = read("classes.csv").set_index("class_name")
    assert classes.loc["dog", ["n", "fixed", "broken"]].tolist() == [6, 0, 2]
    pairs = read("pairs.csv").set_index(["class_a", "class_b"])
    assert pairs.loc[("cat", "lion"), ["old_count", "new_count"]].tolist() == [3, 1]
    assert "18 images in common: 2 fixed, 3 broken" in said.stdout
    assert "exact McNemar test: p = 1" in said.stdout
    assert said.stdout.splitlines()[-1] == "Next: errlens misclassified new --select broken:old"
    with Image.open("new/compare/gallery/broken.png") as image:
        assert min(image.size) > 200


def test_old_and_new_exchanged_give_the_same_the_other_way_round():
    make_runs()
    compare("old new --no-figures")
    compare("new old --no-figures")
    for name, other in (("fixed.csv", "broken.csv"), ("broken.csv", "fixed.csv")):
        there, back = read(name), read(other, "old/compare")
        assert set(there["row"]) == set(back["row"])
    there, back = read("runs.csv"), read("runs.csv", "old/compare")
    assert there["difference"][1] == -back["difference"][1]
    assert there["p_value"][1] == back["p_value"][1]


def test_the_record_says_which_runs_were_compared_and_bytes_repeat():
    make_runs(images=True)
    compare()
    files = contents("new/compare")
    record = json.loads(files["made_from.json"])
    hashes = [json.loads(Path(one, "run.json").read_text())["run_hash"] for one in ("old", "new")]
    assert record["options"]["run_hashes"] == hashes
    assert record["run_hash"] == hashes[1]
    compare()
    assert contents("new/compare") == files


def test_ranking_json_quiet_and_another_folder():
    make_runs()
    found = json.loads(compare("old new --json --no-figures --rank confidence -o there").stdout)
    assert not Path("new/compare").exists()
    assert found["files"] == ["runs.csv", "classes.csv", "pairs.csv", "broken.csv", "fixed.csv"]
    assert {one["row"] for one in found["broken"]} == BROKEN
    assert found["runs"][0]["difference"] is None
    assert found["runs"][1]["in_common"] == 18
    assert compare("old new -q --no-figures").output == ""
    assert "is a run folder" in refused("compare old new -o old", exit_code=2)


def test_a_ranking_both_runs_have_no_numbers_for_is_refused():
    make("old", OLD, prob=False)
    make("new", NEW)
    compare("old new --no-figures")
    assert read("broken.csv")["old_loss"].isna().all()
    assert "no such numbers" in refused("compare old new --rank loss", exit_code=2)


def test_runs_without_common_images_are_compared_unpaired():
    make("val", OLD)
    make("test", NEW * 2, LABEL * 2, paths=[f"test/{row}.png" for row in range(36)])
    said = compare("val test")
    assert "No image in common: compared as two independent samples" in said.stdout
    assert "exact Fisher test: p = " in said.stdout
    runs = read("runs.csv", "test/compare")
    assert runs["test"][1] == "unpaired"
    assert runs["difference"][1] == pytest.approx(13 / 18 - 14 / 18)
    assert {"old_n", "new_n"} <= set(read("classes.csv", "test/compare"))
    assert not Path("test/compare/broken.csv").exists()


def test_more_than_two_runs_are_a_table():
    make_runs()
    make("perfect", LABEL)
    make("other", NEW, paths=[f"test/{row}.png" for row in range(18)])
    lines = compare("old new other perfect").stdout.splitlines()
    assert any(line.startswith("perfect   100.0 %  ") for line in lines)
    assert any(line.startswith("other") and "none: unpaired" in line for line in lines)
    assert any(line.startswith("perfect") and "18: 4 fixed, 0 broken" in line for line in lines)
    assert set(contents("perfect/compare")) == {"runs.csv", "made_from.json"}
    assert read("runs.csv", "perfect/compare")["run"].tolist() == ["old", "new", "other", "perfect"]


def test_a_run_is_marked_only_where_it_is_better_than_each_other_beyond_chance():
    make("none", ["wolf"] * 18)
    make_runs()
    make("perfect", LABEL)
    assert "*" not in compare("none old new perfect").stdout  # new has 16 of 18 right, perfect all
    said = compare("none perfect").stdout
    assert [line.split()[0] for line in said.splitlines() if "*" in line] == ["perfect", "*"]
    assert "perfect   100.0 % *   " in said
    assert "none        0.0 %     " in said


def test_doubtful_matches_are_told():
    make("old", OLD)
    make("new", NEW, ["lion", *LABEL[1:]])
    said = compare("old new --no-figures")
    assert "left out: 1 image whose label is not the same" in said.stderr
    assert "17 images in common (of 18 and 18)" in said.stdout


def test_runs_of_other_classes_are_refused_by_name():
    make("old", OLD)
    make("new", NEW, classes=("cat", "lion", "dog", "wolf", "fox"))
    assert "'fox' only in 'new'" in refused("compare old new", exit_code=3)


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        ("old", 2, "two or more"),
        ("old new old", 2, "given twice"),
        ("old ./old", 2, "given twice"),
        ("old nowhere", 3, "no run folder"),
        ("old new --data-root nowhere", 2, "is no folder"),
        ("old new --rank superclass", 2, "no superclasses"),
        ("", 2, "OLD NEW"),
    ],
)
def test_bad_input_is_a_sentence(arguments, exit_code, message):
    make_runs()
    assert message in refused(f"compare {arguments}", exit_code=exit_code)
    assert not Path("new/compare").exists()


def test_an_incomplete_run_and_one_without_labels_are_refused():
    make_runs()
    Path("old/metrics.json").unlink()
    assert "no metrics" in refused("compare old new", exit_code=3)
    assert "no metrics" in refused("misclassified new --select broken:old", exit_code=3)


def test_torch_is_never_imported():
    make_runs(images=True)
    program = (
        "import sys\nfrom errlens.cli import app\n"
        "try:\n    app(['compare', 'old', 'new', '-q'])\nexcept SystemExit as end:\n"
        "    assert not end.code\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
    assert Path("new/compare/gallery/broken.png").exists()


def test_missing_images_are_told():
    make_runs()
    assert "no gallery was drawn" in compare().stderr
    assert not Path("new/compare/gallery").exists()


# Selectors


def selected(selector, run="new"):
    said = ends(f"misclassified {run} --select {selector} --json --no-figures")
    return {one["row"] for one in json.loads(said.stdout)["selected"]}


def test_what_was_fixed_and_what_broke_can_be_selected():
    make_runs(images=True)
    assert selected("broken:old") == BROKEN
    assert selected("fixed:old") == FIXED
    assert selected("fixed:new", run="old") == BROKEN
    assert selected("broken:old+true:dog") == {16, 17}
    assert selected("broken:old+worst:1") == {1}
    assert selected("broken:./old/") == BROKEN
    ends("misclassified new --select broken:old --select fixed:old -q")
    assert len(list(Path("new/misclassified/gallery").glob("*.png"))) == 2


@pytest.mark.parametrize("name", ["a+b", "a+errors"])
def test_the_path_of_a_run_may_hold_a_plus(name):
    make(name, OLD)
    make("new", NEW)
    assert selected(f"broken:{name}/") == BROKEN
    assert selected(f"broken:{name}/+true:dog") == {16, 17}
    command = compare(f"{name} new --no-figures").stdout.splitlines()[-1].removeprefix("Next: ")
    program, *arguments = shlex.split(command)
    assert program == "errlens"
    assert CliRunner().invoke(app, [*arguments, "--no-figures"]).exit_code == 0


def test_that_nothing_broke_is_no_failure():
    make("old", OLD)
    make("new", LABEL)
    assert selected("broken:old") == set()
    assert selected("fixed:old", run="new") == {2, 3, 5, 11}
    assert "means no image" in refused("misclassified old --select fixed:new", exit_code=2)
    compare("old new")
    assert len(read("broken.csv")) == 0


def test_selectors_take_runs_over_the_same_images():
    make("old", OLD, paths=[f"other/{row}.png" for row in range(18)])
    make("new", NEW)
    for selector, message in (
        ("fixed:old", "no image in common"),
        ("broken:nowhere", "no run folder"),
        ("broken:old+errors", "no image in common"),
    ):
        said = refused(f"misclassified new --select {selector}", exit_code=3)
        assert message in said


def test_a_configuration_names_the_old_run():
    make("old", OLD)
    make("new", NEW)
    Path("sub").mkdir()
    Path("sub/project.yaml").write_text(
        "out: ../new\ncompare:\n  runs: [../old]\n  no_figures: true\n"
    )
    said = ends("run sub/project.yaml")
    assert "2 fixed, 3 broken" in said.stdout
    Path("sub/project.yaml").write_text("out: ../new\ncompare:\n  run: [../old]\n")
    assert "did you mean runs" in refused("run sub/project.yaml", exit_code=2)


def test_classes_that_an_old_run_spells_otherwise_are_the_same():
    random = np.random.default_rng(0)
    names = np.array(["grey cat", "b\u00e4r", "tabby"], object)
    label = random.integers(0, 3, 60)
    before, now = (np.where(random.random(60) < p, label, (label + 1) % 3) for p in (0.6, 0.8))
    make("new", names[now], names[label], classes=names.tolist())
    make("same", names[before], names[label], classes=names.tolist())
    spelt = np.array(["Grey_Cat", "BA\u0308R ", "n02123045"], object)[[2, 1, 0]]
    make("old", spelt[2 - before], spelt[2 - label], classes=spelt.tolist())
    said = ends("compare old new")
    assert "classes that old spells otherwise: 'n02123045' is 'tabby' and 2 more" in said.stderr
    ends("compare same new -o same_compared")
    for name in ("fixed", "broken", "classes", "pairs"):
        found, expected = (
            pd.read_csv(f"{folder}/{name}.csv") for folder in ("new/compare", "same_compared")
        )
        pd.testing.assert_frame_equal(found, expected)
    drops = []
    for baseline in ("old", "same", "old/baseline.parquet"):
        call(f"check new --baseline {baseline}")
        drops.append(json.loads(Path("new/gates.json").read_text())["gates"][0]["details"])
        assert drops[-1].pop("baseline") == baseline
    assert drops[0] == drops[1] == drops[2]


@pytest.mark.parametrize(("of_old", "of_new"), [(True, False), (False, True), (True, True)])
def test_it_is_told_where_a_pair_is_judged_otherwise_than_in_the_old_run_alone(of_old, of_new):
    names = ("cat", "lion", "lynx", "dog")
    parents = {"cat": "feline", "lion": "feline", "lynx": "feline", "dog": "canine"}
    label = [name for name in names for _ in range(30)]
    pred = [
        {"cat": "lion", "lion": "cat"}.get(name, name) if i % 3 else name
        for i, name in enumerate(label)
    ]
    table = pd.DataFrame({"path": [f"{i}.png" for i in range(120)], "label": label, "pred": pred})
    for out, known in (("old", of_old), ("new", of_new)):
        make_run(table, out, classes=names, superclasses=parents if known else None)
    said = compare().stdout
    assert "stays" in said
    assert ("as new knows none; alone, old is judged by its own" in said) == (not of_new)
    assert ("of new; alone, old is judged without any" in said) == (not of_old)


@pytest.mark.parametrize("known", [True, False])
def test_a_verdict_on_pairs_says_what_they_are_compared_with(known):
    table = pd.DataFrame(
        {"path": ["a", "b", "c"], "label": ["x", "y", "z"], "pred": ["y", "x", "z"]}
    )
    parents = dict.fromkeys("xyz", "letter")
    make_run(table, "old", classes=("x", "y", "z"), superclasses=parents if known else None)
    said = ends("confusion old --no-figures").stdout
    assert ("no superclasses are known" in said) != known
    assert ("Each pair is compared with the other classes of its superclass" in said) == known
