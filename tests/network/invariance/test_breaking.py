"""Classes that break at sizes that photos have: found where planted, and nowhere else."""

import numpy as np
import pytest
from scipy.stats import binomtest

from errlens.analysis.findings.known.invariance import from_invariance
from errlens.analysis.invariance.answers import Answers, Step
from errlens.analysis.invariance.breaking import LOST, NATURAL, SIDES, lost_table, natural_table
from errlens.data.photos.transforms import TRANSFORM_OF, TRANSFORMS
from tests.analysis.findings.conftest import scored_images

NAMES = ("cat", "dog", "cow", "pig")
STEPS = [Step(transform.name, size) for transform in TRANSFORMS for size in transform.sizes]


def answers_of(label, pred, steps=STEPS):
    n, s = pred.shape
    nothing = np.zeros((n, s, 1))
    return Answers(
        steps=steps, layers=["conv"], at=np.arange(n), label=label.astype(np.int32),
        followed=label.astype(np.int32), pred=pred.astype(np.int32), probability=np.ones((n, s)),
        euclidean=nothing, cosine=nothing, unread={},
    )  # fmt: skip


def planned(random, *, each, classes, start=0.85, falls=0.2, own=0.1):
    """Return labels, and predictions of a network that each transform costs up to a share.

    Images are lost alike at all sizes, and `own` of the answers change by luck at each.
    """
    label = np.repeat(np.arange(classes), each)
    hardness = random.random(len(label))  # an image above the accuracy is wrong
    pred = np.empty((len(label), len(STEPS)), int)
    for at, (name, size) in enumerate(STEPS):
        transform = TRANSFORM_OF[name]
        strength = transform.strength(size)
        share = start * (1 - falls * min(strength / transform.natural, 3))
        luck = random.random(len(label)) if strength else hardness
        chance = np.where(random.random(len(label)) < own, luck, hardness)
        pred[:, at] = np.where(chance < share, label, (label + 1) % classes)
    return label, pred


def findings_of(label, pred, names=NAMES):
    answers = answers_of(label, pred)
    natural = natural_table(answers, TRANSFORMS, names)
    lost = lost_table(answers, TRANSFORMS, names, np.arange(len(label)), natural)
    assert (list(natural), list(lost)) == (list(NATURAL), list(LOST))
    first = STEPS.index(("rotate", 0))
    return [*from_invariance(scored_images(label, pred[:, first], names=names), natural, lost)]


def test_a_class_that_turns_break_is_found_at_the_smallest_size_that_breaks_it():
    label, pred = planned(np.random.default_rng(0), each=20, classes=4)
    for degrees in (20, 10):
        of_dog = np.flatnonzero(label == 1)
        pred[of_dog, STEPS.index(("rotate", degrees))] = 0
    (finding,) = findings_of(label, pred)
    right = int((pred[label == 1, STEPS.index(("rotate", 0))] == 1).sum())
    assert finding.statement == (
        "dog is lost when photos are turned by 10 degrees, as ordinary photos are: 0 of 20 right "
        f"instead of {right}. Training on such photos as well may mend it."
    )
    start = pred[:, STEPS.index(("rotate", 0))]
    assert finding.rows == tuple(np.flatnonzero((label == 1) & (start == 1)))
    assert (finding.n_errors, finding.excess_errors, finding.gain) == (0, None, None)
    p_value = binomtest(right, right, 0.5, alternative="greater").pvalue
    assert finding.q_value == pytest.approx(p_value * SIDES * 4)
    assert finding.subject == {"transform": "rotate", "size": 10.0, "classes": ["dog"]}
    assert finding.command_line("runs/a", 1) == (
        "errlens network invariance runs/a --transform rotate --select true:dog -o "
        "runs/a/network/rotate"
    )


def test_classes_lost_to_one_transform_are_one_finding():
    label, pred = planned(np.random.default_rng(0), each=30, classes=4)
    for at in (STEPS.index(("blur", size)) for size in (0.2, 0.4, 0.6)):
        pred[np.isin(label, (2, 3)), at] = 0
    (finding,) = findings_of(label, pred)
    assert "; so is '" in finding.statement
    assert sorted(finding.subject["classes"]) == ["cow", "pig"]
    assert set(label[list(finding.rows)]) == {2, 3}


def test_a_class_lost_at_sizes_that_photos_have_not_is_none():
    label, pred = planned(np.random.default_rng(1), each=40, classes=4)
    for at, (name, size) in enumerate(STEPS):
        if not TRANSFORM_OF[name].is_natural(size):
            pred[label == 1, at] = 0
    assert not findings_of(label, pred)


def test_a_class_lost_at_a_weak_size_alone_is_luck():
    label, pred = planned(np.random.default_rng(1), each=40, classes=4)
    pred[label == 1, STEPS.index(("rotate", 10))] = 0
    assert not findings_of(label, pred)


@pytest.mark.parametrize(
    ("each", "classes", "falls"), [(20, 10, 0.2), (5, 37, 0.2), (40, 5, 0.35), (8, 25, 0.45)]
)
def test_no_finding_where_every_class_loses_less_than_half(each, classes, falls):
    """Simulated: transforms cost all classes alike, at most `falls` of what is right."""
    names = tuple(f"class {number}" for number in range(classes))
    alarms = sum(
        bool(findings_of(*planned(np.random.default_rng(seed), each=each, classes=classes,
                                  falls=falls), names))
        for seed in range(25)
    )  # fmt: skip
    assert alarms == 0


def test_a_planted_fault_is_found_nearly_always():
    """Turned images of one class of ten are right in 2 %, of 30 each."""
    names = tuple(f"class {number}" for number in range(10))
    found = 0
    for seed in range(30):
        random = np.random.default_rng(seed)
        label, pred = planned(random, each=30, classes=10, start=0.9)
        for degrees in (10, 20):
            lost = (label == 4) & (random.random(len(label)) < 0.98)
            pred[lost, STEPS.index(("rotate", degrees))] = 0
        findings = findings_of(label, pred, names)
        found += [each.subject["classes"] for each in findings] == [["class 4"]]
    assert found >= 29


def test_asking_for_less_makes_nothing_surer():
    label, pred = planned(np.random.default_rng(2), each=20, classes=4, falls=0.3)
    whole = natural_table(answers_of(label, pred), TRANSFORMS, NAMES)
    rotate = [TRANSFORM_OF["rotate"]]
    places = [at for at, step in enumerate(STEPS) if step.transform == "rotate"]
    of_dog = label == 1
    part = answers_of(label[of_dog], pred[of_dog][:, places], [STEPS[at] for at in places])
    alone = natural_table(part, rotate, NAMES)
    same = whole[(whole["transform"] == "rotate") & (whole["class_name"] == "dog")]
    assert alone["q_value"].tolist() == same["q_value"].tolist()


def test_images_without_labels_break_nothing():
    label, pred = planned(np.random.default_rng(0), each=20, classes=4)
    answers = answers_of(np.full(len(label), -1), pred)
    natural = natural_table(answers, TRANSFORMS, NAMES)
    assert not len(natural)
    assert not len(lost_table(answers, TRANSFORMS, NAMES, np.arange(len(label)), natural))
