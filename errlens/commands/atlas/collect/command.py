"""`errlens atlas collect`: what do layers see at single places, and what does that speak for?"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from errlens.analysis.atlas.collected import PARAMETERS, layer_folder
from errlens.atlas.points.collecting import Collecting, Collector
from errlens.atlas.points.layers import PointLayer, point_layers
from errlens.attribution.explained_model import ExplainedModel
from errlens.commands.atlas.collect import view
from errlens.commands.atlas.collect.options import CollectOptions
from errlens.commands.atlas.collect.result import CollectResult, LayerPoints
from errlens.commands.atlas.collect.writing import NOT_FINITE, PointsWriter, written_points
from errlens.commands.network.channels import layer_names
from errlens.commands.network.run_images import Facts, asked_images, facts_of
from errlens.data.stratified import balanced_rows
from errlens.errors import NoImages, UnfitLayer, UnfitModel
from errlens.formats import count, counted
from errlens.model.asking.hiding import AskedImage
from errlens.model.reload import reload_classifier
from errlens.run.folder import RunFolder
from errlens.run.results import ResultsWriter, renewed_folder
from errlens.terminal import Screen


def collect(options: CollectOptions, screen: Screen | None = None) -> CollectResult:
    """Collect activations at single places of layers, and what they add to each class."""
    screen = screen or options.screen()
    run = options.open_run(screen)
    result = take(run, options, screen)
    view.show(screen, run, options, result)
    view.print_json(screen, run, options, result)
    return result


def take(run: RunFolder, options: CollectOptions, screen: Screen) -> CollectResult:
    """Take points of every image in one pass, and write those of each layer to its folder."""
    info = run.require_model()
    images = _drawn(facts_of(run), options, screen)
    classifier = reload_classifier(info, device=options.device, trusted=options.trust_run)
    if options.batch_size:
        classifier.check_batch_size(options.batch_size)
    model = ExplainedModel.of(classifier)
    layers = point_layers(model, layer_names(options.layer))
    collecting = Collecting(
        classifier=classifier,
        layers=layers,
        per_image=options.per_image,
        seed=options.seed,
        batch_size=options.batch_size,
        workers=options.workers,
        threads=options.threads,
        max_mb=info.max_file_mb,
    )
    asked = asked_images(images, options, run)
    with ExitStack() as folders:
        # No folder of before is replaced unless all layers have their points.
        all_results = [
            folders.enter_context(
                renewed_folder(
                    layer_folder(run, layer.name),
                    run_hash=info.run_hash,
                    options=_decisive(layer, options),
                )
            )
            for layer in layers
        ]
        with collecting.ready() as collector:
            collected = _pass(collector, layers, all_results, images, asked, screen)
        for results, of_layer in zip(all_results, collected, strict=True):
            size = {"per_image": options.per_image, "seed": options.seed}
            results.tree(PARAMETERS, {**of_layer.as_tree(), **size, "input": list(model.size[1:])})
    by_depth = sorted(
        (
            of_layer._replace(folder=layer_folder(run, of_layer.layer.name), files=results.written)
            for results, of_layer in zip(all_results, collected, strict=True)
        ),
        key=lambda of_layer: of_layer.layer.depth,
    )
    return CollectResult(by_depth)


def _drawn(images: Sequence[Facts], options: CollectOptions, screen: Screen) -> Sequence[Facts]:
    """Return the images that are looked at, in the order of the run.

    Raises:
        NoImages: No image of the run has a prediction.
    """
    if not images:
        raise NoImages("no image of the run has a prediction")
    if options.limit is None or options.limit >= len(images):
        return images
    classes = np.array([facts["class_name"] for facts in images])
    screen.remark(
        f"{counted(options.limit, 'image')} drawn of {count(len(images))}, of each class as many"
    )
    return [images[at] for at in balanced_rows(classes, options.limit, seed=options.seed)]


def _pass(
    collector: Collector,
    layers: Sequence[PointLayer],
    all_results: Sequence[ResultsWriter],
    images: Sequence[Facts],
    asked: Sequence[AskedImage],
    screen: Screen,
) -> list[LayerPoints]:
    """Write the points of all images; return what they come to, of each layer."""
    rows = [facts["row"] for facts in images]
    classes = len(collector.asked.classifier.classes)
    with ExitStack() as files:
        writers = [
            files.enter_context(
                written_points(results, images, channels=layer.channels, classes=classes)
            )
            for results, layer in zip(all_results, layers, strict=True)
        ]
        unread: dict[int, str] = {}
        with screen.progress("collecting points", total=len(asked)) as advance:
            for batch in collector.points(asked, rows):
                unread |= batch.unread
                for layer, writer in zip(layers, writers, strict=True):
                    if layer.name in batch.by_layer:
                        writer.add(batch.by_layer[layer.name])
                advance(batch.n)
        _require_some(unread, asked)
        return [
            _summary(collector, layer, writer, unread, images)
            for layer, writer in zip(layers, writers, strict=True)
        ]


def _require_some(unread: Mapping[int, str], asked: Sequence[AskedImage]) -> None:
    """Refuse to make an atlas of nothing.

    Raises:
        NoImages: None of the images could be read.
    """
    if len(unread) == len(asked):
        number, reason = next(iter(unread.items()))
        raise NoImages(
            f"none of {counted(len(asked), 'image')} of the run can be read: "
            f"{str(asked[number].path)!r}: {reason}",
            hint="--data-root DIR says where they lie now",
        )


def _summary(
    collector: Collector,
    layer: PointLayer,
    writer: PointsWriter,
    unread: Mapping[int, str],
    images: Sequence[Facts],
) -> LayerPoints:
    """Return what the points of a layer come to.

    Raises:
        UnfitModel: Not one of them is finite.
        UnfitLayer: No class depends on the layer.
    """
    if not writer.n_points:
        raise UnfitModel(
            f"layer {layer.name!r}, or the scores, have {NOT_FINITE}, whatever the image"
        )
    if not writer.highest:
        raise UnfitLayer(
            f"no class depends on layer {layer.name!r}: none of its places adds to a score"
        )
    head = collector.linear.get(layer.name)
    left_out = dict(sorted({**unread, **writer.unread}.items()))
    return LayerPoints(
        layer=layer,
        folder=Path(),
        n_images=writer.n_images,
        n_points=writer.n_points,
        method=collector.method(layer),
        bias=None if head is None else head.bias.tolist(),
        dead=writer.dead,
        unread={images[at]["path"]: reason for at, reason in left_out.items()},
    )


def _decisive(layer: PointLayer, options: CollectOptions) -> dict[str, Any]:
    return {
        "layer": layer.name,
        **{name: getattr(options, name) for name in ("per_image", "limit", "seed")},
    }
