"""Near copies are found without comparing all with all, and flat pictures copy nothing."""

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from errlens.analysis.findings.causes.copies import near_copies
from errlens.analysis.findings.causes.copies.near_copies import near_pairs, pictures_of
from tests.analysis.findings.causes.images import photos, properties_of


def as_jpeg(picture, quality):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def resized(picture):
    image = Image.fromarray(picture)
    return np.asarray(image.resize((24, 24)).resize((32, 32)))


CHANGES = {
    "recompressed": lambda picture: as_jpeg(picture, 50),
    "resized": resized,
    "lightened": lambda picture: (picture * 0.8 + 30).astype(np.uint8),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_copy_that_was_changed_a_little_is_near(change):
    coarse = photos(300)
    copies = np.array([CHANGES[change](picture) for picture in coarse[:40]])
    pairs = near_pairs(pictures_of(properties_of(np.concatenate([coarse, copies]))))
    found = set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    assert found <= {(at, 300 + at) for at in range(40)}
    assert len(found) >= 38
    assert (pairs.distance < 0.07).all()


@given(st.integers(0, 2**32), st.booleans())
@settings(max_examples=15, deadline=None)
def test_the_hashes_found_are_those_that_differ_in_few_bits(seed, many):
    rng = np.random.default_rng(seed)
    hashes = rng.integers(0, 2**63, 60, dtype=np.uint64)
    flips = (rng.random((60, 64)) < 0.07) @ (2 ** np.arange(64, dtype=object))
    hashes = np.concatenate([hashes, hashes ^ flips.astype(np.uint64)])
    limit = 5 if many else 7
    expected = {
        (first, second)
        for first in range(120)
        for second in range(first + 1, 120)
        if bin(int(hashes[first]) ^ int(hashes[second])).count("1") <= limit
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near_copies, "_VERY_MANY", 1 if many else 10**6)
        patch.setattr(near_copies, "_PAIRS", 5)
        found = {
            pair
            for first, second in near_copies._alike(hashes, hashes, within=True)
            for pair in zip(first.tolist(), second.tolist(), strict=True)
        }
    assert found == expected


def test_flat_pictures_are_copies_of_nothing():
    rng = np.random.default_rng(0)
    flat = np.clip(240 + rng.normal(scale=3, size=(50, 32, 32)), 0, 255).astype(np.uint8)
    same = np.full((10, 32, 32), 7, np.uint8)
    pairs = near_pairs(pictures_of(properties_of(np.concatenate([flat, same]))))
    assert len(pairs.first) == 0


def test_pictures_that_all_resemble_one_another_are_no_copies():
    rng = np.random.default_rng(0)
    scene = photos(1)[0].astype(float)  # a camera that never moves
    alike = np.clip(scene + 12 * rng.normal(size=(200, 32, 32)), 0, 255).astype(np.uint8)
    assert len(near_pairs(pictures_of(properties_of(alike))).first) == 0


def test_pictures_that_could_not_be_measured_are_passed_over():
    table = properties_of(photos(20))
    table.loc[3, "phash"] = None
    table["coarse"] = table["coarse"].where(table.index != 5, b"short")
    assert 3 not in pictures_of(table).at
    assert 5 not in pictures_of(table).at
    assert len(pictures_of(table).at) == 18
    assert len(pictures_of(pd.DataFrame(index=range(4))).at) == 0
    assert len(near_pairs(pictures_of(table.iloc[:0])).first) == 0
