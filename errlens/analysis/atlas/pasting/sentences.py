"""What patches do, in sentences."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from errlens.analysis.atlas.pasting.answers import OTHER
from errlens.analysis.atlas.pasting.testing import CONFIRMED, NOT_SHOWN, REFUTED
from errlens.formats import counted, of, points, probability, share, share_range

_CALLED = {CONFIRMED: "Confirmed", REFUTED: "Refuted", NOT_SHOWN: "Not shown"}


def statement_of(verdict: Mapping[str, Any]) -> str:
    """Say what a suspect does beside its controls, at the size at which it does most.

    Args:
        verdict: A row of verdicts.csv.
    """
    n = int(verdict["n"])
    return (
        f"{called(verdict)} turns {share(verdict['rate'], n)} of pastes into "
        f"{counted(int(verdict['n_images']), 'photo')} of {verdict['from_class']} into "
        f"{verdict['to_class']} ({of(int(verdict['flips']), n)}, interval "
        f"{share_range(verdict['low'], verdict['high'])}), at a size of "
        f"{share(verdict['size'])}{_beside(verdict, n)}."
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
    kind = str(verdict["verdict"])
    because = (
        "" if pd.isna(verdict["reason"]) or not verdict["reason"] else f": {verdict['reason']}"
    )
    raised = points(verdict["effect"])
    against = (
        ""
        if pd.isna(verdict["control_effect"])
        else (f", the strongest control by {points(verdict['control_effect'])}")
    )
    return (
        f"{_CALLED[kind]}{because}. It raises the probability of {verdict['to_class']} by {raised} "
        f"in the mean{against} (q {probability(verdict['q_value'])})."
    )


def caveat_of(verdict: Mapping[str, Any]) -> str:
    """Say what a verdict cannot mean: a patch of the class itself raises it; nothing otherwise."""
    if pd.isna(verdict["patch_class"]) or verdict["patch_class"] != verdict["to_class"]:
        return ""
    return (
        f"The patch was cut from a photo of {verdict['to_class']} itself: that this raises "
        f"{verdict['to_class']} is no wonder, and no reason to suspect anything."
    )


def in_words(verdict: Mapping[str, Any]) -> list[str]:
    """Return all sentences on a suspect."""
    said = (statement_of(verdict), judgement_of(verdict), caveat_of(verdict))
    return [sentence for sentence in said if sentence]


def _beside(verdict: Mapping[str, Any], n: int) -> str:
    noise, control = verdict["noise_rate"], verdict["control_rate"]
    told = []
    if not pd.isna(noise):
        told.append(f"noise of its colours {share(noise, n)}")
    if not pd.isna(control):
        name = str(verdict["control"]).removeprefix(f"{OTHER}:")
        told.append(f"the strongest crop of another class ({name}) {share(control, n)}")
    return f"; {' and '.join(told)}" if told else ""
