"""How class scores are read from what a network returns."""

import math

import numpy as np
import pytest
import torch
from scipy.special import expit, log_softmax, softmax

from errlens.errors import UnfitModel, UnfitOption
from errlens.model.outputs.reading import LOGITS, Reading, as_matrix, as_tensor
from errlens.predictions.scores import score

RANDOM = np.random.default_rng(0)
Z = torch.tensor(RANDOM.normal(0, 3, (5, 4)), dtype=torch.float32)
ONE = Z[:, :1]


def probabilities(logits):
    return logits.double().softmax(dim=1).numpy()


FORMS = [
    Z, Z.double(), Z.numpy(), Z.tolist(), list(Z), tuple(Z.numpy()), Z.to_sparse(),
    Z[:, :, None, None], Z[:, None],
]  # fmt: skip


@pytest.mark.parametrize("output", FORMS, ids=range(len(FORMS)))
def test_logits_are_taken_as_they_are_in_whatever_they_come(output):
    np.testing.assert_allclose(LOGITS.logits(output, 5).numpy(), Z.numpy(), atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.int64, torch.uint8])
def test_other_types_become_float32_and_float64_stays(dtype):
    found = LOGITS.logits((Z.abs() * 10).to(dtype), 5)
    assert found.dtype == torch.float32
    assert torch.equal(found, (Z.abs() * 10).to(dtype).float())
    assert LOGITS.logits(Z.double(), 5).dtype == torch.float64


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (None, "NoneType"), ("cat", "str"), (object(), "object"), (Z + 0j, "complex64"),
        (Z > 0, "bool"), ([1, [2]], "list"), (torch.zeros(5, 3, 4), r"\(5, 3, 4\) for 5 images"),
        (torch.zeros(4, 4), r"\(4, 4\) for 5 images"), (torch.tensor(1.0), r"\(\) for 5 images"),
    ],
)  # fmt: skip
def test_what_holds_no_scores_is_refused_by_what_it_is(output, message):
    with pytest.raises(UnfitModel, match=message):
        LOGITS.logits(output, 5)


def test_axes_of_one_entry_may_be_squeezed_away_with_a_single_image():
    assert as_matrix(torch.arange(4.0), 1).tolist() == [[0, 1, 2, 3]]
    assert as_matrix(torch.tensor(3.0), 1).tolist() == [[3]]
    assert as_matrix(torch.tensor([3.0]), 1).tolist() == [[3]]
    assert as_matrix(torch.arange(4.0), 4).tolist() == [[0], [1], [2], [3]]
    assert as_tensor([0.5, 1]).tolist() == [0.5, 1]


def test_probabilities_are_those_of_the_logits_behind_them():
    reading = Reading(scores="probabilities")
    read = reading.logits(Z.softmax(dim=1), 5)
    np.testing.assert_allclose(probabilities(read), softmax(Z.numpy(), axis=1), atol=1e-6)
    np.testing.assert_allclose(read.numpy(), log_softmax(Z.numpy(), axis=1), atol=1e-4)
    percent = reading.logits(100 * Z.softmax(dim=1), 5)
    np.testing.assert_allclose(probabilities(percent), softmax(Z.numpy(), axis=1), atol=1e-6)
    assert reading.unit == "log-probability"


def test_a_probability_of_zero_is_a_finite_score():
    read = Reading(scores="probabilities").logits(torch.tensor([[1.0, 0.0]]), 1)
    found = score(read.numpy(), np.array([1], np.int32), topk=2)
    assert found.finite.all()
    assert found.confidence[0] == 1
    assert found.loss[0] == pytest.approx(87.3, abs=0.1)


@pytest.mark.parametrize("reading", [Reading(single=True), Reading(single=True, scores="sigmoids")])
@pytest.mark.parametrize("shape", [(5, 1), (5,), (5, 1, 1, 1)])
def test_one_output_is_the_logit_of_the_second_of_two_classes(reading, shape):
    values = ONE if reading.scores == "logits" else ONE.sigmoid()
    read = reading.logits(values.reshape(shape), 5)
    assert read.shape == (5, 2)
    np.testing.assert_allclose(probabilities(read)[:, 1], expit(ONE[:, 0].numpy()), atol=1e-6)
    np.testing.assert_allclose((read[:, 1] - read[:, 0]).numpy(), ONE[:, 0].numpy(), atol=1e-5)
    assert torch.equal(read[:, 0], -read[:, 1])


def test_sigmoids_become_what_they_were_taken_of_and_stay_finite():
    reading = Reading(scores="sigmoids")
    np.testing.assert_allclose(reading.logits(Z.sigmoid(), 5).numpy(), Z.numpy(), atol=1e-4)
    assert reading.logits(torch.tensor([[0.0, 1.0]]), 1).isfinite().all()


@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.9])
def test_a_threshold_decides_and_changes_no_probability(threshold):
    reading = Reading(single=True).with_threshold(threshold, classes=2)
    p = torch.linspace(0.005, 0.995, 100)
    logits = reading.logits(torch.logit(p), 100)
    label = np.arange(100, dtype=np.int32) % 2
    found = score(logits.numpy(), label, topk=2, bias=reading.bias)
    expected = (p.numpy() > threshold).astype(int)
    assert found.pred.tolist() == expected.tolist()
    assert found.topk_index[:, 0].tolist() == expected.tolist()
    assert (found.label_rank == 1).tolist() == (expected == label).tolist()
    assert reading.ranked(logits).argmax(dim=1).tolist() == expected.tolist()
    second = np.where(label == 1, p.numpy(), 1 - p.numpy())
    np.testing.assert_allclose(found.label_prob, second, atol=1e-6)
    np.testing.assert_allclose(found.loss, -np.log(second), atol=1e-4)
    np.testing.assert_allclose(
        found.confidence, np.where(expected == 1, p.numpy(), 1 - p.numpy()), atol=1e-6
    )


@pytest.mark.parametrize(("threshold", "classes"), [(0.3, 3), (0.0, 2), (1.0, 2), (math.nan, 2)])
def test_a_threshold_is_a_probability_and_divides_two_classes(threshold, classes):
    with pytest.raises(UnfitOption, match="--threshold"):
        LOGITS.with_threshold(threshold, classes=classes)


def test_what_is_usual_is_not_recorded_and_the_rest_comes_back():
    assert LOGITS.as_dict() == {}
    reading = Reading(("out", 0), "sigmoids", single=True, threshold=0.25)
    assert reading.as_dict() == {
        "place": ["out", 0], "scores": "sigmoids", "single": True, "threshold": 0.25,
    }  # fmt: skip
    assert Reading(**reading.as_dict()) == reading


@pytest.mark.parametrize(
    "recorded", [{"scores": "odds"}, {"threshold": "x"}, {"threshold": 1.5}, {"kind": 1}]
)
def test_what_a_run_says_is_not_believed_blindly(recorded):
    with pytest.raises((TypeError, ValueError)):
        Reading(**recorded)
