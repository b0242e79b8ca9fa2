"""A network together with everything that makes it a classifier of images."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from errlens.classes.names import ClassNames, Superclasses
from errlens.data.photos.images import DECODER
from errlens.data.photos.loading import Preparation
from errlens.data.photos.preprocess import Preprocessing
from errlens.errors import UnfitModel, UnfitOption
from errlens.model.networks.loading import Network
from errlens.model.networks.user_code import user_code
from errlens.model.outputs.reading import LOGITS, Reading
from errlens.model.weights.checkpoints import hash_weights
from errlens.predictions.scores import MOST_TOPK
from errlens.run.identity import RunSettings
from errlens.run.places import MAX_FILE_MB

CACHED_PIXELS: Final = 4 * 224 * 224  # measured; more is slower on the CPUs of 2026


class Outputs(NamedTuple):
    """What n images give: float32 arrays of shape (n, classes) and (n, features)."""

    logits: NDArray[np.float32]
    features: NDArray[np.float32]


class Interface(NamedTuple):
    """What a network takes and returns, as a dry run shows it, and how its scores are read.

    `outputs` are the classes it tells apart, also where there is to choose among some of them only:
    two for a network of one output. `one_at_a_time` says
    that it takes no second image; `keeps_tensors` that it stores tensors while it runs, so that two
    threads must not run it at once.
    """

    pixels: int  # height times width of its input
    outputs: int
    features: int
    head: str | None  # the layer that gives the outputs and is fed the features
    reading: Reading = LOGITS
    one_at_a_time: bool = False
    keeps_tensors: bool = False


@dataclass(frozen=True)
class Classifier:
    """A network on its device, the preparation of its inputs and the classes it chooses among.

    `all_classes` are the names of all outputs, where there is to choose among some of them.
    """

    network: Network
    preparation: Preparation
    classes: ClassNames
    device: torch.device
    interface: Interface
    all_classes: ClassNames | None = None

    @property
    def output_names(self) -> ClassNames:
        """The names of all outputs, also of those that there is not to choose among."""
        return self.all_classes or self.classes

    @property
    def good_batch_size(self) -> int:
        """Images at a time: on a CPU as many as its caches can follow from layer to layer."""
        if self.device.type != "cpu":
            return 128
        return max(1, min(128, CACHED_PIXELS // self.interface.pixels))

    @property
    def values_per_image(self) -> int:
        """How many numbers the outputs and features of one image are."""
        return len(self.classes) + self.interface.features

    @property
    def reading(self) -> Reading:
        """How class scores are read from what the network returns."""
        return self.interface.reading

    def among(self, classes: Sequence[int], *, source: str) -> "Classifier":
        """Return the same classifier where it chooses among some of its classes only.

        Args:
            classes: Their indices, ascending.
            source: Where the choice comes from, for messages.
        """
        reading = replace(self.reading, subset=tuple(classes), of=self.interface.outputs)
        chosen = self.classes.among(classes, source=source)
        return replace(self, classes=chosen, all_classes=self.classes).read_as(reading)

    def read_as(self, reading: Reading) -> "Classifier":
        """Return the same classifier with its outputs read in another way."""
        return replace(self, interface=self.interface._replace(reading=reading))

    def check_batch_size(self, images: int) -> None:
        """Refuse to give several images at a time to a network that takes one.

        Raises:
            UnfitModel: That is so.
        """
        if self.interface.one_at_a_time and images > 1:
            raise UnfitModel(
                f"{self.network.name} takes one image at a time, not {images}",
                hint="--batch-size 1",
            )

    def settings(
        self,
        plan_hash: str,
        superclasses: Superclasses | None = None,
        *,
        labels: str = "names",
        max_file_mb: int = MAX_FILE_MB,
    ) -> RunSettings:
        """Return everything about this classifier that decides a prediction."""
        return RunSettings(
            model=self.network.name,
            arguments=dict(self.network.arguments),
            weights_sha256=hash_weights(self.network.module),
            preprocessing=self.preparation.as_dict(),
            decoder={**DECODER, "max_file_mb": max_file_mb},
            engine={"name": "torch", "version": torch.__version__, "precision": "float32"},
            device=self.device.type,
            class_names=list(self.classes.names),
            superclasses=superclasses.as_mapping(self.classes) if superclasses else None,
            topk=min(len(self.classes), MOST_TOPK),
            plan_hash=plan_hash,
            labels=labels,
            outputs=self.reading.as_dict(),
        )

    @contextmanager
    def ready(self, *, with_features: bool = False) -> Iterator[Callable[[Sequence[Any]], Outputs]]:
        """Give a function from prepared images to outputs that many threads may call.

        Without features, or where the network has no head, the features have no columns.
        """
        module, device = self.network.module, self.device
        layer = self.interface.head if with_features else None
        width = self.interface.features if layer else 0
        # An accelerator holds the layers of one batch; a CPU is kept busy by several.
        at_once = device.type == "cpu" and not self.interface.keeps_tensors
        turn = nullcontext() if at_once else threading.Lock()
        with _last_input(module, layer) as fed:

            def outputs(values: Sequence[Any]) -> Outputs:
                if not values:
                    return Outputs(_nothing(len(self.classes)), _nothing(width))
                batch = stack(values, self.preparation, device)
                with turn, torch.inference_mode():
                    logits = self.reading.of_values(self.scores(batch))
                    features = fed.value.flatten(1) if layer else logits[:, :0]
                    return Outputs(logits.float().cpu().numpy(), features.float().cpu().numpy())

            yield outputs

    def scores(self, batch: Tensor) -> Tensor:
        """Return the scores of a batch as the network gives them, float of shape (n, outputs).

        Raises:
            UserCodeFailed, OutOfMemory: The network raised something.
            UnfitModel: It gives no scores, or those of other classes than before.
        """
        scores = self.reading.values(forward(self.network, batch), len(batch))
        before = 1 if self.reading.single else self.interface.outputs
        if scores.shape[1] != before:
            raise UnfitModel(
                f"{self.network.name} gives {scores.shape[1]} scores an image now, and gave "
                f"{before} before"
            )
        return scores


def forward(network: Network, batch: Tensor) -> Any:
    """Return what a network returns for a batch of inputs.

    Raises:
        UserCodeFailed, OutOfMemory: It raised something.
    """
    with user_code(f"the forward of {network.name}", images=len(batch)):
        return network.module(batch)


def _nothing(width: int) -> NDArray[np.float32]:
    return np.zeros((0, width), np.float32)


def stack(values: Sequence[Any], preparation: Preparation, device: torch.device) -> Tensor:
    """Make a network's input of prepared images: scaled bytes, or a user's tensors as they are.

    Raises:
        UnfitOption: The user's tensors have several shapes.
    """
    if not isinstance(preparation, Preprocessing):
        shapes = sorted({tuple(value.shape) for value in values})
        if len(shapes) > 1:
            raise UnfitOption(
                f"--transform gives images of several shapes, such as {shapes[0]} and {shapes[-1]}",
                hint="make it resize or crop them to one; --batch-size 1 is for networks that "
                "take any",
            )
        return torch.stack(list(values)).to(device, memory_format=torch.channels_last).float()
    # Pillow's pixels are channels-last already, so the permuted view needs no copy.
    pixels = torch.from_numpy(np.stack(values)).to(device).permute(0, 3, 1, 2)
    mean, std = (
        torch.tensor(setting, device=device).reshape(1, -1, 1, 1) * 255
        for setting in (preparation.mean, preparation.std)
    )
    return pixels.float().sub_(mean).div_(std)


def choose_device(name: str) -> torch.device:
    """Return the device of this name; `auto` takes the best there is.

    Raises:
        UnfitOption: This machine has no such device.
    """
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        name = next(kind for kind, present in available.items() if present)
    if not available[name]:
        raise UnfitOption(f"torch sees no {name} device on this machine", hint="--device auto")
    return torch.device(name)


@contextmanager
def _last_input(module: nn.Module, layer: str | None) -> Iterator[threading.local]:
    """Keep what a layer was last fed, for each thread its own, for the length of the block."""
    kept = threading.local()
    if layer is None:
        yield kept
        return

    def keep(_layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        kept.value = inputs[0]

    handle = module.get_submodule(layer).register_forward_pre_hook(keep)
    try:
        yield kept
    finally:
        handle.remove()
