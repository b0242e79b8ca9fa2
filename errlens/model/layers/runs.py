"""One run of a network, layer by layer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor, nn

from errlens.errors import UserCodeFailed
from errlens.model.layers.hooks import watched
from errlens.model.layers.tokens import Places, count_tokens, like_weights
from errlens.model.networks.user_code import user_code

IMAGES: Final = 2  # so that the first axis of an output can be told from windows and heads


class Call(NamedTuple):
    """A layer that ran: its name, what it put out, and whether that is what it was given."""

    name: str
    layer: nn.Module
    shape: tuple[int, ...]
    passed_on: bool


@dataclass
class Run:
    """The layers of a network in the order in which they came to an end in one run.

    `images` are how many it was given. `tokens` are the places of a transformer's tokens, by how
    many of these there are; `measured` says that no attribute tells them, but spots in the images.
    """

    images: int = IMAGES
    calls: list[Call] = field(default_factory=list)
    tokens: dict[int, Places] = field(default_factory=dict)
    measured: bool = False

    def last(self, name: str) -> int | None:
        """Return the place of the last call of a layer."""
        places = (at for at, call in enumerate(self.calls) if call.name == name)
        return max(places, default=None)

    def has_places(self, shape: tuple[int, ...]) -> bool:
        """Is an output of this shape a map of more than one place?"""
        if shape[:1] != (self.images,):
            return False
        if len(shape) == 4:  # wherever the channels are, and unless it is attention among tokens
            several = min(shape[1] * shape[2], shape[2] * shape[3]) > 1
            return several and not self._is_of_tokens(shape)
        return len(shape) == 3 and shape[1] in self.tokens

    def _is_of_tokens(self, shape: tuple[int, ...]) -> bool:
        """Is this of heads among tokens, (n, heads, tokens, ...) or (n, heads, ..., tokens)?

        As many channels or columns as there are tokens may be chance where channels come last: then
        rows and columns are as those of the tokens, a few times as many or as few.
        """
        of_tokens = self.tokens.keys() & set(shape[2:])
        if len(of_tokens) != 1 or shape[2] == shape[3]:
            return bool(of_tokens)
        rows, columns = self.tokens[of_tokens.pop()].grid
        return shape[1] * columns != shape[2] * rows


def run_layers(module: nn.Module, size: tuple[int, int, int]) -> Run:
    """Run a network on zeros and record what its layers put out.

    Raises:
        UserCodeFailed, OutOfMemory: It raised something.
    """
    modes = {part: part.training for part in module.modules() if hasattr(part, "training")}
    module.eval()
    try:
        run = _on_two_or_one(module, size)
        if grid := _token_grid(module, run):
            count = grid[0] * grid[1]
            # Some put the class token in only after the blocks.
            prefixes = (0, int(getattr(module, "num_prefix_tokens", 0)))
            run.tokens = {count + prefix: Places(grid, prefix) for prefix in prefixes}
        else:
            shapes = [(call.name, call.shape) for call in run.calls]
            run.tokens = count_tokens(module, size, shapes, images=run.images)
            run.measured = bool(run.tokens)
    finally:
        for part, mode in modes.items():
            part.training = mode
    return run


def _on_two_or_one(module: nn.Module, size: tuple[int, int, int]) -> Run:
    """Run a network on two images, or on one if it takes no more."""

    def run_on(images: int) -> Run:
        zeros = like_weights(torch.zeros((images, *size)), module)
        with (
            torch.no_grad(),
            _recorded(module, images) as run,
            user_code("the forward of the model", images=images),
        ):
            module(zeros)
        return run

    try:
        return run_on(IMAGES)
    except UserCodeFailed:
        return run_on(1)


def _token_grid(module: nn.Module, run: Run) -> tuple[int, int] | None:
    """Return the rows and columns of a transformer's patches, if it says so."""
    for name in ("patch_embed", "stem"):
        grid = getattr(getattr(module, name, None), "grid_size", None)
        if grid:
            # With `dynamic_img_size` the grid is the input's, not the one it was built for.
            cut = run.last(f"{name}.proj")
            shape = run.calls[cut].shape if cut is not None else ()
            rows, columns = shape[2:] if len(shape) == 4 else grid
            return int(rows), int(columns)
    return None


@contextmanager
def _recorded(module: nn.Module, images: int) -> Iterator[Run]:
    run = Run(images)
    last: list[Tensor | None] = [None]

    def record(name: str, layer: nn.Module, _inputs: object, output: Any) -> None:
        if isinstance(output, Tensor):
            before, last[0] = last[0], output  # kept, so that its memory is not another's
            passed_on = before is not None and before.data_ptr() == output.data_ptr()
            run.calls.append(Call(name, layer, tuple(output.shape), passed_on))

    with watched(module, [name for name, _ in module.named_modules() if name], record):
        yield run
