"""Parts of an image hidden one after the other, and what the network says then."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torchvision.transforms.functional import gaussian_blur

from errlens.attribution.explained_model import ExplainedModel, MethodSettings, scores_of
from errlens.errors import UnfitOption
from errlens.maps import Target
from errlens.model.layers.places import SpatialLayer
from errlens.model.outputs.reading import LOGITS, Reading


class Box(NamedTuple):
    """A rectangle in pixels, without its ends `bottom` and `right`."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def area(self) -> int:
        """In pixels."""
        return (self.bottom - self.top) * (self.right - self.left)


NOWHERE: Final = Box(0, 0, 0, 0)


class Sweep(NamedTuple):
    """What the logits become as a mask moves over one image; all classes are read from it.

    `logits` have the shape (rows, columns, classes), those under each mask; `base` are those of the
    image itself, shape (classes,): float32, or float64 of a network of float64. `boxes` are int64
    of shape (rows, columns, 4), each a `Box`. `channel_sums` are, where a layer was looked at, its
    channels added up over all places: that of the image itself, then those under each mask, shape
    (1 + rows x columns, channels). `reading` says which class is predicted.
    """

    logits: Tensor
    base: Tensor
    boxes: NDArray[np.int64]
    channel_sums: Tensor | None = None
    reading: Reading = LOGITS

    def drops(self, targets: Sequence[Target], *, probability: bool = False) -> Tensor:
        """Return how far each score falls, shape (t, rows, columns), from this one sweep."""
        rows, columns, classes = self.logits.shape
        hidden = target_scores(self.logits.reshape(-1, classes), targets, probability=probability)
        return (self.scores(targets, probability=probability) - hidden).T.reshape(-1, rows, columns)

    def scores(self, targets: Sequence[Target], *, probability: bool = False) -> Tensor:
        """Return the scores of the image itself, shape (t,)."""
        return target_scores(self.base[None], targets, probability=probability)[0]

    def predicted(self) -> NDArray[np.int64]:
        """Return the class that is predicted under each mask, shape (rows, columns)."""
        found: NDArray[np.int64] = self.reading.ranked(self.logits).argmax(dim=2).cpu().numpy()
        return found

    def strongest_channel(self) -> "ChannelFall":
        """Return how the channel that answers to this image the most falls under each mask.

        Zeiler and Fergus, figure 7 (b), as a fall.

        Raises:
            ValueError: No layer was looked at.
        """
        if self.channel_sums is None:
            raise ValueError("the sweep looked at no layer")
        base, *hidden = self.channel_sums.unbind()
        channel = int(base.argmax())
        drops = (base - torch.stack(hidden))[:, channel].reshape(self.logits.shape[:2])
        return ChannelFall(channel, float(base[channel]), drops.float().cpu().numpy())


class ChannelFall(NamedTuple):
    """How far the activations of one channel, added up over all places, fall under each mask.

    `base` is their sum over the image itself; `drops` has the shape (rows, columns).
    """

    channel: int
    base: float
    drops: NDArray[np.float32]


def sweep(
    model: ExplainedModel,
    image: Tensor,
    settings: MethodSettings,
    *,
    layer: SpatialLayer | None = None,
    advance: Callable[[int], object] = lambda _masks: None,
) -> Sweep:
    """Hide one part of an image, of shape (channels, height, width), after the other.

    The network gets at most `settings.batch_size` inputs at a time, and no more than those exist. A
    mask that would change nothing is not tried. With a layer, its channels are added up as well, of
    one that runs several times as it puts them out the last time. `advance` is told of inputs done,
    1 + masks in all.

    Raises:
        UnfitOption: Mask or stride do not fit the image.
    """
    boxes = grid(image.shape[1:], settings)
    filled = fill(model, image, settings)
    flat = [Box(*box) for box in boxes.reshape(-1, 4).tolist()]
    tried = [at for at, box in enumerate(flat) if _changes(image, filled, box)]
    # Without a mask in the same batches: what is compared has been computed alike.
    cases = [(NOWHERE, filled), *((flat[at], filled) for at in tried)]
    with _channel_sums(model.module, layer) as sums:
        logits = logits_under(model, image, cases, settings.batch_size, advance=advance)
    advance(len(flat) - len(tried))
    all_masks = [0] * (1 + len(flat))
    for place, at in enumerate(tried, 1):
        all_masks[1 + at] = place
    base, hidden = logits[0], logits[all_masks[1:]].reshape(*boxes.shape[:2], -1)
    channel_sums = torch.cat(sums)[all_masks] if layer else None
    return Sweep(hidden, base, boxes, channel_sums, model.reading)


# Not inference mode: what a network remembers of a pass, such as a table of positions, would
# belong to that mode for ever, and a gradient method after this one would fail on it.
@torch.no_grad()
def logits_under(
    model: ExplainedModel,
    image: Tensor,
    cases: Sequence[tuple[Box, Tensor]],
    batch_size: int,
    *,
    advance: Callable[[int], object] = lambda _cases: None,
) -> Tensor:
    """Return the logits, shape (cases, classes), with each box taken from its own filled image."""
    outputs = []
    for start in range(0, len(cases), batch_size):
        batch = cases[start : start + batch_size]
        # New ones for each batch: a network may change its inputs.
        copies = torch.empty(
            (len(batch), *image.shape),
            dtype=image.dtype,
            device=image.device,
            memory_format=torch.channels_last,
        ).copy_(image.expand(len(batch), *image.shape))
        for copy, (box, filled) in zip(copies, batch, strict=True):
            rows, columns = _slices(box)
            copy[:, rows, columns] = filled[:, rows, columns]
        outputs.append(model.logits(copies))
        advance(len(batch))
    logits = torch.cat(outputs)
    return logits if logits.dtype == torch.float64 else logits.float()


@contextmanager
def _channel_sums(module: nn.Module, layer: SpatialLayer | None) -> Iterator[list[Tensor]]:
    """Keep, of each batch, the channels of a layer added up over all places."""
    kept: list[Tensor] = []
    if layer is None:
        yield kept
        return

    def begin(_network: nn.Module, _inputs: object) -> None:
        kept.append(torch.empty(0))

    def keep(_layer: nn.Module, _inputs: object, output: Tensor) -> None:
        kept[-1] = layer.as_maps(output).sum(dim=(2, 3))  # what it puts out the last time stays

    with ExitStack() as hooks:
        hooks.callback(module.register_forward_pre_hook(begin).remove)
        hooks.callback(module.get_submodule(layer.name).register_forward_hook(keep).remove)
        yield kept


def grid(size: Sequence[int], settings: MethodSettings) -> NDArray[np.int64]:
    """Return where the mask lies on an image of (height, width), int64 of shape (rows, columns, 4).

    An image is divided into cells of one size, a stride or a little less; a mask stands in the
    middle of each and is clipped at the edges. So a map is true to its place when it is drawn as
    equal cells from edge to edge, whether or not the stride divides the side.

    >>> grid((4, 8), MethodSettings(mask="4", stride="2"))[0, :, 1::2].tolist()
    [[0, 3], [1, 5], [3, 7], [5, 8]]

    Raises:
        UnfitOption: Mask or stride do not fit the image.
    """
    rows, columns = (spans(side, settings) for side in size)
    boxes = [[(top, left, bottom, right) for left, right in columns] for top, bottom in rows]
    return np.array(boxes, np.int64)


def spans(side: int, settings: MethodSettings) -> list[tuple[int, int]]:
    """Return the first pixel of each mask along a side, and that after its last.

    >>> spans(8, MethodSettings(mask="4", stride="4"))
    [(0, 4), (4, 8)]

    Raises:
        UnfitOption: Mask or stride do not fit the side.
    """
    mask = mask_side(side, settings)
    stride = max(1.0, mask / 2)
    if settings.stride is not None:
        stride = _pixels(settings.stride, side, "stride")
    if round(stride) > mask:
        raise UnfitOption(f"a stride of {stride:g} pixels leaves gaps between masks of {mask}")
    cells = math.ceil(side / min(stride, mask) - 1e-9)  # 224 / 22.4 is 10, not 11
    # The centre of a cell less half a mask, to the nearest pixel, in integers.
    starts = [((2 * at + 1) * side + (1 - mask) * cells) // (2 * cells) for at in range(cells)]
    return [(max(0, start), min(side, start + mask)) for start in starts]


def mask_side(side: int, settings: MethodSettings) -> int:
    """Return how many pixels of a side of the image a mask has, where no edge clips it.

    Raises:
        UnfitOption: The mask does not fit the side.
    """
    return round(_pixels(settings.mask, side, "mask"))


def fill(model: ExplainedModel, image: Tensor, settings: MethodSettings) -> Tensor:
    """Return what hides, as an image of the same shape (channels, height, width).

    Gray is midway between black and white; noise has the mean and the deviation of each channel and
    is the same for every mask.
    """
    black, white = (pixel.to(image).reshape(-1, 1, 1) for pixel in (model.black, model.white))
    mean = image.mean(dim=(1, 2), keepdim=True)
    if settings.fill == "blur":
        return _blurred(image, settings)
    if settings.fill == "noise":
        random = torch.Generator().manual_seed(settings.seed)
        noise = torch.randn(image.shape, generator=random).to(image)
        return mean + image.std(dim=(1, 2), keepdim=True, correction=0) * noise
    plain = {"mean": mean, "gray": (black + white) / 2, "black": black}
    return plain[settings.fill].expand_as(image)


def _blurred(image: Tensor, settings: MethodSettings) -> Tensor:
    """Blur by half of the mask, which leaves nothing of its size to be seen."""
    sides = list(image.shape[1:])
    sigma = max(round(_pixels(settings.mask, side, "mask")) for side in sides) / 2
    # Reflection at the edges takes less than a side; one axis after the other takes less time.
    height, width = (2 * min(math.ceil(3 * sigma), side - 1) + 1 for side in sides)
    across: Tensor = gaussian_blur(image, [width, 1], [sigma, sigma])
    blurred: Tensor = gaussian_blur(across, [1, height], [sigma, sigma])
    return blurred


def target_scores(logits: Tensor, targets: Sequence[Target], *, probability: bool) -> Tensor:
    """Return the scores of the same targets of all rows, shape (n, t), of (n, classes)."""
    outputs = logits.softmax(dim=1) if probability else logits
    return scores_of(outputs, [targets] * len(outputs))


def _pixels(text: str, side: int, what: str) -> float:
    """Read pixels or a share of a side, in pixels: a whole number, or the exact share."""
    number, percent = text.removesuffix("%"), text.endswith("%")
    try:
        pixels = float(number) * side / 100 if percent else int(number)
        whole = round(pixels)  # no number, or one without an end, cannot be
    except (ValueError, OverflowError):
        raise UnfitOption(
            f"--{what} {text!r} is neither pixels like 45 nor a share like 20%"
        ) from None
    if not 1 <= whole <= side:
        raise UnfitOption(
            f"a {what} of {text} is {whole} pixels, but must be 1 to {side}, the side of the input"
        )
    return pixels


def _changes(image: Tensor, filled: Tensor, box: Box) -> bool:
    rows, columns = _slices(box)
    return not torch.equal(image[:, rows, columns], filled[:, rows, columns])


def _slices(box: Box) -> tuple[slice, slice]:
    return slice(box.top, box.bottom), slice(box.left, box.right)
