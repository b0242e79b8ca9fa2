"""Hints about tables of predictions that were made elsewhere."""

from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import paint
from tests.hints.walking import IN_TABLES, Walk

NAMING = "imported.naming.Naming"
NAMED = "imported.named_classes"
PROBABILITIES = "imported.probabilities"
VALUES = "imported.probability_values"
ROWS = "imported.row_values"
COLUMNS = "imported.columns.PredictionColumns"


def names(labels: str, preds: str | None = None, **more: object) -> pd.DataFrame:
    """Return a table of labels and predictions, a letter or a number each."""
    columns = {"label": labels.split(), "pred": (preds or labels).split()}
    paths = [f"{row}.jpg" for row in range(len(columns["label"]))]
    return pd.DataFrame({"path": paths, **columns, **more})


SURE = names("a b a b", prob_a=[0.9, 0.2, 0.7, 0.1], prob_b=[0.1, 0.8, 0.3, 0.9])
BARE = names("a b")[["path", "label"]]
COUNTED = names("1 2 3 1 2 3", "0 1 2 0 1 2")

# Where a hint was written, the table, options, words of the hint, and what is done about it:
# options that are typed instead, or a table that is mended.
CASES = [
    (
        f"{NAMING}.of_labels:hint",
        COUNTED,
        "--classes abc.txt --labels indices",
        "--labels-from 1",
        "--classes abc.txt --labels indices --labels-from 1",
    ),
    (
        f"{NAMING}.of_predictions:hint",
        names("0 1 2", "1 2 3"),
        "--classes abc.txt --labels indices",
        "--preds-from 1",
        "--classes abc.txt --labels indices --preds-from 1",
    ),
    (
        f"{NAMING}.of_predictions:hint2",
        names("a b", "a x"),
        "--classes abc.txt",
        "--classes",
        "--classes abx.txt",
    ),
    (
        f"{NAMING}.refuse_shift:hint",
        COUNTED,
        "--labels indices",
        "--labels-from 1",
        "--labels indices --labels-from 1",
    ),
    (
        f"{NAMED}._refuse_fillers:hint",
        names("0 1 -2 0", "0 1 0 0"),
        "",
        "leave the cell empty",
        lambda table: table.replace("-2", None),
    ),
    (
        f"{NAMED}._refuse_fillers:hint",
        names("a b a a", "a b nan a"),
        "",
        "--classes",
        "--classes abnan.txt",
    ),
    (f"{NAMED}._refuse_strangers:hint", names("a b", "0 1"), "", "--classes", "--classes ab.txt"),
    (
        f"{NAMED}._refuse_strangers:hint",
        names("5 6", "0 1"),
        "",
        "--labels indices",
        "--labels indices",
    ),
    (f"{NAMED}._refuse_strangers:hint", names("a b", "x y"), "", "--classes", "--classes abxy.txt"),
    (
        f"{PROBABILITIES}.probability_columns:hint",
        SURE.assign(p_a=0.5, p_b=0.5),
        "",
        "--prob-prefix",
        "--prob-prefix prob_",
    ),
    (
        f"{VALUES}.no_probabilities:hint",
        SURE.assign(prob_a=[90, 20, 70, 0.1], prob_b=[10, 80, 30, 0.9]),
        "",
        "divided by 100",
        lambda _table: SURE,
    ),
    (
        f"{VALUES}.no_probabilities:hint",
        SURE.assign(prob_a=[3.5, -2, 1, -4], prob_b=[-3, 2, -1, 4]),
        "",
        "--logits",
        "--logits",
    ),
    (
        "imported.number_columns._refuse_second_way:hint",
        SURE.assign(prob_a=["0,9", "0.2", "0,7", "0.1"]),
        "",
        "alike",
        lambda _table: SURE,
    ),
    (
        "imported.number_columns._numbers:hint",
        names("a b", confidence=["1,234", "2,345"]),
        "",
        "nothing between thousands",
        lambda table: table.assign(confidence=["0.234", "0,345".replace(",", ".")]),
    ),
    (
        f"{ROWS}._numbers:hint",
        SURE.assign(prob_a=["oops", "0.2", "0.7", "0.1"]),
        "",
        "0,93",
        lambda _table: SURE,
    ),
    (
        f"{ROWS}.UsableRows.leave_out:hint",
        SURE.assign(prob_a=["oops", "0.2", "0.7", "0.1"]),
        "",
        "--max-bad 1",
        "--max-bad 1",
    ),
    (
        f"{ROWS}.read_probabilities:hint",
        BARE.assign(prob_a=[90, 20]),
        "",
        "divide percentages by 100",
        lambda table: table.assign(prob_a=table["prob_a"] / 100),
    ),
    (
        "imported.two_classes.both_classes:hint",
        names("a a")[["path", "label"]].assign(prob_a=[0.9, 0.8]),
        "",
        "--classes",
        "--classes ab.txt",
    ),
    (
        "imported.two_classes.both_classes:hint2",
        names("0 1")[["path", "label"]].assign(prob_a=[0.9, 0.2]),
        "",
        "--classes",
        "--classes ab.txt",
    ),
    (
        "imported.two_classes.both_classes:hint2",
        names("a b c")[["path", "label"]].assign(prob_a=[0.9, 0.2, 0.3]),
        "",
        "every class needs its column",
        lambda table: table.assign(prob_b=[0.1, 0.5, 0.1], prob_c=[0, 0.3, 0.6]),
    ),
    (
        "imported.one_an_image.one_row_an_image:hint",
        names("a a").assign(path="a.jpg"),
        "--repeated mean",
        "--repeated first",
        "--repeated first",
    ),
    (
        "imported.one_an_image.one_row_an_image:hint2",
        SURE.assign(path="a.jpg"),
        "--repeated mean",
        "--repeated count",
        "--repeated count",
    ),
    (
        f"{COLUMNS}.no_predictions:hint",
        BARE.assign(s_a=[0.9, 0.2], s_b=[0.1, 0.8]),
        "",
        "--prob-prefix s_",
        "--prob-prefix s_",
    ),
    (
        f"{VALUES}.no_probabilities:hint",
        SURE.assign(prob_a=0.1),
        "",
        "--classes",
        lambda _table: SURE,
    ),
    (
        f"{VALUES}.disagreement:hint",
        SURE.assign(pred=list("baba")),
        "",
        "Without the column of predicted classes",
        lambda table: table.drop(columns="pred"),
    ),
    (
        f"{PROBABILITIES}._refuse_missing:hint",
        SURE,
        "--classes abc.txt",
        "--classes",
        "--classes ab.txt",
    ),
    (
        f"{PROBABILITIES}._refuse_taken:hint",
        names("a b", a=[0.8, 0.1], b=[0.2, 0.9]),
        "--classes abl.txt",
        "prob_CLASS",
        lambda table: table.assign(prob_a=table["a"], prob_b=table["b"], prob_label=0).drop(
            columns=["a", "b"]
        ),
    ),
    (
        f"{COLUMNS}._lacking:hint",
        SURE.rename(columns={"label": "true_label"}),
        "",
        "--label-column",
        "--label-column true_label",
    ),
    (
        f"{COLUMNS}._lacking:hint",
        SURE.rename(columns={"path": "photo"}),
        "",
        "--path-column",
        "--path-column photo",
    ),
    (
        f"{COLUMNS}._lacking:hint",
        SURE[["path", "label"]].assign(guess="a"),
        "",
        "--pred-column",
        "--pred-column guess",
    ),
    (
        f"{COLUMNS}._lacking:hint",
        SURE[["path", "pred"]],
        "",
        "add an empty column 'label'",
        lambda table: table.assign(label=None),
    ),
    (
        f"{COLUMNS}.refuse_absent:hint",
        SURE.rename(columns={"pred": "said"}),
        "--pred-column sadi",
        "did you mean said?",
        "--pred-column said",
    ),
    (
        f"{PROBABILITIES}.named_columns:hint",
        BARE.assign(score=[0.8, 0.3]),
        "--prob-column scroe=a",
        "did you mean score?",
        "--prob-column score=a",
    ),
    (
        f"{PROBABILITIES}.named_columns:hint2",
        BARE.assign(score=[0.8, 0.3], label=["cat", "dog"]),
        "--prob-column score=catt",
        "did you mean cat?",
        "--prob-column score=cat",
    ),
    (f"{COLUMNS}.refuse_double_use:hint", SURE, "--pred-column label", "the label", ""),
    (
        f"{ROWS}.read_confidence:hint",
        names("a b", confidence=[90, 80]),
        "",
        "divide percentages by 100",
        lambda table: table.assign(confidence=table["confidence"] / 100),
    ),
    (
        f"{ROWS}.read_confidence:hint",
        names("a b", confidence=[90, 80]),
        "",
        "--confidence-column",
        "--confidence-column score",
    ),
    (
        "data.numbering.numbered_classes:hint",
        names("1 2", "9999999 2"),
        "--labels indices",
        "--pred-column",
        "--labels indices --pred-column label2",
    ),
    (
        "errors.data.UnknownLabels.__init__:hint",
        names("a b c", "a b b"),
        "--classes ab.txt",
        "--allow-unknown",
        "--classes ab.txt --allow-unknown",
    ),
    (
        "errors.data.UnknownLabels.__init__:hint",
        names("x y a", "a b b"),
        "--classes ab.txt",
        "--classes",
        "--classes abxy.txt",
    ),
    (
        "data.manifests.in_split:hint",
        SURE.assign(fold="val"),
        "--split val",
        "--split-column",
        "--split val --split-column fold",
    ),
]


@IN_TABLES
@pytest.mark.parametrize(
    ("at", "table", "options", "words", "mended"), CASES, ids=[str(n) for n in range(len(CASES))]
)
def test_what_a_hint_about_a_table_proposes_is_a_way_out(
    walk: Walk, at: str, table: pd.DataFrame, options: str, words: str, mended
):
    for classes in ("ab", "abc", "abx", "abxy"):
        Path(f"{classes}.txt").write_text("\n".join(classes))
    Path("abl.txt").write_text("a\nb\nlabel\n")
    Path("abl.txt").write_text("a\nb\nlabel\n")
    Path("abnan.txt").write_text("a\nb\nnan\n")
    table = table.assign(score=0.5, label2=table["label"]) if "label" in table else table
    typed = "import typed.csv -o new"
    table.to_csv("typed.csv", index=False)
    said = walk.refused(f"{typed} {options}", at)
    assert words in said.hint, said.hint
    if isinstance(mended, str):
        options = mended
    else:
        mended(table).to_csv("typed.csv", index=False)
    walk.ends(f"{typed} {options}")


@pytest.mark.usefixtures("photos_here")
def test_a_folder_of_photos_is_evaluated_as_the_hint_says(walk: Walk):
    said = walk.refused("import photos", "imported.table._read_rows:hint")
    assert "'photos' is a folder" in said.text
    assert "errlens evaluate takes a folder of photos" in said.hint
    walk.ends("evaluate photos --model tiny:colours -o of-folder")


@IN_TABLES
def test_a_table_of_another_encoding_is_saved_as_the_hint_says(walk: Walk):
    Path("typed.csv").write_bytes("path,label,pred\nä.jpg,é,é\n".encode("latin-1"))
    said = walk.refused("import typed.csv -o new", "data.tables.read_table:hint2")
    assert "UTF-8" in said.hint
    Path("typed.csv").write_text("path,label,pred\nä.jpg,é,é\n", encoding="utf-8")
    walk.ends("import typed.csv -o new")


@IN_TABLES
def test_a_workbook_is_saved_as_the_hint_says(walk: Walk):
    Path("typed.xlsx").write_bytes(b"PK")
    said = walk.refused("import typed.xlsx -o new", "data.tables.read_table:hint")
    assert "CSV UTF-8" in said.hint
    walk.ends("import table.csv -o new")


@IN_TABLES
def test_several_rows_about_an_image_are_taken_as_the_remark_says(walk: Walk):
    SURE.assign(path=["a.jpg", "b.jpg", "a.jpg", "b.jpg"]).to_csv("twice.csv", index=False)
    said = walk.ends("import twice.csv -o new", says="--repeated mean")
    assert "--repeated first" in said.text, "commands.import_.remarks._tell_repetitions:text"
    for how in ("mean", "first"):
        walk.ends(f"import twice.csv -o {how} --repeated {how}", says="2 of 2")


@IN_TABLES
def test_images_of_a_table_are_found_where_the_option_says(walk: Walk):
    at = "commands.import_.remarks._tell_where:text"
    SURE.to_csv("sure.csv", index=False)
    said = walk.ends("import sure.csv -o new", says="none of the images lies in this folder")
    assert "--root DIR says where they are" in said.text, at
    for name in SURE["path"][:3]:
        paint(Path("elsewhere", name), "red")
    walk.ends("import sure.csv -o newer --root elsewhere", says="3 of 4 images lie in elsewhere")


@IN_TABLES
@pytest.mark.parametrize(
    ("table", "typed", "option"),
    [
        (BARE.assign(score=[0.8, 0.3]), "", "--prob-column score=a"),
        (BARE.assign(score=[0.2, 0.7]), "--pred-column score", "--prob-column score=b"),
        (names("0 1 0", "0.1 0.9 0.4"), "", "--prob-column pred=1"),
        (BARE.assign(confidence=[0.2, 0.7], age=[3, 5]), "", "--prob-column confidence=b"),
    ],
)
def test_a_score_of_one_of_two_classes_is_taken_by_the_option(walk: Walk, table, typed, option):
    table.to_csv("scores.csv", index=False)
    said = walk.refused(f"import scores.csv -o new {typed}")
    assert said.hint.endswith(f"add {option}")
    walk.ends(f"import scores.csv -o new {option}", says="100.0 %")
