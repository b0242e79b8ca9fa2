"""Which other preprocessing a model may have been trained with."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from errlens.data.photos.preprocess import Preprocessing

# Mean and standard deviation that training scripts use, for pixels of 0 to 1.
COLOURS: Final = {
    "ImageNet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "-1 to 1": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "0 to 1": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    "0 to 255": ((0.0, 0.0, 0.0), (1 / 255, 1 / 255, 1 / 255)),
    "CIFAR-10": ((0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616)),
    "CLIP": ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
}
CROPS: Final = (0.8, 0.875, 0.9, 0.95, 1.0)
SIZES: Final = (32, 48, 64, 96, 128, 160, 192, 224, 256, 288, 320, 384, 448)
FILTERS: Final = ("nearest", "bilinear", "bicubic", "lanczos")
FURTHEST_SIZE: Final = 4  # times larger or smaller than the one in use


class Candidate(NamedTuple):
    """Preprocessing that may be that of the training, and what it changes in the one in use."""

    changes: Mapping[str, Any]
    preprocessing: Preprocessing


def candidate_settings(
    used: Preprocessing, *, turned: bool = False, deep: bool = False
) -> list[Candidate]:
    """Return what to try instead of the preprocessing in use, each different from all others.

    One thing is changed at a time: mean and standard deviation together (the scale of the pixels
    is one of them), the order of the channels, the size, the crop with its mode, the filter; and
    how files are read, where the data hold some that this matters for.

    Args:
        used: The preprocessing in use.
        turned: There are photos that EXIF turns.
        deep: There are photos of more than eight bits.
    """
    reading = {"exif": turned, "scale_16bit": deep}
    of_files = [{name: not getattr(used, name)} for name, matters in reading.items() if matters]
    changes_to: dict[Preprocessing, Mapping[str, Any]] = {}
    for changes in (*of_files, *_changes(used)):
        changes_to.setdefault(replace(used, **changes), changes)
    changes_to.pop(used, None)
    return [Candidate(changes, preprocessing) for preprocessing, changes in changes_to.items()]


def _changes(used: Preprocessing) -> Iterator[dict[str, Any]]:
    if len(used.mean) == 3:
        for mean, std in COLOURS.values():
            yield {"mean": mean, "std": std}
        yield {"bgr": not used.bgr}
    side = max(used.img_size)
    for size in SIZES:
        if side / FURTHEST_SIZE <= size <= side * FURTHEST_SIZE:
            yield {"img_size": (size, size)}
    for crop_pct in CROPS:
        yield {"crop_pct": crop_pct}
    for crop_mode in ("center", "border"):
        yield {"crop_mode": crop_mode}
    yield {"crop_mode": "squash", "crop_pct": 1.0}
    for interpolation in FILTERS:
        yield {"interpolation": interpolation}
