"""Files that are damaged, foreign or hostile end in a sentence, and nothing in them runs."""

import os
import pickle
import shlex
import subprocess
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from torch import nn

from errlens.errors import BadCheckpoint, MissingInput
from errlens.model.weights.checkpoints import read_checkpoint
from errlens.model.weights.files import find_file


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(OrderedDict(body=nn.Linear(4, 3), norm=nn.BatchNorm1d(3)))


class Payload:
    """Runs code when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return (Path.touch, (self.target,))


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_that_would_run_code_runs_nothing(tmp_path, zipped):
    trace = tmp_path / "executed"
    weights = {"a": torch.ones(1)}
    torch.save(
        {"state_dict": weights, "x": Payload(trace)},
        tmp_path / "evil.pt",
        _use_new_zipfile_serialization=zipped,
    )
    with pytest.raises(BadCheckpoint, match="getattr"):
        read_checkpoint(tmp_path / "evil.pt")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(Payload(trace)))
    with pytest.raises(BadCheckpoint):
        read_checkpoint(tmp_path / "plain.pth")
    assert not trace.exists()


class Shell:
    def __reduce__(self):
        return (os.system, ("true",))


def test_what_torch_blocks_is_refused(tmp_path):
    torch.save({"state_dict": {"a": torch.ones(1)}, "x": Shell()}, tmp_path / "evil.pt")
    with pytest.raises(BadCheckpoint, match="without running its code"):
        read_checkpoint(tmp_path / "evil.pt")


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04 half a zip"])
def test_a_damaged_file_is_named(tmp_path, suffix, content):
    path = tmp_path / f"damaged{suffix}"
    path.write_bytes(content)
    with pytest.raises(BadCheckpoint, match="damaged"):
        read_checkpoint(path)


def test_a_truncated_checkpoint_is_refused(network, tmp_path):
    path = tmp_path / "short.pt"
    torch.save(network.state_dict(), path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(BadCheckpoint):
        read_checkpoint(path)


def test_a_checkpoint_that_does_not_exist_suggests_its_neighbour(tmp_path):
    (tmp_path / "best.pth").touch()
    with pytest.raises(MissingInput) as failure:
        read_checkpoint(tmp_path / "bests.pth")
    assert "best.pth" in failure.value.hint


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "Git LFS pointer"),
        (b"<!DOCTYPE html><html>not found</html>", "HTML page"),
        (b"just some notes", "no file of torch.save"),
    ],
)
def test_what_is_no_checkpoint_is_called_what_it_is(tmp_path, content, reason):
    (tmp_path / "best.pth").write_bytes(content)
    with pytest.raises(BadCheckpoint, match=reason) as failure:
        read_checkpoint(tmp_path / "best.pth")
    assert failure.value.hint


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_a_torchscript_program_is_no_checkpoint(network, tmp_path):
    torch.jit.script(network).save(tmp_path / "scripted.pt")
    with pytest.raises(BadCheckpoint, match="TorchScript"):
        read_checkpoint(tmp_path / "scripted.pt")


def test_a_folder_without_weights_of_the_usual_names_tells_those_there_are(tmp_path):
    folder = tmp_path / "my run"
    folder.mkdir()
    for name in ("best.pth", "last.pth", "log.txt"):
        (folder / name).write_bytes(b"x")
    with pytest.raises(BadCheckpoint, match="is a folder without") as failure:
        find_file(folder)
    assert failure.value.hint == (
        f"--checkpoint '{folder / 'best.pth'}' or --checkpoint '{folder / 'last.pth'}'"
    )
    (folder / "model.safetensors.index.json").write_text("{}")
    with pytest.raises(BadCheckpoint, match="several parts"):
        find_file(folder)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("net.onnx", "errlens import"),
        ("net.H5", "errlens import"),
        ("learner.pkl", "save weights alone"),
        ("weights.txt", ""),
    ],
)
def test_a_file_of_another_kind_says_what_can_be_done(tmp_path, name, hint):
    (tmp_path / name).write_bytes(b"something")
    with pytest.raises(BadCheckpoint, match="is none of") as failure:
        find_file(tmp_path / name)
    assert hint in failure.value.hint
    assert bool(hint) == bool(failure.value.hint)


def test_weights_by_another_name_are_renamed_by_the_command(tmp_path):
    path = tmp_path / "epoch 3"
    torch.save({"a": torch.ones(2)}, path)
    with pytest.raises(BadCheckpoint) as failure:
        find_file(path)
    subprocess.run(shlex.split(failure.value.hint.partition(": ")[2]), check=True)
    assert find_file(tmp_path / "epoch 3.pth").is_file()
