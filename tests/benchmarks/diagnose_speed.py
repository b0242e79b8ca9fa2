"""Time `errlens diagnose` on a run: without the model, and with it.

Each round works on a fresh copy of the run, so that properties are measured; a fresh process does
what a user does, pictures included. Seconds of the processor tell what an idle machine would need,
also where others work on this one::

    python tests/benchmarks/diagnose_speed.py RUN [--rounds 3] [-- --top 500]
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WAYS = {"without the model": ["--no-model"], "with the model": []}
TORCH = """
import sys
from errlens.cli import app
try:
    app(["diagnose", sys.argv[1], "--no-model", "--no-figures", "-q"])
except SystemExit as end:
    assert not end.code, end
assert "torch" not in sys.modules, "torch was imported"
"""


def timed(run: Path, options: list[str]) -> tuple[float, float, float]:
    """Diagnose a copy of a run; return seconds, seconds of the processor and megabytes."""
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary, "run")
        shutil.copytree(run, copy, ignore=shutil.ignore_patterns("diagnosis", "report*"))
        command = [sys.executable, "-m", "errlens", "diagnose", str(copy), "-q", *options]
        start = time.perf_counter()
        process = subprocess.Popen(command)
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            sys.exit(f"it failed with status {status}")
        seconds = time.perf_counter() - start
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path, help="a run with a model")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("options", nargs="*", help="of errlens diagnose, after --")
    args = parser.parse_args()
    taken: dict[str, list[tuple[float, float, float]]] = {way: [] for way in WAYS}
    for _ in range(args.rounds):
        for way, options in WAYS.items():
            taken[way].append(timed(args.run, [*options, *args.options]))
    for way, rounds in taken.items():
        seconds, working, megabytes = (
            statistics.median(each) for each in zip(*rounds, strict=True)
        )
        print(
            f"{way:18} median {seconds:6.1f} s, {working:6.1f} s of one core, {megabytes:5.0f} MB"
        )
    print(f"load of the last minute: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as temporary:
        copy = shutil.copytree(args.run, Path(temporary, "run"))
        subprocess.run([sys.executable, "-c", TORCH, str(copy)], check=True)
        print("without the model, torch is not imported")


if __name__ == "__main__":
    main()
