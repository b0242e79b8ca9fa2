"""How far confidences can be taken at their word: in which direction they are off, and how far."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from errlens.analysis.accuracy.calibration import ReliabilityBin
from errlens.analysis.accuracy.reference import ece_at, ece_by_chance
from errlens.analysis.findings.finding import Finding
from errlens.analysis.findings.known.calibration import LEAST_IMAGES, Scaling, temperature_scaling
from errlens.analysis.findings.scored import Scored, read_kept
from errlens.analysis.statistics.intervals import wilson_interval
from errlens.formats import number, share, share_range, significant
from errlens.run.folder import RunFolder

_MORE_THAN_NOISE: Final = 0.02  # of NLL, below which a temperature changes nothing


class Calibration(NamedTuple):
    """The reliability diagram in numbers and in words.

    `bins` are those of metrics.json; `sentences` say in which direction confidences are off.
    `by_chance` is the ECE to expect of honest confidences; `nll` and `ece` are what the best
    temperature reaches on images held out, None where no logits were kept.
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
    told = [finding.statement for finding in findings if finding.kind == "calibration"]
    scaling, ece = _reach(run, images)
    sentences = told or _direction(images, scaling)
    if told and ece is not None and metrics.get("ece"):
        sentences = [*told, f"ECE goes from {number(metrics['ece']['value'])} to {number(ece)}."]
    return Calibration(bins, sentences, by_chance, scaling and scaling.after, ece)


def _reach(run: RunFolder, images: Scored) -> tuple[Scaling | None, float | None]:
    """Return what the best temperature does on images held out; nothing where that is not known."""
    if len(images) < LEAST_IMAGES or len(images.classes) < 2:
        return None, None
    logits = read_kept(run, "logits", images)
    if logits is None or not np.isfinite(logits).all():
        return None, None
    scaling = temperature_scaling(logits, images.label)
    return scaling, ece_at(logits, images.label, scaling.held_out)


def _direction(images: Scored, scaling: Scaling | None) -> list[str]:
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
