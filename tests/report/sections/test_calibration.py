"""In which direction confidences are off, in words."""

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss

from errlens.analysis.findings.finding import RUN, Finding
from errlens.analysis.findings.known.calibration import from_calibration
from errlens.analysis.findings.scored import Scored
from errlens.classes.names import ClassNames
from errlens.report.sections.calibration import calibration


def images_of(confidence, right):
    n = len(right)
    return Scored(
        row=np.arange(n), label=np.zeros(n, np.int32), pred=(~right).astype(np.int32),
        wrong=~right, confidence=confidence, label_prob=confidence,
        paths=[""] * n, content_hash=[None] * n, classes=ClassNames(("a", "b", "c")),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("confidence", "said"),
    [(0.95, "too sure of itself"), (0.4, "too cautious"), (0.7, "as sure as it should be")],
)
def test_without_logits_the_mean_tells_the_direction(confidence, said):
    right = np.arange(400) % 10 < 7
    run = SimpleNamespace(info=SimpleNamespace(keep=()))
    found = calibration(run, {}, images_of(np.full(400, confidence), right), [])
    assert said in found.sentences[0]
    assert (found.nll, found.ece) == (None, None)


def test_the_finding_says_it_where_there_is_one():
    run = SimpleNamespace(info=SimpleNamespace(keep=()))
    finding = Finding(kind="calibration", statement="Too sure.", command=("report", RUN))
    right = np.arange(400) % 2 == 0
    found = calibration(run, {}, images_of(np.full(400, 0.9), right), [finding])
    assert found.sentences == ["Too sure."]


def test_nothing_is_said_where_no_confidence_is_known():
    run = SimpleNamespace(info=SimpleNamespace(keep=()))
    right = np.arange(10) % 2 == 0
    assert calibration(run, {}, images_of(np.full(10, np.nan), right), []).sentences == []


@pytest.mark.parametrize("is_told", [True, False])
def test_with_logits_it_is_known_what_a_temperature_reaches(monkeypatch, is_told):
    random = np.random.default_rng(0)
    honest = 1.5 * random.normal(size=(3_000, 3))
    prob = softmax(honest, axis=1)
    label = np.array([random.choice(3, p=one) for one in prob], np.int32)
    logits = 3 * honest  # three times too sure
    images = images_of(softmax(logits, axis=1).max(axis=1), logits.argmax(axis=1) == label)
    images = replace(images, label=label, pred=logits.argmax(axis=1).astype(np.int32))
    monkeypatch.setattr("errlens.report.sections.calibration.read_kept", lambda *_: logits)
    findings = [*from_calibration(images, logits)] if is_told else []
    found = calibration(None, {"ece": {"value": 0.2, "n": 3_000}}, images, findings)
    assert found.nll == pytest.approx(log_loss(label, prob), abs=0.01)
    assert found.ece < 0.03
    assert "too sure of itself" in found.sentences[0]
    assert re.search(r"ivid(ing|ed).* logits by (2\.[89]|3\.[01])", " ".join(found.sentences))
