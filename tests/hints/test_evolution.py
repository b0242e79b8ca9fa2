"""Hints about a network over its training."""

import shutil
from pathlib import Path

import pytest
import torch

from errlens.network.evolution import evolving
from tests.hints.walking import IN_PHOTOS, Row, Walk

pytestmark = IN_PHOTOS
SEEN = "network evolution seen -q"
FILES = "network.evolution.checkpoints"

ROWS = [
    Row(
        "commands.network.evolution.command.evolution:hint",
        SEEN,
        "--checkpoints 'epoch*.pth'",
        f"{SEEN} {{}}",
    ),
    Row(
        f"{FILES}.find_checkpoints:hint",
        f"{SEEN} --checkpoints epoch1.pth",
        "'*.pth'",
        f"{SEEN} --checkpoints {{}}",
    ),
    Row(
        f"{FILES}._nothing:hint2",
        f"{SEEN} --checkpoints 'epohc*.pth'",
        "'epoch1.pth', 'epoch2.pth'",
        f"{SEEN} --checkpoints epoch1.pth --checkpoints epoch2.pth",
    ),
    Row(
        f"{FILES}._nothing:hint",
        f"{SEEN} --checkpoints 'photos/../saved/*.pth'",
        "paths start from the folder you are in",
        f"{SEEN} --checkpoints '*.pth'",
    ),
]


@pytest.fixture(autouse=True)
def saved(photos_here: Path) -> None:
    """Save two checkpoints of the network of the run."""
    for epoch in (1, 2):
        state = {"head.weight": torch.eye(3).flip(0) * 10, "head.bias": torch.zeros(3)}
        state["conv.weight"] = torch.eye(3)[:, :, None, None] * epoch
        torch.save(state, photos_here / f"epoch{epoch}.pth")


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_a_hint_proposes_is_a_way_out(walk: Walk, row: Row):
    row.follow(walk)


def test_a_checkpoint_of_another_network_is_left_out(walk: Walk):
    torch.save({**torch.load("epoch1.pth"), "conv.weight": torch.zeros(3, 3, 5, 5)}, "epoch3.pth")
    typed = f"{SEEN} --checkpoints 'epoch*.pth'"
    said = walk.refused(typed, "errors.models.UnfitCheckpoint.__init__:hint")
    assert "leave it out of --checkpoints" in said.hint
    assert said.text.count("epoch3.pth") == 1
    walk.ends(f"{SEEN} --checkpoints 'epoch[12].pth'")


def test_images_that_were_moved_are_found_where_they_lie_now(walk: Walk):
    typed = f"{SEEN} --checkpoints 'epoch*.pth'"
    Path("photos").rename("moved")
    Path("empty").mkdir()
    said = walk.refused(
        f"{typed} --data-root empty", "network.evolution.evolving._require_read:hint"
    )
    assert "--data-root DIR" in said.hint
    walk.ends(f"{typed} --data-root moved")


def test_images_that_go_meanwhile_are_no_bug(walk: Walk, monkeypatch: pytest.MonkeyPatch):
    typed = f"{SEEN} --checkpoints 'epoch*.pth' --data-root photos"
    whole = evolving.pass_over

    def and_gone(*args, **options):
        passed = whole(*args, **options)
        if not Path("gone").exists():
            shutil.move("photos", "gone")
            Path("photos").mkdir()
        return passed

    monkeypatch.setattr(evolving, "pass_over", and_gone)
    said = walk.refused(typed, "network.evolution.evolving._Look.again:hint")
    assert "call again" in said.hint
    Path("photos").rmdir()
    shutil.move("gone", "photos")
    monkeypatch.setattr(evolving, "pass_over", whole)
    walk.ends(typed)
