"""Which class breaks for sure at sizes of transforms that ordinary photos have."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.invariance.answers import Answers, Step
from errlens.analysis.invariance.tables import identity
from errlens.analysis.statistics.significance import sign_test
from errlens.data.photos.transforms import TRANSFORMS, Transform
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE, Columns

KIND: Final = "network/invariance"
NATURAL: Final[Columns] = {
    "class_name": TEXT, "transform": TEXT, "size": NUMBER, "n": WHOLE, "right": WHOLE,
    "lost": WHOLE, "right_there": WHOLE, "p_value": NUMBER, "q_value": NUMBER,
}  # fmt: skip
LOST: Final[Columns] = {
    "class_name": TEXT, "transform": TEXT, "size": NUMBER, "row": WHOLE, "pred_name": TEXT,
}  # fmt: skip
SURE: Final = 0.01  # of q: a false alarm in a hundred runs


def sides_of(transform: Transform) -> list[list[float]]:
    """Return the natural sizes below and above the identity, in each the strongest first.

    >>> [sides_of(each) for each in TRANSFORMS if each.name in ("brightness", "rotate")]
    [[[20, 10]], [[0.7, 0.85], [1.3, 1.15]]]
    """
    natural = [
        size for size in transform.sizes if transform.is_natural(size) and transform.strength(size)
    ]
    natural.sort(key=transform.strength, reverse=True)
    sides = (
        [size for size in natural if size < transform.identity],
        [size for size in natural if size > transform.identity],
    )
    return [side for side in sides if side]


SIDES: Final = sum(len(sides_of(transform)) for transform in TRANSFORMS)


def natural_table(
    answers: Answers, transforms: Sequence[Transform], names: Sequence[str]
) -> pd.DataFrame:
    """Return `natural.csv`: a row for each class and natural size of each transform.

    `lost` are images that are right as they are and wrong there. `p_value` is that of a sign test:
    how likely so many are lost where an image is as likely to be right there as to be lost.
    `q_value` is corrected for all that may be tried (Bonferroni): each class of the network and
    each side of each transform that errlens knows, whatever was asked for, so that asking again
    for less makes nothing surer. On a side the strongest natural size is tested first, and a weaker
    one counts only where all stronger ones do (W. Maurer, L. Hothorn, W. Lehmacher, 1995), so that
    the sizes of a side need no correction of their own.

    Args:
        answers: Without labels, the table is empty.
        transforms: Those of the answers.
        names: Of all classes of the network, by their index.
    """
    rows: list[tuple[Any, ...]] = []
    classes = np.unique(answers.label[answers.label >= 0]).tolist()
    for transform in transforms:
        before = answers.pred[:, identity(answers, transform)] == answers.label
        for side in sides_of(transform):
            for label in classes:
                of_class = answers.label == label
                start = before[of_class]
                for size in side:
                    at = answers.steps.index(Step(transform.name, size))
                    there = answers.pred[of_class, at] == label
                    lost = start & ~there
                    rows.append(
                        (names[label], transform.name, size, len(start), start.sum(), lost.sum(),
                         there.sum(), (label, transform.name, side[0]))
                    )  # fmt: skip
    table = pd.DataFrame(rows, columns=[*list(NATURAL)[:-2], "side"])
    p_value = sign_test(table["lost"].astype(int), table["right_there"].astype(int))
    corrected = pd.Series(np.minimum(1.0, p_value * SIDES * len(names)))
    table = table.assign(p_value=p_value, q_value=corrected.groupby(table["side"]).cummax())
    table = table.astype({name: float for name, kind in NATURAL.items() if kind == NUMBER})
    return table.sort_values("q_value", kind="stable", ignore_index=True)[list(NATURAL)]


def lost_table(
    answers: Answers,
    transforms: Sequence[Transform],
    names: Sequence[str],
    rows: NDArray[np.int64],
    natural: pd.DataFrame,
) -> pd.DataFrame:
    """Return `lost.csv`: the images lost where a class breaks for sure, at each such size.

    Args:
        answers: Of the network.
        transforms: Those of the answers.
        names: Of all classes of the network, by their index.
        rows: Of the run, of the images of the answers, shape (n,); -1 of photos that are of none.
        natural: As `natural_table` has it.
    """
    of = {transform.name: transform for transform in transforms}
    indices = {name: index for index, name in enumerate(names)}
    found: list[dict[str, Any]] = []
    for broken in natural[natural["q_value"] <= SURE].to_dict("records"):
        label, transform = indices[broken["class_name"]], of[broken["transform"]]
        there = answers.pred[:, answers.steps.index((transform.name, broken["size"]))]
        before = answers.pred[:, identity(answers, transform)]
        lost = (answers.label == label) & (before == label) & (there != label) & (rows >= 0)
        for image in np.flatnonzero(lost).tolist():
            pred = int(there[image])
            values = (
                broken["class_name"], transform.name, broken["size"], int(rows[image]),
                names[pred] if pred >= 0 else None,
            )  # fmt: skip
            found.append(dict(zip(LOST, values, strict=True)))
    return pd.DataFrame(found, columns=list(LOST)).astype({"size": float})
