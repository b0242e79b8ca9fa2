"""Where the numbers come from, and how to get them again."""

from typing import Any

from errlens.run.folder import RunFolder
from errlens.run.identity import RunSettings, as_typed


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
        "command": as_typed(info.command_line),
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
