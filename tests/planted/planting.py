"""Plants faults into photos, and tells which finding names which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from errlens.analysis.findings.finding import Finding
from tests.planted.faults import Answer, Fault

_ORIENTATION = 0x0112


@dataclass(frozen=True)
class Photo:
    """A photo, and its class."""

    path: Path
    label: str


@dataclass(frozen=True)
class Planted:
    """Photos with faults, as a manifest; `rows` are the rows that each fault touches, by its name.

    `classes` are the classes touched, where a fault is one of a class; `clean_rows` has the row in
    the photos given of each row here.
    """

    manifest: Path
    rows: Mapping[str, frozenset[int]]
    classes: Mapping[str, str]
    clean_rows: Sequence[int]


def chosen(photos: Sequence[Photo], n: int, seed: int) -> list[Photo]:
    """Return about n photos, equally many of each class."""
    rng = np.random.default_rng(seed)
    by_class: dict[str, list[Photo]] = {}
    for photo in photos:
        by_class.setdefault(photo.label, []).append(photo)
    each = max(1, n // len(by_class))
    return [
        members[at]
        for members in by_class.values()
        for at in sorted(rng.permutation(len(members))[:each].tolist())
    ]


def plant(
    photos: Sequence[Photo], faults: Sequence[tuple[Fault, float]], folder: Path, *, seed: int
) -> Planted:
    """Write the photos with the faults in them, all in one format, and a manifest.

    Args:
        photos: What to plant in.
        faults: Each with its strength; they touch images independently of one another.
        folder: Where to write; made if it is not there.
        seed: Decides which are touched, and how.
    """
    planting = _Planting(photos, np.random.default_rng(seed))
    for fault, strength in faults:
        planting.touch(fault, strength)
    return planting.written(folder)


class _Planting:
    """Photos that get their faults one after the other; copies come in the end."""

    def __init__(self, photos: Sequence[Photo], rng: np.random.Generator) -> None:
        self.rng = rng
        self.table = pd.DataFrame({"label": [photo.label for photo in photos]})
        self.labels = sorted(set(self.table["label"]))
        self.pictures = [Image.open(photo.path).convert("RGB") for photo in photos]
        self.exif = [1] * len(photos)
        self.clean_rows = list(range(len(photos)))
        self.rows: dict[str, set[int]] = {}
        self.classes: dict[str, str] = {}
        self.copies: list[tuple[Fault, int]] = []

    def touch(self, fault: Fault, strength: float) -> None:
        """Plant a fault in some images of all, or of one class."""
        among = np.arange(len(self.table))
        if fault.one_class:
            self.classes[fault.name] = str(self.rng.choice(self.labels))
            among = np.flatnonzero(self.table["label"] == self.classes[fault.name])
        n_touched = max(1, round(fault.share * len(among)))
        touched = np.sort(self.rng.choice(among, n_touched, replace=False))
        self.rows[fault.name] = set(touched.tolist())
        if fault.column:
            self.table[fault.column] = self.rng.choice(fault.others, len(self.table))
            self.table.loc[touched, fault.column] = fault.mark
        for row in touched.tolist():
            self._touch_image(row, fault, strength)

    def _touch_image(self, row: int, fault: Fault, strength: float) -> None:
        if fault.change:
            self.pictures[row] = fault.change(self.pictures[row], strength, self.rng)
        if fault.exif:
            self.exif[row] = fault.exif
        if fault.copies:
            self.copies.append((fault, row))
        elif fault.relabel and self.rng.random() < strength:
            self.table.loc[row, "label"] = self._other_label(row)

    def _other_label(self, row: int) -> str:
        label = self.table.loc[row, "label"]
        return str(self.rng.choice([other for other in self.labels if other != label]))

    def written(self, folder: Path) -> Planted:
        """Write all images, with the copies behind the others."""
        for fault, row in self.copies:
            self.rows[fault.name].add(len(self.pictures))
            self.pictures.append(self.pictures[row])
            self.exif.append(self.exif[row])
            self.clean_rows.append(row)
            copy = {**self.table.loc[row], "label": self._other_label(row)}
            self.table.loc[len(self.table)] = copy
        paths = [f"{row:05d}.png" for row in range(len(self.pictures))]
        folder.mkdir(parents=True, exist_ok=True)
        for name, picture, orientation in zip(paths, self.pictures, self.exif, strict=True):
            _save(picture, folder / name, orientation)
        self.table.assign(path=paths).to_csv(folder / "manifest.csv", index=False)
        touched = {name: frozenset(rows) for name, rows in self.rows.items()}
        return Planted(folder / "manifest.csv", touched, self.classes, self.clean_rows)


def names(finding: Finding, fault: Fault, planted: Planted) -> bool:
    """Tell whether a finding names a fault."""
    touched_class = planted.classes.get(fault.name)
    return any(_is_answer(finding, answer, touched_class) for answer in fault.answers)


def share_touched(finding: Finding, fault: Fault, planted: Planted) -> float:
    """Return which share of the images of a finding the fault touches."""
    rows = set(finding.rows)
    return len(rows & planted.rows[fault.name]) / max(len(rows), 1)


def _is_answer(finding: Finding, answer: Answer, touched_class: str | None) -> bool:
    kind, wanted = answer
    if finding.kind != kind:
        return False
    for key, values in wanted.items():
        possible = {touched_class if value == "{class}" else value for value in values}
        if finding.subject.get(key) not in possible:
            return False
    return True


def _save(picture: Image.Image, path: Path, orientation: int) -> None:
    if orientation == 1:
        picture.save(path, compress_level=1)
        return
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    picture.save(path, compress_level=1, exif=exif)
