"""How images become a network's input: as timm has it, or as the user does."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import timm.data
from PIL import Image
from torch import Tensor

from errlens.data.photos.preprocess import Preprocessing
from errlens.errors import UnfitModel, UnfitOption
from errlens.model.networks.loading import Network
from errlens.model.networks.user_code import import_object, import_recorded, user_code


@dataclass(frozen=True)
class UserTransform:
    """The user's function from a Pillow image to a float tensor (channels, height, width)."""

    name: str
    function: Callable[[Image.Image], Tensor]
    exif: bool = False
    scale_16bit: bool = False
    image_mode: str = "RGB"

    def prepare(self, image: Image.Image) -> Tensor:
        """Apply the function.

        Raises:
            UnfitOption: It does not return such a tensor.
            UserCodeFailed: It raised something.
        """
        with user_code(f"--transform {self.name}"):
            value = self.function(image)
        if not isinstance(value, Tensor) or value.ndim != 3:
            raise UnfitOption(
                f"--transform {self.name} does not return a (channels, height, width) tensor"
            )
        return value

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as plain values; the source text stands for the function."""
        try:
            source = inspect.getsource(self.function)
        except (OSError, TypeError):
            source = repr(type(self.function))
        return {
            "transform": self.name,
            "source": source,
            "exif": self.exif,
            "scale_16bit": self.scale_16bit,
        }


def resolve_preprocessing(
    network: Network, *, overrides: Mapping[str, Any], **reading: bool
) -> Preprocessing:
    """Return timm's data configuration of a network, with the user's overrides.

    `overrides` uses the names of timm's scripts: img_size, crop_pct, crop_mode, interpolation,
    mean, std; None leaves a setting as it is. `reading` are exif, bgr and scale_16bit.

    Raises:
        UnfitModel: The network takes neither one nor three channels.
    """
    args = {key: value for key, value in overrides.items() if value is not None}
    recorded = dict(network.data_config)
    if "img_size" in recorded:  # timm takes one number as an argument only
        args.setdefault("img_size", recorded["img_size"])
    config = timm.data.resolve_data_config(args, pretrained_cfg=recorded, model=network.module)
    of_config, height, width = config["input_size"]
    channels = network.arguments.get("in_chans", of_config)
    if channels not in (1, 3):
        raise UnfitModel(f"{network.name} takes {channels} channels; photos have 3, or 1 when gray")
    return Preprocessing(
        img_size=(height, width),
        crop_pct=float(config["crop_pct"]),
        crop_mode=config["crop_mode"],
        interpolation=config["interpolation"],
        mean=_for_channels(config["mean"], channels),
        std=_for_channels(config["std"], channels),
        **reading,
    )


def load_transform(
    name: str, *, exif: bool = False, scale_16bit: bool = False, recorded: bool = False
) -> UserTransform:
    """Import a transform given as `module:function`; a run has `recorded` it, or the user gave it.

    Raises:
        UnfitOption: It is not written like that.
        UnknownModel: There is no such module or function.
        ForeignCode: A run has recorded one that is not of the current folder.
    """
    module, colon, function = name.partition(":")
    if not (module and colon and function):
        raise UnfitOption(f"--transform {name!r} is not of the form module:function")
    find = import_recorded if recorded else import_object
    function_found = find(module, function, what="transform")
    return UserTransform(name, function_found, exif=exif, scale_16bit=scale_16bit)


def _for_channels(values: Sequence[float], channels: int) -> tuple[float, ...]:
    """Return one value a channel; timm averages colours for a network of one channel."""
    if len(values) == channels:
        return tuple(map(float, values))
    return (float(np.mean(values)),) * channels
