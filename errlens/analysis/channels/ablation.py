"""What silencing channels does: which errors go, and which right answers break."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.statistics.significance import mcnemar_exact, sign_test
from errlens.data.stratified import stratified_rows
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE, Columns

KIND: Final = "network/channels"  # the folder of a run that the tables lie in

ABLATION_COLUMNS: Final[Columns] = {
    "class_a": TEXT,
    "class_b": TEXT,
    "layer": TEXT,
    "role": TEXT,  # suspect or random
    "channels": TEXT,  # one, or all of the role together: 3,14,47
    "n": WHOLE,  # images asked again
    "pair_errors": WHOLE,  # A taken for B, and B for A
    "pair_fixed": WHOLE,  # of these, right now
    "pair_right": WHOLE,  # images of A and of B that were right
    "pair_broken": WHOLE,  # of these, wrong now
    "errors": WHOLE,  # of all images asked
    "fixed": WHOLE,
    "right": WHOLE,
    "broken": WHOLE,
    "weight": NUMBER,  # how many images of the run each one of another class stands for
    "difference": NUMBER,  # of the accuracy over the run: fixed less broken, weighted
    "p_pair": NUMBER,  # McNemar: fixed errors of the pair against broken images of both classes
    "p_value": NUMBER,  # McNemar: all that were fixed against all that were broken
    "p_random": NUMBER,  # of a suspect alone, one-sided: fixes more than the best random channel
    "p_better": NUMBER,  # likewise: the run gets better
    "q_value": NUMBER,  # that, corrected for all channels that might have been suspects
}
CHANGE_COLUMNS: Final[Columns] = {
    "layer": TEXT,
    "role": TEXT,
    "channels": TEXT,
    "change": TEXT,  # fixed, broken, or other: wrong before and wrong in another way now
    "row": WHOLE,
    "sample_id": TEXT,
    "path": TEXT,
    "label_name": TEXT,
    "pred_name": TEXT,
    "now_name": TEXT,
}
SUSPECT: Final = "suspect"
RANDOM: Final = "random"
_ROUNDING: Final = 1e-9
OTHERS: Final = 2_000  # images of other classes that are asked again at most


class Variant(NamedTuple):
    """Channels that are silenced at once; `role` is suspect or random."""

    role: str
    channels: tuple[int, ...]

    @property
    def name(self) -> str:
        """The channels as a table names them.

        >>> Variant(SUSPECT, (3, 14)).name
        '3,14'
        """
        return ",".join(map(str, self.channels))


def variants_of(suspected: Sequence[int], controls: Sequence[int]) -> list[Variant]:
    """Return what is silenced: each channel alone, and all of a role together if several.

    >>> [variant.name for variant in variants_of([7, 3], [5])]
    ['7', '3', '7,3', '5']
    """
    variants = []
    for role, channels in ((SUSPECT, suspected), (RANDOM, controls)):
        variants += [Variant(role, (channel,)) for channel in channels]
        if len(channels) > 1:
            variants.append(Variant(role, tuple(channels)))
    return variants


def to_ask_again(
    label: NDArray[np.integer], a: int, b: int, *, others: int = OTHERS, seed: int
) -> NDArray[np.intp]:
    """Choose the images to ask again: all of both classes, and of the rest up to `others`.

    Of these, every class has its share. Returns places in `label`, ascending.
    """
    of_pair = np.flatnonzero((label == a) | (label == b))
    rest = np.flatnonzero((label != a) & (label != b))
    drawn = rest[stratified_rows(label[rest], others, seed=seed)] if len(rest) else rest
    return np.sort(np.concatenate([of_pair, drawn]))


@dataclass(frozen=True)
class Silenced:
    """What is predicted of n images as they are, and with channels of a layer silenced.

    `label` and `pred` are class indices of shape (n,), `now` of shape (n, variants). `chosen_from`
    is how many channels the suspects were chosen from, and `weight` how many images of the run each
    image of another class than A and B stands for.
    """

    layer: str
    variants: Sequence[Variant]
    label: NDArray[np.integer]
    pred: NDArray[np.integer]
    now: NDArray[np.integer]
    chosen_from: int
    weight: float = 1.0


def ablation_table(
    silenced: Silenced, pair: tuple[int, int], names: tuple[str, str]
) -> pd.DataFrame:
    """Return ablation.csv, one row a variant, in their order.

    The suspects were chosen by the same images that they are judged by here: so what one of them
    does is held against all channels that might have been chosen (Bonferroni).

    Images of other classes may be a sample. Then each one that breaks counts as all it stands for
    where it is asked whether the run gets better, and each one that is fixed as one: what was not
    asked again is held against a channel, not for it.
    """
    label, pred = silenced.label, silenced.pred
    right, right_now = pred == label, silenced.now == label[:, None]
    fixed, broken = ~right[:, None] & right_now, right[:, None] & ~right_now
    inside = np.isin(label, pair)
    of_pair = inside & np.isin(pred, pair) & ~right
    best = _most_by_random(silenced.variants, fixed & of_pair[:, None])

    rows = []
    for at, variant in enumerate(silenced.variants):
        gone, lost = fixed[:, at], broken[:, at]
        row: dict[str, Any] = {
            "class_a": names[0],
            "class_b": names[1],
            "layer": silenced.layer,
            "role": variant.role,
            "channels": variant.name,
            "n": len(gone),
            "pair_errors": int(of_pair.sum()),
            "pair_fixed": int((gone & of_pair).sum()),
            "pair_right": int((inside & right).sum()),
            "pair_broken": int((lost & inside).sum()),
            "errors": int((~right).sum()),
            "fixed": int(gone.sum()),
            "right": int(right.sum()),
            "broken": int(lost.sum()),
            "weight": silenced.weight,
        }
        for_run = np.where(inside, 1.0, silenced.weight)
        won = float(((gone.astype(int) - lost) * for_run).sum())
        row["difference"] = won / for_run.sum() if len(gone) else None
        row["p_pair"] = float(mcnemar_exact(row["pair_broken"], row["pair_fixed"]))
        row["p_value"] = float(mcnemar_exact(row["broken"], row["fixed"]))
        if variant.role == SUSPECT and len(variant.channels) == 1:
            better = float(sign_test(row["fixed"], broken_of_run(row)))
            row["p_random"] = _beyond(gone & of_pair, best)
            row["p_better"], row["q_value"] = better, min(1.0, better * silenced.chosen_from)
        rows.append(row)
    table = pd.DataFrame(rows, columns=list(ABLATION_COLUMNS))
    numbers = [name for name, kind in ABLATION_COLUMNS.items() if kind == NUMBER]
    return table.astype(dict.fromkeys(numbers, "float64"))


def broken_of_run(row: Any) -> int:
    """Return how many right answers of the whole run break, by a row of ablation.csv.

    An image of another class counts as all those that it stands for.
    """
    others = int(row["broken"]) - int(row["pair_broken"])
    return int(row["pair_broken"]) + ceil(float(row["weight"]) * others - _ROUNDING)


def changed_answers(silenced: Silenced) -> list[tuple[int, int, str]]:
    """Return each answer that changed: the places of variant and image, and what it is now."""
    right = silenced.pred == silenced.label
    changes = []
    for at in range(len(silenced.variants)):
        now = silenced.now[:, at]
        for image in np.flatnonzero(now != silenced.pred):
            fixed = now[image] == silenced.label[image]
            kind = "broken" if right[image] else "fixed" if fixed else "other"
            changes.append((at, int(image), kind))
    return changes


def _most_by_random(
    variants: Sequence[Variant], fixed: NDArray[np.bool_]
) -> NDArray[np.bool_] | None:
    """Return which errors of the pair the random channel fixes that fixes most, shape (n,)."""
    controls = [
        at for at, each in enumerate(variants) if each.role == RANDOM and len(each.channels) == 1
    ]
    if not controls:
        return None
    return fixed[:, max(controls, key=lambda at: int(fixed[:, at].sum()))]


def _beyond(fixed: NDArray[np.bool_], best: NDArray[np.bool_] | None) -> float | None:
    """Return how likely so many more fixed errors than those of a random channel are by chance."""
    if best is None:
        return None
    return float(sign_test(int((fixed & ~best).sum()), int((best & ~fixed).sum())))
