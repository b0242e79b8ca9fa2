from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from errlens.errors import Interrupted
from errlens.run.folder import RunFolder
from errlens.scale.resume import ShardWorker, finish
from tests.run.made import PLAN, make_info, make_part, write_parts


@dataclass(frozen=True, kw_only=True)
class Writer(ShardWorker):
    """Writes parts until it is stopped."""

    stop_at: int = 99

    def __call__(self, shard):
        if shard == self.stop_at:
            raise KeyboardInterrupt
        self.run.write_part(shard, make_part(self.plan, shard), {}, make_info())
        self.advance(2)


@pytest.fixture
def run(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.begin(make_info(), PLAN)
    write_parts(folder, PLAN, make_info(), shards=[1])
    return folder


def finished(worker):
    steps = []

    @contextmanager
    def progress(what, *, total, done):
        steps.append((what, total, done))
        yield steps.append

    finish(worker, what="images", progress=progress)
    return steps


def test_only_parts_that_are_missing_are_made(run):
    assert finished(Writer(run=run, plan=PLAN)) == [("images", 5, 2), 2, 2]
    assert run.unfinished() == []


def test_a_stop_keeps_what_is_finished(run):
    with pytest.raises(Interrupted, match=r"stopped: 4 of 5 images are saved") as stop:
        finished(Writer(run=run, plan=PLAN, stop_at=2))
    assert run.unfinished() == [2]
    assert run.info.status == "interrupted"
    assert stop.value.hint == "the same command goes on from there"


def test_a_stop_before_the_first_part_claims_to_keep_nothing(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.begin(make_info(), PLAN)
    with pytest.raises(Interrupted, match=r"stopped: 0 of 5 images are saved") as stop:
        finished(Writer(run=folder, plan=PLAN, stop_at=0))
    assert "begins again" in stop.value.hint
