"""A damaged run, or one made up by somebody, ends every command with a sentence: 0, 2 or 3."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.attacks import mutations
from tests.attacks.runs import COMMANDS, EVALUATE, HARMLESS, agree, files, remove
from tests.conftest import call, ends

PART = "predictions/part-00001.parquet"
DEEP = "[" * 100_000 + "]" * 100_000
CONFUSION, CHECK, REPORT = (
    "confusion run --no-figures", "check run --fail-under nll=0 --exit-zero", "report run",
)  # fmt: skip
GROUP = "misclassified run --no-figures --select group:1"
SELECT_ROW = "misclassified run --no-figures --select row:12"


def edited(**changes):
    """Return a damage: other values in a file of JSON."""

    def damage(path):
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return damage


def text(content):
    def damage(path):
        path.write_text(content)

    return damage


def without(column):
    def damage(path):
        lines = [line.split(",") for line in path.read_text().splitlines()]
        at = lines[0].index(f'"{column}"')
        path.write_text("\n".join(",".join(line[:at] + line[at + 1 :]) for line in lines))

    return damage


def edited_cell(name, cell):
    def damage(path):
        frame = pd.read_csv(path, dtype=str)
        frame.loc[0, name] = cell
        frame.to_csv(path, index=False)

    return damage


def column(name, values, kind=None):
    """Return a damage: other values in the first rows of a column of parquet."""

    def damage(path):
        table = pq.read_table(path)
        at = table.column_names.index(name)
        kept = table[name].to_pylist()[len(values) :]
        made = pa.array([*values, *kept], kind or table.schema.field(at).type)
        pq.write_table(table.set_column(at, name, made), path)

    return damage


def table(change):
    def damage(path):
        made = change(pq.read_table(path))
        pq.write_table(made, path)

    return damage


def folder(path):
    remove(path)
    path.mkdir()


def file(path):
    remove(path)
    path.write_text("a,b\n1,2\n")


def first_half(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def rewrite_npy(path, change):
    np.save(path, change(np.load(path)), allow_pickle=True)


# What is damaged, how, a command that needs it, and a word of what it says.
REFUSED = [
    ("run.json", text(""), CONFUSION, "damaged"),
    ("run.json", text("[]"), CONFUSION, "no schema_version"),
    ("run.json", text(DEEP), CONFUSION, "levels deep"),
    ("run.json", folder, CONFUSION, "no run folder"),
    ("run.json", edited(class_names=None), CONFUSION, "settings.class_names"),
    ("run.json", edited(class_names=[1, 2, 3]), CONFUSION, "settings.class_names.0"),
    ("run.json", edited(class_names=["red", "red", "blue"]), CONFUSION, "unique"),
    ("run.json", edited(class_names=[]), CONFUSION, "names no class"),
    ("run.json", edited(versions=[]), REPORT, "versions"),
    ("run.json", edited(preprocessing=3), CONFUSION, "settings.preprocessing"),
    ("run.json", edited(superclasses={"red": 3}), CONFUSION, "settings.superclasses.red"),
    ("run.json", edited(superclasses={"cow": "x"}), CONFUSION, "cow"),
    ("plan.parquet", text("no parquet"), CONFUSION, "plan.parquet"),
    ("plan.parquet", text(""), CONFUSION, "plan.parquet"),
    ("plan.parquet", first_half, EVALUATE, "plan.parquet"),
    ("plan.parquet", folder, CONFUSION, "plan.parquet"),
    ("plan.parquet", table(lambda plan: plan.slice(0, 0)), CONFUSION, "no rows"),
    ("plan.parquet", table(lambda plan: plan.drop_columns("size_bytes")), EVALUATE, "size_bytes"),
    ("plan.parquet", column("shard", [2**31 - 1]), CONFUSION, "not in order"),
    ("plan.parquet", column("shard", [None]), CONFUSION, "shard is missing"),
    ("plan.parquet", column("row", [7]), "what-if run --relabel mended.csv", "not numbered"),
    ("metrics.json", text("[]"), CHECK, "damaged"),
    ("metrics.json", text("{}"), CHECK, "n: "),
    ("metrics.json", text(DEEP), REPORT, "levels deep"),
    ("metrics.json", folder, CHECK, "metrics.json"),
    ("metrics.json", edited(nll="x"), CHECK, "nll"),
    ("metrics.json", edited(nll={"value": "x", "n": 3}), CHECK, "nll.value"),
    ("metrics.json", edited(top1={"value": 0.5, "n": 3}), "compare old run", "top1.low"),
    ("metrics.json", edited(n=None), REPORT, "n: "),
    ("metrics.json", edited(reliability=[{"low": 1}]), REPORT, "reliability.0"),
    ("metrics.json", edited(by_superclass=[None]), REPORT, "by_superclass.0"),
    ("classes.csv", text(""), CONFUSION, "classes.csv"),
    ("classes.csv", folder, CONFUSION, "classes.csv"),
    ("classes.csv", without("n"), REPORT, "no column 'n'"),
    ("classes.csv", edited_cell("n", "x"), REPORT, "'n' should hold: whole number"),
    ("extra.parquet", text("x"), "misclassified run --by-column camera", "extra.parquet"),
    ("extra.parquet", table(lambda rows: rows.slice(3)), SELECT_ROW, "extra.parquet"),
    (PART, text("x"), CONFUSION, "1 part"),
    (PART, folder, CONFUSION, "1 part"),
    (PART, table(lambda rows: rows.drop_columns("pred")), CONFUSION, "1 part"),
    (PART, table(lambda rows: rows.slice(0, 3)), CONFUSION, "1 part"),
    (PART, table(lambda rows: rows.take([1, 0, *range(2, 10)])), REPORT, "rows are not those"),
    (PART, column("pred", [3]), CONFUSION, "pred holds 3, outside the 3 classes"),
    (PART, column("label", [-1]), CONFUSION, "label holds -1, outside the 3 classes"),
    (PART, column("pred", ["red"] * 10, pa.string()), CONFUSION, "damaged"),
    (PART, column("label_name", ["cow"]), REPORT, "label_name is not the name of label"),
    (PART, column("pred", [None]), "check run --fail-over pair:red~blue=0", "pred"),
    (PART, column("status", ["odd"]), REPORT, "status"),
    (PART, column("correct", [True, True, True]), REPORT, "correct"),
    (PART, column("confidence", [float("nan")]), REPORT, "confidence"),
    (PART, column("topk_index", [[9, 9, 9]]), "confusion run --soft", "topk_index"),
    (PART, column("logits_row", [5]), "what-if run --drop red", "logits_row"),
    (PART, column("super_pred", [2]), REPORT, "super_pred"),
    ("predictions", file, CONFUSION, "3 parts"),
    ("logits/part-00001.npy", text("x"), "what-if run --drop red", "part-00001.npy"),
    ("logits", file, "what-if run --drop red", "parts"),
    ("baseline.parquet", text("x"), "check old --fail-under n=1 --baseline run/baseline.parquet",
     "no baseline.parquet"),
    ("confusion/pairs.csv", without("class_a"), "misclassified run --select pairs:1", "damaged"),
    ("confusion/pairs.csv", text(""), "misclassified run --select pairs:1", "damaged"),
    ("confusion/pairs.csv", folder, "misclassified run --select pairs:1", "damaged"),
    ("confusion/groups.csv", text(f"classes\n{DEEP}\n"), GROUP, "damaged"),
    ("confusion/groups.csv", text('classes\n"[[1]]"\n'), GROUP, "damaged"),
    ("confusion/made_from.json", text(DEEP), "misclassified run --select pairs:1", "other"),
    ("confusion/made_from.json", folder, CONFUSION, "cannot be written"),
    ("confusion", file, "misclassified run --select pairs:1", "not there"),
    ("gates.json", folder, CHECK, "cannot be written"),
]  # fmt: skip

# What only a part of the page is made of: the page says which command mends it.
ON_THE_PAGE = [
    ("gates.json", edited(gates=[{"name": {}, "passed": 3}])),
    ("gates.json", edited(gates={"a": 1})),
    ("gates.json", text("[]")),
    ("gates.json", text(DEEP)),
    ("confusion/pairs.csv", without("gain_if_solved")),
    ("confusion/made_from.json", text("{")),
    ("confusion/groups.csv", text('group,classes\n1,"{}"\n')),
    ("confusion/groups.csv", edited_cell("classes", DEEP)),
    ("misclassified/collect.csv", text("")),
    ("explain/index.csv", without("file")),
    ("explain/index.csv", without("row")),
    ("compare/runs.csv", folder),
]  # fmt: skip


EXPLAIN = "explain run --top 1 --method occlusion --mask 50% --overwrite"
# What a run says of itself, with parts and results that agree.
LIES = [
    ({"preprocessing": {}}, EXPLAIN, "preprocessing"),
    ({"preprocessing": {"img_size": "x"}}, "misclassified run --top 1 --as-fed", "preprocessing"),
    ({"preprocessing": {"transform": 3}}, EXPLAIN, "module:function"),
    ({"preprocessing": {"transform": "nowhere:x"}}, EXPLAIN, "nowhere"),
    ({"checkpoint": "/etc/passwd"}, EXPLAIN, "/etc/passwd"),
    ({"checkpoint": "a\0b"}, EXPLAIN, "a\\x00b"),
    ({"model": ""}, EXPLAIN, "model"),
    ({"model": "nowhere:x"}, EXPLAIN, "nowhere"),
    ({"weights_sha256": "0"}, EXPLAIN, "weights"),
    ({"arguments": {"nonsense": 1}}, EXPLAIN, "nonsense"),
    ({"keep": ["../../x"]}, CONFUSION, "leads out of"),
    ({"keep": ["gradients"]}, CONFUSION, "parts"),
    ({"class_names": ["red", "green", "blue"]}, CONFUSION, "label_name"),
    ({"class_names": ["blue", "green"], "superclasses": None}, CONFUSION, "outside the 2 classes"),
    ({"superclasses": None}, REPORT, "super_label"),
    ({"status": "relabelled"}, CONFUSION, "do not match"),
    ({"engine": {"name": "import"}}, EXPLAIN, "imported"),
]


@pytest.mark.parametrize(("changes", "command", "word"), LIES, ids=str)
def test_a_run_that_lies_about_itself_is_found_out(run, changes, command, word):
    edited(**changes)(run / "run.json")
    agree(run)
    said = call(command)
    assert said.exit_code in (2, 3), said.output
    assert word in said.stderr


@pytest.mark.parametrize(
    ("name", "damage", "command", "word"),
    REFUSED,
    ids=[f"{at}-{one[0]}" for at, one in enumerate(REFUSED)],
)
def test_what_is_damaged_is_refused_with_a_sentence(run, name, damage, command, word):
    damage(run / name)
    said = call(command)
    assert said.exit_code == 3, said.output
    assert word in said.stderr
    assert len(said.stderr) < 2_000


@pytest.mark.parametrize(
    ("name", "damage"), ON_THE_PAGE, ids=[f"{at}-{one[0]}" for at, one in enumerate(ON_THE_PAGE)]
)
def test_what_is_damaged_is_missing_from_the_page_with_its_reason(run, name, damage):
    damage(run / name)
    ends(REPORT)
    page = (run / "report.html").read_text()
    assert "is damaged" in page or "was made of other predictions" in page


@pytest.mark.parametrize("seed", range(24))
def test_no_damage_makes_a_command_fall_over(run, seed):
    """Change a file at random, and call some commands."""
    chance = random.Random(seed)
    # Each third time a file that all commands read.
    names = ["run.json", PART, "plan.parquet", "metrics.json"] if seed % 3 == 0 else files(run)
    damage = mutations.damaged(run / chance.choice(names), chance)
    if "_json" in damage and seed % 2:
        agree(run)
    for command in chance.sample(COMMANDS, 3):
        said = call(command)
        assert said.exit_code in HARMLESS, f"{damage}; {command}\n{said.output}"


def test_the_program_itself_ends_so(run):
    (run / "metrics.json").write_text(DEEP)
    program = Path(sys.executable).with_name("errlens")
    said = subprocess.run(
        [program, *CHECK.split()], capture_output=True, text=True, check=False, cwd=run.parent
    )
    assert said.returncode == 3
    assert said.stderr.startswith("error: 'run/metrics.json' is damaged: ")
    assert "Traceback" not in said.stderr


def nested(folder, *, levels=1_500):
    """Make folders in folders, as deep as the longest path allows and deeper than Python calls."""
    folder.mkdir(exist_ok=True)
    here = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d", dir_fd=here)
        deeper = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(here)


def test_folders_without_end_end_in_a_sentence(run):
    for name in ("predictions", "confusion", "explain", "photos/blue"):
        place = run / name
        if name.startswith("photos"):
            (run.parent / "photos").unlink()
            place = run.parent / name
            place.parent.mkdir()
        nested(place)
    try:
        for command in (
            *COMMANDS,
            f"{EVALUATE} --overwrite",
            "evaluate photos --model tiny:colours",
        ):
            said = call(command)
            assert said.exit_code in HARMLESS, f"{command}\n{said.output}"
    finally:
        subprocess.run(["rm", "-r", run, run.parent / "photos"], check=True)
