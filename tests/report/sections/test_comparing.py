"""What changed against an older run, as the page tells it."""

import json
import re
from pathlib import Path

import pandas as pd

from errlens.run.folder import open_run
from tests.conftest import ends
from tests.report.pages import CLASSES, report, section, text_of


def run_of(name, taken, *, each=30, photos="images"):
    """Import a run in which `taken` says how many of a class are taken for another."""
    rows = []
    for label in CLASSES:
        preds = [
            pred for (true, pred), count in taken.items() if true == label for _ in range(count)
        ]
        preds += [label] * (each - len(preds))
        rows += [
            {"path": f"{photos}/{label}/{at}.png", "label": label, "pred": pred, "confidence": 0.7}
            for at, pred in enumerate(preds)
        ]
    pd.DataFrame(rows).to_csv(f"{name}.csv", index=False)
    Path("classes.txt").write_text("\n".join(CLASSES))
    ends(f"import {name}.csv -o {name} --classes classes.txt -q")


def compared(old, new, **how):
    run_of("old", old)
    run_of("run", new, **how)
    ends("compare old run --no-figures -q")
    report()
    return section("comparison", text_of())


def test_a_comparison_says_before_and_now_of_accuracy_classes_pairs_and_images():
    shown = compared(
        {("cat", "dog"): 14, ("dog", "cat"): 12},
        {("cat", "dog"): 1, ("lion", "wolf"): 9, ("wolf", "lion"): 8},
    )
    said = "Top-1 went from 78.3 % (old) to 85.0 %: +6.7 pp (95 % interval"
    assert said in shown
    assert "25 fixed and 17 broken" in shown
    assert said in section("verdict", text_of())
    names = re.findall(r'<span class="who">(.*?)</span>', shown)
    assert {*names} == {*CLASSES}
    assert shown.index("Pairs that appeared") < shown.index("lion ~ wolf: before 0 of 60")
    assert "cat ~ dog: before 26 of 60, now 1 of 60" in shown
    assert "before lion 0.700" in shown
    assert "✗&nbsp;now wolf 0.700" in shown
    assert "accuracy against" not in section("verdict", text_of())  # told once


def test_no_name_of_a_column_is_a_heading():
    shown = compared({("cat", "dog"): 9}, {("dog", "cat"): 5})
    heads = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>|<h3>(.*?)</h3>", shown, re.DOTALL)
    assert not [head for both in heads for head in both if re.search(r"[a-z]_[a-z]", head)]


def test_runs_without_images_in_common_are_compared_as_samples():
    shown = compared({("cat", "dog"): 9}, {("dog", "cat"): 5}, photos="elsewhere")
    assert "Fisher" in shown
    assert "fixed" not in re.sub(r"<[^>]*>", "", shown)
    assert "chance may explain it" in shown


def test_of_more_than_two_runs_there_is_a_table():
    for name, wrong in (("old", 9), ("older", 12), ("run", 3)):
        run_of(name, {("cat", "dog"): wrong})
    ends("compare older old run --no-figures -q")
    report()
    shown = section("comparison", text_of())
    assert [name for name in ("older", "old", "run") if f">{name}</td>" in shown] == [
        "older", "old", "run",
    ]  # fmt: skip


def test_a_table_that_says_less_is_shown_as_far_as_it_goes():
    run_of("run", {("cat", "dog"): 3})
    Path("run/compare").mkdir()
    Path("run/compare/made_from.json").write_text(
        json.dumps({"run_hash": open_run("run").info.run_hash})
    )
    Path("run/compare/runs.csv").write_text("run,n,test,top1\nold,4,,0.5\nnew,4,paired,0.75\n")
    Path("run/compare/fixed.csv").write_text(
        "row,old_row,sample_id,path,label_name,old_pred,new_pred\n"
        "5,5,images/cat/5.png,images/cat/5.png,cat,dog,cat\n"
        "9,9,elsewhere.png,elsewhere.png,dog,cat,dog\n"
    )
    report()
    shown = section("comparison", text_of())
    assert "Top-1 went from 50.0 % (old) to 75.0 %." in shown
    assert 'data-row="5"' in shown
    assert "elsewhere.png" in shown
