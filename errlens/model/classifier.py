"""A network together with everything that makes it a classifier of images."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from errlens.analysis.scores import MOST_TOPK
from errlens.classes import ClassNames, Superclasses
from errlens.data.images import DECODER
from errlens.data.loading import Preparation
from errlens.data.preprocess import Preprocessing
from errlens.errors import UnfitModel, UnfitOption
from errlens.identity import Settings
from errlens.model.checkpoints import hash_weights
from errlens.model.networks import Network
from errlens.places import MAX_FILE_MB

CACHED_PIXELS: Final = 4 * 224 * 224  # measured; more is slower on the CPUs of 2026


class Outputs(NamedTuple):
    """What n images give: float32 arrays of shape (n, classes) and (n, features)."""

    logits: NDArray[np.float32]
    features: NDArray[np.float32]


class Probe(NamedTuple):
    """What a network showed when it was run once."""

    pixels: int  # height times width of its input
    outputs: int
    features: int
    head: str | None  # the layer that gives the outputs and is fed the features


@dataclass(frozen=True)
class Classifier:
    """A network on its device, the preparation of its inputs and the names of its outputs."""

    network: Network
    preparation: Preparation
    classes: ClassNames
    device: torch.device
    probe: Probe

    @property
    def good_batch_size(self) -> int:
        """Images at a time: on a CPU as many as its caches can follow from layer to layer."""
        if self.device.type != "cpu":
            return 128
        return max(1, min(128, CACHED_PIXELS // self.probe.pixels))

    @property
    def values_per_image(self) -> int:
        """How many numbers the outputs and features of one image are."""
        return self.probe.outputs + self.probe.features

    def settings(
        self,
        plan_hash: str,
        superclasses: Superclasses | None = None,
        *,
        labels: str = "names",
        max_file_mb: int = MAX_FILE_MB,
    ) -> Settings:
        """Return everything about this classifier that decides a prediction."""
        return Settings(
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
        )

    @contextmanager
    def ready(self, *, with_features: bool = False) -> Iterator[Callable[[Sequence[Any]], Outputs]]:
        """Give a function from prepared images to outputs that many threads may call.

        Without features, or where the network has no head, the features have no columns.
        """
        module, device = self.network.module, self.device
        layer = self.probe.head if with_features else None
        width = self.probe.features if layer else 0
        # An accelerator holds the layers of one batch; a CPU is kept busy by several.
        turn = nullcontext() if device.type == "cpu" else threading.Lock()
        with _last_input(module, layer) as fed:

            def outputs(values: Sequence[Any]) -> Outputs:
                if not values:
                    return Outputs(_nothing(self.probe.outputs), _nothing(width))
                batch = stack(values, self.preparation, device)
                with turn, torch.inference_mode():
                    logits = as_logits(module(batch))
                    features = fed.value.flatten(1) if layer else logits[:, :0]
                    return Outputs(logits.float().cpu().numpy(), features.float().cpu().numpy())

            yield outputs


def _nothing(width: int) -> NDArray[np.float32]:
    return np.zeros((0, width), np.float32)


def stack(values: Sequence[Any], preparation: Preparation, device: torch.device) -> Tensor:
    """Make a network's input of prepared images: scaled bytes, or a user's tensors as they are."""
    if not isinstance(preparation, Preprocessing):
        return torch.stack(list(values)).to(device, memory_format=torch.channels_last).float()
    # Pillow's pixels are channels-last already, so the permuted view needs no copy.
    pixels = torch.from_numpy(np.stack(values)).to(device).permute(0, 3, 1, 2)
    mean, std = (
        torch.tensor(setting, device=device).reshape(1, -1, 1, 1) * 255
        for setting in (preparation.mean, preparation.std)
    )
    return pixels.float().sub_(mean).div_(std)


def as_logits(output: Any) -> Tensor:
    """Return the class scores in a network's output: a tensor, a tuple led by one, or `.logits`."""
    if hasattr(output, "logits"):
        output = output.logits
    if isinstance(output, tuple | list) and output:
        output = output[0]
    if not isinstance(output, Tensor):
        raise UnfitModel(f"the model returns a {type(output).__name__}, not class scores")
    return output


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


def run_once(network: Network, preparation: Preparation, device: torch.device) -> Probe:
    """Move a network to its device and show it a black image: does it take one, what comes out?

    Raises:
        UnfitModel: It does not take an image of this size, or gives no score for each class.
    """
    module = network.module.to(device).to(memory_format=torch.channels_last)
    black = Image.new(preparation.image_mode, (256, 256))
    batch = stack([preparation.prepare(black)], preparation, device)
    try:
        with torch.inference_mode(), _recorded_layers(module) as layers:
            outputs = as_logits(module(batch))
    except (AssertionError, RuntimeError, ValueError) as error:
        raise UnfitModel(
            f"{network.name} does not take images of shape {tuple(batch.shape[1:])}: {error}",
            hint="see --img-size, and --model-kwargs img_size=... for networks built for one size",
        ) from error
    if outputs.ndim != 2 or outputs.shape[1] < 2:
        raise UnfitModel(
            f"{network.name} gives an output of shape {tuple(outputs.shape[1:])} for an image, "
            "not one score for each of at least two classes"
        )
    heads = [layer for layer in layers if layer[2] == outputs.shape[1]]
    name, features, _ = heads[-1] if heads else (None, 0, 0)
    return Probe(batch[0, 0].numel(), outputs.shape[1], features, name)


@contextmanager
def _recorded_layers(module: nn.Module) -> Iterator[list[tuple[str, int, int]]]:
    """Keep name, input and output size of linear and convolutional layers as they run."""
    kept: list[tuple[str, int, int]] = []

    def recorder(name: str) -> Callable[..., None]:
        return lambda _layer, inputs, output: kept.append((name, inputs[0].numel(), output.numel()))

    layers = [
        named for named in module.named_modules() if isinstance(named[1], nn.Linear | nn.Conv2d)
    ]
    handles = [layer.register_forward_hook(recorder(name)) for name, layer in layers]
    try:
        yield kept
    finally:
        for handle in handles:
            handle.remove()


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
