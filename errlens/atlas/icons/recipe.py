"""How icons are made: what is asked for, and what stands between it and noise."""

from dataclasses import asdict, dataclass
from typing import Any

VERSION = 1  # grows whenever the same recipe makes other pictures


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings of the optimisation; the defaults were chosen by eye, on trained weights.

    Attributes:
        size: Pixels of the longer side; no more than the network is fed.
        steps: Of the optimisation.
        rate: Learning rate of Adam. D. P. Kingma, J. Ba, "Adam", ICLR 2015.
        contrast: Of the noise at the start, as a share of that of photos.
        decay: Frequency f is scaled by f to the power of minus this; photos have about 1, and more
            makes smoother pictures.
        power: Of the cosine; the higher, the more the kind of activation counts beside its
            strength.
        ridge: Share of the mean variance added to each channel's before whitening. 1 whitens
            gently: whitened fully, the rarest patterns drown the picture.
        reach: The objective looks at places around the centre, weighted by a Gaussian of this
            standard deviation, as a share of the side; 0 is the centre alone.
        shift: That a view is shifted by, at most, as a share of its sides.
        degrees: That it is turned by, at most.
        scales: That it is enlarged by, least and most.
        seed: Of the noise and the views.
    """

    size: int = 96
    steps: int = 128
    rate: float = 0.05
    contrast: float = 0.3
    decay: float = 1.75
    power: float = 4.0
    ridge: float = 1.0
    reach: float = 1 / 6
    shift: float = 1 / 12
    degrees: float = 10.0
    scales: tuple[float, float] = (0.8, 1.2)
    seed: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as plain values, to be written down beside the icons."""
        return {**asdict(self), "scales": list(self.scales), "version": VERSION}
