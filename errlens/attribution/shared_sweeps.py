"""Sweeps over an image that two ask for, such as occlusion and who looks at the winners."""

from torch import Tensor

from errlens.attribution.explained_model import ExplainedModel, MethodSettings
from errlens.attribution.masks import Sweep, sweep
from errlens.model.layers.places import SpatialLayer


def shared_sweep(
    model: ExplainedModel,
    image: Tensor,
    settings: MethodSettings,
    *,
    layer: SpatialLayer | None = None,
) -> Sweep:
    """Return what `masks.sweep` does, of networks that keep sweeps made once for two who ask.

    Theirs always have the channels of the spatial layer added up.

    Raises:
        UnfitOption: Mask or stride do not fit the image.
        UnfitLayer, NoSpatialLayer: The network keeps sweeps and has no such layer.
    """
    if model.kept_sweeps is None:
        return sweep(model, image, settings, layer=layer)
    swept: Sweep | None = model.kept_sweeps.take(image, settings)
    if swept is None:
        swept = sweep(model, image, settings, layer=model.spatial_layer)
        model.kept_sweeps.keep(image, settings, swept, size=_size(swept))
    return swept


def _size(swept: Sweep) -> int:
    sums = 0 if swept.channel_sums is None else swept.channel_sums.nbytes
    return swept.logits.nbytes + swept.boxes.nbytes + sums
