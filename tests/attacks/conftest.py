import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.attacks import runs


@pytest.fixture(scope="session")
def everything(tmp_path_factory):
    """A folder with a run that has all results, and what its commands need beside it."""
    folder = tmp_path_factory.mktemp("everything")
    before = Path.cwd()
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    sys.modules.pop("tiny", None)  # another test's
    try:
        runs.make(folder)
    finally:
        os.chdir(before)
        sys.path.remove(str(folder))
        sys.modules.pop("tiny", None)
    return folder


@pytest.fixture
def run(everything, tmp_path, monkeypatch):
    """A copy of that run, to be damaged; the current folder is the one around it."""
    for path in everything.iterdir():
        if path.name not in ("run", "photos"):
            copy = shutil.copytree if path.is_dir() else shutil.copy
            copy(path, tmp_path / path.name)
    shutil.copytree(everything / "run", tmp_path / "run")
    (tmp_path / "photos").symlink_to(everything / "photos")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, "tiny", raising=False)
    return tmp_path / "run"
