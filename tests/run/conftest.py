import pytest

import errlens
from errlens.run.folder import RunFolder


@pytest.fixture
def options(tiny, photos, tmp_path):
    return {"data": photos, "model": tiny, "out": tmp_path / "run", "img_size": 8, "part_size": 5}


@pytest.fixture
def run(options):
    return errlens.evaluate(**options)


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path / "made" / "by hand")
