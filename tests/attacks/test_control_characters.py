r"""Names that clear the screen, ring, turn a line round or end it, make links or start formulas.

Photos, classes, superclasses, runs, columns and notes are called so; every command is run over
them, and every byte that it shows or writes as text is looked at.
"""

import json
import os
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

import errlens
from errlens.cli import app
from errlens.escapes import shell_line
from errlens.run.csv_tables import read_csv
from tests.conftest import COLOURS, TINY_MODULE, paint

CLASSES = ("\x1b[31mred\x07", "bl\u202eue\nline\x9b", "gre\u2066en|`<b>\u2028\x7f\u200b")
FILES = (
    "\x1b]8;;www.evil.example\x1b\\.png", "new\nline\r.png", "\u202egnp.exe.png", "[red]x[$y$].png",
    "a`b|c<script>.png", "=cmd().png", "$'q\x1b'.png", ">www.evil.example @octocat #12.png",
)  # fmt: skip
RUN, OLD = "run\x1b[2J\u202e", os.fsdecode(b"old\n\x07'run\xff")  # which is no UTF-8
TEXTS = {".csv", ".md", ".html", ".json", ".xml", ".txt"}
FORBIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


class Said(NamedTuple):
    """What a command printed."""

    arguments: list[str]
    exit_code: int
    stdout: str
    stderr: str


def say(*arguments):
    said = CliRunner().invoke(app, list(map(str, arguments)))
    return Said(list(map(str, arguments)), said.exit_code, said.stdout, said.stderr)


def make_photos(folder):
    for number, name in enumerate(sorted(CLASSES)):
        for index, file in enumerate(FILES):
            shown = COLOURS[(number + (index > 4)) % 3]
            paint(folder / name / file, shown, seed=10 * number + index)
    broken = os.fsencode(folder / CLASSES[0]) + b"/caf\xe9\x1b.png"
    Path(os.fsdecode(broken)).write_bytes(b"no photo")


def write_inputs():
    parents = pd.DataFrame({"class_name": sorted(CLASSES), "superclass": ["\x1bwarm", "\x07", "c"]})
    parents.to_csv("parents.csv", index=False)
    notes = {
        f"{sorted(CLASSES)[0]}~{sorted(CLASSES)[1]}": {"idea": "\x1b]0;x\x07 https://evil.example"}
    }
    Path("notes.yaml").write_text(yaml.safe_dump(notes))
    names = sorted(CLASSES)
    table = pd.DataFrame(
        {
            "path": [f"{index}\x1b\u202e.png" for index in range(6)],
            "label": [names[index % 3] for index in range(6)],
            "site\x1b": ["\x07"] * 6,
            **{f"prob_{name}": [1.0 * (place == index // 2) for index in range(6)]
               for place, name in enumerate(names)},
        }
    )  # fmt: skip
    table.to_csv("tab\x1ble.csv", index=False)
    config = {"out": "by\x1bconfig", "import": {"table": "tab\x1ble.csv"}, "confusion": {}}
    Path("con\x07fig.yaml").write_text(yaml.safe_dump(config))


def all_commands():
    evaluate = ("photos\u202e", "--model", "tiny:colours", "--img-size", 8, "--max-bad", "50%")
    a, b, _ = sorted(CLASSES)
    yield say("evaluate", *evaluate, "-o", OLD, "--limit", 20)
    yield say("evaluate", *evaluate, "-o", RUN, "--superclasses", "parents.csv")
    yield say("confusion", RUN, "--soft", "--by", "superclass")
    yield say("misclassified", RUN, "--notes", "notes.yaml")
    yield say("misclassified", RUN, "--select", f"{a}~{b}", "--select", "row:1")
    yield say("misclassified", RUN, "--select", "row:0", "--select", "path:*octocat*")
    yield say("explain", RUN, "--select", "row:1", "--method", "gradient")
    yield say("explain", RUN, "--select", "row:1", "--method", "gradient", "--json")
    yield say("compare", OLD, RUN)
    gates = ("--fail-under", f"recall:{a}=1", "--fail-over", f"pair:{a}~{b}=0", "--baseline", OLD)
    yield say("check", RUN, *gates)
    yield say("what-if", RUN, "--merge", f"{a}+{b}", "--fail-under", "top1=1")
    yield say("report", RUN)
    yield say("report", RUN, "--select", f"{a}~{b}")
    yield say("report", OLD)
    yield say("confusion", OLD)
    yield say("import", "tab\x1ble.csv", "-o", "imported\x1b")
    yield say("run", "con\x07fig.yaml")
    yield say("cache-key", "con\x07fig.yaml")
    probe = ("--model", "tiny:colours", "--save-head", "he\x1bad.safetensors", "--img-size", 8)
    yield say("network", "probe", "photos\u202e", *probe)
    for command in ("confusion", "misclassified", "compare", "check", "what-if", "import"):
        more = {
            "compare": (OLD,), "check": ("--baseline", OLD), "what-if": ("--drop", a),
            "import": ("-o", "other", "--overwrite"),
        }.get(command, ())  # fmt: skip
        first = "tab\x1ble.csv" if command == "import" else RUN
        yield say(command, first, *more, "--json")


def all_refusals():
    nasty = "\x1b[2J\u202e\x07no"
    yield say("evaluate", "photos\u202e", "--model", nasty)
    yield say("evaluate", "photos\u202e", "--model", "resnet18", "--checkpoint", nasty)
    yield say("evaluate", nasty, "--model", "resnet18")
    yield say("evaluate", "photos\u202e", "--model", "tiny:colours", "--split", nasty)
    for command in ("confusion", "misclassified", "report", "explain", "compare", "run", "import"):
        yield say(command, nasty)
        yield say(command, RUN, f"--{nasty}")
        yield say(command, RUN, "--select", nasty, nasty)
    yield say("check", RUN, "--fail-under", f"recall:{nasty}=1")
    yield say("check", RUN, "--fail-under", f"{nasty}=1")
    yield say("what-if", RUN, "--merge", f"{nasty}+b")
    yield say("what-if", RUN, "--relabel", nasty)
    yield say("misclassified", RUN, "--rank", nasty)
    yield say("evaluate", "photos\u202e", "--model", "resnet18", "--batch-size", nasty)
    yield say(nasty)
    Path("bad.yaml").write_text(yaml.safe_dump({nasty: {nasty: 1}}))
    yield say("run", "bad.yaml")
    yield say("run", "con\x07fig.yaml", "--set", f"{nasty}=1")


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What every command says over such a run, in a folder that it leaves behind."""
    folder = tmp_path_factory.mktemp("attack")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(folder)
        patch.delitem(sys.modules, "tiny", raising=False)
        patch.setenv("NO_COLOR", "1")
        (folder / "tiny.py").write_text(TINY_MODULE)
        make_photos(folder / "photos\u202e")
        write_inputs()
        yield [*all_commands()]


def raw(text):
    """Return what cannot be seen in a text, but for the ends of its lines."""
    return [one for one in text.replace("\n", "") if unicodedata.category(one) in FORBIDDEN]


def test_no_command_prints_what_cannot_be_seen(said):
    for one in said:
        assert one.exit_code in (0, 1), (one.arguments, one.stderr)
        assert not raw(one.stdout), one.arguments
        assert not raw(one.stderr), one.arguments
        # A name with a line break would start a line of its own.
        assert not any(line.startswith("line") for line in one.stdout.splitlines())


def test_no_refusal_prints_what_cannot_be_seen(said):
    del said
    for one in all_refusals():
        assert one.exit_code in (2, 3), (one.arguments, one.stdout, one.stderr)
        assert not raw(one.stdout + one.stderr), one.arguments


def test_no_file_of_text_holds_what_cannot_be_seen(said):
    del said
    files = [path for path in Path().rglob("*") if path.suffix in TEXTS and len(path.parts) > 1]
    assert {path.suffix for path in files} >= TEXTS - {".txt"}
    for path in files:
        assert not raw(path.read_text(encoding="utf-8")), path


def test_next_commands_work_as_they_are_copied(said):
    lines = [line for one in said for line in one.stdout.splitlines() if line.startswith("Next: ")]
    assert len(lines) > 4
    program = "import json, sys; print(json.dumps(sys.argv[1:]))"
    for line in dict.fromkeys(line for line in lines if " DATA " not in line):
        command = line.removeprefix("Next: errlens ")
        script = f"{shell_line([sys.executable, '-c', program])} {command}"
        bash = subprocess.run(
            ["bash", "-c", script], capture_output=True, check=True, env={"LC_ALL": "C"}
        )
        again = say(*json.loads(bash.stdout), *(["--method", "gradient"] * ("explain " in line)))
        assert again.exit_code == 0, (line, again.stderr)


def test_tables_are_read_back_with_the_names_they_are_of(said):
    del said
    names = set(CLASSES)
    cells = read_csv(Path(RUN, "confusion", "cells.csv"), text=("true_class", "pred_class"))
    assert {*cells["true_class"], *cells["pred_class"]} <= names
    assert read_csv(Path(RUN, "classes.csv"), text=["class_name"])["class_name"].tolist() == sorted(
        CLASSES
    )
    worst = read_csv(Path(RUN, "misclassified", "worst.csv"), text=("path", "label_name"))
    paths = set(errlens.open_run(RUN).predictions.table["path"].to_pylist())
    assert set(worst["path"]) <= paths
    assert any("\n" in path for path in paths)


def test_class_files_are_read_back(said):
    del said
    names = sorted(CLASSES)
    errlens.open_run(RUN).suggest_classes(names)
    from errlens.classes.files import read_classes, read_superclasses

    suggested = Path(RUN, "suggested_classes.txt")
    assert not raw(suggested.read_text())
    classes = read_classes(suggested)
    assert classes.names == tuple(names)
    shutil.copy(Path(RUN, "classes.csv"), "classes.csv")
    assert read_classes(Path("classes.csv")).names == tuple(names)
    assert read_superclasses(Path(RUN, "classes.csv"), classes).names == ("\x07", "\x1bwarm", "c")


def test_the_summary_makes_no_link_no_mention_and_no_markup(said):
    del said
    text = Path(RUN, "summary.md").read_text()
    outside = "".join(text.split("`")[::2])
    for link in ("://", "www.", "@", "<b>", "<script>"):
        assert link not in outside
    # A bar in a name does not start another cell.
    for table in text.split("\n\n"):
        if table.startswith("|"):
            bars = {line.replace("\\|", "").count("|") for line in table.splitlines()}
            assert len(bars) == 1, table


def test_the_gates_are_wellformed_xml(said):
    del said
    assert say("check", RUN, "--fail-under", f"recall:{CLASSES[0]}=1").exit_code == 1
    suite = ElementTree.parse(Path(RUN, "junit.xml")).getroot()
    names = [case.get("name") for case in suite.iter("testcase")]
    assert any(r"\x1b[31mred\x07" in name for name in names)


def test_the_page_shows_names_escaped_and_starts_no_script(said):
    del said
    text = Path(RUN, "report.html").read_text()
    assert r"\x1b[31mred\x07" in text
    assert "<script>.png" not in text
    assert text.count("<script") == 3
    data = text.split('<script type="application/json" id="data">')[1].split("</script>")[0]
    matrix = json.loads(data)["matrix"]
    assert not any(raw(name) for name in matrix["names"])
    assert sorted(matrix["selectors"].values()) == sorted(CLASSES)


def test_pictures_show_names_escaped(said, monkeypatch):
    del said
    from matplotlib.text import Text

    from errlens.figures.paper.writing import Writing

    texts = []
    draw, write = Text.set_text, Writing.__init__
    monkeypatch.setattr(
        Text, "set_text", lambda self, text: (texts.append(text), draw(self, text))[1]
    )
    monkeypatch.setattr(
        Writing, "__init__",
        lambda self, axes, words, *args, **given: (
            texts.extend(words), write(self, axes, words, *args, **given)
        )[1],
    )  # fmt: skip
    a, b, _ = sorted(CLASSES)
    assert say("confusion", RUN).exit_code == 0
    assert say("misclassified", RUN, "--notes", "notes.yaml", "--select", f"{a}~{b}").exit_code == 0
    assert say("compare", OLD, RUN).exit_code == 0
    assert say("explain", RUN, "--select", "row:2", "--method", "gradient").exit_code == 0
    assert any(r"\x1b[31mred" in str(text) for text in texts)
    assert not [text for text in texts if raw(str(text))]
