"""A checkpoint knows the photos its head was fitted to; of very many, by a sample."""

import hashlib

import pytest

from errlens.model.weights.fitted_photos import KEY, MOST, known_photos, sampled


def photos(first, last):
    return [hashlib.sha256(str(number).encode()).digest()[:16] for number in range(first, last)]


def test_of_few_photos_each_is_known():
    config = {KEY: sampled(photos(0, 200))}
    assert known_photos(config, photos(150, 400)) == (50, 250)
    assert known_photos(config, photos(200, 400)) == (0, 200)
    assert known_photos(config, []) == (0, 0)


@pytest.mark.parametrize("known", [0.0, 0.3, 1.0])
def test_of_many_photos_a_sample_tells_the_share(known):
    config = {KEY: sampled(photos(0, 20_000))}
    assert len(config[KEY]["smallest_hashes"]) == MOST
    others = round(10_000 * (1 - known))
    n, compared = known_photos(
        config, photos(10_000 + others, 20_000) + photos(20_000, 20_000 + others)
    )
    assert 400 < compared < 600  # of ten thousand, one in twenty
    assert n / compared == pytest.approx(known, abs=0.07)


@pytest.mark.parametrize(
    "kept", [None, 7, [], {}, {"smallest_hashes": 3}, {"smallest_hashes": [3]}]
)
def test_what_others_wrote_by_this_name_is_no_knowledge(kept):
    assert known_photos({KEY: kept}, photos(0, 3)).n == 0
    assert known_photos({}, photos(0, 3)).n == 0
