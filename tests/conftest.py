"""Fixtures: a folder of photos, a tiny model that names their colour, and golden texts."""

import gc
import json
import os
import shlex
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

import hypothesis
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from typer.main import get_command
from typer.testing import CliRunner, Result

import errlens
from errlens.cli import app
from errlens.run.folder import RunFolder
from errlens.run.locks import locked
from tests.warm_program import Warm

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("errlens", deadline=None)
hypothesis.settings.load_profile("errlens")

REPOSITORY = Path(__file__).parent.parent
GOLDEN = Path(__file__).parent / "golden"
NOBODY = 65534  # the number of a user who owns nothing
WORKER = os.environ.get("PYTEST_XDIST_WORKER")  # the name of this process, if there are several
COLOURS = ("blue", "green", "red")  # in the order of the tiny model's outputs

# A classifier without training: the logit of a colour is ten times the mean of its channel.
TINY_MODULE = """
import torch
from torch import nn


class Colours(nn.Module):
    def __init__(self, num_classes=3):
        super().__init__()
        self.head = nn.Linear(3, num_classes)
        with torch.no_grad():
            self.head.weight.zero_()
            self.head.bias.zero_()
            for row, channel in enumerate((2, 1, 0)):
                self.head.weight[row, channel] = 10.0

    def forward(self, images):
        return self.head(images.mean(dim=(2, 3)))


def colours(**kwargs):
    return Colours(**kwargs)


def broken(**kwargs):
    model = Colours(**kwargs)
    with torch.no_grad():
        model.head.bias.fill_(float("nan"))
    return model


def one_output():
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 1))


class Picky(Colours):
    def forward(self, images):
        assert images.shape[2] == 32, "only 32 pixels"
        return super().forward(images)


def picky():
    return Picky()


def no_module():
    return 17
"""


def pytest_configure() -> None:
    """Let tests, and the programs that they start, be fast and the same everywhere.

    Networks this small take several times as long with two threads of torch, whose one core waits
    for the other. The width is of the terminal that pytest is called from.
    """
    if "OMP_NUM_THREADS" not in os.environ:
        os.environ["OMP_NUM_THREADS"] = "1"
        torch.set_num_threads(1)
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)


def pytest_collection() -> None:
    """Do not look for garbage among modules and tests: there are a million objects, all in use."""
    gc.disable()


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite-golden", action="store_true", help="accept the texts as they are")
    parser.addoption("--slow", action="store_true", help="run the tests that take minutes, too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--slow"):
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="takes minutes; run it with --slow"))


@pytest.fixture(scope="session", autouse=True)
def calls_are_quick() -> Iterator[None]:
    """Build the program once, not for each call; and do not wait for the disk to be safe."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.testing._get_command", cache(get_command))
        patch.setattr(os, "fsync", os.fstat)  # no power is cut here; what cannot be opened fails
        yield


@pytest.fixture(scope="module", autouse=True)
def networks_are_forgotten(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Two test files of one process may each write a module of this name."""
    yield
    written = str(tmp_path_factory.getbasetemp())
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(written):
            del sys.modules[name]


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with the file of this name in tests/golden."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--rewrite-golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")

    return compare


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real photos and models, where there is one."""
    folder = Path(os.environ.get("ERRLENS_REAL_DATA", REPOSITORY.parent / "shared"))
    if not (folder / "models").is_dir():
        pytest.skip(f"no real photos and models in {folder}; set ERRLENS_REAL_DATA")
    return folder


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    """The program in processes of its own that need not import its libraries."""
    with signals_as(signal.SIG_DFL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        program = Warm()
    yield program
    program.close()


class Sample(NamedTuple):
    """What came of `errlens run configs/sample.yaml`."""

    run: RunFolder
    printed: str  # on standard output, with `runs/sample` for the folder


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """The sample, which takes its time: it runs once for all tests, whichever worker has them."""
    folder = tmp_path_factory.getbasetemp()
    folder = (folder.parent if WORKER else folder) / "sample"
    printed = folder / "printed.txt"
    with locked(folder):
        if not printed.exists():
            options = ["--set", f"out={folder / 'run'}"]
            said = ends(["run", REPOSITORY / "configs" / "sample.yaml", *options])
            printed.write_text(said.stdout.replace(str(folder / "run"), "runs/sample"), "utf-8")
    return Sample(errlens.open_run(folder / "run"), printed.read_text("utf-8"))


def paint(path: Path, colour: str, *, size: tuple[int, int] = (12, 10), seed: int = 0) -> Path:
    """Write a noisy image whose strongest channel is the colour's."""
    pixels = np.random.default_rng(seed).integers(0, 120, (size[1], size[0], 3), dtype=np.uint8)
    pixels[:, :, ("red", "green", "blue").index(colour)] += 120
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def paint_colours(folder: Path) -> Path:
    """Paint class folders of four photos each; one of the red ones is really green."""
    for number, colour in enumerate(COLOURS):
        for index in range(4):
            shown = "green" if (colour, index) == ("red", 3) else colour
            paint(folder / colour / f"{index}.png", shown, seed=10 * number + index)
    return folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Class folders of four photos each; one of the red ones is really green."""
    return paint_colours(tmp_path / "photos")


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a model factory in the current folder that knows the three colours."""
    (tmp_path / "tiny.py").write_text(TINY_MODULE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "tiny", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return "tiny:colours"


def call(arguments: str | Sequence[object]) -> Result:
    """Run a command inside this process; a text is split as a shell would."""
    words = shlex.split(arguments) if isinstance(arguments, str) else [*map(str, arguments)]
    return CliRunner().invoke(app, words)


def ends(arguments: str | Sequence[object], exit_code: int = 0) -> Result:
    """Run a command and expect its exit code."""
    said = call(arguments)
    assert said.exit_code == exit_code, said.output
    return said


def refused(arguments: str | Sequence[object], *, exit_code: int) -> str:
    """Run a command where it cannot go on, and return what it says."""
    said = ends(arguments, exit_code)
    assert said.stdout == ""
    assert "Traceback" not in said.stderr
    return said.stderr


def contents(folder: str | Path) -> dict[str, bytes]:
    """Return the files below a folder by their paths in it."""
    found = [path for path in Path(folder).rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def make_run(
    table: pd.DataFrame,
    out: str = "run",
    *,
    classes: Sequence[str],
    superclasses: Mapping[str, str] | None = None,
    options: str = "",
    images: bool = False,
) -> RunFolder:
    """Import a table into a run below the current folder; paint its images, if they are wanted."""
    for row, path in enumerate(table["path"] if images else ()):
        paint(Path(path), "red", size=(30 + row, 20), seed=row)
    Path(out).parent.mkdir(exist_ok=True)
    table.to_csv("table.csv", index=False)
    Path("classes.json").write_text(json.dumps([*classes]), encoding="utf-8")
    if superclasses:
        parents = pd.Series(superclasses, name="superclass").rename_axis("class_name")
        parents.to_csv("parents.csv")
        options += " --superclasses parents.csv"
    ends(f"import table.csv -o {out} --classes classes.json --labels names -q {options}")
    return errlens.open_run(out)


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * len(name))
    return folder


@contextmanager
def without_privilege():
    """Be a user who may not read everything, where we are one who may."""
    if not hasattr(os, "seteuid"):
        pytest.skip("no file permissions to speak of on this platform")
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


@contextmanager
def signals_as(handler, *numbers: int):
    """Give programs that are started meanwhile the signals of a terminal, or of nohup.

    Tests that run in the background ignore SIGINT, and what they start would do so, too.
    """
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, usual in before.items():
            signal.signal(number, usual)


@pytest.fixture
def public():
    """A folder that every user may enter, unlike tmp_path."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        with without_privilege():
            reached = os.access(name, os.R_OK | os.X_OK, effective_ids=True)
        if not reached:
            pytest.skip("other users cannot enter the folder of temporary files")
        yield Path(name)


@pytest.fixture(autouse=True)
def threads_given_back():
    """Workers set the number of torch threads; a test must not pass that on."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
