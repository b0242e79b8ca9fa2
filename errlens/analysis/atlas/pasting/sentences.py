"""What patches do, in sentences."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from errlens.analysis.atlas.pasting.answers import OTHER
from errlens.analysis.atlas.pasting.testing import CONFIRMED, NOT_SHOWN, REFUTED
from errlens.formats import counted, of, points, probability, share, share_range

LEAST_PASTES: Final = 10  # of a class: of fewer, how often it turns is hardly known
_CALLED = {CONFIRMED: "Confirmed", REFUTED: "Refuted", NOT_SHOWN: "Not shown"}


def statement_of(verdict: Mapping[str, Any]) -> str:
    """Say what a suspect does beside its controls, at the size at which it does most.

    Args:
        verdict: A row of verdicts.csv.
    """
    n = int(verdict["n"])
    return (
        f"{called(verdict)}, pasted into {counted(int(verdict['n_images']), 'photo')} of "
        f"{verdict['from_class']} at a size of {share(verdict['size'])}, makes "
        f"{verdict['to_class']} of {share(verdict['rate'], n)} "
        f"({of(int(verdict['flips']), n)}, 95 % interval "
        f"{share_range(verdict['low'], verdict['high'])}){_beside(verdict, n)}."
    )


def called(verdict: Mapping[str, Any]) -> str:
    """Say what a suspect is: where it was cut from."""
    if pd.isna(verdict["patch_class"]):
        return f"Patch {verdict['source']}"
    return f"A patch of {verdict['patch_class']} ({verdict['source']})"


def judgement_of(verdict: Mapping[str, Any]) -> str:
    """Say what the test comes to, and why.

    Args:
        verdict: A row of verdicts.csv.
    """
    reason = verdict["reason"]
    because = "" if pd.isna(reason) or not reason else f": {reason}"
    if verdict["verdict"] == CONFIRMED and not verdict["flips"]:
        because = ", but it is too weak to turn a photo"
    control = verdict["control_effect"]
    against = "" if pd.isna(control) else f", the strongest control by {points(control)}"
    return (
        f"{_CALLED[str(verdict['verdict'])]}{because}. In the mean it changes the probability of "
        f"{verdict['to_class']} by {points(verdict['effect'])}{against} "
        f"(q {probability(verdict['q_value'])})."
    )


def caveat_of(verdict: Mapping[str, Any]) -> str:
    """Say what a verdict cannot mean: a patch of the class itself raises it; nothing otherwise."""
    if pd.isna(verdict["patch_class"]) or verdict["patch_class"] != verdict["to_class"]:
        return ""
    return (
        f"The patch was cut from a photo of {verdict['to_class']} itself: that this raises "
        f"{verdict['to_class']} is no wonder, and no reason to suspect anything."
    )


def origin_of(origins: pd.DataFrame, to_class: str) -> str:
    """Say images of which class a suspect turns most often; nothing of one class, or of few pastes.

    Args:
        origins: What `by_origin` returns.
        to_class: What they are turned into.
    """
    if len(origins) < 2:
        return ""
    told = origins[origins["n"] >= LEAST_PASTES]
    if not len(told) or not told["flips"].iloc[0]:
        return ""
    first = told.iloc[0]
    flips, n = int(first["flips"]), int(first["n"])
    return f"Photos of {first['class_name']} are taken for {to_class} most often: {of(flips, n)}."


def in_words(verdict: Mapping[str, Any], origins: pd.DataFrame) -> list[str]:
    """Return all sentences on a suspect."""
    said = (
        statement_of(verdict),
        origin_of(origins, verdict["to_class"]),
        judgement_of(verdict),
        caveat_of(verdict),
    )
    return [sentence for sentence in said if sentence]


def _beside(verdict: Mapping[str, Any], n: int) -> str:
    noise, control = verdict["noise_rate"], verdict["control_rate"]
    told = []
    if not pd.isna(noise):
        told.append(f"noise of its colours of {share(noise, n)}")
    if not pd.isna(control):
        name = str(verdict["control"]).removeprefix(f"{OTHER}:")
        told.append(f"the strongest crop of another class ({name}) of {share(control, n)}")
    return f"; {' and '.join(told)}" if told else ""
