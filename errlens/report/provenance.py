"""Where the numbers come from, and how to get them again."""

import re
from pathlib import PurePath
from typing import Any, Final

from errlens.run.folder import RunFolder
from errlens.run.identity import RunSettings

_FIRST_WORD: Final = re.compile(r"^(?:'[^']*'|\S*)")


def provenance(run: RunFolder) -> dict[str, Any]:
    """Return what made a run, without times; `command` repeats it."""
    info = run.info
    settings = info.settings
    facts = {
        "run": run.path.name or str(run.path),
        "model": settings.model,
        "checkpoint": info.checkpoint,
        "weights (sha256)": settings.weights_sha256,
        "data": info.data,
        "images start at": info.data_root,
        "images": info.n_images,
        "classes": len(settings.class_names),
        "preprocessing": _written(settings.preprocessing),
        "outputs": _written(_outputs(settings)),
        "decoder": _written(settings.decoder),
        "engine": _written(settings.engine),
        "device": settings.device,
        "seed": info.seed,
        "versions": _written(info.versions),
        "plan (sha256)": settings.plan_hash,
        "run hash": info.run_hash,
    }
    return {
        "command": _as_typed(info.command_line),
        "facts": {name: value for name, value in facts.items() if value not in (None, "")},
    }


def _outputs(settings: RunSettings) -> dict[str, Any]:
    """Return how outputs are read; of those that count only their number, which fills no page."""
    outputs = dict(settings.outputs)
    if "subset" in outputs:
        outputs["subset"] = f"{len(settings.class_names)} of {outputs.pop('of', '')}"
    return outputs


def _written(tree: Any) -> str:
    return ", ".join(f"{name} {value}" for name, value in tree.items())


def _as_typed(command_line: str) -> str:
    """Return a command as a person would type it, wherever the program lay.

    >>> _as_typed("/opt/venv/bin/errlens evaluate 'my photos' --seed 1")
    "errlens evaluate 'my photos' --seed 1"
    """
    (first,) = _FIRST_WORD.findall(command_line)
    program = PurePath(first.strip("'"))
    is_errlens = program.stem == "errlens" or program.name == "__main__.py"
    return f"{'errlens' if is_errlens else first}{command_line.removeprefix(first)}"
