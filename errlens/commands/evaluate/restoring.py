"""Is the preprocessing the training's? Signs that it is not, and the search for a better one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from errlens.analysis.accuracy.doubts import Doubt
from errlens.analysis.accuracy.metrics import Metrics
from errlens.commands.evaluate.label_space import Again
from errlens.data.photos.oddities import Oddities
from errlens.errors import Interrupted
from errlens.formats import count, counted, share
from errlens.model.predict import ShardPredictor
from errlens.model.restoring.restoration import Restoration
from errlens.model.restoring.search import SettingsSearch
from errlens.run.folder import RunFolder
from errlens.terminal import Screen

MOST_RESTORING = 3  # settings named in a message
LEAST_IMAGES = 40  # half of them to choose a setting, half to confirm it


def diagnose(
    screen: Screen,
    predictor: ShardPredictor,
    metrics: Metrics,
    *,
    oddities: Oddities,
    expected: float | None,
    seed: int,
) -> Restoration | None:
    """Look for a better preprocessing where the result falls short of what the user expects.

    Raises:
        Interrupted: The user stopped it.
    """
    top1 = metrics.top1
    if expected is None or top1 is None or top1.high >= expected:
        return None
    if top1.n < LEAST_IMAGES:
        screen.warn(
            f"top-1 falls short of the expected {expected:g}, but {counted(top1.n, 'image')} will "
            "not do to try other settings on"
        )
        return None
    table = predictor.run.read_predictions(("path", "label", "status", "correct")).table
    rows = table.filter(pc.field("correct").is_valid())
    root = Path(predictor.info.data_root)
    paths, labels = rows["path"].to_pylist(), rows["label"].to_pylist()
    search = SettingsSearch(
        predictor.classifier,
        [(root / path, label) for path, label in zip(paths, labels, strict=True)],
        rows["correct"].to_numpy(),
        expected=expected,
        seed=seed,
        workers=predictor.workers,
        threads=predictor.threads,
        progress=screen.progress,
        turned=oddities.turned.n > 0,
        deep=bool(oddities.deep),
        max_mb=predictor.info.max_file_mb,
    )
    try:
        return search.run()
    except KeyboardInterrupt as error:
        raise Interrupted(
            "stopped while other settings were tried", hint="the evaluation itself is complete"
        ) from error


def show_doubt(screen: Screen, doubt: Doubt | None, again: Again) -> None:
    """Say what looks odd in a result that no more was expected of, and how to look into it."""
    if doubt:
        screen.warn(
            f"{'; '.join(doubt.signs)}. If you expected more, say how much, and the preprocessing "
            f"that gives it is looked for: {_expecting(doubt, again)}"
        )


def doubt_as_dict(doubt: Doubt, again: Again) -> dict[str, Any]:
    """Return a doubt as plain values for JSON, with the command that looks into it."""
    return {**doubt._asdict(), "command": _expecting(doubt, again)}


def _expecting(doubt: Doubt, again: Again) -> str:
    return again(expect=f"top1={doubt.expect:g}")


def show_diagnosis(
    screen: Screen, diagnosis: Restoration | None, run: RunFolder, again: Again
) -> None:
    """Name the settings that restore the expected accuracy, or say that none does."""
    if diagnosis is None:
        return
    expected, restoring, nearest = diagnosis.expected, diagnosis.restoring, diagnosis.nearest
    screen.say()
    if restoring:
        what = "this setting restores it" if len(restoring) == 1 else "these settings restore it"
        alike = " and cannot be told apart" if len(restoring) > 1 else ""
        some_of_them = "; or ".join(_settings(one.changes) for one in restoring[:MOST_RESTORING])
        more = len(restoring) - MOST_RESTORING
        rest = f"; or {count(more)} more" if more > 0 else ""
        screen.warn(
            f"top-1 falls short of the expected {expected:g}; {what}{alike}: {some_of_them}{rest}"
        )
        rows = [
            (_settings(trial.changes), share(trial.accuracy, trial.n), count(trial.n))
            for trial in restoring
        ]
        screen.table(("instead", ">top-1", ">images not used to choose it"), rows)
        screen.say()
        screen.say(f"Next: {_mended(run, restoring[0].changes, again)}")
        return
    screen.warn(
        f"top-1 falls short of the expected {expected:g}; none of {diagnosis.tried} other settings "
        "of the preprocessing restores it"
        + (
            f"; nearest comes {_settings(nearest.changes)} with "
            f"{share(nearest.accuracy, nearest.n)}"
            if nearest
            else ""
        )
    )


def diagnosis_as_dict(diagnosis: Restoration, run: RunFolder, again: Again) -> dict[str, Any]:
    """Return a diagnosis as plain values for JSON, with the command that uses what was found."""
    best = diagnosis.restoring[0].changes if diagnosis.restoring else None
    return {**diagnosis.as_dict(), "command": best and _mended(run, best, again)}


def _mended(run: RunFolder, changes: Mapping[str, Any], again: Again) -> str:
    """Write the command that evaluates with other preprocessing."""
    if "img_size" in changes:
        changes = {**changes, "img_size": max(changes["img_size"])}
    return again(**changes, out=run.path.with_name(f"{run.path.name}-mended"))


def _settings(changes: Mapping[str, Any]) -> str:
    """Write changed settings as the options that change them.

    >>> _settings({"mean": (0.5, 0.5, 0.5), "bgr": False})
    '--mean 0.5 0.5 0.5, no --bgr'
    """
    return ", ".join(
        f"no --{key}"
        if value is False
        else " ".join([f"--{key.replace('_', '-')}", *_written(key, value)])
        for key, value in changes.items()
    )


def _written(key: str, value: Any) -> list[str]:
    if key == "img_size":
        return [str(max(value))]
    if value is True:
        return []
    return [
        f"{one:.4g}" if isinstance(one, float) else str(one)
        for one in (value if isinstance(value, tuple) else [value])
    ]
