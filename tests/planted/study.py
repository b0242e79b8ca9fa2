"""How often `errlens diagnose` names a fault that was planted, and how often one that is not there.

Planted: faults at several strengths and seeds, one or two at a time, in photos of CIFAR-10 or in
the Pet photos that are right. Untouched: subsets with random columns::

    python -m tests.planted.study --faults tuned --cases 40
    python -m tests.planted.study --faults aside --cases 60 --two
    python -m tests.planted.study --untouched 200

A case counts where the fault costs three points of accuracy. It is named where a finding about it
is among the first three; its precision is the share of the finding's images that were touched.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

import errlens
from errlens.analysis.findings.finding import CAUSES
from errlens.commands.diagnose.options import MOST_ASKED
from errlens.commands.diagnose.result import Diagnosis
from errlens.run.folder import RunFolder
from tests.planted.faults import FAULTS, Fault
from tests.planted.planting import Photo, Planted, chosen, names, plant, share_touched
from tests.planted.set_aside import SET_ASIDE

LEAST_COST = 0.03
FIRST = 3


class Setting(NamedTuple):
    """A model, how it is evaluated, its classes, and the photos to plant in."""

    photos: Sequence[Photo]
    classes: Sequence[str]
    options: dict[str, Any]


class Case(NamedTuple):
    """What became of one fault in one case; `rank` is 0 where no finding names it."""

    fault: str
    strength: float
    seed: int
    with_another: str
    n: int
    cost: float
    rank: int
    precision: float
    first: str
    seconds: float


def cifar(real: Path) -> Setting:
    """Return the CIFAR-10 photos and the model that has 84.6 % of them right."""
    root = real / "data/cifar10/test"
    photos = [Photo(path, path.parent.name) for path in sorted(root.glob("*/*"))]
    options = {
        "model": "test_resnet",
        "checkpoint": real / "models/test_resnet.cifar10.epoch15.safetensors",
        "model_kwargs": {"output_stride": 16},
        "img_size": 64,
        "crop_pct": 1.0,
        "crop_mode": "squash",
    }
    return Setting(photos, _folders(root), options)


def pets(real: Path) -> Setting:
    """Return the Pet photos that the model has right."""
    options = {
        "model": "tf_efficientnet_lite0",
        "checkpoint": real / "models/tf_efficientnet_lite0.pets.safetensors",
    }
    root = real / "data/pets/val"
    with tempfile.TemporaryDirectory() as folder:
        run = errlens.evaluate(root, out=Path(folder) / "run", **options)
        table = run.predictions.frame
    right = table[table["correct"].fillna(value=False)]
    photos = [Photo(root / path, path.split("/")[0]) for path in right["path"]]
    return Setting(photos, _folders(root), options)


def _folders(root: Path) -> list[str]:
    return sorted(folder.name for folder in root.iterdir() if folder.is_dir())


def evaluated(setting: Setting, manifest: Path, folder: Path) -> RunFolder:
    """Predict the images of a manifest."""
    classes = manifest.with_name("classes.txt")
    classes.write_text("".join(f"{name}\n" for name in setting.classes), encoding="utf-8")
    return errlens.evaluate(
        manifest, out=folder, classes=classes, keep="logits,features", **setting.options
    )


def diagnosed(
    setting: Setting, manifest: Path, folder: Path, **options: Any
) -> tuple[Diagnosis, pd.DataFrame]:
    """Evaluate a manifest and diagnose the run; return the diagnosis and the predictions."""
    run = evaluated(setting, manifest, folder / "run")
    diagnosis = errlens.diagnose(run, no_figures=True, **options)
    return diagnosis, run.predictions.frame


def planted_case(
    setting: Setting, faults: Sequence[tuple[Fault, float]], *, n: int, seed: int, **options: Any
) -> Iterator[Case]:
    """Plant faults, diagnose, and yield what became of each."""
    with tempfile.TemporaryDirectory() as name:
        folder, photos = Path(name), chosen(setting.photos, n, seed)
        clean = plant(photos, [], folder / "clean", seed=seed)
        planted = plant(photos, faults, folder / "planted", seed=seed)
        before = _accuracy_of_rows(setting, clean, folder / "before", planted.clean_rows)
        begun = time.monotonic()
        diagnosis, table = diagnosed(setting, planted.manifest, folder, **options)
        seconds = time.monotonic() - begun
        right = table["correct"].fillna(value=False).to_numpy(bool)
        for fault, strength in faults:
            touched = sorted(planted.rows[fault.name])
            cost = (before[touched].sum() - right[touched].sum()) / len(right)
            ranks = [
                rank
                for rank, finding in enumerate(diagnosis.findings, start=1)
                if names(finding, fault, planted)
            ]
            rank = ranks[0] if ranks else 0
            precision = share_touched(diagnosis.findings[rank - 1], fault, planted) if rank else 0.0
            others = [other.name for other, _ in faults if other is not fault]
            first = " | ".join(
                f"{finding.kind} {dict(finding.subject)}" for finding in diagnosis.findings[:FIRST]
            )
            yield Case(
                fault.name, strength, seed, ", ".join(others), len(right), float(cost), rank,
                precision, first, seconds,
            )  # fmt: skip


def untouched_case(setting: Setting, *, n: int, seed: int, **options: Any) -> list[str]:
    """Return the causes named of untouched photos with random columns."""
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as name:
        folder, photos = Path(name), chosen(setting.photos, n, seed)
        clean = plant(photos, [], folder / "clean", seed=seed)
        table = pd.read_csv(clean.manifest)
        table["camera"] = rng.choice([f"cam{k}" for k in range(rng.integers(2, 30))], len(table))
        table["temperature"] = rng.normal(20, 5, len(table))
        table["taken"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(
            rng.integers(0, 300 * 24 * 60, len(table)), unit="min"
        )
        table.to_csv(clean.manifest, index=False)
        diagnosis, _ = diagnosed(setting, clean.manifest, folder, **options)
    return [
        f"{finding.kind}: {finding.statement}"
        for finding in diagnosis.findings
        if finding.kind in CAUSES
    ]


def _accuracy_of_rows(
    setting: Setting, clean: Planted, folder: Path, rows: Sequence[int]
) -> np.ndarray:
    run = evaluated(setting, clean.manifest, folder)
    right = run.predictions.frame["correct"].fillna(value=False).to_numpy(bool)
    return right[list(rows)]


def summary(cases: Sequence[Case]) -> str:
    """Say how many of the faults that cost something were named, and how precisely."""
    dear = [case for case in cases if case.cost >= LEAST_COST]
    named = [case for case in dear if 1 <= case.rank <= FIRST]
    precise = [case for case in named if case.precision >= 0.8]
    lines = [
        f"{len(cases)} cases, {len(dear)} cost 3 points or more; named among the first {FIRST}: "
        f"{len(named)} ({len(named) / max(len(dear), 1):.0%}); of these, {len(precise)} with a "
        f"precision of 0.8 (median {np.median([case.precision for case in named] or [0]):.2f}); "
        f"median {np.median([case.seconds for case in cases] or [0]):.1f} s"
    ]
    for fault in dict.fromkeys(case.fault for case in cases):
        own = [case for case in dear if case.fault == fault]
        hits = [case for case in own if case in named]
        lines.append(
            f"  {fault:28} {len(hits)} of {len(own)}  precision "
            f"{np.mean([case.precision for case in hits] or [0]):.2f}"
        )
    return "\n".join(lines)


def main() -> None:
    """Run the study that was asked for and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", type=Path, default=Path("../shared"))
    parser.add_argument("--data", choices=("cifar", "pets"), default="cifar")
    parser.add_argument("--faults", choices=("tuned", "aside"), default="tuned")
    parser.add_argument("--only", action="append", help="a fault by its name")
    parser.add_argument("--share", type=float, help="of the images touched")
    parser.add_argument("--cases", type=int, default=20)
    parser.add_argument("--two", action="store_true", help="two faults at a time")
    parser.add_argument("--untouched", type=int, default=0)
    parser.add_argument("--images", type=int, default=0, help="of each case; drawn by default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--no-model", action="store_true")
    parser.add_argument("--top", type=int, default=MOST_ASKED)
    options = parser.parse_args()
    setting = {"cifar": cifar, "pets": pets}[options.data](options.real)
    how = {"no_model": options.no_model, "top": options.top}
    until = time.monotonic() + 60 * options.minutes
    rng = np.random.default_rng(options.seed)
    study = _study_untouched if options.untouched else _study_planted
    study(setting, options, how, until, rng)


def _study_planted(
    setting: Setting,
    options: argparse.Namespace,
    how: dict[str, Any],
    until: float,
    rng: np.random.Generator,
) -> None:
    faults = FAULTS if options.faults == "tuned" else SET_ASIDE
    faults = [fault for fault in faults if not options.only or fault.name in options.only]
    if options.share:
        faults = [replace(fault, share=options.share) for fault in faults]
    pairs = [(fault, strength) for fault in faults for strength in fault.strengths]
    order = [pairs[at] for _ in range(20) for at in rng.permutation(len(pairs))]
    cases: list[Case] = []
    for number, first in enumerate(order[: options.cases]):
        if time.monotonic() > until:
            break
        others = [pair for pair in pairs if pair[0] is not first[0]]
        both = [first, others[rng.integers(len(others))]] if options.two else [first]
        n = options.images or int(rng.integers(1000, 2001))
        for case in planted_case(setting, both, n=n, seed=options.seed + number, **how):
            cases.append(case)
            print(_line(case), flush=True)
    print(summary(cases))


def _line(case: Case) -> str:
    another = f", with {case.with_another}" if case.with_another else ""
    return (
        f"{case.fault} {case.strength:g} (n {case.n}, cost {case.cost:.3f}{another}): "
        f"rank {case.rank}, precision {case.precision:.2f}, {case.seconds:.0f} s; {case.first}"
    )


def _study_untouched(
    setting: Setting,
    options: argparse.Namespace,
    how: dict[str, Any],
    until: float,
    rng: np.random.Generator,
) -> None:
    told = done = 0  # subsets
    for number in range(options.untouched):
        if time.monotonic() > until:
            break
        n = options.images or int(rng.integers(500, 2001))
        causes = untouched_case(setting, n=n, seed=options.seed + number, **how)
        done += 1
        told += bool(causes)
        for cause in causes:
            print(f"seed {options.seed + number}, n {n}: {cause}", flush=True)
    print(f"{done} untouched subsets, {told} with a cause ({told / max(done, 1):.1%})")


if __name__ == "__main__":
    main()
