"""What makes a run this run and no other: its settings, their hash, and how two runs differ."""

import hashlib
import json
import platform
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path, PurePath
from typing import Any, Final

import pyarrow as pa
from pydantic import TypeAdapter, ValidationError

from errlens.classes.names import ClassNames, Superclasses
from errlens.documents import parse_json, read_text
from errlens.errors import some
from errlens.escapes import shell_line
from errlens.predictions.table import SCHEMA_VERSION
from errlens.run.metrics_file import first_problem
from errlens.run.places import MAX_FILE_MB

IMPORT_ENGINE: Final = "import"  # the engine of predictions made elsewhere

_FIRST_WORD: Final = re.compile(r"^(?:'[^']*'|\S*)")
_MAKERS: Final = ("evaluate", "import")
_OUT: Final = ("-o", "--out")


def versions() -> dict[str, str]:
    """Return the versions of everything that has a say in a prediction."""
    packages = ("errlens", "torch", "torchvision", "timm", "Pillow", "numpy", "pyarrow")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def now() -> str:
    """Return the time for `run.json`, the one file that holds times."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True)
class RunSettings:
    """Everything that decides a prediction; equal settings give equal predictions.

    Batch size, threads and what is written besides are left out on purpose: they may change
    between a run and its resumption.
    """

    model: str
    arguments: Mapping[str, Any]
    weights_sha256: str
    preprocessing: Mapping[str, Any]
    decoder: Mapping[str, Any]
    engine: Mapping[str, str]
    device: str
    class_names: Sequence[str]
    superclasses: Mapping[str, str] | None
    topk: int
    plan_hash: str
    labels: str = "names"  # or indices: how the labels of the plan were read
    outputs: Mapping[str, Any] = field(default_factory=dict)  # where they are no tensor of logits
    schema_version: int = SCHEMA_VERSION

    @cached_property
    def run_hash(self) -> str:
        """The sha256 over all settings."""
        return canonical_hash(self.as_dict())

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; of outputs as they usually are nothing is said."""
        settings = asdict(self)
        if not self.outputs:
            del settings["outputs"]
        return settings

    @property
    def imported(self) -> bool:
        """Whether the predictions were made elsewhere, so that there is no model."""
        return self.engine.get("name") == IMPORT_ENGINE


@dataclass(frozen=True)
class RunInfo:
    """The contents of `run.json`: the settings, and what it takes to find the images again.

    `skipped` counts the files by suffix that lay among the images and are none; `photos` is what
    was counted of those that could be read, see `errlens.data.photos.oddities`. `expected_top1` is
    the accuracy that the user said to expect.
    """

    settings: RunSettings
    data: str
    data_root: str
    n_images: int
    keep: Sequence[str] = ()
    checkpoint: str | None = None
    use_ema: bool = False
    head: str | None = None
    seed: int = 0
    resources: Mapping[str, Any] = field(default_factory=dict)
    skipped: Mapping[str, int] = field(default_factory=dict)
    photos: Mapping[str, Any] = field(default_factory=dict)
    expected_top1: float | None = None
    status: str = "running"
    versions: Mapping[str, str] = field(default_factory=versions)
    command_line: str = field(default_factory=lambda: shell_line(sys.argv))
    started: str = field(default_factory=now)
    finished: str | None = None

    @property
    def run_hash(self) -> str:
        """The hash of the settings."""
        return self.settings.run_hash

    @property
    def imported(self) -> bool:
        """Whether the predictions were made elsewhere, so that there is no model."""
        return self.settings.imported

    @property
    def max_file_mb(self) -> int:
        """Files of more megabytes were not read, and are not read for this run again."""
        return int(self.settings.decoder.get("max_file_mb", MAX_FILE_MB))

    @cached_property
    def classes(self) -> ClassNames:
        """The class names in output order."""
        return ClassNames(tuple(self.settings.class_names), source="run.json")

    @cached_property
    def superclasses(self) -> Superclasses | None:
        """The superclasses, if the run was given any."""
        mapping = self.settings.superclasses
        return (
            Superclasses.from_mapping(mapping, self.classes, source="run.json") if mapping else None
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, the settings on the same level as the rest."""
        own = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        del own["settings"]
        return {
            "status": own.pop("status"),
            "run_hash": self.run_hash,
            **self.settings.as_dict(),
            **own,
        }

    @classmethod
    def from_dict(cls, tree: Mapping[str, Any]) -> "RunInfo":
        """Read what `as_dict` wrote.

        Raises:
            ValueError: Something is missing, or is not what it should be; the message says what.
        """
        try:  # what neither of them knows is left out
            return _checking_info().validate_python({**tree, "settings": tree})
        except ValidationError as error:
            raise ValueError(first_problem(error)) from error


@cache
def _checking_info() -> TypeAdapter[RunInfo]:
    return TypeAdapter(RunInfo)


def canonical_hash(tree: object) -> str:
    """Return the sha256 of a tree of plain values, whatever the order of its keys.

    >>> canonical_hash({"a": 1, "b": 2}) == canonical_hash({"b": 2, "a": 1})
    True
    """
    text = json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def plan_hash(plan: pa.Table) -> str:
    """Return the sha256 over (sample_id, label_name, size_bytes) of every row."""
    columns = [plan[name].to_pylist() for name in ("sample_id", "label_name", "size_bytes")]
    return canonical_hash(list(zip(*columns, strict=True)))


def plan_differences(before: pa.Table, now: pa.Table) -> list[str]:
    """Say what was added, gone, relabelled or resized between two plans; nothing if they agree."""
    old, new = _by_sample(before), _by_sample(now)
    both = old.keys() & new.keys()
    kinds = {
        "added": new.keys() - old.keys(),
        "gone": old.keys() - new.keys(),
        "relabelled": {sample for sample in both if old[sample][0] != new[sample][0]},
        "resized": {sample for sample in both if old[sample][1] != new[sample][1]},
    }
    return [
        f"{len(samples)} {kind} ({some(sorted(samples), most=3)})"
        for kind, samples in kinds.items()
        if samples
    ]


def setting_differences(before: RunSettings, now: RunSettings) -> list[str]:
    """Name the settings that differ, with both values where they are short."""
    differences = _differences(before.as_dict(), now.as_dict())
    if before.imported and now.imported:  # the table stands in place of weights
        return [
            "the content of the table is another" if text.startswith("weights_sha256") else text
            for text in differences
        ]
    return differences


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    differences = []
    for key in sorted(before.keys() | now.keys()):
        old, new = before.get(key, "unset"), now.get(key, "unset")
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            differences += [f"{key}.{difference}" for difference in _differences(old, new)]
        elif canonical_hash(old) != canonical_hash(new):  # 1 is not true here, but (4, 4) is [4, 4]
            values = f"{old} -> {new}"
            differences.append(f"{key} {values}" if len(values) <= 80 else key)
    return differences


def _by_sample(plan: pa.Table) -> dict[str, tuple[str | None, int | None]]:
    values = zip(plan["label_name"].to_pylist(), plan["size_bytes"].to_pylist(), strict=True)
    return dict(zip(plan["sample_id"].to_pylist(), values, strict=True))


def as_typed(command_line: str) -> str:
    """Return a command as a person would type it, wherever the program lay.

    >>> as_typed("/opt/venv/bin/errlens evaluate 'my photos' --seed 1")
    "errlens evaluate 'my photos' --seed 1"
    >>> as_typed("/opt/errlens/__main__.py check"), as_typed("/opt/pytest/__main__.py -q")
    ('errlens check', '/opt/pytest/__main__.py -q')
    """
    (first,) = _FIRST_WORD.findall(command_line)
    program = PurePath(first.strip("'"))
    is_errlens = program.stem == "errlens" or program.parts[-2:] == ("errlens", "__main__.py")
    return f"{'errlens' if is_errlens else first}{command_line.removeprefix(first)}"


def resume(run: Path) -> str:
    """Return the hint for a run that has not come to its end."""
    words = _words_that_made(run)
    if not words:
        return "the command that made it goes on where it stopped: run it again"
    return f"{shell_line(words)} goes on where it stopped"


def afresh(run: Path, *options: str, does: str = "makes it anew") -> str:
    """Return the hint for a run that has to be made anew, maybe with more options than it was."""
    words = _words_that_made(run) or ["errlens", "evaluate", "DATA", "--model", "NAME", "-o", run]
    return f"{shell_line([*words, *options, '--overwrite'])} {does}"


def _words_that_made(run: Path) -> list[str | Path]:
    """Return the command that writes into this folder what it did before; empty if not known."""
    try:
        tree = parse_json(read_text(run / "run.json"))
        words = shlex.split(as_typed(tree["command_line"]))
    except (ValueError, KeyError, TypeError):
        return []
    if len(words) < 2 or words[0] != "errlens" or words[1] not in _MAKERS:
        return []
    return [*_without_place(words), "-o", run]


def _without_place(words: list[str]) -> list[Any]:
    """Return a command without what says where its run goes: the folder may have been moved."""
    kept, rest = [], iter(words)
    for word in rest:
        if word in _OUT:
            next(rest, None)
        elif word != "--overwrite" and not word.startswith("--out="):
            kept.append(word)
    return kept
