"""gates.json, as `errlens check` wrote it."""

from typing import Any

from pydantic import BaseModel

from errlens.documents import parse_json, read_text
from errlens.run.disk import inside
from errlens.run.folder import RunFolder


class WrittenGate(BaseModel):
    """One gate, and what became of it."""

    name: str
    passed: bool
    metric: str
    op: str
    threshold: int | float
    value: int | float | None = None
    low: int | float | None = None
    high: int | float | None = None
    n: int | None = None
    reason: str | None = None


class WrittenGates(BaseModel):
    """All gates of one call of `errlens check`; `run_hash` says of which predictions."""

    gates: list[WrittenGate]
    passed: bool
    run_hash: str | None = None


def read_written_gates(run: RunFolder) -> WrittenGates | None:
    """Return what `gates.json` says; None where there is no such file.

    Raises:
        ValueError: It is damaged.
    """
    if not run.gates_file.exists():
        return None
    tree: Any = parse_json(read_text(inside(run.gates_file, run.path)))
    return WrittenGates.model_validate(tree)
