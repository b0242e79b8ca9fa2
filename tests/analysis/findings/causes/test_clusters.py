"""Images that look alike and are wrong are found; errors between two classes are not."""

import re

import numpy as np
import pytest
import sklearn.linear_model

from errlens.analysis.findings.causes.clusters import beyond_outputs, search_clusters
from tests.analysis.findings.causes.planted_scored import NAMES, places_of, scored_of

K, DIMENSIONS = 4, 24


def seen(seed=0, n=1200):
    """Return labels, features and logits: classes lie around their means, and errors between."""
    random = np.random.default_rng(seed)
    label = random.integers(0, K, n)
    means = np.zeros((K, DIMENSIONS))
    means[:, :K] = 2.2 * np.eye(K)
    features = means[label] + random.normal(0, 1, (n, DIMENSIONS))
    logits = 2 * features[:, :K]
    return label, features.astype(np.float16), logits.astype(np.float16)


def with_population(seed, *, size=80, share=0.8, of_class=2):
    """Return the same with images of one class that look alike and are taken for another."""
    label, features, logits = seen(seed)
    population = np.flatnonzero(label == of_class)[:size]
    features[population, K : K + 3] += 3.0
    turned = population[np.random.default_rng(seed).random(size) < share]
    first, second = np.argsort(-logits[turned].astype(float), axis=1)[:, :2].T
    right = first == of_class
    turned, first, second = turned[right], first[right], second[right]
    upper = logits[turned, first].copy()
    logits[turned, first] = logits[turned, second]
    logits[turned, second] = upper
    return label, features, logits, population


def search(label, features, logits):
    return search_clusters(scored_of(label, logits.argmax(axis=1)), features, logits)


@pytest.mark.parametrize("seed", range(6))
def test_images_that_look_alike_and_are_wrong_are_found(seed):
    label, features, logits, population = with_population(seed)
    findings = search(label, features, logits).findings
    assert findings
    for finding in findings:
        assert np.isin(places_of(finding.rows), population).mean() >= 0.8
        assert np.isin(places_of(finding.rows[:10]), population).mean() >= 0.9
        assert finding.subject["classes"][0] == "cow"


def test_every_number_is_that_of_the_predictions():
    label, features, logits, _ = with_population(1)
    finding = search(label, features, logits).findings[0]
    wrong = logits.argmax(axis=1) != label
    assert wrong[places_of(finding.rows)].all()
    assert finding.n_errors == len(finding.rows)
    images, observed, expected, more = (
        float(number)
        for number in re.search(
            r"^(\d+) images .*: (\d+) are wrong, where ([\d.]+) are .*: ([\d.]+) errors more",
            finding.statement,
        ).groups()
    )
    assert (images, observed) == (finding.subject["images"], len(finding.rows))
    assert more == pytest.approx(finding.excess_errors, abs=0.06)
    assert expected == pytest.approx(observed - more, abs=0.11)
    assert f"({100 * finding.excess_errors / wrong.sum():.1f} % of all errors)" in finding.statement


def test_errors_between_two_classes_are_an_ordinary_confusion():
    assert not any(search(*seen(seed)).findings for seed in range(10))


def test_what_is_left_of_features_says_nothing_about_the_class_predicted():
    _, features, logits = seen(3)
    pred = logits.argmax(axis=1)
    looks = beyond_outputs(features, logits, pred)
    guess = sklearn.linear_model.LogisticRegression(max_iter=500).fit(looks, pred)
    assert guess.score(looks, pred) < np.bincount(pred).max() / len(pred) + 0.08
    np.testing.assert_allclose(np.linalg.norm(looks, axis=1), 1, rtol=1e-4)


def test_features_that_hold_no_more_than_the_outputs_say_so():
    label, _, logits = seen(0)
    (search_,) = search(label, logits, logits).searches
    assert search_.absent == "the features hold no more than the outputs of the model"


@pytest.mark.parametrize(
    "features",
    [
        np.ones((1200, 5), np.float16),
        np.zeros((1200, 0), np.float16),
        np.full((1200, 5), np.nan, np.float16),
    ],
)
def test_features_that_say_nothing_are_no_reason_to_fail(features):
    label, _, logits = seen(0)
    (search_,) = search(label, features, logits).searches
    assert search_.absent


def test_what_the_run_does_not_keep_is_said():
    label, features, logits = seen(0, 40)
    scored = scored_of(label, logits.argmax(axis=1))
    said = search_clusters(scored, None, None).searches[0].absent
    assert said == "the run keeps no features and no logits"
    assert search_clusters(scored, features, None).searches[0].absent == "the run keeps no logits"


@pytest.mark.parametrize(("pred", "why"), [(0, "no image is wrong"), (1, "no image is right")])
def test_all_right_and_all_wrong_are_said(pred, why):
    scored = scored_of(np.zeros(60, int), np.full(60, pred))
    outcome = search_clusters(scored, np.ones((60, 4)), np.ones((60, K)))
    assert outcome.searches[0].absent == why


def test_few_errors_say_how_many_images_would_do():
    label = np.zeros(12, int)
    pred = np.array([1, 1, 1, *[0] * 9])
    random = np.random.default_rng(0)
    outcome = search_clusters(
        scored_of(label, pred), random.normal(size=(12, 6)), random.normal(size=(12, K))
    )
    assert outcome.searches[0].enough == 120


def test_one_class_and_more_outputs_than_images_are_no_reason_to_fail():
    random = np.random.default_rng(0)
    names = tuple(map(str, range(300)))
    label, pred = np.zeros(90, int), np.repeat([0, 7], 45)
    scored = scored_of(label, pred, names=names)
    outcome = search_clusters(scored, random.normal(size=(90, 40)), random.normal(size=(90, 300)))
    assert not outcome.findings


def test_names_of_classes_stand_as_they_are():
    label, features, logits, _ = with_population(0, of_class=1)
    assert NAMES[1] in search(label, features, logits).findings[0].statement
