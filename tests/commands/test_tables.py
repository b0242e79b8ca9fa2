"""What every command prints on narrow and on wide terminals."""

import contextlib
import json
import re
import sys
from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import repeat
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from typer.testing import Result

from errlens.terminal import Cell, Names, Screen
from errlens.terminal.tables import fitted
from tests.conftest import COLOURS, TINY_MODULE, call, make_run, paint

DOGS = ["American_Pit_Bull_Terrier", "German_Shorthaired_Pointer", "Staffordshire_Bull_Terrier"]
CATS = ["Bengal", "Egyptian_Mau", "とても長い名前の猫のクラス"]
CLASSES = [*DOGS, *CATS]
PARENTS = {**dict.fromkeys(DOGS, "dog"), **dict.fromkeys(CATS, "cat (domestic)")}
EACH = 40

MODEL = "--model tiny:colours --img-size 8"
ARGUMENTS = {
    "import": "import old.csv -o imported --classes classes.json --superclasses parents.csv "
    "--overwrite",
    "confusion": "confusion old --soft --no-figures",
    "confusion.by": "confusion old --by superclass --no-figures",
    "misclassified": "misclassified old --no-figures",
    "misclassified.row": "misclassified old --select row:3 --no-figures",
    "diagnose": "diagnose filmed --no-figures",
    "diagnose.few": "diagnose colours --no-figures",
    "compare.2": "compare old new --no-figures -o compared",
    "compare.3": "compare old newer new --no-figures -o compared",
    "check.passed": "check new --fail-under top1=0.7 --fail-over pair:Bengal~Egyptian_Mau=0.5",
    "check.failed": "check new --fail-under top1=0.99 "
    "--fail-under recall:Staffordshire_Bull_Terrier=0.9",
    "check.drop": "check old --baseline new --max-drop 0.5pp",
    "check.gain": "check new --baseline old --max-drop 0.5pp --fail-under top1=0.5",
    "what-if": "what-if old --merge Bengal+Egyptian_Mau --fail-under top1=0.8",
    "report": "report plain",
    "run": "run chain.yaml --overwrite",
    "cache-key": "cache-key chain.yaml",
    "evaluate": f"evaluate photos {MODEL} -o colours --max-bad 1 --overwrite",
    "network.probe": f"network probe photos {MODEL} --save-head head.safetensors",
    "network.probe.layers": "network probe looked --layers stem,deep --folds 2",
    "network.filters": "network filters looked",
    "network.activations": "network activations looked --select row:3 --layer deep",
    "network.features": "network features looked --channels 0,1 --top 2 --projection none",
    "network.evolution": "network evolution looked --checkpoints 'epoch*.pth' --channels 0,1 "
    "--projection none",
    "network.invariance": "network invariance looked --transform rotate,blur",
    "network.embed": "network embed looked --top 1",
    "atlas.collect": "atlas collect looked --layer stem,deep --per-image 36",
    "atlas.render": "atlas render looked --layer deep --layout pca --grid 3",
    "atlas.class": "atlas class looked red --layer deep --layout pca --grid 4",
    "atlas.compare": "atlas compare looked red~blue --layer deep --layout pca --grid 4",
    "atlas.paste": "atlas paste looked --to red --patch photos/blue/0.png --sizes 0.3,0.6",
    "explain": "explain colours --method occlusion --overwrite",
    "analyze": "analyze colours --method occlusion",
    "explain.list": "explain colours --list",
    "explain.check": "explain colours --method occlusion --check --overwrite",
}
LOOKED = "evaluate photos --model looked_nets:net --img-size 16 --max-bad 1 -o looked"
LOOKED_NETS = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, epoch):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, stride=2)
        self.deep = nn.Conv2d(4, 6, 3, padding=1)
        self.head = nn.Linear(6, 3)
        self.num_classes = 3
        with torch.no_grad():
            for number, weights in enumerate(self.parameters()):
                steps = torch.arange(weights.numel()).reshape(weights.shape)
                weights.copy_(torch.sin((number + 2) * steps + epoch / 2))

    def forward(self, images):
        return self.head(self.deep(self.stem(images).relu()).relu().mean(dim=(2, 3)))


def net(epoch=2):
    return Net(epoch)
"""
CHAIN = """
out: chained
import: {table: old.csv, classes: classes.json, superclasses: parents.csv}
confusion: {no_figures: true}
check: {fail_under: [top1=0.6]}
"""


def predictions(right: float, *, seed: int) -> pd.DataFrame:
    """Return a table of probabilities: every class is mostly taken for that beside it."""
    random = np.random.default_rng(seed)
    label = np.repeat(np.arange(len(CLASSES)), EACH)
    beside = label + np.where(label % 2, -1, 1)
    logits = random.normal(size=(len(label), len(CLASSES)))
    rows = np.arange(len(label))
    logits[rows, np.where(random.random(len(label)) < right, label, beside)] += 4
    share = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    names = [CLASSES[index] for index in label]
    paths = [f"photos/validation/{name}/{name}_{row:06d}.jpg" for row, name in enumerate(names)]
    table = pd.DataFrame({"path": paths, "label": names})
    return table.join(pd.DataFrame(share.round(6), columns=[f"prob_{name}" for name in CLASSES]))


def filmed() -> pd.DataFrame:
    """Return predictions of two cameras, one of which is wrong more often than right."""
    good, bad = predictions(0.9, seed=9), predictions(0.2, seed=9)
    camera = np.where(np.arange(len(good)) % 5 < 4, "canon", "nikon")
    return good.where(pd.Series(camera == "canon"), bad, axis=0).assign(camera=camera)


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """A folder with imported runs, and with photos and a model that knows their colours."""
    folder = tmp_path_factory.mktemp("tables")
    with contextlib.chdir(folder):
        for name, right in (("old", 0.7), ("new", 0.85), ("newer", 0.86), ("plain", 0.7)):
            table = predictions(right, seed=len(name))
            make_run(table, name, classes=CLASSES, superclasses=PARENTS)
            Path("table.csv").rename(f"{name}.csv")
        make_run(filmed(), "filmed", classes=CLASSES, superclasses=PARENTS)
        Path("chain.yaml").write_text(CHAIN, encoding="utf-8")
        Path("tiny.py").write_text(TINY_MODULE, encoding="utf-8")
        Path("looked_nets.py").write_text(LOOKED_NETS, encoding="utf-8")
        for number, colour in enumerate(COLOURS):
            for index in range(4):
                shown = "green" if (colour, index) == ("red", 3) else colour
                paint(Path("photos", colour, f"{index}.png"), shown, seed=10 * number + index)
        Path("photos/red/broken.png").write_bytes(b"no picture")
    return folder


class Table(NamedTuple):
    """What a command asked the screen to print."""

    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    gives_way: Sequence[str] = ()
    prose: Sequence[str] = ()
    whole: Sequence[str] = ()


@pytest.fixture(scope="session")
def printed(home):
    """Run a command with so many columns, once: what it prints, and its tables."""
    tables, print_table = [], Screen.table

    def noted(screen, heads, rows, **asked):
        asked_for = {key: value for key, value in asked.items() if key != "file"}
        if rows:
            tables.append(Table(heads, rows, **asked_for))
        print_table(screen, heads, rows, **asked)

    @cache
    def run(name: str, columns: int) -> tuple[Result, list[Table]]:
        tables.clear()
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(home)
            patch.delitem(sys.modules, "tiny", raising=False)
            patch.delitem(sys.modules, "looked_nets", raising=False)
            patch.setattr(sys, "path", list(sys.path))
            if name.startswith(("explain", "analyze", "diagnose")) and not Path("colours").exists():
                call(ARGUMENTS["evaluate"])
            if name.startswith(("network", "atlas")) and not Path("looked").exists():
                call(LOOKED)
                nets = sys.modules["looked_nets"]
                for epoch in range(3):
                    torch.save(nets.net(epoch).state_dict(), f"epoch{epoch}.pth")
            patch.setattr(Screen, "table", noted)
            patch.setenv("COLUMNS", str(columns))
            return call(ARGUMENTS[name]), [*tables]

    return run


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("name", ARGUMENTS)
def test_what_a_command_prints_fits_the_terminal(name, columns, printed, golden):
    said, _ = printed(name, columns)
    assert said.exit_code == (name in ("check.failed", "check.drop")), said.output
    text = re.sub(r"[0-9a-f]{64}", "HASH", re.sub(r"\d+ kB", "N kB", said.stdout))
    golden(f"terminal/{name}.{columns}.txt", text)
    lines = [line for line in text.splitlines() if not line.startswith("Next: ")]
    assert max(map(cell_len, lines)) <= columns


NAMES = st.text(
    st.characters(exclude_categories=["Cs", "Co", "Cn"]) | st.sampled_from("abcdefg_ 猫犬"),
    min_size=1,
    max_size=60,
)
COUNTS = st.integers(0, 999_999) | st.just(999_999)


def like(cell: Cell, head: str, data: st.DataObject) -> Cell:
    """Return a cell of other names, or with other counts."""
    if isinstance(cell, Names):
        return Names(tuple(data.draw(NAMES) for _ in cell.names), cell.joint)
    if isinstance(cell, str) and head.startswith(">"):
        return re.sub(r"(?<![\d.,])\d+(?![\d.,]| %)", lambda _: f"{data.draw(COUNTS):,}", cell)
    return data.draw(NAMES) if isinstance(cell, str) and cell else cell


@settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))
@given(data=st.data(), width=st.integers(60, 140))
def test_every_table_fits_whatever_its_names_and_counts_are(printed, data, width):
    for name in ARGUMENTS:
        for heads, rows, gives_way, prose, whole in printed(name, 80)[1]:
            named = [f"<{data.draw(NAMES)}" if head[:1] == "<" else head for head in heads]
            cells = [[*map(like, row, heads, repeat(data))] for row in rows[:3]]
            table = fitted(named, cells, width, gives_way=gives_way, prose=prose, whole=whole)
            lines = ["".join(span.text for span in line) for line in table.lines]
            if not whole:  # what is copied may be wider than the terminal
                assert max(map(cell_len, lines)) <= width
            numbers = Counter(
                word
                for row in cells
                for head, cell in zip(heads, row, strict=True)
                if head.startswith(">") and head[1:] not in table.left_out
                for word in cell.split()
            )
            assert numbers <= Counter(word for line in lines for word in line.split())


def test_the_object_for_programs_has_no_width(home, monkeypatch):
    monkeypatch.chdir(home)
    wide = call("confusion old --no-figures --json").stdout
    monkeypatch.setenv("COLUMNS", "60")
    assert call("confusion old --no-figures --json").stdout == wide
    assert json.loads(wide)["n"] == EACH * len(CLASSES)
