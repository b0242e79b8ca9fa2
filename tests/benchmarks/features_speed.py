"""Time the pass of `errlens network features` against that of `errlens evaluate`.

Both read, decode and run every image of a run, in as many threads; the one keeps what is predicted,
the other also where channels fire the most. They alternate, so that a change of the machine's speed
meets both; what counts is the ratio of the medians::

    python tests/benchmarks/features_speed.py RUN [--channels 16] [--rounds 3] [--limit N]

Printed as well is how long the whole command takes, with projections, in this process.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path

import torch

import errlens
from errlens.attribution.explained_model import ExplainedModel
from errlens.commands.network.run_images import facts_of
from errlens.data.photos.loading import available_cores, in_order, load_input
from errlens.model.asking.hiding import AskedImage
from errlens.model.classifier import Classifier
from errlens.model.reload import reload_classifier
from errlens.network.units.layers import UnitLayer, unit_layers
from errlens.network.units.top_images import Wanted, top_images
from errlens.run.folder import open_run


def predict(classifier: Classifier, images: list[AskedImage]) -> None:
    """Do to each image what `errlens evaluate` does."""
    size = classifier.good_batch_size
    chunks = (images[start : start + size] for start in range(0, len(images), size))
    with classifier.ready() as outputs:

        def work(chunk: list[AskedImage]) -> None:
            outputs([load_input(each.path, classifier.preparation).value for each in chunk])

        begin = partial(torch.set_num_threads, 1)
        for _ in in_order(work, chunks, workers=available_cores(), begin=begin):
            pass


def find(
    classifier: Classifier, images: list[AskedImage], layers: list[UnitLayer], channels: int
) -> None:
    """Find where channels fire the most."""
    top_images(
        classifier, layers, Wanted(drawn=channels), images, top=9,
        batch_size=classifier.good_batch_size, workers=available_cores(),
    )  # fmt: skip


def seconds(work: partial) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--channels", type=int, default=16, help="of each layer")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=int, default=None, help="images of a round")
    args = parser.parse_args()
    run = open_run(args.run)
    classifier = reload_classifier(run.info)
    model = ExplainedModel.of(classifier)
    layers = unit_layers(model.module, model.size)
    root = Path(run.info.data_root)
    images = [AskedImage(root / facts["path"], None) for facts in facts_of(run)][: args.limit]
    both = {
        "evaluate": partial(predict, classifier, images),
        "features": partial(find, classifier, images, layers, args.channels),
    }
    taken = {name: [] for name in both}
    for _ in range(args.rounds):
        for name, work in both.items():
            taken[name].append(seconds(work))
    median = {name: statistics.median(times) for name, times in taken.items()}
    units = sum(min(args.channels, layer.channels) for layer in layers)
    print(f"{len(images)} images, {units} channels in {len(layers)} layers")
    print(f"pass of evaluate {median['evaluate']:.2f} s, of features {median['features']:.2f} s")
    print(f"ratio {median['features'] / median['evaluate']:.2f}, at most 1.30")
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name, "run")
        shutil.copytree(args.run, copy, ignore=shutil.ignore_patterns("network"))
        whole = seconds(partial(errlens.network_features, copy, channels=f"random:{args.channels}"))
    print(f"the whole command, with projections and sheets, {whole:.1f} s, at most 60")


if __name__ == "__main__":
    main()
