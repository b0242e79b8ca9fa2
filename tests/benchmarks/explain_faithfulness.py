"""Compare attribution methods on the images of a run by deletion and insertion.

Of as many images taken for a wrong class as of right ones, drawn by a seed, the predicted class is
explained by each method, and its maps are tried as `errlens explain --check` does it. Good maps
have a low deletion and a high insertion. Methods whose maps have other cells have other values by
chance, so the gain is insertion less deletion, less what that is for the same cells in random
orders. Each method is held against the first: in how many images its gain is higher, and how likely
that is by chance (Wilcoxon's signed-rank test, two-sided)::

    python tests/benchmarks/explain_faithfulness.py RUN [--images 100] [--method NAME ...]

RUN is a run of a model with a checkpoint whose images are there. Without --method all methods are
compared that fit the model, grad-cam first.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import wilcoxon

from errlens.attribution.batch import explain_batch
from errlens.attribution.explained_model import ExplainedModel, MethodSettings
from errlens.attribution.judging.faithfulness import Faithfulness, FaithfulnessTest
from errlens.attribution.methods import load_method, method_names
from errlens.data.photos.loading import load_input
from errlens.maps import NoMap, Target
from errlens.model.classifier import stack
from errlens.model.reload import reload_classifier
from errlens.run.folder import RunFolder, open_run

SETTINGS = MethodSettings()
COLUMNS = ["deletion", "random_deletion", "insertion", "random_insertion"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--method", action="append", help="repeatable; the first is compared with")
    arguments = parser.parse_args()
    run = open_run(arguments.run)
    classifier = reload_classifier(run.require_model())
    model = ExplainedModel.of(classifier)
    methods = arguments.method or sorted(method_names(), key=lambda name: name != "grad-cam")
    methods = [name for name in methods if not load_method(name).unsupported(model)]
    asked = chosen(run, arguments.images)
    tried = pd.DataFrame(list(of_images(run, classifier, model, asked, methods)))
    for title, some in (("all", tried), *tried.groupby("image", sort=False)):
        report(title, some, methods)


def chosen(run: RunFolder, images: int) -> pd.DataFrame:
    """Return predictions, half of them wrong, as far as there are any."""
    frame = run.predictions.frame
    frame = frame[frame["status"] == "ok"]
    wrong, right = (frame[frame["correct"] == correct] for correct in (False, True))
    random = np.random.default_rng(0)
    return pd.concat(
        some.iloc[random.permutation(len(some))[: images // 2]] for some in (wrong, right)
    )


def of_images(run, classifier, model, asked, methods):
    """Yield a row for each method of each image."""
    for _, row in asked.iterrows():
        value = load_input(Path(run.info.data_root) / row["path"], classifier.preparation).value
        images = stack([value], classifier.preparation, classifier.device)
        test = FaithfulnessTest(model, images[0], int(row["pred"]), SETTINGS)
        targets = [[Target("predicted", int(row["pred"]))]]
        for name in methods:
            ((one,),) = explain_batch(name, model, images, targets, SETTINGS)
            found = (
                Faithfulness(*[np.nan] * 4) if isinstance(one, NoMap) else test.of_map(one.values)
            )
            image = "right" if row["correct"] else "wrong"
            yield {"image": image, "row": row["row"], "method": name, **found._asdict()}


def report(title: str, tried: pd.DataFrame, methods: list[str]):
    """Print the means of each method, and how it does against the first."""
    print(f"\n{title}: {tried['row'].nunique()} images")
    print(
        f"{'':22}{'maps':>6}{'deletion':>10}{'chance':>8}{'insertion':>10}{'chance':>8}{'gain':>8}",
        end="",
    )
    print(f"  better than {methods[0]}")
    tried = tried.assign(
        gain=tried["insertion"] - tried["deletion"],
        by_chance=tried["random_insertion"] - tried["random_deletion"],
    )
    over_chance = tried.pivot_table(index="row", columns="method", values=["gain", "by_chance"])
    gain = over_chance["gain"] - over_chance["by_chance"]
    for name in methods:
        its = tried[tried["method"] == name].dropna()
        means = its[COLUMNS].mean()
        ahead = (gain[name] - gain[methods[0]]).dropna()
        against = ""
        if name != methods[0] and len(ahead):
            against = f"  {(ahead > 0).sum():>4} of {len(ahead)}, p {wilcoxon(ahead).pvalue:.2g}"
        print(
            f"{name:22}{len(its):>6}{means.iloc[0]:>10.3f}{means.iloc[1]:>8.3f}"
            f"{means.iloc[2]:>10.3f}{means.iloc[3]:>8.3f}{gain[name].mean():>8.3f}{against}"
        )


if __name__ == "__main__":
    main()
