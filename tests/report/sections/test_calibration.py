"""In which direction confidences are off, in words."""

from types import SimpleNamespace

import numpy as np
import pytest

from errlens.analysis.findings.finding import RUN, Finding
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
