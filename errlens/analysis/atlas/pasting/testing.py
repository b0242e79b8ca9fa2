"""Whether a suspect raises a class by more than controls do, in the same images and places.

Any patch hides a part of the image, and a crop of any photo brings something in. What is pasted
counts only as far as it does more than controls at the same sizes and places of the same images.
There are two ways to be misled, and a suspect has to stand both:

- Other images might say otherwise. The images are the units of an exact sign test against each
  control in turn; its largest p-value counts, so that the suspect is above every control
  (R. L. Berger, Technometrics 24 (1982) 295-300).
- Other controls might do as much: of a few patches, one is always the strongest. The patches are
  the units of a test whether the suspect is one more draw from the crops of other classes, by the
  mean log-odds that they add. It is exact, by rank, where the crops are enough for that: 99 for one
  suspect. Of fewer, those above the median are taken to lie beyond it as exponential waiting times
  do, as effects of real crops are skewed and a normal distribution makes too little of the largest
  (Lomax' distribution is what a next one has then: J. F. Lawless, Technometrics 13 (1971) 725-730).
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.atlas.pasting.answers import NOISE, OTHER, SUSPECT, Answers
from errlens.analysis.statistics.significance import benjamini_hochberg, sign_test

CONFIRMED: Final = "confirmed"
REFUTED: Final = "refuted"
NOT_SHOWN: Final = "not shown"

SURE: Final = 0.01  # of q
LEAST_EFFECT: Final = 0.01  # of the probability, in the mean: less would mislead nobody
LEAST_CROPS: Final = 3  # below, how much crops differ is not known
LEAST_SPREAD: Final = 0.05  # of log-odds: crops are taken to differ by that much at least


class Verdict(NamedTuple):
    """What a test says of a suspect.

    `effect` is by how much it raises the probability of the class, the mean over images, sizes and
    positions; `control_effect` the same of the control that raises it most, which is patch number
    `strongest`; None and nan without controls. `turns_more` tells whether there is a size at which
    more images are taken for the class than under any control. `p_images` and `p_patches` are
    those of both tests, `p_value` the larger one, and `q_value` corrected for all suspects of the
    call. `reason` says why it is not confirmed.
    """

    suspect: int
    patch: int
    n_images: int
    n_controls: int
    effect: float
    strongest: int | None
    control_effect: float
    turns_more: bool
    p_images: float
    p_patches: float
    p_value: float
    q_value: float
    verdict: str
    reason: str


def verdicts_on(answers: Answers) -> list[Verdict]:
    """Test each suspect against its noise and the crops that are not of its own class."""
    odds = np.where(answers.visible[:, None], answers.odds_after, np.nan)
    odds = _mean(odds - answers.odds_before[:, None, None, None])
    raised = np.where(answers.visible[:, None], answers.to_after, np.nan)
    raised = _mean(raised - answers.to_before[:, None, None, None])
    suspects = [at for at, patch in enumerate(answers.patches) if patch.kind == SUSPECT]
    tested = [_tested(answers, number, odds, raised, len(suspects)) for number in suspects]
    q_values = benjamini_hochberg(
        np.array([verdict.p_value for verdict in tested]), tests=len(tested)
    )
    return [
        _judged(verdict._replace(q_value=float(q_value)), tests=len(tested))
        for verdict, q_value in zip(tested, q_values, strict=True)
    ]


def controls_of(answers: Answers, number: int) -> list[int]:
    """Return the patches that a suspect is held against: its noise, and crops of other classes.

    A crop of the class that the suspect itself was cut from may well be the same thing: it is none,
    but where there are hardly any others, as with two classes.
    """
    suspect = answers.patches[number]
    numbered = list(enumerate(answers.patches))
    noise = [
        at for at, patch in numbered if patch.kind == NOISE and patch.suspect == suspect.suspect
    ]
    crops = [at for at, patch in numbered if patch.kind == OTHER]
    of_others = [
        at
        for at in crops
        if suspect.class_name is None or answers.patches[at].class_name != suspect.class_name
    ]
    return [*noise, *(of_others if len(of_others) >= LEAST_CROPS else crops)]


def above_each(suspect: NDArray[np.float64], controls: NDArray[np.float64]) -> float:
    """Return the largest p-value of the sign tests of a suspect against each control.

    Args:
        suspect: An effect an image, shape (n,).
        controls: Shape (n, c), at least one control.

    >>> above_each(np.array([1.0, 2, 3, 4, 5]), np.zeros((5, 2)))  # 1 in 32
    0.03125
    """
    more = (suspect[:, None] > controls).sum(axis=0)
    less = (suspect[:, None] < controls).sum(axis=0)
    return float(sign_test(more, less).max())


def beyond_crops(suspect: float, crops: NDArray[np.float64], *, tests: int = 1) -> float:
    """Return how likely one more crop would have at least such an effect.

    Args:
        suspect: Its effect.
        crops: Those of crops, shape (c,), at least three.
        tests: How many suspects are tested: the rank decides where it can be low enough for that.

    >>> beyond_crops(3.0, np.array([-0.2, -0.1, 0.0, 1.0, 2.0]))  # half of (1 + 3/3)**-2
    0.125
    >>> beyond_crops(99.5, np.arange(100.0))  # the strongest of 101
    0.009900990099009901
    """
    if tests <= SURE * (len(crops) + 1):
        return float((1 + (crops >= suspect).sum()) / (len(crops) + 1))
    beyond = crops[crops > np.median(crops)] - np.median(crops)
    n = max(len(beyond), 1)
    # Crops that are all alike must not make a trifle sure.
    total = max(float(beyond.sum()), n * LEAST_SPREAD)
    return float(0.5 * (1 + max(suspect - float(np.median(crops)), 0.0) / total) ** -n)


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return means over sizes and positions, of shape (n, p); those of size 0 are nan before."""
    if np.isnan(values).all():  # no size but 0
        return np.zeros(values.shape[:2])
    means: NDArray[np.float64] = np.nanmean(values, axis=(2, 3))
    return means


def _tested(
    answers: Answers,
    number: int,
    odds: NDArray[np.float64],
    raised: NDArray[np.float64],
    tests: int,
) -> Verdict:
    controls = controls_of(answers, number)
    crops = [at for at in controls if answers.patches[at].kind == OTHER]
    effects = raised.mean(axis=0)
    strongest = max(controls, key=lambda at: effects[at]) if controls else None
    p_images = above_each(odds[:, number], odds[:, controls]) if controls else 1.0
    enough = len(crops) >= LEAST_CROPS
    means = odds.mean(axis=0)
    p_patches = beyond_crops(float(means[number]), means[crops], tests=tests) if enough else 1.0
    return Verdict(
        suspect=answers.patches[number].suspect,
        patch=number,
        n_images=len(answers),
        n_controls=len(controls),
        effect=float(effects[number]),
        strongest=strongest,
        control_effect=float("nan") if strongest is None else float(effects[strongest]),
        turns_more=_turns_more(answers, number, controls),
        p_images=p_images,
        p_patches=p_patches,
        p_value=max(p_images, p_patches),
        q_value=1.0,
        verdict=NOT_SHOWN,
        reason="" if enough else f"only {len(crops)} crops of other classes to compare with",
    )


def _turns_more(answers: Answers, number: int, controls: list[int]) -> bool:
    rates = answers.flipped.mean(axis=(0, 3))
    return bool((rates[number] > rates[controls].max(axis=0, initial=0)).any())


def _judged(verdict: Verdict, *, tests: int) -> Verdict:
    """Say what a test comes to."""
    if verdict.reason:
        return verdict
    least = least_images(tests)
    if verdict.effect < LEAST_EFFECT:
        return verdict._replace(
            verdict=REFUTED, reason="it raises the probability by less than a point"
        )
    if verdict.effect <= verdict.control_effect:
        return verdict._replace(verdict=REFUTED, reason="a control raises it as much")
    if not verdict.turns_more:
        return verdict._replace(reason="it turns no more photos than a control does")
    if verdict.q_value <= SURE:
        return verdict._replace(verdict=CONFIRMED)
    if verdict.n_images < least:
        return verdict._replace(reason=f"{verdict.n_images} images are too few: {least} at least")
    if verdict.p_images >= verdict.p_patches:
        return verdict._replace(reason="too few images agree")
    return verdict._replace(reason="crops of other classes differ too much among one another")


def least_images(tests: int) -> int:
    """Return how many images a suspect needs to be confirmed among so many, if all agree.

    >>> least_images(1), least_images(5)
    (7, 9)
    """
    return int(np.ceil(np.log2(tests / SURE)))
