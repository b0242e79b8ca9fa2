"""Time attributions against the libraries that people use for them.

Grad-CAM with overlays of the images of a run, one PNG each, whole processes: `errlens explain
--overlay-only` and a loop over pytorch-grad-cam (`pip install grad-cam opencv-python-headless`,
no dependency of errlens); what an image takes is the difference to a process with one image.
Occlusion maps of three classes of an image, in one process: errlens, and captum with channels_last
and inference mode at the best of 1, 16 and 64 masks at a time. LIME in the same way, both with the
same parts and as many samples, and Score-CAM against pytorch-grad-cam at the best of 16 and 64
channels at a time. Methods with rules of their own for what a network computes, where they fit,
against the plain gradient of the same network::

    python tests/benchmarks/explain_speed.py RUN [--rounds 3] [--only rules lime]

RUN is a run of a timm model with a checkpoint whose images are there.
"""

import argparse
import contextlib
import io
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import captum._utils.models.linear_model
import captum.attr
import torch

from errlens.attribution.explained_model import ExplainedModel, MethodSettings, borrowed
from errlens.attribution.methods import lime, load_method, method_names, occlusion, score_cam
from errlens.attribution.perturbations.superpixels import superpixels
from errlens.data.photos.loading import load_input
from errlens.maps import Target
from errlens.model.classifier import stack
from errlens.model.reload import reload_classifier
from errlens.run.folder import RunFolder, open_run

WITH_RULES = ("guided-backprop", "deconvnet", "deeplift", "lrp")
BATCH = 8  # images of which a gradient is taken at once

CLASSES = (0, 1, 2)
PLAIN = """
import sys
from pathlib import Path
import cv2, numpy, torch
from PIL import Image
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.image import show_cam_on_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from errlens.model.layers.places import find_layer
from errlens.model.reload import reload_classifier
from errlens.run.folder import open_run

run, out, rows = open_run(Path(sys.argv[1])), Path(sys.argv[2]), map(int, sys.argv[3:])
classifier = reload_classifier(run.info, device="cpu")
module, preparation = classifier.network.module, classifier.preparation
size = (3, *preparation.img_size)
layer = module.get_submodule(find_layer(module, size).name)
frame = run.predictions.frame
mean, std = (numpy.array(one, numpy.float32) for one in (preparation.mean, preparation.std))
with GradCAM(model=module, target_layers=[layer]) as cam:
    for row in rows:
        one = frame.iloc[row]
        image = Image.open(Path(run.info.data_root, one.path)).convert("RGB")
        pixels = numpy.float32(preparation.fit(image)) / 255
        tensor = torch.from_numpy(((pixels - mean) / std).transpose(2, 0, 1)[None])
        maps = cam(input_tensor=tensor, targets=[ClassifierOutputTarget(int(one.pred))])
        overlay = show_cam_on_image(pixels, maps[0], use_rgb=True)
        Image.fromarray(overlay).save(out / f"{row}.png")
"""


def rows_of(run: RunFolder, n: int) -> list[int]:
    """Return all errors, then images that are right, n together."""
    frame = run.predictions.frame
    wrong = frame.loc[~frame["correct"], "row"].tolist()
    right = frame.loc[frame["correct"], "row"].tolist()
    return (wrong + right)[:n]


def time_grad_cam(run: RunFolder, rows: list[int], rounds: int) -> None:
    """Alternate errlens and pytorch-grad-cam, on all images and on one."""
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        copy, out = Path(temporary, "run"), Path(temporary, "plain")
        shutil.copytree(run.path, copy)
        for _ in range(rounds):
            for some in (rows, rows[:1]):
                select = [word for row in some for word in ("--select", f"row:{row}")]
                ours = [sys.executable, "-m", "errlens", "explain", str(copy), "-q"]
                ours += ["--overlay-only", "--top", str(len(some)), "--target", "predicted"]
                theirs = [sys.executable, "-c", PLAIN, str(copy), str(out), *map(str, some)]
                for name, command in (
                    ("errlens", [*ours, *select]),
                    ("pytorch-grad-cam", theirs),
                ):
                    shutil.rmtree(copy / "explain", ignore_errors=True)
                    shutil.rmtree(out, ignore_errors=True)
                    out.mkdir()
                    start = time.perf_counter()
                    subprocess.run(command, check=True, capture_output=True)
                    taken = time.perf_counter() - start
                    found.setdefault(f"{name}, {len(some)}", []).append(taken)
                    written = copy / "explain" if name == "errlens" else out
                    assert len(list(written.rglob("*.png"))) == len(some)
    print_medians("Grad-CAM and overlays, by the number of images", found)
    medians = {name: statistics.median(taken) for name, taken in found.items()}
    for name in ("errlens", "pytorch-grad-cam"):
        each = (medians[f"{name}, {len(rows)}"] - medians[f"{name}, 1"]) / (len(rows) - 1)
        print(f"  {name:24} {1000 * each:6.1f} ms for each further image")


def time_occlusion(run: RunFolder, rows: list[int], rounds: int) -> None:
    """Alternate errlens and captum on the maps of three classes."""
    classifier = reload_classifier(run.info, device="cpu")
    module = classifier.network.module
    model = ExplainedModel.of(classifier)
    settings = MethodSettings(fill="black", batch_size=classifier.good_batch_size)
    side = classifier.preparation.img_size[0]
    mask, stride = round(0.2 * side), round(0.2 * side) // 2
    found: dict[str, list[float]] = {"errlens": []}
    found |= {f"captum, {size} at a time": [] for size in (1, 16, 64)}
    root = Path(run.info.data_root)
    paths = run.predictions.frame["path"]
    for row in rows[: 3 * rounds]:
        value = load_input(root / paths[row], classifier.preparation).value
        images = stack([value], classifier.preparation, classifier.device)
        classes = [0, 1, 2]
        targets = [[Target(str(one), one) for one in classes]]
        start = time.perf_counter()
        with borrowed(module):
            occlusion.explain(model, images, targets, settings)
        found["errlens"].append(time.perf_counter() - start)
        baseline = model.black.reshape(1, -1, 1, 1)
        for size in (1, 16, 64):
            start = time.perf_counter()
            with torch.inference_mode():
                batch = images.contiguous(memory_format=torch.channels_last)
                for one in classes:
                    captum.attr.Occlusion(module).attribute(
                        batch,
                        (3, mask, mask),
                        strides=(3, stride, stride),
                        baselines=baseline.expand_as(batch),
                        target=one,
                        perturbations_per_eval=size,
                    )
            found[f"captum, {size} at a time"].append(time.perf_counter() - start)
    print_medians("occlusion maps of three classes of an image", found)


def time_rules(run: RunFolder, rows: list[int], rounds: int) -> None:
    """Alternate the plain gradient and methods with other rules for gradients, on one batch."""
    classifier = reload_classifier(run.info, device="cpu")
    model, settings = ExplainedModel.of(classifier), MethodSettings()
    root, frame = Path(run.info.data_root), run.predictions.frame
    values = [load_input(root / frame["path"][row], classifier.preparation).value for row in rows]
    images = stack(values, classifier.preparation, classifier.device)
    targets = [[Target("predicted", int(frame["pred"][row]))] for row in rows]
    known = ["gradient", *(name for name in WITH_RULES if name in method_names())]
    fitting = [name for name in known if not load_method(name).unsupported(model)]
    found: dict[str, list[float]] = {name: [] for name in fitting}
    for _ in range(3 * rounds):
        for name, taken in found.items():
            start = time.perf_counter()
            with borrowed(model.module):
                load_method(name).explain(model, images, targets, settings)
            taken.append(time.perf_counter() - start)
    print_medians(f"maps of {len(rows)} images at once, a class each", found)
    medians = {name: statistics.median(taken) for name, taken in found.items()}
    for name in fitting[1:]:
        print(f"  {name:24} {medians[name] / medians['gradient']:6.2f} times a plain gradient")


def inputs_of(run: RunFolder, rows: list[int], n: int, layer: str | None = None):
    """Yield the network to explain with one image after the other as it is fed."""
    classifier = reload_classifier(run.info, device="cpu")
    model = ExplainedModel.of(classifier, layer=layer)
    paths = run.predictions.frame["path"]
    for row in rows[:n]:
        path = Path(run.info.data_root) / paths[row]
        value = load_input(path, classifier.preparation).value
        images = stack([value], classifier.preparation, classifier.device)
        yield model, images, classifier.good_batch_size


def time_lime(run: RunFolder, rows: list[int], rounds: int, samples: int) -> None:
    """Alternate errlens and captum on the maps of three classes."""
    found: dict[str, list[float]] = {}
    linear = captum._utils.models.linear_model.SkLearnRidge
    for model, images, batch_size in inputs_of(run, rows, rounds):
        settings = MethodSettings(fill="black", batch_size=batch_size, samples=samples)
        start = time.perf_counter()
        with borrowed(model.module):
            lime.explain(model, images, [[Target(str(one), one) for one in CLASSES]], settings)
        found.setdefault("errlens", []).append(time.perf_counter() - start)
        baseline = model.black.reshape(1, -1, 1, 1).expand_as(images)
        for size in (16, 64):
            start = time.perf_counter()
            with torch.inference_mode():
                parts = torch.from_numpy(superpixels(model, images[0])).expand_as(images)
                batch = images.contiguous(memory_format=torch.channels_last)
                for index in CLASSES:
                    captum.attr.Lime(model.module, interpretable_model=linear(alpha=1)).attribute(
                        batch,
                        baselines=baseline,
                        target=index,
                        feature_mask=parts,
                        n_samples=samples,
                        perturbations_per_eval=size,
                    )
            taken = time.perf_counter() - start
            found.setdefault(f"captum, {size} at a time", []).append(taken)
    print_medians(f"LIME of three classes of an image, {samples} samples", found)


def time_score_cam(run: RunFolder, rows: list[int], rounds: int, layer: str | None) -> None:
    """Alternate errlens and pytorch-grad-cam on the maps of three classes."""
    from pytorch_grad_cam import ScoreCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    found: dict[str, list[float]] = {}
    for model, images, batch_size in inputs_of(run, rows, rounds, layer):
        places = model.spatial_layer  # looked for once a run, not once an image
        settings = MethodSettings(batch_size=batch_size)
        start = time.perf_counter()
        with borrowed(model.module):
            score_cam.explain(model, images, [[Target(str(one), one) for one in CLASSES]], settings)
        found.setdefault("errlens", []).append(time.perf_counter() - start)
        for size in (16, 64):
            start = time.perf_counter()
            batch = images.contiguous(memory_format=torch.channels_last)
            hooked = [model.module.get_submodule(places.name)]
            with (
                torch.no_grad(),
                contextlib.redirect_stderr(io.StringIO()),
                ScoreCAM(model=model.module, target_layers=hooked) as cam,
            ):
                cam.batch_size = size
                for index in CLASSES:
                    cam(input_tensor=batch, targets=[ClassifierOutputTarget(index)])
            taken = time.perf_counter() - start
            found.setdefault(f"pytorch-grad-cam, {size}", []).append(taken)
    print_medians("Score-CAM of three classes of an image", found)


def print_medians(what: str, found: dict[str, list[float]]) -> None:
    print(what)
    for name, taken in found.items():
        median = statistics.median(taken)
        print(f"  {name:24} median {median:7.3f} s  ({min(taken):.3f} to {max(taken):.3f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=1000, help="of LIME")
    parser.add_argument("--layer", help="of Score-CAM; one with fewer channels is faster")
    parser.add_argument("--only", nargs="+", help="of rules, grad-cam, occlusion, lime, score-cam")
    args = parser.parse_args()
    run = open_run(args.run)
    rows = rows_of(run, args.images)
    timings = {
        "rules": lambda: time_rules(run, rows[:BATCH], args.rounds),
        "grad-cam": lambda: time_grad_cam(run, rows, args.rounds),
        "occlusion": lambda: time_occlusion(run, rows, args.rounds),
        "lime": lambda: time_lime(run, rows, args.rounds, args.samples),
        "score-cam": lambda: time_score_cam(run, rows, args.rounds, args.layer),
    }
    for name in args.only or timings:
        timings[name]()


if __name__ == "__main__":
    main()
