"""Occlusion: how far the score falls when a part of the image is hidden.

M. D. Zeiler, R. Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014, section
4.2; mask and stride by default as in MATLAB's occlusionSensitivity.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import torch
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from errlens.attribution._subject import Maps, Settings, Subject, scores_of
from errlens.errors import UnfitOption
from errlens.maps import Target

SUMMARY: Final = "how far the score falls when a part is hidden; for any network, signed"
ADDS_UP: Final = True


class Box(NamedTuple):
    """A rectangle in pixels, without its ends `bottom` and `right`."""

    top: int
    left: int
    bottom: int
    right: int


class Sweep(NamedTuple):
    """What the outputs become as a mask moves over one image.

    `outputs` are those without a mask, shape (classes,), `hidden` those with each, shape (boxes,
    classes): logits or, where that was asked for, probabilities. All classes and differences can be
    read from one sweep.
    """

    outputs: Tensor
    hidden: Tensor
    boxes: list[Box]


def unsupported(subject: Subject) -> str | None:
    """Any network can be shown a part of an image."""
    del subject
    return None


def explain(
    subject: Subject, images: Tensor, targets: Sequence[Sequence[Target]], settings: Settings
) -> Maps:
    """Return for each pixel how far the score falls on average when a mask hides it.

    Positive: hiding it lowers the score, so it speaks for the target. All targets of an image are
    read from one sweep.

    Raises:
        UnfitOption: Mask or stride do not fit the image.
    """
    values, scores = [], []
    for image, of_image in zip(images, targets, strict=True):
        found = sweep(subject, image, settings)
        wanted = [of_image] * (len(found.boxes) + 1)
        score, *hidden = scores_of(torch.stack([found.outputs, *found.hidden]), wanted)
        drops = score - torch.stack(hidden)
        values.append(_mean_over_masks(drops, found.boxes, image.shape[1:]))
        scores.append(score)
    unit = "probability" if settings.probability else "logits"
    return Maps(torch.stack(values), torch.stack(scores), baseline=settings.fill, unit=unit)


@torch.no_grad()
def sweep(subject: Subject, image: Tensor, settings: Settings) -> Sweep:
    """Hide one part of an image, of shape (channels, height, width), after the other.

    The network gets at most `settings.batch_size` copies at a time. A mask that would change
    nothing is not tried.
    """
    boxes = list(mask_boxes(image.shape[1:], settings))
    filled = _filled(subject, image, settings)
    outputs = _outputs(subject, image[None], settings)[0]
    hidden = outputs.repeat(len(boxes), 1)
    tried = [at for at, box in enumerate(boxes) if not _is_same(image, filled, box)]
    for start in range(0, len(tried), settings.batch_size):
        places = tried[start : start + settings.batch_size]
        copies = image.repeat(len(places), 1, 1, 1)
        for copy, at in zip(copies, places, strict=True):
            rows, columns = _slices(boxes[at])
            copy[:, rows, columns] = filled[:, rows, columns]
        hidden[places] = _outputs(subject, copies, settings)
    return Sweep(outputs, hidden, boxes)


def mask_boxes(size: Sequence[int], settings: Settings) -> Iterator[Box]:
    """Yield where the mask lies, row by row, cut off at the edges of an image of (height, width).

    The first mask reaches a stride into the image: every pixel, at the edge too, is hidden by as
    many masks as go into one another.

    >>> [box.left for box in mask_boxes((4, 8), Settings(mask="4", stride="2"))][:5]
    [0, 0, 2, 4, 6]

    Raises:
        UnfitOption: Mask or stride do not fit the image.
    """
    spans = [_spans(side, settings) for side in size]
    for top, bottom in spans[0]:
        for left, right in spans[1]:
            yield Box(top, left, bottom, right)


def _spans(side: int, settings: Settings) -> list[tuple[int, int]]:
    """Return the first pixel of each mask along a side, and that after its last."""
    mask = _pixels(settings.mask, side, "mask")
    stride = max(1, mask // 2)
    if settings.stride is not None:
        stride = _pixels(settings.stride, side, "stride")
    if stride > mask:
        raise UnfitOption(f"a stride of {stride} pixels leaves gaps between masks of {mask}")
    starts = range(stride - mask, side, stride)
    return [(max(0, start), min(side, start + mask)) for start in starts]


def _pixels(text: str, side: int, what: str) -> int:
    """Read pixels or a share of a side."""
    number, percent = text.removesuffix("%"), text.endswith("%")
    try:
        pixels = round(float(number) * side / 100) if percent else int(number)
    except (ValueError, OverflowError):
        raise UnfitOption(
            f"--{what} {text!r} is neither pixels like 45 nor a share like 20%"
        ) from None
    if not 1 <= pixels <= side:
        raise UnfitOption(
            f"a {what} of {text} is {pixels} pixels, but must be 1 to {side}, the side of the input"
        )
    return pixels


def _filled(subject: Subject, image: Tensor, settings: Settings) -> Tensor:
    """Return what hides, as an image."""
    black, white = (one.to(image).reshape(-1, 1, 1) for one in (subject.black, subject.white))
    mean = image.mean(dim=(1, 2), keepdim=True)
    if settings.fill == "blur":
        mask = max(_pixels(settings.mask, side, "mask") for side in image.shape[1:])
        sigma = max(1.0, mask / 3)
        width = 2 * min(round(3 * sigma), min(image.shape[1:]) - 1) + 1
        blurred: Tensor = gaussian_blur(image, [width, width], [sigma, sigma])
        return blurred
    if settings.fill == "noise":
        random = torch.Generator().manual_seed(settings.seed)
        noise = torch.randn(image.shape, generator=random).to(image)
        return mean + image.std(dim=(1, 2), keepdim=True) * noise
    plain = {"mean": mean, "gray": (black + white) / 2, "black": black}
    return plain[settings.fill].expand_as(image)


def _outputs(subject: Subject, images: Tensor, settings: Settings) -> Tensor:
    logits = subject.logits(images.contiguous(memory_format=torch.channels_last))
    return logits.softmax(dim=1) if settings.probability else logits


def _is_same(image: Tensor, filled: Tensor, box: Box) -> bool:
    rows, columns = _slices(box)
    return torch.equal(image[:, rows, columns], filled[:, rows, columns])


def _mean_over_masks(drops: Tensor, boxes: Sequence[Box], size: Sequence[int]) -> Tensor:
    """Return the mean over the masks that hide a pixel, shape (t, height, width)."""
    total = drops.new_zeros((drops.shape[1], *size))
    count = drops.new_zeros(tuple(size))
    for drop, box in zip(drops, boxes, strict=True):
        rows, columns = _slices(box)
        total[:, rows, columns] += drop[:, None, None]
        count[rows, columns] += 1
    return total / count


def _slices(box: Box) -> tuple[slice, slice]:
    return slice(box.top, box.bottom), slice(box.left, box.right)
