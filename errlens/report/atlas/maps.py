"""The maps below RUN/atlas, read with care: any file may be damaged, or of older points."""

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from errlens.analysis.atlas.collected import collected_layers, identity_of, layer_folder
from errlens.documents import MOST_BYTES, parse_json, read_text
from errlens.errors import NoResults
from errlens.escapes import shell_line
from errlens.report.atlas.tables import (
    CELLS,
    SOURCES,
    SUSPECTS,
    are_cells,
    are_of,
    are_sources,
    are_suspects,
)
from errlens.report.parts import Problem
from errlens.run.csv_tables import Columns
from errlens.run.disk import inside
from errlens.run.folder import RunFolder
from errlens.run.made_from import MADE_FROM, record_of
from errlens.run.results import read_table

_CLASSES: Final = {"render": 0, "class": 1, "compare": 2}  # that a map is of, by its kind
SOURCES_SHOWN: Final = 9  # of a cell; sources.png has so many columns
PARAMETERS: Final = "parameters.json"
_MOST_UNPACKED: Final = 512 * 2**20  # bytes of arrays


class Fidelity(BaseModel):
    """The share of optimised icons that the network finds most like their own cell."""

    value: float
    low: float
    high: float
    n: int
    chance: float


class Made(BaseModel):
    """What parameters.json says of a map."""

    kind: Literal["render", "class", "compare"]
    layer: str
    icon_size: int = Field(ge=1, le=1_024)
    n_points: int
    sentences: list[str] = []
    fidelity: Fidelity | None = None
    of_class: str | None = Field(default=None, alias="class")
    classes: list[str] | None = None

    @property
    def of(self) -> list[str]:
        """The classes that the map is of: none, one or two."""
        if self.kind == "class":
            return [self.of_class or ""]
        return list(self.classes or []) if self.kind == "compare" else []

    @property
    def title(self) -> str:
        """What the map is called beside others of its layer."""
        return " against ".join(self.of) or "all classes"


@dataclass(frozen=True)
class AtlasMap:
    """A map of one layer.

    Attributes:
        folder: Where it lies.
        made: What it says of itself.
        cells: A row a cell that is drawn, columns as of `CELLS`.
        activation: The mean of each cell, shape (cells, channels), float32.
        attribution: What each cell adds to each class in the mean, shape (cells, classes), float32.
        sources: The nearest points of each cell, columns as of `SOURCES`, at most `SOURCES_SHOWN`.
        suspects: Cells of a class map whose own class is another, columns as of `SUSPECTS`; empty
            on other maps.
    """

    folder: Path
    made: Made
    cells: pd.DataFrame
    activation: NDArray[np.float32]
    attribution: NDArray[np.float32]
    sources: pd.DataFrame
    suspects: pd.DataFrame

    def __len__(self) -> int:
        return len(self.cells)


class Maps(NamedTuple):
    """The maps of a run, layer by layer as the network has them, and why others are left out."""

    maps: Sequence[AtlasMap]
    left_out: Sequence[Problem]


def read_maps(run: RunFolder) -> Maps:
    """Read all maps of a run that were made of its points as they are now.

    Raises:
        OutsideRun: A file or folder is a link that leads out of the run.
    """
    maps: list[AtlasMap] = []
    left_out = []
    for layer in collected_layers(run):
        try:
            identity = _identity(run, layer)
        except NoResults as error:
            left_out.append(Problem(str(error), error.command))
            continue
        for folder in _folders(layer_folder(run, layer)):
            command = _command(run, layer, folder)
            try:
                maps.append(_read(run, folder, identity=identity, command=command))
            except NoResults as error:
                left_out.append(Problem(str(error), error.command))
    return Maps(maps, left_out)


def _identity(run: RunFolder, layer: str) -> str:
    """Return what tells the points of a layer from others.

    Raises:
        NoResults: They are of other predictions.
    """
    folder = layer_folder(run, layer)
    record = record_of(folder)
    if record.get("run_hash") != run.info.run_hash:
        command = shell_line(["errlens", "atlas", "collect", run.path, "--layer", layer])
        raise NoResults(f"{str(folder)!r} was made of other predictions", command=command)
    return identity_of(record)


def _folders(layer: Path) -> Iterator[Path]:
    """Yield the folders of maps, that of all classes first."""
    maps = [inside(place, layer) for place in layer.iterdir() if (place / MADE_FROM).is_file()]
    yield from sorted(maps, key=lambda place: (place.name != "render", place.name))


def _command(run: RunFolder, layer: str, folder: Path) -> str:
    """Return what makes a map again, as far as the map says of which classes it is."""
    made = _parameters(folder)
    kind, _, _ = folder.name.partition("-")
    words = {"class": ["CLASS"], "compare": ["A", "B"]}.get(kind, [])
    if made is not None and kind != "render":
        words = made.of
    name = kind if kind in ("class", "compare") else "render"
    return shell_line(["errlens", "atlas", name, run.path, *words, "--layer", layer])


def _parameters(folder: Path) -> Made | None:
    try:
        return Made.model_validate(parse_json(read_text(inside(folder / PARAMETERS, folder))))
    except ValueError:
        return None


def _read(run: RunFolder, folder: Path, *, identity: str, command: str) -> AtlasMap:
    """Read one map.

    Raises:
        NoResults: It was made of other points, or a file is missing or damaged.
    """

    def table(name: str, columns: Columns) -> pd.DataFrame:
        place = inside(folder / name, folder)
        if place.is_file() and place.stat().st_size > MOST_BYTES:
            raise NoResults(f"{str(place)!r} is too large", command=command)
        return read_table(folder, name, columns, run_hash=identity, command=command)

    if record_of(folder).get("run_hash") != identity:
        raise NoResults(f"{str(folder)!r} was made of other points", command=command)
    made = _parameters(folder)
    cells = table("cells.csv", CELLS)
    sources = table("sources.csv", SOURCES)
    suspects = (
        table("suspects.csv", SUSPECTS)
        if (folder / "suspects.csv").is_file()
        else pd.DataFrame(columns=[*SUSPECTS])
    )
    arrays = _arrays(inside(folder / "cells.npz", folder), ("activation", "attribution"))
    names = run.info.classes.names
    whole = (
        made is not None
        and len(made.of) == _CLASSES[made.kind]
        and set(made.of) <= set(names)
        and are_cells(cells, names)
        and are_of(cells, arrays, classes=len(names))
        and are_sources(sources, len(cells), run.info.n_images)
        and are_suspects(suspects, len(cells), names)
    )
    if made is None or not whole:
        raise NoResults(f"{str(folder)!r} is damaged", command=command)
    shown = sources[sources["rank"] <= SOURCES_SHOWN]
    return AtlasMap(
        folder, made, cells, arrays["activation"], arrays["attribution"], shown, suspects
    )


def _arrays(path: Path, names: Sequence[str]) -> Mapping[str, NDArray[Any]]:
    """Read arrays by name; none where the file is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > _MOST_UNPACKED:
                return {}
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in names}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, NotImplementedError):
        return {}
