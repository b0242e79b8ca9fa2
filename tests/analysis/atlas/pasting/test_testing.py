import numpy as np
import pytest
from scipy.stats import binomtest

from errlens.analysis.atlas.pasting.answers import NOISE, OTHER, SUSPECT, Answers, PatchFacts
from errlens.analysis.atlas.pasting.placing import CORNERS
from errlens.analysis.atlas.pasting.testing import (
    CONFIRMED,
    NOT_SHOWN,
    REFUTED,
    above_each,
    beyond_crops,
    least_images,
    verdicts_on,
)

CROPS = [PatchFacts(OTHER, 0, f"class {number}", number) for number in range(8)]


def said_of(odds, patches, *, sizes=(0.3,), before=-4.0):
    """What would be said where patches change log-odds so, shape (n, p, s, l)."""
    n, shape = len(odds), odds.shape
    start = np.full(n, before)
    after = start[:, None, None, None] + odds
    return Answers(
        patches=patches,
        sizes=sizes,
        positions=CORNERS[: shape[3]],
        to=1,
        at=np.arange(n),
        own=np.zeros(n, np.int32),
        own_before=np.full(n, 0.9),
        odds_before=start,
        pred_before=np.zeros(n, np.int32),
        own_after=np.full(shape, 0.5),
        odds_after=after,
        pred_after=(after > 0).astype(np.int32),
        unread={},
    )


def drawn(random, effects, *, n=30, places=2):
    """Effects of patches on log-odds, each image and place with a deviation of its own."""
    shape = (n, len(effects), 1, places)
    return np.asarray(effects)[None, :, None, None] + random.normal(0, 0.5, shape)


def alarms_among(draw, *, suspects, crops, rounds, n=12):
    """In how many calls any suspect is confirmed that was drawn as the crops were."""
    random = np.random.default_rng(7)
    patches = [PatchFacts(SUSPECT, number + 1) for number in range(suspects)]
    patches += [PatchFacts(NOISE, number + 1) for number in range(suspects)]
    patches += [PatchFacts(OTHER, 0, f"class {number}", number) for number in range(crops)]
    alarms = 0
    for _ in range(rounds):
        # Where 12 % are probable and may become 50 %, no effect is too small to be told.
        odds = drawn(random, draw(random, len(patches)), n=n)
        alarms += any(
            said.verdict == CONFIRMED for said in verdicts_on(said_of(odds, patches, before=-2.0))
        )
    return alarms


@pytest.mark.parametrize("suspects", [1, 5])
@pytest.mark.parametrize("skewed", [False, True])
def test_a_patch_like_any_other_is_hardly_ever_confirmed(suspects, skewed):
    """At most in one call of a hundred is a suspect taken for more that is a crop as all others."""

    def draw(random, n):
        return random.lognormal(0, 0.5, n) if skewed else random.normal(size=n)

    alarms = alarms_among(draw, suspects=suspects, crops=20, rounds=300)
    assert binomtest(alarms, 300, 0.01, alternative="greater").pvalue > 0.01


def test_99_crops_make_the_test_exact_whatever_crops_do():
    """A few crops do far more than all others: where one is the suspect, that is no news."""
    alarms = alarms_among(
        lambda random, n: random.lognormal(0, 1.5, n), suspects=1, crops=99, rounds=300
    )
    assert binomtest(alarms, 300, 0.01, alternative="greater").pvalue > 0.01


def test_images_that_agree_are_no_proof_where_crops_differ_as_much():
    """The strongest of nine patches is above all others in every image; that is no evidence."""
    random = np.random.default_rng(0)
    effects = [2.0, 0.0, 1.8, -1.5, 0.5, 1.2, -0.7, 0.1, -1.9, 0.9]
    odds = drawn(random, effects, n=200)
    odds += random.normal(0, 0.01, odds.shape)
    patches = [PatchFacts(SUSPECT, 1), PatchFacts(NOISE, 1), *CROPS]
    (verdict,) = verdicts_on(said_of(odds, patches, before=-1.0))
    assert verdict.p_images < 0.01 < verdict.p_patches
    assert verdict.verdict == NOT_SHOWN
    assert verdict.reason == "crops of other classes differ too much among one another"


def test_a_patch_that_does_much_more_is_confirmed_and_others_are_refuted():
    random = np.random.default_rng(0)
    suspects = [PatchFacts(SUSPECT, number + 1) for number in range(5)]
    noises = [PatchFacts(NOISE, number + 1) for number in range(5)]
    effects = [5.0, 0, -0.1, 0.1, 0, *([0.0] * 5), *random.normal(0, 0.2, 8)]
    said = said_of(drawn(random, effects), [*suspects, *noises, *CROPS])
    verdicts = verdicts_on(said)
    assert [verdict.verdict for verdict in verdicts] == [CONFIRMED, *[REFUTED] * 4]
    assert verdicts[0].q_value <= 0.01
    assert verdicts[0].q_value == pytest.approx(5 * verdicts[0].p_value)
    assert verdicts[0].effect > 0.3 > 0.05 > verdicts[0].control_effect


def test_what_turns_no_photo_is_not_confirmed_however_surely_it_raises_the_class():
    random = np.random.default_rng(0)
    odds = drawn(random, [1.5, *[0.0] * 9])
    patches = [PatchFacts(SUSPECT, 1), PatchFacts(NOISE, 1), *CROPS]
    said = said_of(odds.clip(max=3.5), patches)
    assert not said.flipped.any()
    (verdict,) = verdicts_on(said)
    assert verdict.q_value <= 0.01
    assert verdict.effect > 0.01
    assert verdict.verdict == NOT_SHOWN
    assert verdict.reason == "it turns no more photos than a control does"


def test_what_noise_of_its_colours_does_as_well_is_refuted():
    random = np.random.default_rng(0)
    patches = [PatchFacts(SUSPECT, 1), PatchFacts(NOISE, 1), *CROPS]
    (verdict,) = verdicts_on(said_of(drawn(random, [5.0, 5.2, *[0.0] * 8]), patches))
    assert (verdict.verdict, verdict.strongest) == (REFUTED, 1)
    assert verdict.reason == "a control raises it as much"


def test_crops_of_the_class_that_the_suspect_was_cut_from_are_no_controls():
    random = np.random.default_rng(0)
    patches = [PatchFacts(SUSPECT, 1, "class 3", 99), PatchFacts(NOISE, 1, "class 3", 99), *CROPS]
    effects = [5.0, 0.0, *([0.0] * 3), 5.5, *([0.0] * 4)]
    (verdict,) = verdicts_on(said_of(drawn(random, effects), patches))
    assert (verdict.n_controls, verdict.verdict) == (8, CONFIRMED)


def test_of_two_classes_crops_of_the_same_class_have_to_do():
    random = np.random.default_rng(0)
    crops = [PatchFacts(OTHER, 0, "whale", number) for number in range(8)]
    patches = [PatchFacts(SUSPECT, 1, "whale", 99), PatchFacts(NOISE, 1, "whale", 99), *crops]
    (verdict,) = verdicts_on(said_of(drawn(random, [5.0, *[0.0] * 9]), patches))
    assert (verdict.n_controls, verdict.verdict) == (9, CONFIRMED)


def test_few_images_show_nothing_however_clear_they_are():
    odds = drawn(np.random.default_rng(0), [5.0, *[0.0] * 9], n=5)
    patches = [PatchFacts(SUSPECT, 1), PatchFacts(NOISE, 1), *CROPS]
    (verdict,) = verdicts_on(said_of(odds, patches))
    assert (verdict.verdict, verdict.reason) == (NOT_SHOWN, "5 images are too few: 7 at least")
    assert 2.0 ** -least_images(1) <= 0.01 < 2.0 ** -(least_images(1) - 1)


def test_without_crops_nothing_is_shown():
    odds = drawn(np.random.default_rng(0), [5.0, 0.0])
    (verdict,) = verdicts_on(said_of(odds, [PatchFacts(SUSPECT, 1), PatchFacts(NOISE, 1)]))
    assert (verdict.verdict, verdict.p_patches) == (NOT_SHOWN, 1.0)


def test_at_size_0_alone_there_is_no_effect():
    odds = np.zeros((20, 10, 1, 2))
    patches = [PatchFacts(SUSPECT, 1), PatchFacts(NOISE, 1), *CROPS]
    (verdict,) = verdicts_on(said_of(odds, patches, sizes=(0.0,)))
    assert (verdict.verdict, verdict.effect) == (REFUTED, 0.0)


def test_of_crops_with_an_exponential_tail_as_many_are_beyond_as_is_said():
    random = np.random.default_rng(0)
    crops = random.exponential(size=(20_000, 22)) - 1  # the last is one more
    said = [beyond_crops(each[-1], each[:-1]) for each in crops]
    for level in (0.002, 0.01, 0.1):
        passed = sum(p_value <= level for p_value in said)
        assert binomtest(passed, len(said), level).pvalue > 0.001


def test_crops_that_are_all_alike_make_no_trifle_sure():
    assert beyond_crops(0.05, np.zeros(20)) > 0.01


def test_ties_count_for_neither_side():
    suspect = np.array([1.0, 1, 1, 1, 0, 0, 0])
    assert above_each(suspect, np.zeros((7, 1))) == 1 / 16
