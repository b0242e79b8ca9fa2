"""Networks whose answers are not what their user takes them for."""

import shutil

import pytest

from errlens.run.folder import open_run
from tests.conftest import ends


def test_dropout_that_eval_does_not_end_is_told(photos, users):
    """Coderx7/SimpleNet#2: functional dropout is on in evaluation, answers differ each time."""
    said = ends(f"evaluate {photos} --model {users}:AlwaysDropout --img-size 8 -o run -q")
    assert "answers differently when it is shown the same photos again" in " ".join(
        said.stderr.split()
    )


def test_a_network_for_one_photo_says_so_and_works(photos, users):
    """nyukat/breast_cancer_classifier#15: an assertion that holds for batches of one only."""
    command = f"evaluate {photos} --model {users}:OneAtATime --img-size 8 -o run"
    said = ends(command, 3)
    assert "takes one image at a time" in said.stderr
    assert "--batch-size 1" in said.stderr
    ends(f"{command} --batch-size 1")
    assert open_run("run").metrics["top1"]["value"] == 11 / 12


def test_a_softmax_in_the_network_is_not_taken_twice(photos, users, tiny):
    """jacobgil/pytorch-grad-cam#232: may a network end in a softmax, or must it go?"""
    said = ends(f"evaluate {photos} --model {users}:EndsInSoftmax --img-size 8 -o soft")
    assert "probabilities" in said.stderr
    ends(f"evaluate {photos} --model {tiny} --img-size 8 -o plain")
    soft, plain = open_run("soft").metrics, open_run("plain").metrics
    for name in ("top1", "nll", "ece"):
        assert soft[name]["value"] == pytest.approx(plain[name]["value"], abs=1e-5)


def test_the_scores_of_a_dict_are_found(photos, users):
    """jacobgil/pytorch-grad-cam#481: an output object, as Hugging Face's, instead of a tensor."""
    ends(f"evaluate {photos} --model {users}:GivesADict --img-size 8 -o run")
    assert open_run("run").metrics["top1"]["value"] == 11 / 12
    ends("explain run --method gradient --top 1")


def test_one_output_is_two_classes(photos, users):
    """keras-team/keras#10607: a pair of probabilities from a network with one output."""
    shutil.rmtree(photos / "green")
    (photos / "red" / "3.png").unlink()
    said = ends(f"evaluate {photos} --model {users}:OneOutput --img-size 8 -o run")
    assert "red" in said.stderr
    assert open_run("run").metrics["top1"]["value"] == 1.0
