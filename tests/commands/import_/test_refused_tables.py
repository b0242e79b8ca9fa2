"""Tables that cannot be imported, and how soon that is said."""

from pathlib import Path

import pytest

from tests.commands.import_.conftest import ONLY_PRED, refused, run_import


@pytest.mark.parametrize(
    ("text", "options", "reasons"),
    [
        ("", "", ["cannot be read"]),
        ("path,label,pred\n", "", ["has no rows"]),
        ("path,truth,pred\na,x,x\n", "", ["no column 'label'", "--label-column"]),
        ("file,label,pred\na,x,x\n", "", ["no column 'path' or 'id'", "--path-column"]),
        (
            "path,label,prediction\na,x,x\n",
            "",
            ["no column 'pred'", "no columns of probability", "'prediction'", "did you mean"],
        ),
        ("path,label,pred,pred\na,x,x,x\n", "", ["several columns called 'pred'"]),
        ("path,label,pred\na,x,x\n,x,x\n", "", ["column 'path' is empty in line 3"]),
        ("path,label,pred,confidence\na,x,x,97\n", "", ["holds 97", "percentages"]),
        ("path,label,p_x,p_y\na,x,0.5,abc\n", "", ["column 'p_y'", "line 2 holds 'abc'"]),
        ("path,label,p_x,p_y\na,x,0.5,0.5\nb,x,0.5,0.4\n", "", ["line 3, 'b', sum to 0.9"]),
        ("path,label,p_x,p_y\na,x,-1.5,2\n", "", ["raw outputs (logits)", "--logits"]),
        ("path,label,p_x,p_y\na,x,30,70\nb,x,0,1\n", "", ["outside of 0 to 1 in 1 of 2 rows", "%"]),
        (
            "path;label;p_x;p_y\na;x;0,3;0.7\nb;x;0.1;0,9\n",
            "",
            ["line 2 holds '0,3', line 3 '0.1'"],
        ),
        ("path,label,p_x\na,x,30\nb,y,0\n", "", ["'p_x' should hold", "divide percentages"]),
        ("path,label,p_x\na,1,0.3\nb,0,0\n", "", ["only column", "--classes FILE"]),
        ("path,label,p_x,p_y\na,x,-0.6931,-0.6931\n", "", ["log-probabilities", "--logits"]),
        (
            "path,label,pred,p_x,p_y\na,x,x,0.9,0.1\nb,x,x,0.4,0.6\n",
            "",
            ["1 of 2 predicted classes", "b (predicted 'x', most probable 'y')"],
        ),
        ("path,label,prob_x,prob_y,p_x,p_y\na,x,1,0,1,0\n", "", ["two sets", "--prob-prefix"]),
        ("path,label,y,z\na,path,1,0\nb,y,0,1\nc,z,0,1\n", "", ["'path'", "prob_CLASS"]),
        ("path,label,pred\na,cat,1\nb,dog,0\n", "", ["do not name the same", "--classes"]),
        ("path,label,pred\na,cat,cow\n", "--classes names.txt", ["'cow'", "2 class names"]),
        ("path,label,pred\na,cow,cat\n", "--classes names.txt", ["'cow'", "2 class names"]),
        ("path,label,pred\na,2,1\n", "--classes names.txt", ["'2'", "2 class names"]),
        ("path,label,pred\na,cat,cat\n", "--classes twice.txt", ["must be unique"]),
        ("path,label,p_cat,p_dgo\na,cat,1,0\n", "--classes names.txt", ["no column", "'dog'"]),
        ("path,label,prob_cat,prob_dog\na,Kat,1,0\n", "", ["nearest to 'Kat': 'cat'"]),
        ("path,label,p_cat,p_dog\na,cat,1,0\n", "--classes three.txt", ["no column", "'fox'"]),
    ],
)
def test_a_bad_table_is_bad_input(text, options, reasons):
    Path("names.txt").write_text("cat\ndog\n")
    Path("twice.txt").write_text("cat\ncat\n")
    Path("three.txt").write_text("cat\ndog\nfox\n")
    words = refused(text, options)
    assert [reason for reason in reasons if reason not in words] == []


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("--split test", "no column 'split'"),
        ("--prob-prefix score_", "--prob-prefix 'score_'"),
        ("--pred-column label", "--label-column and --pred-column"),
    ],
)
def test_an_option_the_table_does_not_bear_is_a_usage_error(options, reason):
    Path("table.csv").write_text(ONLY_PRED)
    result = run_import(f"table.csv -o run {options}")
    assert result.exit_code == 2
    assert reason in result.stderr


def test_files_that_are_no_tables():
    Path("latin.csv").write_bytes("path,label,pred\na,Bär,Bär\n".encode("latin-1"))
    Path("broken.parquet").write_bytes(b"PAR1 and nothing else")
    Path("table.xlsx").write_bytes(b"PK")
    for name, reason in (
        ("latin.csv", "save it as UTF-8"),
        ("broken.parquet", "cannot be read"),
        ("table.xlsx", "none of .csv"),
        ("gone.csv", "does not exist"),
    ):
        result = run_import(f"{name} -o run")
        assert result.exit_code == 3
        assert reason in result.stderr
