"""`errlens misclassified` on runs that were imported from small tables."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import errlens
from errlens.cli import app

CLASSES = ("cat", "lion", "dog", "wolf")
PARENTS = {"cat": "feline", "lion": "feline", "dog": "canine", "wolf": "canine"}
LABEL = ["cat"] * 8 + ["lion"] * 8 + ["dog"] * 8
PRED = (
    ["cat"] * 4 + ["lion"] * 3 + ["dog"]
    + ["lion"] * 6 + ["cat"] * 2
    + ["dog"] * 7 + ["wolf"]
)  # fmt: skip


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def call(arguments):
    return CliRunner().invoke(app, shlex.split(arguments))


def make_run(label=LABEL, pred=PRED, *, options="", superclasses=True, prob=True):
    """Import a table in which later rows are less certain of what they say."""
    table = pd.DataFrame({"path": [f"{row:02d}.jpg" for row in range(len(label))]})
    table = table.assign(label=label, pred=pred, subject=[f"s{row % 4}" for row in table.index])
    if prob:
        for name in CLASSES:
            table[f"prob_{name}"] = 0.1
        for row, name in enumerate(pred):
            table.loc[row, f"prob_{name}"] = 0.9 - row / len(pred) / 5
        columns = [f"prob_{name}" for name in CLASSES]
        table[columns] = table[columns].div(table[columns].sum(axis=1), axis=0)
    table.to_csv("table.csv", index=False)
    Path("classes.json").write_text(json.dumps(CLASSES))
    if superclasses:
        pd.Series(PARENTS, name="superclass").rename_axis("class_name").to_csv("parents.csv")
        options += " --superclasses parents.csv"
    said = call(f"import table.csv -o run --classes classes.json --labels names -q {options}")
    assert said.exit_code == 0, said.output
    return errlens.open_run("run")


def misclassified(arguments="run"):
    said = call(f"misclassified {arguments}")
    assert said.exit_code == 0, said.output
    return said


def refused(arguments="run", *, exit_code=2):
    said = call(f"misclassified {arguments}")
    assert said.exit_code == exit_code, said.output
    assert said.stdout == ""
    return said.stderr


def read(name):
    return pd.read_csv(f"run/misclassified/{name}", keep_default_na=False, na_values=[""])


@pytest.mark.parametrize("rank", ["loss", "margin", "confidence", "entropy", "superclass"])
def test_the_table_holds_exactly_the_wrong_rows(rank):
    run = make_run()
    misclassified(f"run --rank {rank}")
    predictions = run.predictions.frame
    wrong = set(predictions.loc[~predictions["correct"], "row"])
    worst = read("worst.csv")
    assert set(worst["row"]) == wrong
    assert len(worst) == len(wrong)
    assert worst["rank"].tolist() == list(range(1, len(wrong) + 1))
    if rank == "superclass":
        assert worst["row"][0] == 7  # the cat that was called a dog


def test_a_selection_limits_what_is_shown_and_never_the_table():
    make_run()
    said = misclassified("run --select cat~lion --json")
    found = json.loads(said.stdout)
    assert {one["row"] for one in found["selected"]} == {4, 5, 6, 14, 15}
    assert len(read("worst.csv")) == found["n_errors"] == 7
    only = json.loads(misclassified("run --select row:0 --json").stdout)
    assert [(one["row"], one["rank"]) for one in only["selected"]] == [(0, None)]


def test_top_cuts_the_table():
    make_run()
    misclassified("run --top 3")
    assert read("worst.csv")["rank"].tolist() == [1, 2, 3]


def test_pairs_are_those_of_confusion():
    make_run()
    assert "errlens confusion run" in refused("run --select pairs:1", exit_code=3)
    assert call("confusion run --no-figures -q").exit_code == 0
    found = json.loads(misclassified("run --select pairs:1 --json").stdout)
    assert {one["row"] for one in found["selected"]} == {4, 5, 6, 14, 15}


def test_confusions_of_other_predictions_are_refused():
    make_run()
    assert call("confusion run --no-figures -q").exit_code == 0
    make_run(pred=["lion", *PRED[1:]], options="--overwrite")
    assert "made of other predictions" in refused("run --select pairs:1", exit_code=3)


@pytest.mark.parametrize("kind", ["parquet", "json"])
def test_the_table_in_another_format(kind):
    make_run()
    misclassified(f"run --format {kind}")
    path = Path(f"run/misclassified/worst.{kind}")
    same = (
        pd.read_parquet(path) if kind == "parquet" else pd.DataFrame(json.loads(path.read_text()))
    )
    table = read("worst.csv")
    assert same["row"].tolist() == table["row"].tolist()
    assert same["loss"].tolist() == pytest.approx(table["loss"].tolist(), rel=1e-6)


def test_what_is_wrong_the_same_way_by_a_column():
    make_run(pred=["lion", *PRED[1:4], "lion", *PRED[5:]])
    misclassified("run --by-column subject")
    table = read("systematic.csv")
    assert (table["value"][0], table["label_name"][0], table["pred_name"][0]) == (
        "s0",
        "cat",
        "lion",
    )
    assert (table["k"][0], table["n"][0], json.loads(table["rows"][0])) == (2, 2, [0, 4])
    assert "'subjct'" in refused("run --by-column subjct")


def test_labels_the_model_lacks_are_counted_apart():
    make_run(["fox", *LABEL[1:]], ["dog", *PRED[1:]], options="--allow-unknown")
    said = misclassified()
    assert read("unknown.csv")[["label_name", "pred_name", "count"]].to_numpy().tolist() == [
        ["fox", "dog", 1]
    ]
    assert "fox -> dog" in said.stdout
    assert 0 not in read("worst.csv")["row"].tolist()


def test_without_errors_the_tables_have_headers_only():
    make_run(LABEL, LABEL)
    for selector in ("", "--select errors", "--select worst:5"):
        said = misclassified(f"run {selector}")
        assert "0 of 24 images are wrong" in said.stdout
        assert len(read("worst.csv")) == 0
        assert "loss" in read("worst.csv").columns


def test_a_run_without_probabilities_is_ranked_by_row():
    make_run(prob=False)
    misclassified()
    worst = read("worst.csv")
    assert worst["row"].tolist() == sorted(worst["row"])
    assert worst["loss"].isna().all()


def test_superclasses_must_be_known_to_rank_by_them():
    make_run(superclasses=False)
    assert "no superclasses" in refused("run --rank superclass")


@pytest.mark.parametrize(
    ("selector", "message"),
    [("cta~dog", "cat"), ("worse:3", "errors, worst:N"), ("wolf/cat", "means no image")],
)
def test_a_selector_that_means_nothing_is_a_usage_error(selector, message):
    make_run()
    before = misclassified()
    assert before.exit_code == 0
    assert message in refused(f"run --select {selector}")


def test_a_missing_run_and_one_without_labels_are_bad_input():
    assert "run folder" in refused("nowhere", exit_code=3)
    pd.DataFrame({"path": ["a.jpg", "b.jpg"], "pred": ["cat", "dog"]}).to_csv("t.csv", index=False)
    assert call("import t.csv -o plain -q").exit_code in (0, 3)
    if Path("plain/metrics.json").exists():
        assert "both a label and a prediction" in refused("plain", exit_code=3)


def test_a_second_call_writes_the_same_bytes():
    make_run()
    misclassified("run --format json --by-column subject")
    files = {path.name: path.read_bytes() for path in Path("run/misclassified").iterdir()}
    misclassified("run --format json --by-column subject")
    again = {path.name: path.read_bytes() for path in Path("run/misclassified").iterdir()}
    assert again == files
    assert {"worst.csv", "worst.json", "collect.csv", "unknown.csv", "made_from.json"} < set(files)


def test_it_reads_as_people_expect(golden):
    make_run()
    golden("misclassified.txt", misclassified().stdout)


def test_the_next_command_of_confusion_shows_its_first_pair():
    wrong = ["lion"] * 20 + ["cat"] * 20 + ["lion"] * 15 + ["cat"] * 25
    label = ["cat"] * 40 + ["lion"] * 40 + ["dog"] * 40 + ["wolf"] * 40
    make_run(label, wrong + ["dog"] * 40 + ["wolf"] * 40, superclasses=False)
    said = call("confusion run --no-figures").stdout.splitlines()[-1]
    assert said == "Next: errlens misclassified run --select 'cat~lion'"
    program, command, *arguments = shlex.split(said.removeprefix("Next: "))
    assert (program, command) == ("errlens", "misclassified")
    assert CliRunner().invoke(app, [command, *arguments]).exit_code == 0


def test_torch_is_never_imported():
    make_run()
    program = (
        "import sys\nfrom errlens.cli import app\n"
        "try:\n    app(['misclassified', 'run', '-q'])\nexcept SystemExit as end:\n"
        "    assert not end.code\n"
        "sys.exit('torch' in sys.modules or 'matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
