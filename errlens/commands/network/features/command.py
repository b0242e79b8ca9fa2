"""`errlens network features`: what do channels answer to, and in images of which classes?"""

import dataclasses
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from errlens.attribution.explained_model import ExplainedModel
from errlens.commands.network.channels import layer_names, wanted_channels
from errlens.commands.network.features import view
from errlens.commands.network.features.discriminating import Discriminated, tell_apart
from errlens.commands.network.features.options import FeaturesOptions
from errlens.commands.network.features.pictures import draw
from errlens.commands.network.features.result import FeaturesResult
from errlens.commands.network.features.tables import tables_of
from errlens.commands.network.features.writing import write_numbers
from errlens.commands.network.run_images import asked_images, facts_of
from errlens.model.asking.hiding import AskedImage
from errlens.model.classifier import Classifier
from errlens.model.reload import reload_classifier
from errlens.network.units.layers import UnitLayer, unit_layers
from errlens.network.units.patches import Patch, field_of, patches_of
from errlens.network.units.projection import choose_projection, remark_of
from errlens.network.units.scores import Unit
from errlens.network.units.top_images import Found, Wanted, top_images
from errlens.run.folder import RunFolder
from errlens.run.results import renewed_results
from errlens.terminal import Screen

KIND = "network/features"


def features(options: FeaturesOptions, screen: Screen | None = None) -> FeaturesResult:
    """Show what channels of a network answer to, in the images of a run."""
    screen = screen or options.screen()
    run = options.open_run(screen)
    apart = tell_apart(run, options, screen)
    if apart:
        options = dataclasses.replace(
            options, layer=[of_layer.layer.name for of_layer in apart.layers]
        )
    result = find(run, options, screen, apart)._replace(told_apart=apart)
    view.show(screen, run, options, result)
    view.print_json(screen, run, result)
    return result


def find(
    run: RunFolder, options: FeaturesOptions, screen: Screen, apart: Discriminated | None = None
) -> FeaturesResult:
    """Find where channels fire the most, and write tables and sheets to RUN/network/features.

    Without a choice of the user's, channels are those that tell two classes apart, where some do.
    """
    # Which channels of which layers?
    wanted = wanted_channels(options.channels, seed=options.seed)
    if apart and options.channels == FeaturesOptions.channels:
        wanted = Wanted(of_layer=apart.leading)
    info = run.require_model()
    classifier = reload_classifier(info, device=options.device, trusted=options.trust_run)
    model = ExplainedModel.of(classifier)
    layers = unit_layers(model.module, model.size, layer_names(options.layer))
    projection = _projection(model, options)

    # Where do they fire the most?
    images = facts_of(run)
    asked = asked_images(images, options, run)
    how = {"workers": options.workers, "threads": options.threads, "max_mb": info.max_file_mb}
    batch_size = options.batch_size or classifier.good_batch_size
    classifier.check_batch_size(batch_size)
    with screen.progress("finding where channels fire", total=len(asked)) as advance:
        found = top_images(
            classifier, layers, wanted, asked, top=options.top, advance=advance,
            batch_size=batch_size, **how,
        )  # fmt: skip

    # What is seen there?
    patches = _patches(classifier, found, asked, projection, options, screen, how)
    result = FeaturesResult(
        found,
        images,
        patches,
        tables_of(found, patches, images, projection),
        projection,
        _remarks(classifier, layers, projection),
        run.results_folder(KIND),
    )
    with renewed_results(run, KIND, options=_decisive(options)) as results:
        write_numbers(results, result, options, size=model.size)
        draw(results, result, top=options.top)
    return result._replace(files=results.written)


def _projection(model: ExplainedModel, options: FeaturesOptions) -> str | None:
    """Return how units are carried back to the pixels; None for not at all."""
    if options.projection == "none":
        return None
    return choose_projection(model, options.projection)


def _patches(
    classifier: Classifier,
    found: Found,
    asked: Sequence[AskedImage],
    projection: str | None,
    options: FeaturesOptions,
    screen: Screen,
    how: Mapping[str, Any],
) -> dict[tuple[str, int, int], Patch]:
    """Return what is cut out of each image, by layer, channel and rank."""
    units: dict[int, list[Unit]] = {}
    ranks: dict[int, list[int]] = {}
    for layer in found.layers:
        for at, rank, unit in layer.units():
            number = int(layer.images[at, rank])
            units.setdefault(number, []).append(unit)
            ranks.setdefault(number, []).append(rank)
    layers = [layer.layer for layer in found.layers]
    patches = {}
    with screen.progress("looking at the strongest", total=len(units)) as advance:
        for number, of_image in patches_of(
            classifier,
            layers,
            units,
            asked,
            method=projection,
            field_of=field_of(classifier, layers),
            keep_values=options.save_projections,
            **how,
        ):
            advance(1)
            for patch, rank in zip(of_image, ranks[number], strict=False):
                patches[patch.unit.layer, patch.unit.channel, rank] = patch
    return patches


def _remarks(
    classifier: Classifier, layers: Sequence[UnitLayer], projection: str | None
) -> dict[str, str]:
    """Return what a reader must know of the projections of layers, by name."""
    if projection is None:
        return {}
    remark = partial(remark_of, classifier, method=projection)
    return {layer.name: text for layer in layers if (text := remark(layer))}


def _decisive(options: FeaturesOptions) -> dict[str, Any]:
    names = ("layer", "channels", "top", "projection", "seed")
    return {name: getattr(options, name) for name in names}
