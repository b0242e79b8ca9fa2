"""The commands that look inside a network, as functions."""

from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from errlens.commands.options.calls import hints_as_notes, made
from errlens.interface.commands import Place

if TYPE_CHECKING:
    from errlens.commands.network.activations.result import ActivationsResult
    from errlens.commands.network.correspondence.result import CorrespondenceResult
    from errlens.commands.network.embed.result import EmbedResult
    from errlens.commands.network.evolution.result import EvolutionResult
    from errlens.commands.network.features.result import FeaturesResult
    from errlens.commands.network.filters.result import FiltersResult
    from errlens.commands.network.invariance.result import InvarianceResult
    from errlens.commands.network.invariance.severity.result import SeverityResult
    from errlens.commands.network.layers.result import LayersResult
    from errlens.commands.network.occlusion.result import OcclusionResult
    from errlens.commands.network.probe.command import Probe
    from errlens.commands.network.probe.result import LayerProbe


def network_layers(subject: Place | None = None, **options: Any) -> "LayersResult":
    """List the layers of a network; `.table` has a row a layer: what it sees, costs, supports.

    Args:
        subject: A run folder, the name of a model or a file of weights; by default the newest run
            below `runs/`.
        options: Any option of `errlens network layers`, such as `checkpoint="best.pth"`.
    """
    with hints_as_notes():
        from errlens.commands.network.layers.command import layers as command
        from errlens.commands.network.layers.options import LayersOptions

        named = None if subject is None else str(PurePath(subject))
        return command(made(LayersOptions, {"subject": named, **options}))


def network_filters(
    subject: Place | None = None, other: Place | None = None, **options: Any
) -> "FiltersResult":
    """Judge a network by its filters; `.suspicions` has what is wrong, `.tables` all of them.

    Args:
        subject: A run folder, the name of a model or a file of weights; by default the newest run
            below `runs/`.
        other: A second network, to hold against the first.
        options: Any option of `errlens network filters`, such as `checkpoint="best.pth"`.
    """
    with hints_as_notes():
        from errlens.commands.network.filters.command import filters as command
        from errlens.commands.network.filters.options import FiltersOptions

        first, second = (
            None if named is None else str(PurePath(named)) for named in (subject, other)
        )
        return command(made(FiltersOptions, {"subject": first, "other": second, **options}))


def network_activations(
    images: Place | Sequence[Place] | None = None, **options: Any
) -> "ActivationsResult":
    """Show what the channels of a layer respond to; `.channels` has a row for each channel.

    `.maps` are the activations themselves, arrays of shape (channels, rows, columns).

    Args:
        images: A run folder, by default the newest below `runs/`, or one or two photos, with
            `model` or `checkpoint`; or a run folder and photos for its model.
        options: Any option of `errlens network activations`, such as `layer="layer3"`,
            `channel="14,47"` or `activation="both"`.
    """
    with hints_as_notes():
        from errlens.commands.network.activations.command import activations as command
        from errlens.commands.network.activations.options import ActivationsOptions

        return command(made(ActivationsOptions, {"images": images, **options}))


def network_features(run: Place | None = None, **options: Any) -> "FeaturesResult":
    """Find what channels answer to; `.tables.firing` has a row for each, `.figures` the sheets.

    Args:
        run: The run folder; by default the newest below `runs/`.
        options: Any option of `errlens network features`, such as `layer="layer3"` or
            `channels="strongest:16"`.
    """
    with hints_as_notes():
        from errlens.commands.network.features.command import features as command
        from errlens.commands.network.features.options import FeaturesOptions

        return command(made(FeaturesOptions, {"run": run, **options}))


def network_evolution(run: Place | None = None, **options: Any) -> "EvolutionResult":
    """See how a network came to what it is; `.tables` by checkpoint, `.figures`, `.sentences`.

    Args:
        run: The run folder; by default the newest below `runs/`.
        options: Any option of `errlens network evolution`, such as `checkpoints="epoch*.pth"`.
    """
    with hints_as_notes():
        from errlens.commands.network.evolution.command import evolution as command
        from errlens.commands.network.evolution.options import EvolutionOptions

        return command(made(EvolutionOptions, {"run": run, **options}))


def network_embed(run: Place | None = None, **options: Any) -> "EmbedResult":
    """Map images by their features; `.tables.neighbours` has what lies next to each error.

    Args:
        run: The run folder; by default the newest below `runs/`.
        options: Any option of `errlens network embed`, such as `method="tsne"` or
            `train="data/train"`.
    """
    with hints_as_notes():
        from errlens.commands.network.embed.command import embed as command
        from errlens.commands.network.embed.options import EmbedOptions

        return command(made(EmbedOptions, {"run": run, **options}))


def network_probe(data: Place, **options: Any) -> "Probe | LayerProbe":
    """Probe layers with images; `.layers` has a row a layer, `.pairs` says where classes part.

    With `save_head` instead, fit a head for other classes: `.head` says how well it does.

    Args:
        data: Images with their classes, and `model` or `checkpoint`; or a run folder.
        options: Any option of `errlens network probe`, such as `layers="all"`, `pair="cat~dog"` or
            `per_class=[1, 3, 10]`.
    """
    with hints_as_notes():
        from errlens.commands.network.probe.command import probe as command
        from errlens.commands.network.probe.options import ProbeOptions

        return command(made(ProbeOptions, {"data": data, **options}))


def network_invariance(
    images: Place | Sequence[Place] | None = None, **options: Any
) -> "InvarianceResult | SeverityResult":
    """Measure how far transforms move features and predictions; `.curves` has a row for each size.

    `.classes` says at which size of which transform a class breaks. With `severity="all"`, or such
    as `[1, 3]`, photos are corrupted instead, and `.severities` has a row for each corruption and
    severity.

    Args:
        images: A run folder, by default the newest below `runs/`, or photos, with `model` or
            `checkpoint`; or a run folder and photos for its model.
        options: Any option of `errlens network invariance`, such as `transform="rotate,scale"` or
            `limit=500`.
    """
    with hints_as_notes():
        from errlens.commands.network.invariance.command import invariance as command
        from errlens.commands.network.invariance.options import InvarianceOptions

        return command(made(InvarianceOptions, {"images": images, **options}))


def network_correspondence(
    images: Place | Sequence[Place] | None = None, *, parts: Place, **options: Any
) -> "CorrespondenceResult":
    """Tell whether hiding a part changes features of all images alike; `.layers` has a row a layer.

    `.parts` says what hiding each part costs the class.

    Args:
        images: A run folder, by default the newest below `runs/`, or photos, with `model` or
            `checkpoint`; or a run folder and photos for its model.
        parts: Where the parts are: a table of boxes, or outlines.
        options: Any other option of `errlens network correspondence`, such as
            `masks="outlines.json"` or `random=50`.
    """
    with hints_as_notes():
        from errlens.commands.network.correspondence.command import correspondence as command
        from errlens.commands.network.correspondence.options import CorrespondenceOptions

        return command(made(CorrespondenceOptions, {"images": images, "parts": parts, **options}))


def network_occlusion(
    images: Place | Sequence[Place] | None = None, **options: Any
) -> "OcclusionResult":
    """Hide one part of images after the other; `.images` has a row for each, `.sentences` says it.

    Args:
        images: A run folder, by default the newest below `runs/`, or photos, with `model` or
            `checkpoint`; or a run folder and photos for its model.
        options: Any option of `errlens network occlusion`, such as `layer="layer4"`,
            `masks="outlines.json"` or `stride="5%"`.
    """
    with hints_as_notes():
        from errlens.commands.network.occlusion.command import occlusion as command
        from errlens.commands.network.occlusion.options import OcclusionOptions

        return command(made(OcclusionOptions, {"images": images, **options}))
