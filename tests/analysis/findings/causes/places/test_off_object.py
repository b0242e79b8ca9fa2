"""Errors whose evidence lies off the object are told, where right images differ."""

import re

import numpy as np
import pytest

from errlens.analysis.findings.causes.places.off_object import search_off_object
from tests.analysis.findings.causes.planted_scored import places_of, scored_of


def outlined(seed, *, misled=0.0, n=300):
    """Return images with evidence on their objects; of some it lies beside, and they are wrong."""
    random = np.random.default_rng(seed)
    label = random.integers(0, 4, n)
    pred = np.where(random.random(n) < 0.2, (label + 1) % 4, label)
    area = random.uniform(0.1, 0.8, n)
    evidence = np.clip(area + random.normal(0.1, 0.1, n), 0, 1)
    off = random.random(n) < misled
    evidence[off] = area[off] * 0.3
    pred = np.where(off, (label + 1) % 4, pred)
    return scored_of(label, pred), evidence, area, off


def search(scored, evidence, area):
    return search_off_object(scored, np.arange(len(scored)), evidence, area)


@pytest.mark.parametrize("seed", range(4))
def test_errors_with_evidence_off_the_object_are_told(seed):
    scored, evidence, area, off = outlined(seed, misled=0.15)
    (finding,) = search(scored, evidence, area).findings
    assert off[places_of(finding.rows)].mean() >= 0.8
    images, of, observed = (
        int(number)
        for number in re.search(
            r"Of (\d+) of (\d+) images .*: (\d+) of", finding.statement
        ).groups()
    )
    chosen = evidence - area <= finding.subject["off_object"]
    assert (images, of) == (chosen.sum(), len(scored))
    assert observed == (chosen & scored.wrong).sum() == finding.n_errors
    rates = np.bincount(scored.label, scored.wrong) / np.bincount(scored.label)
    assert finding.excess_errors == pytest.approx(observed - rates[scored.label[chosen]].sum())


def test_evidence_that_lies_where_it_does_in_right_images_is_no_finding():
    assert not any(search(*outlined(seed)[:3]).findings for seed in range(60))


def test_small_objects_alone_are_no_finding():
    scored, _, _, _ = outlined(0)
    evidence = np.where(scored.wrong, 0.12, 0.62)
    assert not search(scored, evidence, evidence - 0.02).findings


def test_without_outlines_or_with_few_it_says_so():
    scored, evidence, area, _ = outlined(0)
    none = np.full(len(scored), np.nan)
    assert search(scored, none, none).searches[0].absent == "no image has an outline"
    few = search_off_object(scored, np.arange(12), evidence[:12], area[:12])
    assert few.searches[0].enough >= 40
