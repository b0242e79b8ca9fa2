"""Time the commands that look inside a network, and layer probes against a notebook's way.

Needs the real photos and models of tests/README.md, and says so where they are not there::

    python tests/benchmarks/network_speed.py [evolution embed tsne invariance probes ...]

Each command runs once, in this process, on a run made beforehand; bars are for two cores. `probes`
compares with what a notebook does to the same features: `cross_val_score` of a pipeline of
StandardScaler and LogisticRegression, five folds, all of its defaults. That makes neither controls
nor recalls nor pairs; errlens is timed with its ten shuffles, and without.
"""

import argparse
import importlib.util
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import errlens
from errlens.analysis.probing.accuracy import layer_accuracy
from errlens.analysis.probing.classifier import held_out
from errlens.attribution.explained_model import ExplainedModel
from errlens.data.photos.loading import available_cores
from errlens.model.reload import reload_classifier
from errlens.network.features import read_features
from errlens.network.probing.layers import PENULTIMATE, all_layers
from errlens.run.folder import RunFolder, open_run

REAL = Path(os.environ.get("ERRLENS_REAL_DATA", "../shared"))
EPOCHS = "test_resnet.cifar10.epoch*.safetensors"
PETS = "tf_efficientnet_lite0.pets.safetensors"
PROBED = 2000  # images of `probes`


@contextmanager
def timed(what: str, *, bar: float | None = None) -> Iterator[None]:
    start = time.perf_counter()
    yield
    most = "" if bar is None else f", at most {bar:g}"
    print(f"{what}: {time.perf_counter() - start:.1f} s{most}", flush=True)


def cifar(folder: Path) -> RunFolder:
    """Return a run on 8,000 CIFAR-10 images, made where there is none yet."""
    if not (folder / "cifar").exists():
        errlens.evaluate(
            REAL / "data/cifar10/test", model="test_resnet", img_size=64, crop_mode="squash",
            checkpoint=REAL / "models" / EPOCHS.replace("*", "15"),
            model_kwargs=["output_stride=16"], out=folder / "cifar", quiet=True,
            superclasses=REAL / "data/cifar10/superclasses.csv",
        )  # fmt: skip
    return open_run(folder / "cifar")


def evolution(folder: Path) -> None:
    run = cifar(folder)
    with timed("evolution, six checkpoints, 500 images (the bar is for eight)", bar=90):
        errlens.network_evolution(
            run.path, checkpoints=[str(REAL / "models" / EPOCHS)], images=500, quiet=True
        )


def embed(folder: Path) -> None:
    run = cifar(folder)
    with timed("embed, 8,000 points, principal components", bar=20):
        errlens.network_embed(run.path, quiet=True)


def tsne(folder: Path) -> None:
    run = cifar(folder)
    if importlib.util.find_spec("openTSNE") is None:
        print("embed by t-SNE: left out, openTSNE is not installed")
        return
    with timed("embed, 8,000 points, t-SNE"):
        errlens.network_embed(run.path, method="tsne", quiet=True)


def invariance(folder: Path) -> None:
    errlens.evaluate(
        REAL / "data/pets/val", model="tf_efficientnet_lite0", out=folder / "pets", quiet=True,
        checkpoint=REAL / "models" / PETS,
    )  # fmt: skip
    with timed("invariance, 185 photos at 224 pixels (the bar is for 200)", bar=240):
        errlens.network_invariance(folder / "pets", quiet=True)


def probes(folder: Path) -> None:
    run = cifar(folder)
    features, label = features_of(run)
    print(f"{len(label):,} images, {len(features)} layers; five folds, one core")
    with timed("errlens, with ten shuffles of the labels"):
        table, _ = layer_accuracy(features, label, folds=5, seed=0)
    with timed("errlens, the same probes without shuffles"):
        accuracies("errlens", lambda values: np.mean(
            held_out(values, label, folds=5, seed=0) == label), features)  # fmt: skip
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    with timed("scikit-learn's defaults, without shuffles"):
        accuracies("scikit-learn", lambda values: np.mean(
            cross_val_score(pipeline, values, label, cv=folds)), features)  # fmt: skip
    print("controls", " ".join(f"{value:.3f}" for value in table["control"]))


def accuracies(
    name: str,
    probe: Callable[[NDArray[np.float32]], np.floating],
    features: dict[str, NDArray[np.float32]],
) -> None:
    print(name, " ".join(f"{layer} {probe(values):.3f}" for layer, values in features.items()))


def features_of(run: RunFolder) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.int64]]:
    """Return the means of channels of each layer, of images of all classes, and the classes."""
    table = run.read_predictions(("path", "label")).frame
    some = table.iloc[:: max(1, len(table) // PROBED)]
    classifier = reload_classifier(run.info)
    model = ExplainedModel.of(classifier)
    layers = all_layers(model.module, model.size)
    images = read_features(
        classifier, [Path(run.info.data_root, path) for path in some["path"]], layers=layers,
        batch_size=classifier.good_batch_size, workers=available_cores(),
    )  # fmt: skip
    return {**images.by_layer, PENULTIMATE: images.features}, some["label"].to_numpy(np.int64)


ALL = {each.__name__: each for each in (evolution, embed, tsne, invariance, probes)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(ALL))
    names = parser.parse_args().names or list(ALL)
    if strange := set(names) - set(ALL):
        parser.error(f"no {', '.join(sorted(strange))}: {', '.join(ALL)}")
    if not list((REAL / "models").glob(EPOCHS)):
        print(f"left out: no {EPOCHS} below {REAL / 'models'}; ERRLENS_REAL_DATA names the folder")
        return
    with tempfile.TemporaryDirectory() as name:
        for each in names:
            ALL[each](Path(name))


if __name__ == "__main__":
    main()
