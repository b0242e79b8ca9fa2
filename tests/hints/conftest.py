"""The folders in which hints are followed; each is made once and copied for every test."""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from errlens.errors import ErrlensError
from tests.conftest import COLOURS, TINY_MODULE, ends, make_run, paint
from tests.hints.walking import Walk

CLASSES = ("cat", "dog", "cow", "horse")
KINDS = {"cat": "pet", "dog": "pet", "cow": "farm", "horse": "farm"}
GERMAN = {"cat": "Katze", "dog": "Hund", "cow": "Kuh", "horse": "Pferd"}
N = 10  # images of each class
# Added to the networks of tests/conftest.py: one that has a map of places.
MODELS = """

class Spatial(Colours):
    def __init__(self, num_classes=3):
        super().__init__(num_classes)
        self.conv = nn.Conv2d(3, 3, 1, bias=False)
        with torch.no_grad():
            self.conv.weight.copy_(torch.eye(3)[:, :, None, None])

    def forward(self, images):
        return super().forward(self.conv(images))


class Bent(Spatial):
    def forward(self, images):
        return super().forward(images**4)


def spatial(num_classes=3):
    return Spatial(num_classes)


def bent():
    return Bent()
"""
FILES = {
    "parents.csv": "class_name,superclass\ncat,pet\ndog,pet\ncow,farm\nhorse,farm\n",
    "twins.csv": "class_name,superclass\ncat,pet\ndog,Pet\n",
    "cta.csv": "class_name,superclass\ncta,pet\n",
    "notes.yaml": "cat~dog:\n  idae: look\n",
    "good.yaml": "cat~dog:\n  idea: look\n",
    "broken.json": "[",
    "names.txt": "cat\ndog\ncow\nhorse\n",
    "open.txt": "cat\n? dog\ncow\nhorse\n",
    "cat-labels.csv": "row,label\n0,cat\n",
    "cta-labels.csv": "row,label\n0,cta\n",
    "far.csv": "row,label\n40,cat\n",
    "last.csv": "row,label\n39,cat\n",
    "worst.csv": "row,label_name\n0,dog\n",
    "noted.csv": "row,observation\n0,look\n",
    "misspelt.csv": "row,verdict\n0,wrong lable\n",
    "spelt.csv": "row,verdict\n0,wrong label\n",
    "misspelt.yaml": "row:0: {label: cta}\n",
    "spelt.yaml": "row:0: {label: cat}\n",
    "cat.txt": "cat\ndog\n",
    "cta.txt": "cta\ndog\n",
}


@pytest.fixture
def walk(monkeypatch: pytest.MonkeyPatch) -> Walk:
    """Something to follow hints with."""
    walk = Walk(monkeypatch)

    def record(error: ErrlensError, name: str, value: object) -> None:
        Exception.__setattr__(error, name, value)
        if name == "hint" and value:
            walk.hint_written()

    monkeypatch.setattr(ErrlensError, "__setattr__", record, raising=False)
    return walk


@pytest.fixture(scope="session")
def tables_made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Imported runs: `run`, `old` of the same images, `sure` with probabilities, and others."""
    with _in(tmp_path_factory.mktemp("tables")) as folder:
        make_run(table(), "run", classes=CLASSES)
        make_run(table(wrong=1), "old", classes=CLASSES)
        sure = table()
        for name in CLASSES:
            sure[f"prob_{name}"] = [0.7 if name == pred else 0.1 for pred in sure["pred"]]
        make_run(sure, "sure", classes=CLASSES, superclasses=KINDS)
        make_run(table().assign(label=None), "bare", classes=CLASSES)
        make_run(
            table().query("label in ('cat', 'dog')").replace("cow", "cat"),
            "two",
            classes=CLASSES[:2],
        )
        elsewhere = table().assign(path="elsewhere/" + table()["path"])
        make_run(elsewhere, "elsewhere", classes=CLASSES)
        make_run(table().replace(GERMAN), "german", classes=tuple(GERMAN.values()))
        make_run(table().assign(camera="b"), "filmed", classes=CLASSES)
        make_run(table(), "marked", classes=CLASSES)
        mark = {"row": 0, "verdict": "bad image"}
        Path("marked/marks.json").write_text(json.dumps({"marks": [mark]}), encoding="utf-8")
        table().to_csv("table.csv", index=False)
        for name, text in FILES.items():
            Path(name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def photos_made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos of three colours, a network that names them, and the run `seen` of both."""
    with _in(tmp_path_factory.mktemp("photos")) as folder:
        for number, colour in enumerate(COLOURS):
            for index in range(4):
                shown = "green" if (colour, index) == ("red", 3) else colour
                paint(Path("photos", colour, f"{index}.png"), shown, seed=10 * number + index)
        Path("names.txt").write_text("".join(f"{name}\n" for name in COLOURS), encoding="utf-8")
        Path("tiny.py").write_text(TINY_MODULE + MODELS, encoding="utf-8")
        before, sys.argv = (
            sys.argv,
            ["errlens", "evaluate", "photos", "--model", "tiny:spatial", "-o", "seen"],
        )
        ends("evaluate photos --model tiny:spatial -o seen -q")
        sys.argv = before
    return folder


@pytest.fixture
def tables(tables_made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the imported runs, to be in."""
    return _copy(tables_made, tmp_path / "here", monkeypatch)


@pytest.fixture
def photos_here(photos_made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the photos and their run, to be in."""
    monkeypatch.delitem(sys.modules, "tiny", raising=False)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return _copy(photos_made, tmp_path / "here", monkeypatch)


def table(*, wrong: int = 3) -> pd.DataFrame:
    """Predictions in which the first images of each class are taken for the next class."""
    rows = [
        (f"{name}-{index}.jpg", name, CLASSES[(place + (index < wrong)) % len(CLASSES)])
        for place, name in enumerate(CLASSES)
        for index in range(N)
    ]
    return pd.DataFrame(rows, columns=["path", "label", "pred"])


def _copy(made: Path, here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(made, here)
    monkeypatch.chdir(here)
    return here


@contextmanager
def _in(folder: Path) -> Iterator[Path]:
    """Be in a folder, and leave the modules and their places as they were."""
    _forget_modules()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "path", [*sys.path])
        patch.setattr(sys, "argv", ["made.py"])
        yield folder
    _forget_modules()


def _forget_modules() -> None:
    """Let a module of a user's be imported anew, whichever other test has one of the same name."""
    for name in ("tiny", "nets", "own", "mine"):
        sys.modules.pop(name, None)
