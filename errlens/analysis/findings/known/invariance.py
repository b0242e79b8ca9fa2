"""The finding that classes are lost under transforms that ordinary photos have."""

from collections.abc import Iterator
from typing import Final

import pandas as pd

from errlens.analysis.findings.finding import RUN, Finding
from errlens.analysis.findings.scored import Scored
from errlens.analysis.invariance.breaking import SIDES, SURE
from errlens.analysis.statistics.intervals import wilson_interval
from errlens.data.photos.transforms import TRANSFORM_OF
from errlens.errors import some
from errlens.formats import are, count, of, p_value, share_range

MOST_SELECTED: Final = 3  # classes that the next command looks at


def from_invariance(images: Scored, natural: pd.DataFrame, lost: pd.DataFrame) -> Iterator[Finding]:
    """Yield a finding for each transform that breaks classes for sure, at sizes photos have.

    A class breaks where more of its images are lost than are right there: by a sign test at 1 %,
    corrected for all classes and transforms (see `natural_table`). The images are right in the run:
    these errors are no errors of it, but of photos that come, and so none are explained and no gain
    is known.

    Args:
        images: The images that are right or wrong.
        natural: natural.csv.
        lost: lost.csv.
    """
    sure = natural[
        (natural["q_value"] <= SURE)
        & natural["class_name"].isin(images.classes.names)
        & natural["transform"].isin(TRANSFORM_OF)
    ]
    for name, of_transform in sure.groupby("transform", sort=False):
        transform = TRANSFORM_OF[str(name)]
        # Of each class the smallest size that breaks it, the surest class first.
        easiest = of_transform.assign(strength=of_transform["size"].map(transform.strength))
        easiest = easiest.sort_values(["strength", "q_value"], kind="stable")
        easiest = easiest.drop_duplicates("class_name").sort_values("q_value", kind="stable")
        first, classes = easiest.iloc[0], easiest["class_name"].tolist()
        n, there = int(first["n"]), int(first["right_there"])
        others = f"; so {are(len(classes) - 1)} {some(classes[1:])}" if classes[1:] else ""
        rows = easiest.merge(lost, on=["class_name", "transform", "size"])["row"]
        rows = rows.drop_duplicates().astype(int)
        low, high = wilson_interval(there, n)
        selected = [f"true:{each}" for each in classes[:MOST_SELECTED]]
        yield Finding(
            kind="invariance",
            statement=f"{first['class_name']} is lost when photos are "
            f"{transform.done(first['size'])}, as ordinary photos are: {of(there, n)} right "
            f"instead of {count(first['right'])}{others}. Training on such photos as well may "
            "mend it.",
            rows=tuple(rows),
            n_errors=int(images.wrong[pd.Series(images.row).isin(rows)].sum()),
            q_value=float(first["q_value"]),
            evidence=f"{count(first['lost'])} lost, {count(there)} right there "
            f"(95 % interval {share_range(float(low), float(high))}); sign test "
            f"{p_value(float(first['p_value']))}, corrected for "
            f"{count(SIDES * len(images.classes))} tests: {SIDES} directions of transforms in each "
            "class",
            command=(
                "network", "invariance", RUN, "--transform", transform.name,
                *(word for each in selected for word in ("--select", each)),
                "-o", f"{RUN}/network/{transform.name}",
            ),
            subject={"transform": transform.name, "size": float(first["size"]), "classes": classes},
        )  # fmt: skip
