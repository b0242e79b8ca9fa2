"""Tables of how alike hiding a part changes features: by part and layer, and by part."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student

from errlens.analysis.correspondence.alike import Alike, how_alike
from errlens.analysis.correspondence.changes import Changes, PartChanges, Units
from errlens.analysis.statistics.significance import benjamini_hochberg
from errlens.run.csv_tables import NUMBER, TEXT, TRUTH, WHOLE, Columns

ALIKE: Final[Columns] = {
    "part": TEXT, "layer": TEXT, "units": TEXT, "n_units": WHOLE, "n": WHOLE, "distance": NUMBER,
    "random_mean": NUMBER, "random_low": NUMBER, "random_high": NUMBER, "p_value": NUMBER,
    "q_value": NUMBER, "alike": TRUTH, "changed": NUMBER, "random_changed": NUMBER,
    "strength": NUMBER, "strong_distance": NUMBER,
}  # fmt: skip
PARTS: Final[Columns] = {
    "part": TEXT, "n": WHOLE, "outlined": WHOLE, "cropped_away": WHOLE, "no_room": WHOLE,
    "outside": WHOLE, "area": NUMBER, "of_object": NUMBER, "random_of_object": NUMBER,
    "probability": NUMBER, "hidden": NUMBER, "random_hidden": NUMBER, "costs_more": NUMBER,
    "low": NUMBER, "high": NUMBER,
}  # fmt: skip
LEAST_IMAGES: Final = 2  # of fewer there is no pair
SIGNIFICANT: Final = 0.05  # the false discovery rate at which a part is said to correspond


class Held(NamedTuple):
    """A part at one kind of units, and what was found."""

    part: str
    units: Units
    alike: Alike


def held_against_chance(
    changes: Changes,
    *,
    permutations: int,
    seed: int,
    advance: Callable[[int], None] = lambda _tests: None,
) -> list[Held]:
    """Test each part of two images at least, at each kind of units; repeated kinds once.

    Args:
        changes: What hiding changes.
        permutations: Draws of each test.
        seed: Decides what is drawn.
        advance: Told of tests done.
    """
    found = []
    for part in changes.parts:
        if len(part) < LEAST_IMAGES:
            continue
        for at in changes.compared:
            alike = how_alike(
                part.signs[at], part.sizes[:, :, at], permutations=permutations, seed=seed
            )
            found.append(Held(part.part, changes.units[at], alike))
            advance(1)
    return found


def alike_table(tests: Sequence[Held]) -> pd.DataFrame:
    """Return `correspondence.csv`: a row for each part and kind of units, in their order.

    `q_value` is the false discovery rate over all rows, and `alike` says that it is at most 5 %.
    """
    rows = [
        (part, units.layer, units.kind, units.n, len(alike.single), *alike[:-1])
        for part, units, alike in tests
    ]
    about = ("part", "layer", "units", "n_units", "n")
    table = pd.DataFrame(rows, columns=[*about, *Alike._fields[:-1]])
    table["q_value"] = benjamini_hochberg(table["p_value"].to_numpy(float), tests=len(table))
    table["alike"] = table["q_value"] <= SIGNIFICANT
    return table[[*ALIKE]]


def part_table(changes: Changes, why: Mapping[str, str]) -> pd.DataFrame:
    """Return `parts.csv`: what is hidden of each part, and what that costs the class followed.

    `costs_more` is by how much hiding the part lowers the probability more than hiding a region
    does, on average, with its 95 % interval (Student's t, over images).

    Args:
        changes: What hiding changes.
        why: The column of each reason for which images are left out.
    """
    return pd.DataFrame([_part_row(part, changes, why) for part in changes.parts], columns=[*PARTS])


def _part_row(part: PartChanges, changes: Changes, why: Mapping[str, str]) -> dict[str, Any]:
    reasons = Counter(part.left_out.values())
    heights, widths = (part.boxes[:, 0, side + 2] - part.boxes[:, 0, side] for side in (0, 1))
    regions = part.probability[:, 2:].mean(axis=1) if len(part) else np.zeros(0)
    more = regions - part.probability[:, 1]
    low, high = interval_of_mean(more)
    return {
        "part": part.part,
        "n": len(part),
        "outlined": int(part.outlined.sum()),
        **{column: reasons[reason] for reason, column in why.items()},
        "area": _mean(heights * widths / np.prod(changes.size)),
        "of_object": _mean(part.of_object[part.outlined, 0]),
        "random_of_object": _mean(part.of_object[part.outlined, 1:]),
        "probability": _mean(part.probability[:, 0]),
        "hidden": _mean(part.probability[:, 1]),
        "random_hidden": _mean(regions),
        "costs_more": _mean(more),
        "low": low,
        "high": high,
    }


def interval_of_mean(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the 95 % interval of a mean (Student's t); nan of fewer than two values.

    >>> [round(end, 3) for end in interval_of_mean(np.array([0.0, 1.0, 2.0]))]
    [-1.484, 3.484]
    """
    n = len(values)
    if n < 2:
        return np.nan, np.nan
    reach = float(student.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n))
    mean = float(values.mean())
    return mean - reach, mean + reach


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if values.size else np.nan
