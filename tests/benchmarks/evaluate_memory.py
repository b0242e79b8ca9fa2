"""Measure how the memory of `errlens evaluate` grows with the number of images.

The photos of a folder are listed again and again in manifests of two lengths; each is evaluated in
a fresh process, whose peak resident memory (it has no children) the operating system tells::

    python tests/benchmarks/evaluate_memory.py DATA MODEL CHECKPOINT [--sizes 2000 10000]
"""

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
from pathlib import Path


def peak_megabytes(manifest: Path, root: Path, model: str, checkpoint: str) -> float:
    """Evaluate a manifest and return the peak resident memory of the process."""
    command = [sys.executable, "-m", "errlens", "evaluate", str(manifest), "--root", str(root)]
    command += ["--model", model, "--checkpoint", checkpoint, "--quiet"]
    command += ["-o", str(manifest.with_suffix(""))]
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"errlens failed with status {status}")
    return usage.ru_maxrss / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("model")
    parser.add_argument("checkpoint")
    parser.add_argument("--sizes", type=int, nargs="+", default=[2000, 10_000])
    args = parser.parse_args()
    photos = sorted(path.relative_to(args.data) for path in args.data.glob("*/*.*"))
    with tempfile.TemporaryDirectory() as folder:
        first = None
        for size in args.sizes:
            manifest = Path(folder, f"{size}.csv")
            rows = itertools.islice(itertools.cycle(photos), size)
            lines = ["path,label", *(f"{photo.as_posix()},{photo.parts[0]}" for photo in rows)]
            manifest.write_text("\n".join(lines))
            peak = peak_megabytes(manifest, args.data, args.model, args.checkpoint)
            first = first or peak
            print(f"{size:7} images: {peak:7.1f} MB, {peak - first:+.1f} MB", flush=True)


if __name__ == "__main__":
    main()
