"""The folders that hold what one command made, most of them inside a run folder.

A folder is renewed as a whole: what was there before stays until everything new is written, and
files that errlens did not write stay in any case. Of several processes that renew one folder at the
same time each does so alone, one after the other; what one adds to, it reads then.
"""

import tempfile
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from errlens.errors import NoResults, UnfitOption
from errlens.escapes import escaped_json, json_text, shell_line
from errlens.predictions.table import SCHEMA_VERSION
from errlens.run.csv_tables import Columns, read_declared, write_csv
from errlens.run.disk import inside, written_to
from errlens.run.folder import RunFolder
from errlens.run.locks import locked
from errlens.run.made_from import MADE_FROM, files_of_before, record_of
from errlens.run.tables import write_parquet


class Drawing(Protocol):
    """What can be saved as a picture, such as a figure of matplotlib."""

    def savefig(self, *target: Any, **how: Any) -> None:
        """Write it to a file."""


class ResultsWriter:
    """Collects the files of one command.

    `written` holds their names in the order written, `size` is how many bytes were.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._last: list[Callable[[], None]] = []
        self.written: list[str] = []
        self.size = 0

    def when_alone(self, action: Callable[[], None]) -> None:
        """Have something done in the end, when no other process writes into the folder.

        What it finds there is what its files are going to replace; it may write more.
        """
        self._last.append(action)

    def settle(self) -> None:
        """Do what has to be done alone."""
        for action in self._last:
            action()

    def csv(self, name: str, table: pd.DataFrame) -> None:
        """Write a table; missing values are empty cells."""
        with self.file(name) as target:
            write_csv(target, table)

    def json(self, name: str, table: pd.DataFrame) -> None:
        """Write the rows of a table as a list of objects; missing values are null."""
        text = table.to_json(orient="records", force_ascii=False, indent=2, double_precision=15)
        with self.file(name) as target:
            target.write_text(escaped_json(text) + "\n", encoding="utf-8")

    def tree(self, name: str, tree: Mapping[str, Any]) -> None:
        """Write an object of JSON, with the version of its schema."""
        self.document(name, {"schema_version": SCHEMA_VERSION, **tree})

    def document(self, name: str, document: Any) -> None:
        """Write JSON that others define."""
        text = json_text(document, indent=2)
        with self.file(name) as target:
            target.write_text(text + "\n", encoding="utf-8")

    def parquet(self, name: str, table: pd.DataFrame | pa.Table) -> None:
        """Write a table."""
        if isinstance(table, pd.DataFrame):
            table = pa.Table.from_pandas(table, preserve_index=False)
        plain = table.replace_schema_metadata(None)
        with self.file(name) as target:
            write_parquet(target, plain)

    def npz(self, name: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Write arrays by name, whatever that is: numpy's own function takes no `file`."""
        with (
            self.file(name) as target,
            zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            for key, values in arrays.items():
                with archive.open(f"{key}.npy", "w", force_zip64=True) as file:
                    np.lib.format.write_array(file, values, allow_pickle=False)

    def pixels(self, name: str, pixels: NDArray[np.uint8]) -> None:
        """Write a picture of shape (height, width, 3) as it is."""
        with self.file(name) as target:
            Image.fromarray(pixels).save(target, compress_level=3)

    def png(self, name: str, figure: Drawing) -> None:
        """Write a picture, without the version of the library in it."""
        # Twice as fast as the default, and hardly larger.
        packing = {"compress_level": 3}
        with self.file(name) as target:
            figure.savefig(target, metadata={"Software": None}, pil_kwargs=packing)

    def svg(self, name: str, figure: Drawing) -> None:
        """Write a drawing of lines and texts, without the date and the library in it."""
        nothing = {"Date": None, "Creator": None}
        with self.file(name) as target:
            figure.savefig(target, format="svg", metadata=nothing)

    @contextmanager
    def file(self, name: str) -> Iterator[Path]:
        """Give the place of a file that is written in this block, and counts when it is, whole."""
        target = self._folder / name
        target.parent.mkdir(exist_ok=True)
        yield target
        if name not in self.written:
            self.written.append(name)
        self.size += target.stat().st_size


@contextmanager
def renewed_results(
    run: RunFolder,
    kind: str,
    *,
    options: Mapping[str, Any],
    keep: Callable[[str], bool] = lambda _name: False,
) -> Iterator[ResultsWriter]:
    """Collect files that in the end take the place of those a command wrote into a run before.

    Args:
        run: The run they are made from.
        kind: The name of the folder, which is the command's.
        options: What is worth recording of the command's options.
        keep: As for `renewed_folder`.
    """
    folder, run_hash = run.results_folder(kind), run.info.run_hash
    with renewed_folder(folder, run_hash=run_hash, options=options, keep=keep) as writer:
        yield writer


@contextmanager
def renewed_folder(
    folder: Path,
    *,
    run_hash: str,
    options: Mapping[str, Any],
    keep: Callable[[str], bool] = lambda _name: False,
) -> Iterator[ResultsWriter]:
    """Collect files that in the end take the place of those that were written here before.

    Args:
        folder: It is made if it is not there.
        run_hash: Of the run, or the model, that they are made from.
        options: What is worth recording of the command's options.
        keep: Tells by name which files of before stay if they are of the same run and not written
            anew. It is asked after all that is done `when_alone`.

    Raises:
        UnfitOption: Something else stands where the folder should.
    """
    if folder.exists() and not folder.is_dir():
        raise UnfitOption(f"{str(folder)!r} is no folder", hint="move it away; results go there")
    with (
        _making(folder),
        tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as name,
    ):
        temporary = Path(name)
        writer = ResultsWriter(temporary)
        yield writer
        with locked(folder):
            writer.settle()
            kept = _kept(folder, run_hash, keep, writer.written)
            made_from = {
                "schema_version": SCHEMA_VERSION,
                "run_hash": run_hash,
                "options": dict(options),
                "files": [*writer.written, *kept],
            }
            text = json_text(made_from, indent=2)
            (temporary / MADE_FROM).write_text(text + "\n", encoding="utf-8")
            _replace(folder, temporary, [*writer.written, MADE_FROM], kept)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other processes from writing into a folder, which need not exist, for a moment.

    Raises:
        OutOfReach: Nothing can be written there.
    """
    with _making(folder), locked(folder):
        yield


@contextmanager
def _making(folder: Path) -> Iterator[None]:
    """Make the folder's parent; what the system refuses inside is a failure to write the folder."""
    with written_to(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        yield


def read_results(run: RunFolder, kind: str, name: str, columns: Columns) -> pd.DataFrame:
    """Read a table that another command made of this run.

    Args:
        run: The run.
        kind: The command.
        name: The file.
        columns: As declared by those who make the table.

    Raises:
        NoResults: It is not there, was made of other predictions, or is damaged.
    """
    command = shell_line(["errlens", kind, run.path])
    folder = run.results_folder(kind)
    return read_table(folder, name, columns, run_hash=run.info.run_hash, command=command)


def read_table(
    folder: Path,
    name: str,
    columns: Columns,
    *,
    run_hash: str,
    command: str,
    required: Collection[str] | None = None,
) -> pd.DataFrame:
    """Read a table from a folder that `command` makes; all its columns are required by default.

    Raises:
        NoResults: It is not there, was made of something else, or is damaged.
    """
    path = inside(folder / name, folder)
    if not path.exists():
        raise NoResults(f"{str(path)!r} is not there", command=command)
    if record_of(folder).get("run_hash") != run_hash:
        raise NoResults(f"{str(folder)!r} was made of other predictions", command=command)
    try:
        return read_declared(path, columns, required=required)
    except (OSError, ValueError) as error:
        raise NoResults(f"{str(path)!r} is damaged", command=command) from error


def _replace(folder: Path, temporary: Path, names: list[str], kept: list[str]) -> None:
    """Move new files in, after those of before are gone.

    Raises:
        OutsideRun: A folder inside is a link that leads out.
    """
    for name in names:
        inside((folder / name).parent, folder)
    folder.mkdir(exist_ok=True)
    gone = [name for name in files_of_before(folder) if name not in kept]
    for name in gone:
        (folder / name).unlink(missing_ok=True)
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (temporary / name).replace(folder / name)
    for place in {(folder / name).parent for name in gone}:
        if not any(place.iterdir()):
            place.rmdir()


def _kept(
    folder: Path, run_hash: str, keep: Callable[[str], bool], written: list[str]
) -> list[str]:
    """Return the files of before that stay."""
    if record_of(folder).get("run_hash") != run_hash:
        return []
    names = [name for name in files_of_before(folder) if name != MADE_FROM]
    return sorted(name for name in names if keep(name) and name not in written)
