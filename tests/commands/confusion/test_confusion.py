"""Which classes are mixed up, from a table of predictions to the files and the words."""

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import chdir
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import confusion_matrix as of_scikit_learn

import errlens
from errlens.escapes import cell
from errlens.run.csv_tables import read_csv
from errlens.run.folder import RunFolder
from tests.conftest import call, contents, ends, make_run, refused

CATS = ("Abyssinian", "Bengal", "Birman", "Bombay", "Persian", "Ragdoll", "Siamese", "Sphynx")
DOGS = ("beagle", "boxer", "chihuahua", "keeshond", "pug", "samoyed", "setter", "spaniel")
# A trio, a pair, a one-way street, single errors, and two cats and a dog that cross over.
PETS = {
    "Birman>Ragdoll": 8, "Ragdoll>Birman": 7, "Birman>Siamese": 6, "Siamese>Birman": 5,
    "Ragdoll>Siamese": 5, "Siamese>Ragdoll": 4, "setter>spaniel": 7, "spaniel>setter": 6,
    "beagle>pug": 11, "boxer>beagle": 1, "pug>boxer": 1, "keeshond>chihuahua": 2,
    "samoyed>keeshond": 1, "chihuahua>samoyed": 1, "spaniel>boxer": 1, "Abyssinian>Bengal": 3,
    "Bengal>Abyssinian": 1, "Bombay>Persian": 2, "Persian>Bombay": 1, "Sphynx>Bengal": 1,
    "Bengal>Sphynx": 1, "Persian>Sphynx": 2, "Sphynx>pug": 2, "boxer>Bengal": 1,
}  # fmt: skip
TABLES = {
    "matrix.parquet": "label pred count",
    "cells.csv": "true_class pred_class count n rate low high",
    "pairs.csv": "class_a class_b a_as_b b_as_a n_a n_b rate_ab rate_ab_low rate_ab_high rate_ba "
    "rate_ba_low rate_ba_high balance lift_ab lift_ba p_value q_value mutual status gain_if_solved",
    "absorbed.csv": "true_class pred_class count n rate low high lift q_value",
    "groups.csv": "group size classes errors_inside share_of_errors gain_if_solved",
    "superclasses.csv": "true_superclass pred_superclass count n rate low high",
    "exceptional.csv": "row sample_id label_name pred_name super_label super_pred super_pred_prob "
    "confidence loss",
    "soft.parquet": "label pred mean_prob n covered",
}


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def confusion(arguments: str = "run"):
    """Run the command without pictures and expect it to succeed."""
    return ends(f"confusion {arguments} --no-figures")


def arrays(classes, wrong: Mapping[str, int], n: int) -> tuple[list[str], list[str]]:
    """Return labels and predictions: n images a class, of which `A>B` are wrong."""
    label, pred = [], []
    for name in classes:
        errors = [
            b for key, count in wrong.items() for a, b in [key.split(">")] * count if a == name
        ]
        label += [name] * n
        pred += errors + [name] * (n - len(errors))
    return label, pred


def with_probabilities(table: pd.DataFrame, classes) -> pd.DataFrame:
    """Add a column a class: most for the predicted one, then the true one, then in order."""
    prob = np.tile(np.linspace(2, 1, len(classes)), (len(table), 1))
    at = {name: index for index, name in enumerate(classes)}
    rows = np.arange(len(table))
    prob[rows, table["label"].map(at)] = 2 * len(classes)
    prob[rows, table["pred"].map(at)] = 3 * len(classes) + rows / len(rows)
    prob /= prob.sum(axis=1, keepdims=True)
    return table.join(pd.DataFrame(prob, columns=[f"prob_{name}" for name in classes]))


def make(
    label, pred, *, name="run", classes=None, options="", prob=False, parents=None
) -> RunFolder:
    """Import a table of labels and predictions."""
    classes = tuple(dict.fromkeys([*label, *pred])) if classes is None else classes
    table = pd.DataFrame({"path": [f"{row:03d}.jpg" for row in range(len(label))]})
    table = table.assign(label=label, pred=pred)
    if prob:
        table = with_probabilities(table, classes)
    return make_run(table, name, classes=classes, superclasses=parents, options=options)


def write_superclasses(name: str, parents: Mapping[str, str]) -> None:
    with Path(name).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("class_name", "superclass"), *parents.items()])


def pets(*, superclasses=True, prob=True, options="") -> RunFolder:
    """Make the run of cats and dogs, below the current folder."""
    for path, content in files_of_pets(superclasses, prob, options).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return errlens.open_run("run")


@cache
def files_of_pets(superclasses: bool, prob: bool, options: str) -> dict[Path, bytes]:
    """Make that run somewhere else, once, and return its files."""
    parents = {**dict.fromkeys(CATS, "cat"), **dict.fromkeys(DOGS, "dog")}
    classes = (*CATS, *DOGS)
    with TemporaryDirectory() as folder, chdir(folder):
        make(
            *arrays(classes, PETS, 50),
            classes=classes,
            prob=prob,
            parents=parents if superclasses else None,
            options=options,
        )
        return {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}


def read(name: str, run: str = "run", *, text=()) -> pd.DataFrame:
    return read_csv(Path(run, "confusion", name), text=text)


# Files


def test_the_tables_are_those_of_the_contract():
    pets()
    said = confusion("run --soft")
    assert set(contents("run/confusion")) == {*TABLES, "matrix.csv", "made_from.json"}
    for name, columns in TABLES.items():
        path = Path("run/confusion", name)
        table = pd.read_parquet(path) if path.suffix == ".parquet" else read(name)
        assert " ".join(table.columns) == columns, name
        assert len(table), name
        assert name in said.stdout


def test_without_superclasses_and_belief_there_are_no_files_of_them():
    pets(superclasses=False)
    confusion()
    left_out = {"superclasses.csv", "exceptional.csv", "soft.parquet"}
    assert set(contents("run/confusion")) == {*TABLES, "matrix.csv", "made_from.json"} - left_out


def test_pictures_are_drawn_of_the_classes_the_superclasses_and_each_of_them():
    pets()
    ends("confusion run --by superclass --soft")
    pictures = {"matrix.png", "superclasses.png", "soft.png"}
    each = {"matrix-1-cat.png", "matrix-2-dog.png"}
    assert {name for name in contents("run/confusion") if name.endswith("png")} == pictures | each
    assert all(contents("run/confusion")[name].startswith(b"\x89PNG") for name in pictures | each)
    confusion()
    assert not [name for name in contents("run/confusion") if name.endswith("png")]


def test_pairs_and_one_way_streets_are_marked_in_the_picture_of_their_classes():
    from errlens.analysis.confusion.matrix import COLUMNS, confusion_matrix
    from errlens.analysis.confusion.tables import find_confusions
    from errlens.commands.confusion.pictures import marks_among

    run = pets()
    info = run.info
    matrix = confusion_matrix(run.read_parts(COLUMNS), info.classes, info.superclasses)
    names = ["pug", "setter", "beagle", "spaniel", "Birman"]
    assert sorted(marks_among(names, find_confusions(matrix))) == [
        ("mutually confused", 1, 3),
        ("mutually confused", 3, 1),
        ("one way", 2, 0),
    ]


@pytest.mark.parametrize("options", ["", "--by superclass --soft --normalize true"])
def test_a_second_call_writes_the_same_bytes(options):
    pets()
    ends(f"confusion run {options}")
    before = contents("run/confusion")
    ends(f"confusion run {options}")
    assert contents("run/confusion") == before


def test_counts_are_scikit_learns():
    run = pets(options="--part-size 64")
    confusion("run --order given")
    found = run.predictions.frame
    expected = of_scikit_learn(found["label"].astype(int), found["pred"].astype(int))
    sparse = pd.read_parquet("run/confusion/matrix.parquet")
    dense = np.zeros_like(expected)
    dense[sparse["label"], sparse["pred"]] = sparse["count"]
    np.testing.assert_array_equal(dense, expected)
    assert len(sparse) == np.count_nonzero(expected)
    written = read("matrix.csv").set_index("true_class")
    np.testing.assert_array_equal(written, expected)
    assert list(written.index) == list(written.columns) == [*CATS, *DOGS]


@pytest.mark.parametrize("normalize", ["true", "pred"])
def test_normalize_writes_shares(normalize):
    run = pets()
    confusion(f"run --order given --normalize {normalize}")
    found = run.predictions.frame
    expected = of_scikit_learn(
        found["label"].astype(int), found["pred"].astype(int), normalize=normalize
    )
    np.testing.assert_allclose(read("matrix.csv").set_index("true_class"), expected)


def test_order_decides_how_the_matrix_is_written_and_nothing_else():
    make(["a", "b", "b", "c", "c", "c"], ["b", "a", "b", "a", "c", "c"], name="run")
    confusion("run --order given")
    given = contents("run/confusion")
    confusion("run --order frequency")
    frequency = contents("run/confusion")
    changed = {name for name in given if given[name] != frequency[name]}
    assert changed == {"matrix.csv", "made_from.json"}
    assert read("matrix.csv")["true_class"].tolist() == ["c", "b", "a"]


def test_classes_stand_in_the_order_of_superclasses_where_they_are_known():
    pets()
    confusion()
    assert set(read("matrix.csv")["true_class"][:8]) == set(CATS)
    by_default = contents("run/confusion")["matrix.csv"]
    confusion("run --order superclass")
    assert contents("run/confusion")["matrix.csv"] == by_default


def test_a_matrix_of_more_than_200_classes_is_kept_sparse_only():
    names = [f"c{index}" for index in range(201)]
    make(["c0", "c1"], ["c1", "c1"], classes=names)
    confusion()
    assert "matrix.csv" not in contents("run/confusion")
    assert pd.read_parquet("run/confusion/matrix.parquet").to_numpy().tolist() == [
        [0, 1, 1],
        [1, 1, 1],
    ]


def test_the_results_say_which_run_and_options_they_are_of():
    run = pets()
    confusion("run --normalize pred")
    record = json.loads(contents("run/confusion")["made_from.json"])
    assert record["run_hash"] == run.info.run_hash
    assert record["options"]["normalize"] == "pred"
    assert sorted(record["files"]) == sorted(set(contents("run/confusion")) - {"made_from.json"})


def test_ctrl_c_in_the_middle_keeps_the_old_results(monkeypatch):
    pets()
    confusion()
    before = contents("run/confusion")

    def stop(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr("errlens.run.results.ResultsWriter.parquet", stop)
    said = call("confusion run --soft --no-figures --normalize true")
    assert said.exit_code == 130
    assert contents("run/confusion") == before
    assert not list(Path("run").glob(".*"))


# What is found


def test_planted_pairs_trio_and_one_way_street_are_found():
    pets()
    confusion()
    pairs = read("pairs.csv")
    mutual = {tuple(pair) for pair in pairs[pairs["mutual"]][["class_a", "class_b"]].to_numpy()}
    assert {("Birman", "Ragdoll"), ("setter", "spaniel")} <= mutual
    assert json.loads(read("groups.csv")["classes"][0]) == ["Birman", "Ragdoll", "Siamese"]
    absorbed = read("absorbed.csv")
    assert absorbed[["true_class", "pred_class", "count"]].iloc[0].tolist() == ["beagle", "pug", 11]
    assert read("exceptional.csv")["label_name"].value_counts().to_dict() == {
        "Sphynx": 2,
        "boxer": 1,
    }


def test_superclasses_of_a_file_win_over_the_runs():
    run = pets()
    confusion()
    of_run = read("exceptional.csv")
    stored = run.predictions.frame.set_index("sample_id")["super_pred_prob"]
    both = {**dict.fromkeys(CATS, "cat"), **dict.fromkeys(DOGS, "dog")}
    write_superclasses("same.csv", both)
    confusion("run --superclasses same.csv")
    summed = read("exceptional.csv")
    # All sixteen classes are in the stored top-k: the sums are exact, and say so.
    np.testing.assert_allclose(summed["super_pred_prob"], of_run["super_pred_prob"], rtol=1e-6)
    np.testing.assert_allclose(summed["super_pred_prob"], stored[summed["sample_id"]], rtol=1e-6)
    assert not summed["at_least"].any()
    write_superclasses("other.csv", {**both, "Bengal": "wild"})
    confusion("run --superclasses other.csv")
    assert set(read("superclasses.csv")["true_superclass"]) == {"cat", "dog", "wild"}
    assert ("Bengal", "wild") in set(
        read("exceptional.csv")[["label_name", "super_label"]].itertuples(index=False, name=None)
    )


def test_a_sum_over_a_top_k_that_is_not_all_says_at_least():
    names = [f"c{index:02d}" for index in range(26)]
    label = [name for name in names for _ in range(3)]
    pred = [*label[:-1], "c00"]
    make(label, pred, classes=names, prob=True)
    write_superclasses("parents.csv", dict.fromkeys(names[:25], "first") | {"c25": "last"})
    said = confusion("run --superclasses parents.csv")
    table = read("exceptional.csv")
    assert table["at_least"].tolist() == [True]
    assert f"at least {table['super_pred_prob'][0]:.3f}" in said.stdout


def test_without_probabilities_exceptional_errors_have_none():
    pets(prob=False)
    said = confusion()
    table = read("exceptional.csv")
    assert table["super_pred_prob"].isna().all()
    assert table["row"].is_monotonic_increasing
    assert "Sphynx -> pug" in said.stdout
    assert "nan" not in said.output


def test_classes_the_superclass_file_misses_are_named():
    pets(superclasses=False)
    write_superclasses("parents.csv", {"Bengal": "cat", "pug": "dog"})
    said = confusion("run --superclasses parents.csv")
    assert "14 classes without a superclass: 'Abyssinian', 'Birman'" in said.stderr


def test_belief_is_shown_as_belief():
    pets()
    said = confusion("run --soft")
    assert "by mean probability" in said.stdout
    assert "Birman ~ Ragdoll" in said.stdout.partition("by mean probability")[2]
    assert "at least these" not in said.stdout


def test_belief_of_a_run_without_probabilities_says_that_there_is_none():
    pets(prob=False)
    said = confusion("run --soft")
    assert len(pd.read_parquet("run/confusion/soft.parquet")) == 0
    assert "no probabilities" in said.stdout


def test_top_shortens_the_terminal_and_no_file():
    pets()
    whole = confusion()
    before = contents("run/confusion")
    said = confusion("run --top 1")
    assert contents("run/confusion") == before
    assert "setter ~ spaniel" in said.stdout
    assert "Birman ~ Ragdoll" not in said.stdout
    assert "and 1 more of them: see pairs.csv" in said.stdout
    assert "more: see exceptional.csv" in said.stdout
    assert len(said.stdout.splitlines()) < len(whole.stdout.splitlines())


def test_by_superclass_shows_the_pairs_of_each():
    pets()
    said = confusion("run --by superclass")
    cats, dogs = said.stdout.index("confused in cat"), said.stdout.index("confused in dog")
    assert cats < said.stdout.index("Birman ~ Ragdoll") < dogs
    assert dogs < said.stdout.rindex("setter ~ spaniel   ")


def test_expected_names_the_classes_that_are_not_as_many():
    label, pred = arrays("abc", {"a>b": 1}, 5)
    make([*label, "c"], [*pred, "c"])
    said = confusion("run --expected 5")
    assert "warning: 1 class without the 5 images expected: 'c' 6" in said.stderr
    every = confusion("run --expected 4 -q").stderr
    assert "3 classes without the 4 images expected: 'a' 5, 'b' 5, 'c' 6" in every
    label, pred = arrays("abc", {}, 5)
    make(label, pred, options="--overwrite")
    assert "expected" not in confusion("run --expected 5").stderr


def test_expected_explains_images_that_failed():
    label, pred = arrays("abc", {"a>b": 1}, 5)
    run = make(label, pred, prob=True)
    table = pd.read_csv("table.csv")
    table.loc[0, "prob_a"] = np.nan
    table.to_csv("failed.csv", index=False)
    ends("import failed.csv -o failed -q --max-bad 1")
    assert run.metrics["n_ok"] == 15
    assert "1 class without the 5 images expected: 'a' 4 (1 failed)" in (
        confusion("failed --expected 5").stderr
    )


# What is printed


def test_json_is_one_object_that_says_what_the_files_say():
    pets()
    said = confusion("run --json --soft")
    found = json.loads(said.stdout, parse_constant=pytest.fail)
    assert (found["command"], found["n"], found["n_errors"]) == (
        "confusion",
        800,
        sum(PETS.values()),
    )
    pairs = read("pairs.csv")
    assert pd.DataFrame(found["pairs"]).equals(pairs[pairs["mutual"]].reset_index(drop=True))
    assert found["likely"] == []
    assert found["n_candidates"] == (~pairs["mutual"]).sum()
    assert found["groups"][0]["classes"] == ["Birman", "Ragdoll", "Siamese"]
    absorbed = pd.DataFrame(found["absorbed"])
    pd.testing.assert_frame_equal(absorbed, read("absorbed.csv"), check_dtype=False)
    assert found["n_exceptional"] == 3
    assert set(found["files"]) == set(contents("run/confusion")) - {"made_from.json"}


@pytest.mark.parametrize("classes", ["ab", "a", "abc"])
def test_json_of_a_run_where_little_can_be_said(classes):
    wrong = {"a>b": 2, "b>a": 1} if len(classes) > 1 else {}
    label, pred = arrays(classes, wrong, 4)
    make(label, pred, classes=[*classes])
    found = json.loads(confusion("run --json").stdout, parse_constant=pytest.fail)
    assert found["pairs"] == []
    assert found["n_candidates"] == (len(classes) > 1)


def test_quiet_leaves_stdout_silent_and_writes_the_files():
    pets()
    said = confusion("run -q")
    assert (said.stdout, said.stderr) == ("", "")
    assert "pairs.csv" in contents("run/confusion")


@pytest.mark.parametrize("options", ["", "--by superclass", "--soft"])
def test_a_golden_text_of_pairs_groups_one_way_and_exceptional_errors(golden, options):
    pets()
    name = options.replace("--", "").partition(" ")[0] or "pets"
    golden(f"confusion.{name}.txt", confusion(f"run {options}").output)


def test_golden_texts_of_runs_where_less_is_found(golden):
    classes = ("crow", "jay", "magpie", "raven")
    few = arrays(classes, {"crow>raven": 2, "raven>crow": 1, "jay>magpie": 1}, 10)
    make(*few, classes=classes)
    golden("confusion.insignificant.txt", confusion().output)
    make(*arrays(classes, {"jay>crow": 1}, 10), classes=classes, name="oneway")
    golden("confusion.oneway.txt", confusion("oneway").output)
    make(*arrays(("cat", "dog"), {"cat>dog": 3, "dog>cat": 2}, 20), name="two")
    golden("confusion.two.txt", confusion("two").output)
    label, pred = arrays(classes[:3], {}, 10)
    make(label, pred, classes=classes, name="perfect")
    golden("confusion.perfect.txt", confusion("perfect").output)


# Small and odd sets of classes


def test_no_errors_are_a_result():
    classes = ("a", "b", "c")
    make(*arrays(classes, {}, 4), classes=classes, parents=dict.fromkeys(classes, "x"))
    said = confusion()
    assert "No errors" in said.stdout
    for name in ("cells.csv", "pairs.csv", "absorbed.csv", "groups.csv", "exceptional.csv"):
        assert " ".join(read(name).columns) == TABLES[name]
        assert len(read(name)) == 0


def test_two_classes_cannot_be_tested_and_are_listed():
    make(*arrays("ab", {"a>b": 9, "b>a": 8}, 20))
    assert "With two classes nothing can be tested" in confusion().stdout
    pair = read("pairs.csv")
    assert pair[["class_a", "class_b", "a_as_b", "b_as_a"]].to_numpy().tolist() == [
        ["a", "b", 9, 8]
    ]
    assert pair[["lift_ab", "lift_ba", "p_value", "q_value", "mutual"]].isna().all(axis=None)
    assert pair["status"].tolist() == ["untested"]
    assert len(read("absorbed.csv")) == len(read("groups.csv")) == 0


def test_that_two_classes_are_untested_is_said_once(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    make(*arrays("ab", {"a>b": 9, "b>a": 8}, 20))
    said = confusion().stdout
    assert said.count("nothing to compare") == 1
    assert "untested" not in said
    assert "errors both ways" not in said


def test_at_80_columns_the_errors_of_two_classes_have_intervals(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    classes = ("benign_naevus_of_the_skin", "malignant_melanoma_of_the_skin")
    make(*arrays(classes, {f"{classes[0]}>{classes[1]}": 9}, 20), classes=classes)
    said = confusion().stdout
    header, row, _ = said.split("most frequent errors")[1].split("\n", 2)
    assert "95 % interval" in header
    assert "45.0 % (9 of 20)" in row
    assert "25.8 to 65.8 %" in row
    assert "no room" not in said


def test_one_class_has_nothing_to_be_mistaken_for():
    make(["cat"] * 3, ["cat"] * 3)
    assert "There is one class" in confusion().stdout
    assert read("matrix.csv").to_numpy().tolist() == [["cat", 3]]


def test_classes_without_images_have_no_data():
    make(*arrays("abc", {"a>b": 2, "b>a": 2}, 5), classes=[*"abcde"])
    said = confusion("run --normalize true --order given")
    assert "no data for 2 classes: 'd', 'e'" in said.stderr
    shares = read("matrix.csv").set_index("true_class")
    assert shares.loc[["d", "e"]].isna().all(axis=None)
    assert shares.loc[[*"abc"]].notna().all(axis=None)
    assert json.loads(confusion("run --json").stdout)["no_data"] == ["d", "e"]


HARD = (
    "NA",
    "007",
    "7",
    "true_class",
    "a,b",
    'say "cat"',
    "two\nlines",
    "猫",
    "=1+1",
    "null",
    "A>B",
)


def test_any_name_of_a_class_reaches_every_file_as_it_is():
    label = [name for name in HARD for _ in range(6)]
    pred = list(label)
    for at in range(0, len(HARD) - 1, 2):  # each is mixed up with its neighbour
        first, second = HARD[at : at + 2]
        pred[6 * at : 6 * at + 3] = [second] * 3
        pred[6 * at + 6 : 6 * at + 9] = [first] * 3
    parents = {name: f"kind {at // 4}, \n=2" for at, name in enumerate(HARD)}
    make(label, pred, classes=HARD, prob=True, parents=parents)
    said = confusion("run --order given --top 99")
    assert "two\\nlines" in said.stdout
    text = ("class_a", "class_b", "true_class", "pred_class", "true_superclass", "classes")
    pairs = {frozenset(HARD[at : at + 2]) for at in range(0, len(HARD) - 1, 2)}
    found = read("pairs.csv", text=text)[["class_a", "class_b"]].to_numpy()
    assert {frozenset(pair) for pair in found} == pairs
    assert set(read("cells.csv", text=text)["true_class"]) == set(HARD[:10])
    matrix = read("matrix.csv", text=["true_class_"])
    assert list(matrix) == [
        "true_class_",
        *(f"'{name}" if name[0] in "=-" else cell(name) for name in HARD),
    ]
    assert matrix["true_class_"].tolist() == list(HARD)
    assert set(read("superclasses.csv", text=text)["true_superclass"]) == set(parents.values())
    together = {name for names in read("groups.csv")["classes"] for name in json.loads(names)}
    assert together <= set(HARD)
    json.loads(confusion("run --json").stdout)


@pytest.mark.parametrize("options", ["", "--by superclass --soft"])
def test_hard_names_can_be_drawn(options):
    label = [name for name in HARD for _ in range(2)]
    parents = {name: f"../{at % 2}" for at, name in enumerate(HARD)}
    make(label, label[1:] + label[:1], classes=HARD, prob=True, parents=parents)
    ends(f"confusion run {options}")
    assert "matrix.png" in contents("run/confusion")


# What cannot be read


def test_without_a_run_the_newest_is_taken_and_said():
    make(*arrays("abc", {"a>b": 1}, 3), name="runs/old")
    make(*arrays("abc", {"a>b": 2}, 3), name="runs/new")
    said = confusion("")
    assert "runs/new" in said.stderr
    assert Path("runs/new/confusion").is_dir()
    assert not Path("runs/old/confusion").exists()


@pytest.mark.parametrize("arguments", ["", "rnu"])
def test_without_any_run_the_command_that_makes_one_is_named(arguments):
    into = f" -o {arguments}" * bool(arguments)
    assert f"hint: errlens evaluate DATA --model NAME{into} makes one" in refused(
        f"confusion {arguments}", exit_code=3
    )


def test_a_missing_part_is_told_of():
    make(*arrays("abc", {"a>b": 1}, 5), options="--part-size 4")
    Path("run/predictions/part-00002.parquet").unlink()
    assert "missing or damaged" in refused("confusion run", exit_code=3)


@pytest.mark.parametrize("damage", ["cut", "zeroed"])
def test_a_damaged_part_is_told_of(damage):
    make(*arrays("abc", {"a>b": 1}, 40))
    part = Path("run/predictions/part-00000.parquet")
    content = part.read_bytes()
    footer = int.from_bytes(content[-8:-4], "little") + 8
    body = bytes(len(content) - footer - 4)
    part.write_bytes(content[:99] if damage == "cut" else content[:4] + body + content[-footer:])
    assert "damaged" in refused("confusion run", exit_code=3)


def test_parts_of_two_runs_are_not_mixed():
    for name, wrong in (("run", 1), ("other", 2)):
        make(*arrays("abc", {"a>b": wrong}, 5), name=name, options="--part-size 4")
    shutil.copy("other/predictions/part-00001.parquet", "run/predictions/part-00001.parquet")
    assert "other settings" in refused("confusion run", exit_code=3)


def rewrite(part: Path, **columns) -> None:
    """Change columns of a part and keep what vouches for it."""
    table = pq.read_table(part)
    for name, values in columns.items():
        field = table.schema.field(name)
        table = table.set_column(
            table.schema.get_field_index(name), field, pa.array(values, field.type)
        )
    pq.write_table(table, part)


@pytest.mark.parametrize("stranger", [3, -1])
def test_a_prediction_outside_the_classes_ends_with_a_sentence(stranger):
    make(*arrays("abc", {"a>b": 1}, 5))
    rewrite(Path("run/predictions/part-00000.parquet"), pred=[stranger] + [0] * 14)
    said = refused("confusion run", exit_code=3)
    assert "outside the 3 classes" in said
    assert str(stranger) in said


def test_a_run_without_labels_has_no_confusion():
    Path("table.csv").write_text("path,label,pred\na.jpg,,cat\nb.jpg,,dog\n")
    ends("import table.csv -o run -q")
    said = refused("confusion run", exit_code=3)
    assert "label" in said
    assert "hint: errlens import TABLE" in said


def test_a_relabelled_run_is_refused():
    make(*arrays("abc", {"a>b": 1}, 5))
    info = json.loads(Path("run/run.json").read_text())
    Path("run/run.json").write_text(json.dumps({**info, "status": "relabelled"}))
    assert "do not match" in refused("confusion run", exit_code=3)


CHANGES = {
    "other counts": lambda table: table.assign(n=[4, 6, 5]),
    "another sum": lambda table: table.assign(n=[4, 5, 5]),
    "a class less": lambda table: table.drop(index=1),
    "no counts": lambda table: table.drop(columns="n"),
    "words": lambda table: table.assign(n=["many", "5", "5"]),
    "nothing": lambda _table: pd.DataFrame(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_classes_that_are_not_those_of_the_predictions_are_refused(change):
    make(*arrays("abc", {"a>b": 1}, 5))
    table = pd.read_csv("run/classes.csv")
    change(table).to_csv("run/classes.csv", index=False)
    said = refused("confusion run", exit_code=3)
    assert "classes.csv" in said
    assert "hint: " in said
    assert not Path("run/confusion").exists()


def test_without_its_classes_a_run_is_not_complete():
    make(*arrays("abc", {"a>b": 1}, 5))
    Path("run/classes.csv").unlink()
    assert "has no classes.csv" in refused("confusion run", exit_code=3)


def test_superclasses_of_no_class_are_refused_with_the_nearest():
    pets()
    write_superclasses("parents.csv", {"Bengla": "cat", "pug": "dog"})
    assert "hint: did you mean Bengal" in refused(
        "confusion run --superclasses parents.csv", exit_code=3
    )
    assert "hint: did you mean parents.csv" in refused(
        "confusion run --superclasses parent.csv", exit_code=3
    )


def test_by_superclass_without_superclasses_is_a_usage_error():
    pets(superclasses=False)
    assert "--superclasses FILE" in refused("confusion run --by superclass", exit_code=2)


@pytest.mark.parametrize("options", ["--by kind", "--top 0", "--expected -1", "--order size"])
def test_options_out_of_range_are_usage_errors(options):
    refused(f"confusion run {options}", exit_code=2)


# Around it


@pytest.mark.parametrize("block", ["", " {}", "\n  soft: true\n  order: given"])
def test_a_configuration_goes_on_with_the_run_it_made(block):
    pets()
    Path("project.yaml").write_text(
        f"out: results/run\nimport:\n  table: table.csv\nconfusion:{block}\n"
    )
    ends("run project.yaml --set confusion.no_figures=true")
    assert Path("results/run/confusion/pairs.csv").exists()
    assert Path("results/run/confusion/soft.parquet").exists() == ("soft" in block)


def test_a_configuration_may_name_another_run_and_a_file_beside_it():
    pets()
    Path("project.yaml").write_text(
        "out: nowhere\nconfusion:\n  run: run\n  superclasses: parents.csv\n  no_figures: true\n"
    )
    ends("run project.yaml")
    assert "at_least" in read("exceptional.csv")
    assert not Path("nowhere").exists()


def test_confusion_needs_no_torch():
    pets()
    code = (
        "import sys\nfrom errlens.cli import app\n"
        "try: app(['confusion', 'run', '--soft'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "print(*sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(Path(errlens.__file__).parent.parent)},
    )
    loaded = set(said.stdout.splitlines()[-1].split())
    assert loaded.isdisjoint({"torch", "torchvision", "timm"})


def test_one_image_of_one_class_is_one():
    make(["cat"], ["dog"], classes=("cat", "dog"))
    said = confusion()
    assert said.stdout.startswith("1 image of 1 class, 1 of each; 1 wrong\n")
    assert "no data for 1 class: 'dog'" in said.stderr
    said = call("misclassified run --no-figures")
    assert said.stdout.startswith("1 of 1 image wrong\n")
