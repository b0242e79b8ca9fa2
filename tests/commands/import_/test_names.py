"""Names that labels and predictions spell otherwise: the accuracy is that of cleaned columns."""

import shlex
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import errlens
from errlens.cli import app

NAMES = ("grey cat", "b\u00e4r", "fox")
SYNSETS = {"tabby": "n02123045", "golden retriever": "n02099601", "goldfish": "n01443537"}


def random_table(names=NAMES, *, n: int = 300, accuracy: float = 0.8) -> pd.DataFrame:
    """Return a table of labels and predictions that are right at a known rate."""
    random = np.random.default_rng(0)
    label = random.integers(0, len(names), n)
    wrong = (label + random.integers(1, len(names), n)) % len(names)
    pred = np.where(random.random(n) < accuracy, label, wrong)
    text = np.array(names, object)
    return pd.DataFrame(
        {"path": [f"{row}.jpg" for row in range(n)], "label": text[label], "pred": text[pred]}
    )


def import_table(table: pd.DataFrame, options: str = ""):
    table.to_csv("table.csv", index=False)
    return CliRunner().invoke(
        app, ["import", "table.csv", "-o", "run", "--overwrite", *shlex.split(options)]
    )


def top1(table: pd.DataFrame, options: str = "") -> tuple[float, str]:
    """Import a table, and return its accuracy and what was said."""
    said = import_table(table, options)
    assert said.exit_code == 0, said.output
    return errlens.open_run("run").metrics["top1"]["value"], said.stderr


def refused_table(table: pd.DataFrame, options: str = "") -> str:
    said = import_table(table, options)
    assert said.exit_code == 3, said.output
    return said.stderr


def test_what_is_reconciled_is_said():
    table = random_table()
    right = (table["label"] == table["pred"]).mean()
    found, said = top1(table.assign(label=table["label"].str.title()))
    assert found == right
    assert "300 labels are spelt otherwise than their class: " in said
    assert "'Fox' is 'fox'" in said
    mixed = table["label"].where(table.index % 3 > 0, table["label"].str.title())
    found, said = top1(table.assign(label=mixed))
    assert found == right
    assert "100 labels are spelt otherwise" in said
    assert "'Fox' and 'fox'" in said
    assert "taken for one class each; if that is wrong, --classes FILE" in said
    table = table.assign(pred=table["pred"].map(lambda name: unicodedata.normalize("NFD", name)))
    found, said = top1(table)
    assert found == right
    assert r"'ba\u0308r' is 'bär'" in said  # told from what looks the same


@pytest.mark.parametrize("column", ["label", "pred"])
@pytest.mark.parametrize(
    "spelling",
    [
        SYNSETS.__getitem__,
        lambda name: f"{SYNSETS[name]}-{name.replace(' ', '_')}",
        lambda name: {"tabby": "tabby cat"}.get(name, name),
        lambda name: {"tabby": "tabby, tabby cat"}.get(name, name),
    ],
    ids=["synset", "synset before the name", "second lemma", "all lemmas"],
)
def test_synsets_are_their_lemmas(spelling, column):
    table = random_table(tuple(SYNSETS))
    right = (table["label"] == table["pred"]).mean()
    assert top1(table.assign(**{column: table[column].map(spelling)}))[0] == right


@pytest.mark.parametrize(
    "spelling",
    [lambda digit: f"0{digit}", lambda digit: f"{digit}.0", lambda digit: f" {digit}"],
    ids=["zero before", "zero behind", "blank"],
)
@pytest.mark.parametrize("rows", [1, 2])
def test_numbers_are_their_values(spelling, rows):
    table = random_table(tuple("0123456789"))
    right = (table["label"] == table["pred"]).mean()
    some_rows = np.arange(len(table)) % rows == 0
    spelt = table["label"].map(spelling).where(some_rows, table["label"])
    assert top1(table.assign(label=spelt))[0] == right


def test_truth_is_one():
    table = random_table(("0", "1"))
    right = (table["label"] == table["pred"]).mean()
    truth = {"0": "False", "1": "True"}
    assert top1(table.assign(label=table["label"].map(truth)))[0] == right
    both = table.assign(label=table["label"].map(truth), pred=table["pred"].map(truth).str.lower())
    assert top1(both)[0] == right


def test_letters_stay_the_classes_they_are():
    table = random_table(("A", "a", "b"))
    found, said = top1(table)
    assert found == (table["label"] == table["pred"]).mean()
    assert "'A' and 'a': classes of their own" in said


def test_columns_of_probability_may_be_spelt_otherwise_too():
    table = pd.DataFrame({"path": ["a", "b"], "label": ["Grey_Cat", "dog "]})
    table[["prob_grey cat", "prob_Dog"]] = [[0.9, 0.1], [0.2, 0.8]]
    assert top1(table)[0] == 1
    Path("names.txt").write_text("GREY CAT\ndog\n")
    assert top1(table, "--classes names.txt")[0] == 1
    assert errlens.open_run("run").info.classes.names == ("GREY CAT", "dog")


def test_headers_and_cells_may_have_blanks_around_them():
    Path("table.csv").write_bytes(
        b"\xef\xbb\xbfpath, label, prob_cat, prob_dog\na, cat, 0.9, 0.1\nb, dog, 0.8, 0.2\n"
    )
    said = CliRunner().invoke(app, ["import", "table.csv", "-o", "run"])
    assert said.exit_code == 0, said.output
    assert errlens.open_run("run").metrics["top1"]["value"] == 0.5


# Numbers that count from one


@pytest.mark.parametrize("left_out", ["none", "9", "0"])
@pytest.mark.parametrize("column", ["label", "pred"])
def test_numbers_from_one_are_refused_with_the_option_that_helps(column, left_out):
    table = random_table(tuple("0123456789"))
    table = table[table["label"] != left_out]
    right = (table["label"] == table["pred"]).mean()
    shifted = table.assign(**{column: table[column].astype(int) + 1})
    said = refused_table(shifted)
    assert "seem to count from 1" in said
    option = f"--{column}s-from 1"
    assert option in said
    assert top1(shifted, option)[0] == right
    as_they_are = (shifted["label"].astype(int) == shifted["pred"].astype(int)).mean()
    assert top1(shifted, "--labels-from 0")[0] == as_they_are


@pytest.mark.parametrize("allow", ["", "--allow-unknown"])
@pytest.mark.parametrize("left_out", ["none", "9"])
def test_labels_from_one_are_no_labels_that_are_unknown(left_out, allow):
    Path("names.txt").write_text("\n".join("abcdefghij"))
    table = random_table(tuple("0123456789"))
    table = table[table["label"] != left_out]
    right = (table["label"] == table["pred"]).mean()
    shifted = table.assign(label=table["label"].astype(int) + 1)
    said = refused_table(shifted, f"--classes names.txt {allow}")
    assert "seem to count from 1" in said
    assert "--allow-unknown" not in said
    assert top1(shifted, "--classes names.txt --labels-from 1")[0] == right


@pytest.mark.parametrize(("first_column", "first_label"), [(0, 1), (1, 0), (1, 1), (0, 0)])
def test_numbered_columns_of_probability(first_column, first_label):
    random = np.random.default_rng(0)
    label = random.integers(0, 9, 300)  # of the last class there is no image
    prob = random.dirichlet(np.ones(10), 300) / 4 + 0.75 * np.eye(10)[label]
    table = pd.DataFrame(prob, columns=[f"prob_{index + first_column}" for index in range(10)])
    table.insert(0, "path", range(300))
    table.insert(1, "label", label + first_label)
    said = import_table(table)
    if said.exit_code == 3:
        option = shlex.join(shlex.split(said.stderr.partition("hint: ")[2].partition(";")[0]))
        said = import_table(table, option)
    assert said.exit_code == 0, said.output
    assert errlens.open_run("run").metrics["top1"]["value"] == (prob.argmax(axis=1) == label).mean()


@pytest.mark.parametrize("left_out", ["none", "9"])
def test_predictions_from_one_beside_labels_by_name(left_out):
    Path("names.txt").write_text("\n".join("abcdefghij"))
    table = random_table(tuple("abcdefghij"))
    table = table[~(table[["label", "pred"]] == left_out.replace("9", "j")).any(axis=1)]
    right = (table["label"] == table["pred"]).mean()
    shifted = table.assign(pred=[1 + "abcdefghij".index(name) for name in table["pred"]])
    said = refused_table(shifted, "--classes names.txt")
    assert "predictions seem to count from 1" in said
    assert top1(shifted, "--classes names.txt --preds-from 1")[0] == right


def test_numbers_are_outputs_even_where_these_are_called_true_and_false():
    Path("names.txt").write_text("true\nfalse\n")
    table = pd.DataFrame({"path": ["a", "b"], "label": ["true", "false"], "pred": [0, 1]})
    assert top1(table, "--classes names.txt")[0] == 1


def test_numbers_of_outputs_that_are_not_there_are_no_reason_to_allow_unknown_labels():
    Path("names.txt").write_text("\n".join("abcdefghij"))
    table = random_table(tuple("0123456789"))
    table.loc[0, "label"] = "12"
    assert "--allow-unknown" not in refused_table(table, "--classes names.txt")


# Names in one column only


def test_without_a_common_name_nothing_is_imported():
    table = random_table().replace({"label": {"grey cat": "Katze", "b\u00e4r": "B", "fox": "F"}})
    said = refused_table(table)
    assert "'B', 'F', 'Katze'" in said
    assert "'b\u00e4r', 'fox', 'grey cat'" in said


def test_a_table_in_which_all_is_wrong_needs_its_classes():
    table = pd.DataFrame({"path": ["a"], "label": ["cat"], "pred": ["dog"]})
    assert "--classes FILE" in refused_table(table)
    Path("names.txt").write_text("cat\ndog\n")
    assert top1(table, "--classes names.txt")[0] == 0
    table = pd.DataFrame({"path": ["a"], "label": [1], "pred": [0]})
    assert "--labels indices" in refused_table(table)
    assert top1(table, "--labels indices")[0] == 0


def test_a_class_that_only_labels_name_and_one_that_only_predictions_name_are_told():
    table = random_table().replace({"label": {"grey cat": "Katze"}})
    n = int((table["label"] == "Katze").sum())
    matched = int(((table["label"] == "Katze") & (table["pred"] == "grey cat")).sum())
    said = top1(table)[1]
    assert f"{matched} of {n} 'Katze' are predicted as 'grey cat'" in said
    assert "predicted as" not in top1(random_table())[1]


# Rows about one image


def test_an_image_in_two_rows_is_told_and_so_is_one_with_two_labels():
    table = pd.DataFrame(
        {
            "path": ["a", "a", "b", "./b"],
            "label": ["x", "y", "x", "x"],
            "pred": ["x", "x", "y", "y"],
        }
    )
    said = top1(table)[1]
    assert "4 rows are about 2 images, and each row counts: 'a', 'b'" in said
    assert "1 image has different labels in different rows" in said
    assert "'a' is 'x', 'y'" in said
    assert "rows are about" not in top1(table.iloc[[0, 2]])[1]
