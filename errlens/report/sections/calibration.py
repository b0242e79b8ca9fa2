"""How far confidences can be taken at their word: in which direction they are off, and how far."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from errlens.analysis.accuracy.calibration import ReliabilityBin
from errlens.analysis.accuracy.reference import ece_at, ece_by_chance
from errlens.analysis.accuracy.temperature import MOST
from errlens.analysis.findings.finding import Finding
from errlens.analysis.findings.known.calibration import LEAST_IMAGES, temperature_scaling
from errlens.analysis.findings.scored import Scored, read_kept
from errlens.analysis.statistics.intervals import wilson_interval
from errlens.formats import number, share, share_range, significant
from errlens.run.folder import RunFolder

_MORE_THAN_NOISE: Final = 0.02  # of NLL, below which a temperature changes nothing


class Calibration(NamedTuple):
    """The reliability diagram in numbers and in words.

    `bins` are those of metrics.json; `sentences` say in which direction confidences are off.
    `by_chance` is the ECE to expect of honest confidences; `nll` and `ece` are what the best
    temperature reaches, the former on images held out; None where no logits were kept.
    """

    bins: Sequence[Mapping[str, Any]]
    sentences: Sequence[str]
    by_chance: float
    nll: float | None = None
    ece: float | None = None


def calibration(
    run: RunFolder, metrics: Mapping[str, Any], images: Scored, findings: Sequence[Finding]
) -> Calibration:
    """Return what there is to say of the confidences of a run.

    Args:
        run: The run, for the logits that it kept.
        metrics: Its metrics.json.
        images: Its images that are right or wrong.
        findings: All of its findings; one on calibration says what is to be said.
    """
    bins = metrics.get("reliability") or []
    by_chance = ece_by_chance([ReliabilityBin(**each) for each in bins])
    told = next((finding for finding in findings if finding.kind == "calibration"), None)
    reach = _reach(run, images, told)
    if told is None:
        sentences = _direction(images, reach)
    elif reach is None or not metrics.get("ece"):
        sentences = [told.statement]
    else:
        ece = f"ECE goes from {number(metrics['ece']['value'])} to {number(reach.ece)}."
        sentences = [told.statement, ece]
    return Calibration(
        bins, sentences, by_chance, reach and reach.after, reach.ece if reach else None
    )


class _Reach(NamedTuple):
    """What the best temperature does: mean NLL before and after, and ECE after it."""

    temperature: float
    before: float
    after: float
    ece: float | None


def _reach(run: RunFolder, images: Scored, told: Finding | None) -> _Reach | None:
    """Return what the best temperature does, None where that is not known.

    The finding knows it, and need not be asked for it again. Else a part of the images will do.
    """
    if len(images) < LEAST_IMAGES or len(images.classes) < 2:
        return None
    logits = read_kept(run, "logits", images)
    if logits is None or not np.isfinite(logits).all():
        return None
    if told is not None:
        temperature, (before, after) = told.subject["temperature"], told.subject["nll"]
    else:
        part = np.unique(np.linspace(0, len(images) - 1, min(len(images), MOST)).astype(int))
        temperature, before, after, *_ = temperature_scaling(logits[part], images.label[part])
    scaled = np.full(len(images), temperature)
    return _Reach(temperature, before, after, ece_at(logits, images.label, scaled))


def _direction(images: Scored, scaling: _Reach | None) -> list[str]:
    """Say whether the mean confidence is the share of right images, or how far that is from it."""
    known = ~np.isnan(images.confidence)
    n = int(known.sum())
    if not n:
        return []
    right, mean = int((~images.wrong[known]).sum()), float(images.confidence[known].mean())
    low, high = map(float, wilson_interval(right, n))
    figures = f"its mean confidence is {share(mean)}, and {share(right / n)} are right"
    interval = f"95 % interval {share_range(low, high)}"
    if low <= mean <= high:
        sentences = [f"On the whole the model is as sure as it should be: {figures} ({interval})."]
    else:
        side = "too cautious" if mean < low else "too sure of itself"
        sentences = [f"The model is {side}: {figures} ({interval})."]
    if scaling and scaling.before - scaling.after < _MORE_THAN_NOISE * scaling.before:
        sentences.append(
            f"No temperature does much better: the best, {significant(scaling.temperature)}, takes "
            f"NLL from {number(scaling.before)} to {number(scaling.after)} on images held out."
        )
    elif scaling:
        sentences.append(
            f"Dividing the logits by {significant(scaling.temperature)} takes NLL from "
            f"{number(scaling.before)} to {number(scaling.after)} on images held out."
        )
    return sentences
