"""Time `errlens confusion` on many predictions against pandas, scikit-learn and seaborn.

A seeded generator writes a run: classes in pairs and groups that are mixed up, errors everywhere
else. Then three programs alternate, each in a fresh process, whose peak resident memory (none has
children) the operating system tells::

    python tests/benchmarks/confusion_speed.py [--images 1280000] [--classes 1000]

The plain way reads two columns of the predictions, counts with scikit-learn and saves a seaborn
heatmap with a name for each class; there are no pairs and groups in it.
"""

import argparse
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from errlens.analysis.accuracy.metrics import COLUMNS, class_table, measure
from errlens.predictions.table import OK, SCHEMA
from errlens.run.folder import RunFolder
from errlens.run.identity import RunInfo, RunSettings
from errlens.run.tables import PLAN_SCHEMA

PART = 4096
TOPK = 20

PLAIN = """
import sys
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas, seaborn
from sklearn.metrics import confusion_matrix

run = sys.argv[1]
frame = pandas.read_parquet(f"{run}/predictions", columns=["label_name", "pred_name"])
names = sorted(set(frame["label_name"]) | set(frame["pred_name"]))
counts = confusion_matrix(frame["label_name"], frame["pred_name"], labels=names)
plt.figure(figsize=(40, 40))
seaborn.heatmap(counts, xticklabels=names, yticklabels=names)
plt.savefig(f"{run}/plain.png")
"""

COUNTED = """
import sys
from pathlib import Path
from errlens.analysis.confusion.matrix import COLUMNS, confusion_matrix
from errlens.analysis.confusion.groups import group_table
from errlens.analysis.confusion.pairs import absorbed_table, pair_table
from errlens.run.folder import open_run
import time

start = time.perf_counter()
run = open_run(sys.argv[1])
matrix = confusion_matrix(run.read_parts(COLUMNS), run.info.classes)
pairs = pair_table(matrix)
absorbed_table(matrix)
group_table(matrix, pairs)
print(time.perf_counter() - start)
"""


def make_run(folder: Path, n: int, k: int, error: float) -> None:
    """Write a run of n images and k classes."""
    label, pred = draw_predictions(n, k, error=error, seed=0)
    write_run(folder, label, pred, k)


def draw_predictions(n: int, k: int, *, error: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and predictions of n images; half of the errors stay within a few classes."""
    rng = np.random.default_rng(seed)
    label = np.arange(n) % k
    pred = label.copy()
    wrong = rng.random(n) < error * rng.lognormal(0, 0.4, k)[label]
    anywhere = rng.integers(1, k, n)
    size = np.where(label < k // 10, 2, np.where(label < k // 5, 3, 1))  # pairs, then triples
    nearby = label - label % size + (label + rng.integers(1, 3, n)) % size
    pred[wrong] = ((label + anywhere) % k)[wrong]
    close = wrong & (rng.random(n) < 0.5) & (size > 1) & (nearby < k)
    pred[close] = nearby[close]
    return label.astype(np.int32), pred.astype(np.int32)


def write_run(
    folder: Path, label: np.ndarray, pred: np.ndarray, k: int, photos: Sequence[str] = ()
) -> None:
    """Write a run with these labels and predictions; probabilities are made up.

    `photos` are paths in the folder that images share, where there are any.
    """
    n, rng = len(label), np.random.default_rng(0)
    names = [f"class {index:05d}" for index in range(k)]
    settings = RunSettings(
        "none", {}, "", {}, {}, {"name": "import"}, "none", names, None, TOPK, ""
    )
    info = RunInfo(settings, data="generated", data_root=str(folder), n_images=n)
    ids = [f"{names[one]}/{row:08d}.jpg" for row, one in enumerate(label)]
    label_names = [names[one] for one in label]
    paths = [photos[row % len(photos)] for row in range(n)] if photos else ids
    columns = [range(n), ids, paths, [None] * n, label_names, [1] * n, np.arange(n) // PART]
    arrays = [pa.array(c, f.type) for c, f in zip(columns, PLAN_SCHEMA, strict=True)]
    run = RunFolder(folder)
    plan = run.begin(info, pa.table(arrays, schema=PLAN_SCHEMA))
    for shard, start in enumerate(range(0, n, PART)):
        rows = plan.slice(start, PART)
        shard_label, shard_pred = label[start : start + PART], pred[start : start + PART]
        run.write_part(shard, _part(rows, shard_label, shard_pred, names, rng), {}, info)
    predictions = run.read_predictions(COLUMNS)
    run.complete(measure(predictions).as_dict(), class_table(predictions))


def _part(plan, label, pred, names, rng) -> pa.Table:
    n = len(plan)
    uniform = rng.random(n).astype(np.float32)
    dictionary = pa.array(names)
    others = rng.integers(0, len(names), (n, TOPK)).astype(np.int32)
    others[:, 0] = pred
    known = {
        **{name: plan[name].combine_chunks() for name in ("row", "sample_id", "path")},
        "status": pa.array([OK] * n).dictionary_encode(),
        "label": label,
        "pred": pred,
        "label_name": pa.DictionaryArray.from_arrays(pa.array(label), dictionary),
        "pred_name": pa.DictionaryArray.from_arrays(pa.array(pred), dictionary),
        "correct": label == pred,
        "label_rank": np.where(label == pred, 1, 2),
        "topk_index": _lists(others),
        "topk_prob": _lists(-np.sort(-rng.random((n, TOPK)).astype(np.float32))),
        **dict.fromkeys(("confidence", "label_prob", "loss", "brier", "entropy"), uniform),
    }
    columns = [
        pa.array(known[f.name]).cast(f.type) if f.name in known else pa.nulls(n, f.type)
        for f in SCHEMA
    ]
    return pa.table(columns, schema=SCHEMA)


def _lists(values: np.ndarray) -> pa.ListArray:
    offsets = np.arange(len(values) + 1, dtype=np.int32) * values.shape[1]
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values.ravel()))


def measured(command: list[str]) -> tuple[float, float]:
    """Return the seconds a command takes and its peak resident memory in MB."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command[:4]} failed with status {status}")
    return time.perf_counter() - start, usage.ru_maxrss / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=1_280_000)
    parser.add_argument("--classes", type=int, default=1_000)
    parser.add_argument("--error", type=float, default=0.25)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--without-plain", action="store_true", help="errlens alone")
    parser.add_argument("--keep", type=Path, help="where to write the run, and leave it")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        run = args.keep or Path(temporary, "run")
        if not run.exists():
            # Elsewhere: the peak of a program started from here is at least that of this process.
            maker = multiprocessing.get_context("spawn").Process(
                target=make_run, args=(run, args.images, args.classes, args.error)
            )
            maker.start()
            maker.join()
        errlens = [sys.executable, "-m", "errlens", "confusion", str(run)]
        programs = {
            "errlens confusion": errlens,
            "errlens confusion --no-figures": [*errlens, "--no-figures"],
            "pandas, scikit-learn, seaborn": [sys.executable, "-c", PLAIN, str(run)],
        }
        if args.without_plain:
            del programs["pandas, scikit-learn, seaborn"]
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
        counted = []
        for _ in range(args.rounds):
            for name, command in programs.items():
                found[name].append(measured(command))
            told = subprocess.run(
                [sys.executable, "-c", COUNTED, str(run)], check=True, capture_output=True
            )
            counted.append(float(told.stdout))
        for name, runs in found.items():
            seconds, megabytes = zip(*runs, strict=True)
            print(
                f"{name:32} median {statistics.median(seconds):6.2f} s"
                f"  ({min(seconds):.2f} to {max(seconds):.2f})  peak {max(megabytes):5.0f} MB"
            )
        print(f"{'matrix, pairs, groups, in Python':32} median {statistics.median(counted):6.2f} s")


if __name__ == "__main__":
    main()
