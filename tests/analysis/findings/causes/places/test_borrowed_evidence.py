"""Right images that are known by something in a corner are told, if hiding it proves it."""

import numpy as np
import pytest

from errlens.analysis.findings.causes.places.borrowed_evidence import (
    candidates,
    hindrance,
    search_borrowed_evidence,
)
from errlens.analysis.findings.causes.places.grid import SIXTHS
from tests.analysis.findings.causes.planted_scored import places_of, scored_of

N = 120


def maps(stamped, seed=0):
    """Return evidence in the middle, and in the lower right corner where there is a stamp."""
    random = np.random.default_rng(seed)
    values = random.random((len(stamped), SIXTHS, SIXTHS)) * 0.5
    values[:, 1:5, 1:5] += random.random((len(stamped), 4, 4))
    values[stamped, 4:, 4:] += 4
    return (values / values.sum(axis=(1, 2), keepdims=True)).astype(np.float32)


def planted(share=0.2):
    label = np.repeat([0, 1], N // 2)
    stamped = (label == 1) & (np.arange(N) % 60 < 60 * share)
    return scored_of(label, label), stamped


def answers(scored, asked, turned):
    """Return answers where hiding a place with the lower right corner turns some images."""
    given = []
    for candidate in asked:
        pred = np.repeat(scored.label[candidate.asked][:, None], len(candidate.places), axis=1)
        for at, place in enumerate(candidate.places):
            if place.covered[-1, -1] or turned is None:
                pred[:, at] = np.where(
                    True if turned is None else turned[candidate.asked], 0, pred[:, at]
                )
        given.append(pred)
    return given


@pytest.mark.parametrize("share", [0.15, 0.3, 0.5])
def test_images_known_by_a_stamp_are_told(share):
    scored, stamped = planted(share)
    asked = candidates(scored, np.arange(N), maps(stamped))
    (finding,) = search_borrowed_evidence(scored, asked, answers(scored, asked, stamped)).findings
    assert stamped[places_of(finding.rows)].all()
    assert finding.subject["right_of"] == "<b>bee</b>"
    assert "hiding it turns" in finding.statement
    assert finding.n_errors == 0
    assert not set(finding.rows) & set(finding.beside)


def test_a_place_that_can_be_hidden_without_harm_is_no_finding():
    scored, stamped = planted()
    asked = candidates(scored, np.arange(N), maps(stamped))
    assert asked
    given = answers(scored, asked, np.zeros(N, bool))
    assert not search_borrowed_evidence(scored, asked, given).findings


def test_images_that_any_hiding_turns_are_no_finding():
    scored, stamped = planted()
    asked = candidates(scored, np.arange(N), maps(stamped))
    given = answers(scored, asked, None)
    assert not search_borrowed_evidence(scored, asked, given).findings


def test_images_that_could_not_be_asked_about_are_left_out():
    scored, stamped = planted()
    asked = candidates(scored, np.arange(N), maps(stamped))
    given = [np.full_like(pred, -1) for pred in answers(scored, asked, stamped)]
    assert not search_borrowed_evidence(scored, asked, given).findings


def test_maps_alike_but_for_noise_rarely_make_candidates_and_no_map_none():
    scored, _ = planted()
    assert len(candidates(scored, np.arange(N), maps(np.zeros(N, bool)))) <= 1
    nothing = np.full((N, SIXTHS, SIXTHS), np.nan, np.float32)
    assert candidates(scored, np.arange(N), nothing) == []


def test_few_images_and_wrong_ones_make_no_candidates():
    scored, stamped = planted()
    assert candidates(scored, np.arange(12), maps(stamped)[:12]) == []
    wrong = scored_of(np.zeros(N, int), np.ones(N, int))
    assert candidates(wrong, np.arange(N), maps(stamped)) == []


def test_classes_of_few_images_say_how_many_would_do():
    assert hindrance(planted()[0]) is None
    assert hindrance(scored_of([0, 0, 1, 1, 1, 2], [0, 0, 1, 1, 1, 0])).enough == 40
    assert hindrance(scored_of([0], [1])).absent == "no image is right"
    assert hindrance(scored_of([], [])).absent == "no image is right"
