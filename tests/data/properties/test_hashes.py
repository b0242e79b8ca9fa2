import numpy as np
import pytest
from PIL import Image, ImageEnhance
from scipy.fft import dctn

from errlens.data.properties.hashes import coarse_of, phash


def blobs(seed, size=(160, 120)):
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 8), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def distance(one, other):
    bits = np.unpackbits(np.frombuffer(one, np.uint8) ^ np.frombuffer(other, np.uint8))
    return int(bits.sum())


@pytest.mark.parametrize("seed", range(5))
def test_the_bits_are_those_of_scipys_cosine_transform(seed):
    coarse = coarse_of(blobs(seed))
    waves = dctn(coarse.astype(float))[:8, :8]
    assert phash(coarse) == np.packbits(waves > np.median(waves)).tobytes()


@pytest.mark.parametrize("seed", range(5))
def test_a_photo_made_smaller_or_darker_keeps_its_bits_and_another_does_not(seed):
    photo = blobs(seed)
    bits = phash(coarse_of(photo))
    assert distance(bits, phash(coarse_of(photo.resize((77, 50))))) <= 6
    assert distance(bits, phash(coarse_of(ImageEnhance.Brightness(photo).enhance(0.8)))) <= 6
    assert distance(bits, phash(coarse_of(blobs(seed + 100)))) > 12


def test_a_coarse_picture_is_the_mean_of_each_part():
    pixels = np.random.default_rng(0).integers(0, 255, (96, 128), dtype=np.uint8)
    means = pixels.reshape(32, 3, 32, 4).mean(axis=(1, 3))
    np.testing.assert_allclose(coarse_of(Image.fromarray(pixels)), means, atol=1)
