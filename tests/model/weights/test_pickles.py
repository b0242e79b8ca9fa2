import argparse
import zipfile

import numpy as np
import pytest
import torch

from errlens.model.weights.pickles import foreign_globals


@pytest.mark.parametrize("zipped", [True, False])
def test_what_is_foreign_to_tensors_is_listed(tmp_path, zipped):
    tree = {
        "weights": torch.nn.Linear(2, 2).state_dict(),
        "half": torch.zeros(2, dtype=torch.bfloat16),
        "parameter": torch.nn.Parameter(torch.zeros(2)),
        "plain": [1, 2.5, None, True, "text", (1, 2), {"a"}, b"bytes", torch.Size([2])],
        "dtype": torch.float32,
        "args": argparse.Namespace(model="resnet18"),
        "score": np.float64(0.5),
    }
    path = tmp_path / "w.pt"
    torch.save(tree, path, _use_new_zipfile_serialization=zipped)
    found = foreign_globals(path)
    assert "argparse.Namespace" in found
    assert all(name.startswith(("argparse.", "numpy.")) for name in found)
    del tree["args"], tree["score"]
    torch.save(tree, path, _use_new_zipfile_serialization=zipped)
    assert foreign_globals(path) == []


def test_what_is_no_pickle_is_damaged(tmp_path):
    (tmp_path / "w.pt").write_bytes(b"PK\x03\x04 half an archive")
    with pytest.raises(zipfile.BadZipFile):
        foreign_globals(tmp_path / "w.pt")
    (tmp_path / "w.pt").write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match="opcode"):
        foreign_globals(tmp_path / "w.pt")
