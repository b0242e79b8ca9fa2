"""Time the search for slices on many images, and weigh it.

A seeded generator makes the predictions, 16 properties and four columns of a manifest (numbers,
dates, cameras and subjects, as text); two faults are planted. A fresh process reads them and
searches; the operating system tells its peak of resident memory::

    python tests/benchmarks/slices_speed.py [--images 1280000] [--classes 1000]
"""

import argparse
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

PROPERTIES = 16

SEARCH = """
import resource, sys, time
sys.path.insert(0, sys.argv[2])
from pathlib import Path
import numpy as np
import pandas as pd
import pyarrow as pa
from slices_speed import PROPERTIES, Described
from errlens.analysis.findings.causes.slices.search import search_slices
from errlens.analysis.findings.scored import Scored
from errlens.classes.names import ClassNames
from errlens.predictions.values import Values
from errlens.run.tables import read_columns

folder = sys.argv[1]
table = read_columns(Path(folder, "made.parquet"))
paths = Values(table["path"])
made = table.drop_columns("path").to_pandas(split_blocks=True)
n = len(made)
scored = Scored(
    row=np.arange(n), label=made["label"].to_numpy(), pred=made["pred"].to_numpy(),
    wrong=(made["label"] != made["pred"]).to_numpy(),
    confidence=made["confidence"].to_numpy(np.float64),
    label_prob=made["label_prob"].to_numpy(np.float64),
    paths=paths, content_hash=Values(pa.chunked_array([pa.nulls(n)])),
    classes=ClassNames(tuple(f"class {index:04d}" for index in range(made["label"].max() + 1))),
)
names = [f"property {index:02d}" for index in range(PROPERTIES)]
extra = made[["number", "day", "camera", "subject"]]
del made, table
measured = read_columns(Path(folder, "properties.parquet"))
properties = measured.to_pandas(split_blocks=True).astype("float64")
del measured
pa.default_memory_pool().release_unused()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
start, working = time.perf_counter(), time.process_time()
found = search_slices(scored, properties, extra, known={name: Described(name) for name in names})
seconds, working = time.perf_counter() - start, time.process_time() - working
for finding in found.findings:
    print(finding.statement, file=sys.stderr)
print(seconds, working, before)
"""


class Described(NamedTuple):
    """What a property is called."""

    name: str
    kind: str = "number"
    low: str = "low"
    high: str = "high"
    write = "{:.3g}".format


def make(folder: Path, n: int, k: int) -> None:
    """Write predictions and properties."""
    rng = np.random.default_rng(0)
    label = (np.arange(n) % k).astype(np.int32)
    properties = pd.DataFrame(
        {f"property {at:02d}": rng.normal(size=n).astype(np.float32) for at in range(PROPERTIES)}
    )
    camera = rng.integers(0, 6, n)
    rate = np.minimum(0.2 * rng.lognormal(0, 0.4, k)[label], 0.9)
    rate += 0.1 * (camera == 2) + 0.3 * (properties["property 03"].to_numpy() < -1.3)
    wrong = rng.random(n) < rate
    pred = np.where(wrong, (label + rng.integers(1, k, n)) % k, label).astype(np.int32)
    made = pd.DataFrame(
        {
            "path": [f"{row:08d}.jpg" for row in range(n)],
            "label": label,
            "pred": pred,
            "confidence": rng.random(n, np.float32),
            "label_prob": rng.random(n, np.float32),
            "number": rng.normal(size=n).astype(str),
            "day": pd.to_datetime(rng.integers(18_000, 18_300, n), unit="D").strftime("%Y-%m-%d"),
            "camera": [f"camera {index}" for index in camera],
            "subject": [f"subject {index}" for index in rng.integers(0, n // 40, n)],
        }
    )
    made.to_parquet(folder / "made.parquet")
    properties.to_parquet(folder / "properties.parquet")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=1_280_000)
    parser.add_argument("--classes", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        here = str(Path(__file__).parent)
        # Elsewhere: the peak of a program started from here is at least that of this process.
        maker = multiprocessing.get_context("spawn").Process(
            target=make, args=(Path(temporary), args.images, args.classes)
        )
        maker.start()
        maker.join()
        seconds, working, before, megabytes = [], [], [], []
        for _ in range(args.rounds):
            process = subprocess.Popen(
                [sys.executable, "-c", SEARCH, temporary, here], stdout=subprocess.PIPE, text=True
            )
            told = process.stdout.read() if process.stdout else ""
            _, status, usage = os.wait4(process.pid, 0)
            if status:
                sys.exit(f"the search failed with status {status}")
            for figures, figure in zip((seconds, working, before), told.split(), strict=True):
                figures.append(float(figure))
            megabytes.append(usage.ru_maxrss / 1000)
        print(
            f"median {statistics.median(seconds):.1f} s ({min(seconds):.1f} to {max(seconds):.1f})"
            f", {statistics.median(working):.1f} s of one core"
            f"; peak {max(megabytes):.0f} MB, {max(before):.0f} MB before the search"
        )


if __name__ == "__main__":
    main()
