import numpy as np
import pytest
import torch

from errlens.atlas.icons.fourier import Spectrum

CPU = torch.device("cpu")
SIZES = [(8, 8), (9, 9), (6, 11), (12, 5)]


def scale_of(size, decay):
    """Scales of `rfft2`, from all frequencies of `fft2`."""
    down, across = np.meshgrid(*map(np.fft.fftfreq, size), indexing="ij")
    scale = np.maximum(np.hypot(down, across), 1 / max(size)) ** -decay
    return (scale / np.sqrt(np.mean(scale**2)))[:, : size[1] // 2 + 1]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("decay", [0.0, 1.0, 1.5])
def test_pictures_are_those_of_numpy(size, decay):
    spectrum = Spectrum(size, decay=decay, device=CPU)
    weights = spectrum.noise(3, seed=1)
    values = weights.numpy().astype(np.float64)
    frequencies = (values[..., 0] + 1j * values[..., 1]) * scale_of(size, decay)
    wanted = np.fft.irfft2(frequencies, s=size, norm="ortho")
    assert spectrum.pictures(weights).numpy() == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("size", SIZES)
def test_every_picture_has_weights(size):
    picture = np.random.default_rng(0).normal(size=size)
    frequencies = np.fft.rfft2(picture, norm="ortho") / scale_of(size, 1.0)
    weights = torch.from_numpy(np.stack([frequencies.real, frequencies.imag], axis=-1)).float()
    back = Spectrum(size, decay=1.0, device=CPU).pictures(weights)
    assert back.numpy() == pytest.approx(picture, abs=1e-5)


@pytest.mark.parametrize("decay", [0.0, 1.0, 2.0])
def test_noise_has_about_variance_one_whatever_the_decay(decay):
    spectrum = Spectrum((32, 32), decay=decay, device=CPU)
    pictures = spectrum.pictures(torch.stack([spectrum.noise(8, seed=n) for n in range(64)]))
    # Waves that only go up and down are there twice, mirrored, and share the variance of one.
    missing = scale_of((32, 32), decay)[:, [0, 16]] ** 2 / 2 / 32**2
    assert float(pictures.pow(2).mean()) == pytest.approx(1 - missing.sum(), abs=0.03)


def test_more_decay_makes_smoother_pictures():
    def roughness(decay):
        spectrum = Spectrum((32, 32), decay=decay, device=CPU)
        picture = spectrum.pictures(spectrum.noise(3, seed=0))
        return float((picture[:, 1:] - picture[:, :-1]).std() / picture.std())

    assert roughness(0) > roughness(1) > roughness(2)
