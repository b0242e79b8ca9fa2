"""Is the preprocessing the training's? Signs that it is not, and the search for a better one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.compute as pc

from errlens.analysis.accuracy.doubts import Doubt, doubt, falls_short
from errlens.commands.evaluate.options import EvaluateOptions, expected_accuracy
from errlens.commands.evaluate.result import Evaluation
from errlens.data.photos.oddities import Oddities
from errlens.errors import Interrupted
from errlens.formats import count, counted, share
from errlens.model.classifier import Classifier
from errlens.model.networks.untold import untold_arguments
from errlens.model.predict import ShardPredictor
from errlens.model.restoring.restoration import Restoration
from errlens.model.restoring.search import SettingsSearch
from errlens.terminal import Screen

MOST_RESTORING = 3  # settings named in a message
LEAST_IMAGES = 40  # half of them to choose a setting, half to confirm it


class Advice(NamedTuple):
    """What is wrong with the preprocessing, it seems, and the command that puts it right.

    A `diagnosis` is made of a result that falls short of the accuracy expected, a `doubt` is about
    one of which the user expected nothing; `warning` says it in a sentence. The command is None
    where none would help. Where no preprocessing restores the result, `untold` are arguments of the
    network that its weights do not tell, with values to try, and `further` says what may be wrong.
    """

    diagnosis: Restoration | None = None
    doubt: Doubt | None = None
    warning: str | None = None
    command: str | None = None
    untold: Mapping[str, int] = {}
    further: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; nothing where there is no advice."""
        if self.diagnosis:
            untold = {"untold_arguments": dict(self.untold), "further": self.further}
            return {
                "diagnosis": {
                    **self.diagnosis.as_dict(),
                    "command": self.command,
                    **(untold if self.further else {}),
                }
            }
        return {"doubt": {**self.doubt._asdict(), "command": self.command}} if self.doubt else {}


def advise(
    predictor: ShardPredictor, evaluation: Evaluation, options: EvaluateOptions, screen: Screen
) -> Advice:
    """Look whether a result falls short of what the user expects, or else looks odd.

    Raises:
        Interrupted: The user stopped the search for a better preprocessing.
    """
    if options.expect:
        diagnosis = _diagnose(predictor, evaluation, options, screen)
        if diagnosis is None:
            return Advice()
        advice = Advice(diagnosis=diagnosis, warning=_shortfall(diagnosis))
        if diagnosis.restoring:
            return advice._replace(command=_mended(options, evaluation, diagnosis))
        return _on_arguments(advice, predictor.classifier, evaluation, options)
    # Other settings than those of a transform cannot be tried.
    run, metrics, classes = evaluation
    signs = None
    if not options.transform:
        expected = run.info.expected_top1  # of a call before
        signs = doubt(metrics.top1, metrics.reliability, classes, expected=expected)
    if signs is None:
        return Advice()
    # A number that errlens guessed would be met too easily: X is one that the user knows.
    command = f"{options.again(expect=None)} --expect top1=X"
    warning = (
        f"{'; '.join(signs.signs)}. If you expected more, put the accuracy of your training log in "
        f"place of X, and the preprocessing that gives it is looked for: {command}"
    )
    return Advice(doubt=signs, warning=warning, command=command)


def as_options(changes: Mapping[str, Any]) -> str:
    """Write changed settings as the options that change them.

    >>> as_options({"mean": (0.5, 0.5, 0.5), "bgr": False})
    '--mean 0.5 0.5 0.5, no --bgr'
    """
    return ", ".join(
        f"no --{key}"
        if value is False
        else " ".join([f"--{key.replace('_', '-')}", *_words(key, value)])
        for key, value in changes.items()
    )


def _diagnose(
    predictor: ShardPredictor, evaluation: Evaluation, options: EvaluateOptions, screen: Screen
) -> Restoration | None:
    """Look for a better preprocessing where the result falls short of what the user expects."""
    run, metrics, _ = evaluation
    expected, top1 = expected_accuracy(options.expect), metrics.top1
    if expected is None or top1 is None or not falls_short(top1, expected):
        return None
    if top1.n < LEAST_IMAGES:
        screen.warn(
            f"top-1 falls short of the expected {expected:g}, but {counted(top1.n, 'image')} will "
            "not do to try other settings on"
        )
        return None
    table = run.read_predictions(("path", "label", "status", "correct")).table
    rows = table.filter(pc.field("correct").is_valid())
    root = Path(predictor.info.data_root)
    paths, labels = rows["path"].to_pylist(), rows["label"].to_pylist()
    oddities = Oddities.from_dict(run.info.photos)
    search = SettingsSearch(
        predictor.classifier,
        [(root / path, label) for path, label in zip(paths, labels, strict=True)],
        rows["correct"].to_numpy(),
        expected=expected,
        seed=options.seed,
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


def _shortfall(diagnosis: Restoration) -> str:
    """Name the settings that restore the expected accuracy, or say that none does."""
    restoring, nearest = diagnosis.restoring, diagnosis.nearest
    falls_short = f"top-1 falls short of the expected {diagnosis.expected:g}; "
    if restoring:
        one = len(restoring) == 1
        what = "this setting restores it" if one else "these settings restore it"
        alike = "" if one else " and cannot be told apart"
        named = [as_options(finding.changes) for finding in restoring[:MOST_RESTORING]]
        rest = len(restoring) - MOST_RESTORING
        more = [f"{count(rest)} more"] if rest > 0 else []
        return f"{falls_short}{what}{alike}: {'; or '.join(named + more)}"
    comes = (
        f"; nearest comes {as_options(nearest.changes)} with {share(nearest.accuracy, nearest.n)}"
        if nearest
        else ""
    )
    return (
        f"{falls_short}none of {diagnosis.tried} other settings of the preprocessing restores it"
        f"{comes}"
    )


def _mended(options: EvaluateOptions, evaluation: Evaluation, diagnosis: Restoration) -> str:
    """Write the command that evaluates with the preprocessing that restores the accuracy."""
    changes = dict(diagnosis.restoring[0].changes)
    if "img_size" in changes:
        changes["img_size"] = max(changes["img_size"])
    path = evaluation.run.path
    return options.again(**changes, out=path.with_name(f"{path.name}-mended"))


def _on_arguments(
    advice: Advice, classifier: Classifier, evaluation: Evaluation, options: EvaluateOptions
) -> Advice:
    """Add what may be wrong besides the preprocessing, and a command that tries it."""
    network = classifier.network
    untold = untold_arguments(network.name, network.arguments)
    may_be = (
        "the reason may be another: an argument that the network was trained with, and that its "
        "weights do not hold; add it,"
    )
    if not untold:
        return advice._replace(further=f"{may_be} as --model-kwargs K=V")
    (name, value), path = next(iter(untold.items())), evaluation.run.path
    command = options.again(
        model_kwargs=[*(options.model_kwargs or ()), f"{name}={value}"],
        out=path.with_name(f"{path.name}-{name}-{value}"),
    )
    return advice._replace(
        further=f"{may_be} like --model-kwargs {name}={value}",
        untold=untold,
        command=command,
    )


def _words(key: str, value: Any) -> list[str]:
    if key == "img_size":
        return [str(max(value))]
    if value is True:
        return []
    return [
        f"{number:.4g}" if isinstance(number, float) else str(number)
        for number in (value if isinstance(value, tuple) else [value])
    ]
