"""What the tables of correspondence come to, in sentences that claim no more than was tested."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Final

import pandas as pd

from errlens.analysis.correspondence.changes import CHANNELS, PLACES
from errlens.formats import counted, of, probability, signed, times

Row = Mapping[Hashable, Any]  # of a table

_NO_PLACE: Final = (
    "Means over a whole channel do not know where anything is, so like places in the pictures are "
    "not the reason."
)
_PLACE: Final = (
    "The means of channels, which do not know where anything is, change no more alike than by "
    "chance: like places in the pictures may be the reason."
)


def in_words(alike: pd.DataFrame, parts: pd.DataFrame, *, labelled: bool) -> list[str]:
    """Say of each part whether it corresponds, and what hiding it costs.

    Args:
        alike: As `alike_table` has it.
        parts: As `part_table` has it.
        labelled: Whether the probability is that of the true class.
    """
    said = []
    for row in parts.to_dict("records"):
        of_part = alike[alike["part"] == row["part"]]
        if len(of_part):
            said += [_correspondence(row, of_part), _cost(row, labelled=labelled)]
        else:
            said.append(
                f"Of {row['part']!r} nothing can be said: {counted(row['n'], 'image')} "
                "with it and with room to hide as much elsewhere."
            )
    return said


def elsewhere(row: Row) -> str:
    """Say where regions lie that are hidden instead of a part.

    >>> elsewhere({"n": 9, "outlined": 9}), elsewhere({"n": 9, "outlined": 0})
    ('elsewhere in the object', 'elsewhere in the photo')
    >>> elsewhere({"n": 9, "outlined": 4})
    'elsewhere (in the object where its outline is known, of 4 of 9)'
    """
    if row["outlined"] == row["n"]:
        return "elsewhere in the object"
    if not row["outlined"]:
        return "elsewhere in the photo"
    return (
        f"elsewhere (in the object where its outline is known, of {of(row['outlined'], row['n'])})"
    )


def strongest(rows: pd.DataFrame) -> Row:
    """Return the row of a table that is told first: the least q, then the largest difference."""
    ranked = rows.assign(gain=1 - rows["distance"] / rows["random_mean"])
    first: Row = ranked.sort_values(
        ["q_value", "gain"], ascending=[True, False], kind="stable"
    ).to_dict("records")[0]
    return first


def _correspondence(row: Row, rows: pd.DataFrame) -> str:
    part = f"the {row['part']} of {counted(row['n'], 'image')}"
    instead = f"hiding as much {elsewhere(row)}"
    by_kind = {kind: rows[rows["alike"] & (rows["units"] == kind)] for kind in (CHANNELS, PLACES)}
    if len(found := by_kind[CHANNELS]):
        best, why = strongest(found), _NO_PLACE
        what = f"the means of the channels of {best['layer']}"
    elif len(found := by_kind[PLACES]):
        best, why = strongest(found), _PLACE
        what = f"{best['layer']}, channel by channel and place by place,"
    else:
        best = strongest(rows)
        return (
            f"Whether hiding {part} changes any layer more alike than {instead} does cannot be "
            f"told (least q {probability(best['q_value'])}, at {best['layer']})."
        )
    others = [layer for layer in dict.fromkeys(found["layer"]) if layer != best["layer"]]
    also = f"; those of {_listed(others)} likewise" if others else ""
    return (
        f"Hiding {part} changes {what} more alike than {instead} does: their distance is "
        f"{probability(best['distance'])}, that of regions drawn at random "
        f"{probability(best['random_mean'])} (95 % of draws {probability(best['random_low'])} to "
        f"{probability(best['random_high'])}; q {probability(best['q_value'])}){also}. "
        f"{why} {_strength(row, best)}"
    )


def _strength(row: Row, best: Row) -> str:
    """Say how far the part moves features, and how alike those regions do that move them far."""
    text = (
        f"Hiding the {row['part']} moves them {times(best['strength'])} times as far as hiding a "
        "region; of the regions that move them furthest, one an image, the distance is "
        f"{probability(best['strong_distance'])}"
    )
    enough = best["strong_distance"] <= best["distance"]
    return f"{text}: how far they are moved may be the reason." if enough else f"{text}."


def _listed(names: Sequence[str]) -> str:
    """Write names one after the other.

    >>> _listed(["a"]), _listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _cost(row: Row, *, labelled: bool) -> str:
    whose = "the true class" if labelled else "the class predicted"
    text = (
        f"The mean probability of {whose} is {probability(row['probability'])} as it is, "
        f"{probability(row['hidden'])} with the {row['part']} hidden, and "
        f"{probability(row['random_hidden'])} with as much hidden elsewhere"
    )
    between = f"95 % interval of the difference {signed(row['low'])} to {signed(row['high'])}"
    if row["low"] <= 0 <= row["high"]:
        return f"{text}: which of both costs more cannot be told ({between})."
    much = signed(abs(row["costs_more"]))[1:]
    more = "more" if row["low"] > 0 else "less"
    return f"{text}: hiding the {row['part']} costs {much} {more} ({between})."
