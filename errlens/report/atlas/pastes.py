"""What `errlens atlas paste` found of the cells that a class relies on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import pandas as pd

from errlens.analysis.atlas.collected import KIND
from errlens.errors import NoResults
from errlens.escapes import shell_line
from errlens.formats import of, probability, share, share_range
from errlens.report.parts import Problem, records
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE, Columns
from errlens.run.disk import inside
from errlens.run.folder import RunFolder
from errlens.run.made_from import MADE_FROM, record_of
from errlens.run.results import read_table

PASTE: Final = "paste"  # the folder beside those of layers
MAIN: Final = "verdicts.csv"
# What is needed of it; layer and cell are empty of patches that come from no cell.
VERDICTS: Final[Columns] = {
    "suspect": WHOLE, "layer": TEXT, "cell": NUMBER, "patch_row": NUMBER, "from_class": TEXT,
    "to_class": TEXT, "n": WHOLE, "flips": WHOLE, "rate": NUMBER, "low": NUMBER,
    "high": NUMBER, "q_value": NUMBER, "verdict": TEXT,
}  # fmt: skip
_KNOWN: Final = ("from_class", "to_class", "verdict")
_OPTIONS: Final = {"to": "--to", "from_class": "--from", "patch": "--patch", "sizes": "--sizes"}


class Pastes(NamedTuple):
    """All verdicts on patches, columns as of `VERDICTS`, and why others cannot be read."""

    verdicts: pd.DataFrame
    problems: Sequence[Problem]

    def of_cells(self, layer: str, name: str, suspects: pd.DataFrame) -> dict[int, list[str]]:
        """Return what is known of the cells that class `name` relies on, by their numbers.

        Where the map was made anew, a number may be that of another cell: a verdict belongs to the
        cell of its number only if the suspect there still is cut from the same image.

        Args:
            layer: The layer of the map.
            name: Its class.
            suspects: Those of the map, with `cell` and `row`.
        """
        row_of = dict(zip(suspects["cell"], suspects["row"], strict=True))
        table = self.verdicts
        chosen = table[(table["layer"] == layer) & (table["to_class"] == name)]
        told: dict[int, list[str]] = {}
        for verdict in records(chosen[chosen["cell"].notna()]):
            if row_of.get(int(verdict["cell"])) == verdict["patch_row"]:
                told.setdefault(int(verdict["cell"]), []).append(sentence_of(verdict))
        return told


def read_pastes(run: RunFolder) -> Pastes:
    """Read the verdicts on all patches that were pasted into images of a run.

    Raises:
        OutsideRun: A folder is a link that leads out of the run.
    """
    folder = run.results_folder(f"{KIND}/{PASTE}")
    tables = [pd.DataFrame(columns=[*VERDICTS])]
    problems = []
    for place in _folders(folder):
        try:
            tables.append(_read(run, place))
        except NoResults as error:
            problems.append(Problem(str(error), error.command))
    told = [table for table in tables[1:] if len(table)]
    return Pastes(pd.concat(told, ignore_index=True) if told else tables[0], problems)


def sentence_of(verdict: Mapping[str, Any]) -> str:
    """Say what pasting a patch did.

    >>> sentence_of({
    ...     "verdict": "confirmed", "from_class": "cat", "to_class": "dog", "rate": 0.41, "n": 200,
    ...     "flips": 82, "low": 0.34, "high": 0.48, "q_value": 0.002,
    ... })
    'confirmed: pasted into photos of cat, 41.0 % turn to dog (82 of 200, 34.0 to 48.0 %, q 0.002)'
    """
    n, low, high = verdict["n"], verdict["low"], verdict["high"]
    counts = f"{of(verdict['flips'], n)}, {share_range(low, high, n)}"
    return (
        f"{verdict['verdict']}: pasted into photos of {verdict['from_class']}, "
        f"{share(verdict['rate'], n)} turn to {verdict['to_class']} "
        f"({counts}, q {probability(verdict['q_value'])})"
    )


def _folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    places = sorted(place for place in folder.iterdir() if (place / MADE_FROM).is_file())
    return [inside(place, folder) for place in places]


def _read(run: RunFolder, folder: Path) -> pd.DataFrame:
    """Read the verdicts of one pair of classes.

    Raises:
        NoResults: They are of other predictions, or damaged.
    """
    command = _command(run, folder)
    table = read_table(folder, MAIN, VERDICTS, run_hash=run.info.run_hash, command=command)
    shares = table[["rate", "low", "high"]]
    is_whole = (
        bool(table[[*_KNOWN]].notna().all(axis=None))
        and set(table["to_class"]) <= set(run.info.classes.names)
        and not ((shares < 0) | (shares > 1)).any(axis=None)
    )
    if not is_whole:
        raise NoResults(f"{str(folder / MAIN)!r} is damaged", command=command)
    return table[[*VERDICTS]]


def _command(run: RunFolder, folder: Path) -> str:
    """Return what pastes a patch again, as far as the folder says which, and into what."""
    said = record_of(folder).get("options")
    options = {"to": "CLASS", **(said if isinstance(said, dict) else {})}
    words: list[str | Path] = []
    for name, option in _OPTIONS.items():
        values = options.get(name)
        for value in values if isinstance(values, list) else [values]:
            if isinstance(value, str):
                words += [option, value]
    return shell_line(["errlens", "atlas", "paste", run.path, *words])
