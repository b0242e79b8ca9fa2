"""`errlens network evolution`: how did a network come to see what it sees?"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from errlens.analysis.evolution.sentences import in_words
from errlens.commands.network.channels import layer_names, wanted_channels
from errlens.commands.network.evolution import view
from errlens.commands.network.evolution.options import EvolutionOptions
from errlens.commands.network.evolution.pictures import draw
from errlens.commands.network.evolution.result import EvolutionResult
from errlens.commands.network.evolution.tables import tables_of, watched_pairs
from errlens.commands.network.run_images import Facts, asked_images, facts_of
from errlens.data.stratified import stratified_rows
from errlens.errors import UnfitOption
from errlens.model.classifier import Classifier
from errlens.model.reload import classifier_at
from errlens.network.evolution.checkpoints import find_checkpoints
from errlens.network.evolution.evolving import evolve
from errlens.network.evolution.pass_over import Work
from errlens.run.results import ResultsWriter, renewed_folder
from errlens.terminal import Screen

KIND = "network/evolution"


def evolution(options: EvolutionOptions, screen: Screen | None = None) -> EvolutionResult:
    """Show what channels answer to, how layers settle and how well a network does, over time."""
    screen = screen or options.screen()
    wanted = wanted_channels(options.channels, seed=options.seed)
    run = options.open_run(screen)
    info = run.require_model()
    if not options.checkpoints:
        raise UnfitOption(
            "which checkpoints?", hint="--checkpoints 'epoch*.pth' names those of one training"
        )
    checkpoints = find_checkpoints(options.checkpoints)
    pairs = watched_pairs(run, options.pair)
    images = sampled(facts_of(run), options.images, seed=options.seed)

    def work(classifier: Classifier) -> Work:
        batch_size = options.batch_size or classifier.good_batch_size
        classifier.check_batch_size(batch_size)
        return Work(batch_size, options.workers, options.threads, info.max_file_mb)

    found = evolve(
        checkpoints,
        partial(classifier_at, info, device=options.device, trusted=options.trust_run),
        asked_images(images, options, run),
        layers=layer_names(options.layer),
        wanted=wanted,
        projection=options.projection,
        work_of=work,
        progress=screen.progress,
    )
    tables = tables_of(found, images, pairs, info.classes.names)
    sentences = in_words(tables.settled, tables.evolution, tables.pairs)
    folder = options.into or run.results_folder(KIND)
    result = EvolutionResult(found, images, tables, sentences, folder)
    decisive = {name: getattr(options, name) for name in _DECISIVE}
    with renewed_folder(folder, run_hash=info.run_hash, options=decisive) as results:
        write_numbers(results, result, options)
        draw(results, result)
    result = result._replace(files=results.written)
    view.show(screen, result)
    view.print_json(screen, run, result)
    return result


def sampled(images: Sequence[Facts], most: int, *, seed: int) -> Sequence[Facts]:
    """Return so many images at most, in their order, each class with its share."""
    classes = np.array([facts["class_name"] for facts in images], object)
    return [images[at] for at in stratified_rows(classes.astype(str), most, seed=seed)]


_DECISIVE = ("checkpoints", "layer", "channels", "projection", "pair", "images", "seed")


def write_numbers(
    results: ResultsWriter, result: EvolutionResult, options: EvolutionOptions
) -> None:
    """Write tables and parameters."""
    for name, table in result.tables._asdict().items():
        if table is not None:
            results.csv(f"{name}.csv", table)
    results.tree("evolution.json", _parameters(result, options))


def _parameters(result: EvolutionResult, options: EvolutionOptions) -> dict[str, Any]:
    found = result.found
    return {
        "n_images": len(found.read),
        "n_unread": len(found.unread),
        "images": options.images,
        "seed": options.seed,
        "channels": options.channels,
        "projection": found.projection,
        "likeness": "linear centred kernel alignment, unbiased, of means over places",
        "checkpoints": [
            {
                "checkpoint": file.name,
                "file": str(file.path),
                "same_as": found.copies.get(file.name),
            }
            for file in found.checkpoints
        ],
        "layers": [
            {
                "layer": layer.name,
                "n_channels": layer.channels,
                "grid": list(layer.spatial.grid),
                "channels": found.channels[layer.name].tolist(),
                "remark": found.remarks.get(layer.name),
            }
            for layer in found.layers
        ],
        "sentences": list(result.sentences),
    }
