"""What patches do, as tables: an image, a patch at a size and place, and a suspect a row."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.atlas.pasting.answers import NOISE, OTHER, SUSPECT, Answers
from errlens.analysis.atlas.pasting.testing import Verdict, controls_of
from errlens.analysis.statistics.intervals import wilson_interval
from errlens.analysis.statistics.significance import benjamini_hochberg, sign_test
from errlens.classes.names import NO_CLASS
from errlens.run.csv_tables import NUMBER, TEXT, TRUTH, WHOLE, Columns

KIND: Final = "atlas/paste"
ALL: Final = "all"  # positions together
# `row` is empty of photos without a run, `suspect` of crops, which all suspects share.
RESULTS: Final[Columns] = {
    "row": NUMBER, "sample_id": TEXT, "own_class": TEXT, "suspect": NUMBER, "patch": TEXT,
    "size": NUMBER, "position": TEXT, "from_before": NUMBER, "to_before": NUMBER,
    "from_after": NUMBER, "to_after": NUMBER, "pred_before": TEXT, "pred_after": TEXT,
    "flipped": TRUTH,
}  # fmt: skip
SUMMARY: Final[Columns] = {
    "suspect": NUMBER, "patch": TEXT, "size": NUMBER, "position": TEXT, "n_images": WHOLE,
    "n": WHOLE, "flips": WHOLE, "rate": NUMBER, "low": NUMBER, "high": NUMBER,
    "mean_before": NUMBER, "mean_after": NUMBER, "mean_change": NUMBER, "q_value": NUMBER,
}  # fmt: skip
VERDICTS: Final[Columns] = {
    "suspect": WHOLE, "source": TEXT, "layer": TEXT, "cell": NUMBER, "patch_class": TEXT,
    "patch_row": NUMBER, "from_class": TEXT, "to_class": TEXT, "n_images": WHOLE,
    "n_controls": WHOLE, "size": NUMBER, "n": WHOLE, "flips": WHOLE, "rate": NUMBER,
    "low": NUMBER, "high": NUMBER, "noise_rate": NUMBER, "control": TEXT, "control_rate": NUMBER,
    "effect": NUMBER, "control_effect": NUMBER, "p_images": NUMBER, "p_patches": NUMBER,
    "p_value": NUMBER, "q_value": NUMBER, "verdict": TEXT, "reason": TEXT, "picture": TEXT,
}  # fmt: skip


def result_table(
    answers: Answers, names: Sequence[str], images: Sequence[str], rows: Sequence[int] | None
) -> pd.DataFrame:
    """Return results.csv: a row an image, patch, size and position.

    Args:
        answers: What is said.
        names: Of the classes.
        images: What to call each image that was asked about.
        rows: Those of the run; None of photos.
    """
    n, shape = len(answers), answers.pred_after.shape
    image, patch, size, position = (index.ravel() for index in np.indices(shape))
    called = np.array([*names, ""], object)  # the last of what is not finite
    of_image = np.array([images[at] for at in answers.at], object)
    row = np.full(n, np.nan) if rows is None else np.array(rows, np.float64)[answers.at]
    suspects = [facts.suspect or np.nan for facts in answers.patches]
    places = [place.name for place in answers.positions]
    return pd.DataFrame(
        {
            "row": pd.array(row[image]).astype("Int64"),
            "sample_id": of_image[image],
            "own_class": called[answers.own][image],
            "suspect": pd.array(np.array(suspects, np.float64)[patch]).astype("Int64"),
            "patch": np.array([facts.name for facts in answers.patches], object)[patch],
            "size": np.array(answers.sizes, np.float64)[size],
            "position": np.array(places, object)[position],
            "from_before": answers.own_before[image],
            "to_before": answers.to_before[image],
            "from_after": answers.own_after.ravel(),
            "to_after": answers.to_after.ravel(),
            "pred_before": called[answers.pred_before][image],
            "pred_after": called[
                np.where(answers.pred_after == NO_CLASS, -1, answers.pred_after)
            ].ravel(),
            "flipped": answers.flipped.ravel(),
        }
    )


def summary_table(answers: Answers) -> pd.DataFrame:
    """Return summary.csv: a row a patch, size and position, and one of all positions together.

    `flips` are pastes after which the class suspected is predicted and was not before. The 95 %
    interval is Wilson's, of the images: of all positions together, too, for those of one image are
    no independent draws. `q_value`, of suspects, is that of the sign test of flips against each
    control at this size and place, the largest of them, corrected for all sizes, places and
    suspects (Benjamini-Hochberg); it goes into no verdict.
    """
    flipped, raised = answers.flipped, answers.to_after
    n, before = len(answers), float(answers.to_before.mean())
    rows: list[dict[str, Any]] = []
    for number, patch in enumerate(answers.patches):
        for at, size in enumerate(answers.sizes):
            places: dict[str, list[int]] = {
                place.name: [k] for k, place in enumerate(answers.positions)
            }
            if len(answers.positions) > 1:
                places[ALL] = list(range(len(answers.positions)))
            for name, which in places.items():
                flips = int(flipped[:, number, at, which].sum())
                rate = flips / (n * len(which))
                low, high = wilson_interval(rate * n, n)
                after = float(raised[:, number, at, which].mean())
                rows.append(
                    {
                        "suspect": patch.suspect or None,
                        "patch": patch.name,
                        "size": size,
                        "position": name,
                        "n_images": n,
                        "n": n * len(which),
                        "flips": flips,
                        "rate": rate,
                        "low": float(low),
                        "high": float(high),
                        "mean_before": before,
                        "mean_after": after,
                        "mean_change": after - before if size else 0.0,
                        "p_value": _flips_more(answers, number, at, which),
                    }
                )
    table = pd.DataFrame(rows).astype({"suspect": "Int64"})
    p_value = table.pop("p_value").to_numpy(np.float64)
    tested = ~np.isnan(p_value)
    q_value = np.full(len(table), np.nan)
    q_value[tested] = benjamini_hochberg(p_value[tested], tests=int(tested.sum()))
    return table.assign(q_value=q_value)


def verdict_table(
    answers: Answers,
    verdicts: Sequence[Verdict],
    suspects: Sequence[Mapping[str, Any]],
    *,
    from_class: str,
    to_class: str,
) -> pd.DataFrame:
    """Return verdicts.csv: a row a suspect, in their order.

    `size` is that at which the suspect flips most beyond its controls; `n`, `flips` and the rates
    are of all positions there, those of `control` of the crop that flips most.

    Args:
        answers: What is said.
        verdicts: Of each suspect.
        suspects: Of each suspect `source`, `layer`, `cell` and `picture`.
        from_class: How the images are called that it is pasted into.
        to_class: The class that it is suspected of raising.
    """
    rows = []
    for verdict, facts in zip(verdicts, suspects, strict=True):
        patch = answers.patches[verdict.patch]
        at = best_size(answers, verdict.patch)
        rates = answers.flipped[:, :, at].mean(axis=(0, 2))
        n = len(answers) * len(answers.positions)
        low, high = wilson_interval(rates[verdict.patch] * len(answers), len(answers))
        controls = controls_of(answers, verdict.patch)
        noise = [k for k in controls if answers.patches[k].kind == NOISE]
        crops = [k for k in controls if answers.patches[k].kind == OTHER]
        most = max(crops, key=lambda k: rates[k]) if crops else None
        rows.append(
            {
                "suspect": verdict.suspect,
                "source": facts["source"],
                "layer": facts["layer"],
                "cell": facts["cell"],
                "patch_class": patch.class_name,
                "patch_row": patch.row,
                "from_class": from_class,
                "to_class": to_class,
                "n_images": verdict.n_images,
                "n_controls": verdict.n_controls,
                "size": answers.sizes[at],
                "n": n,
                "flips": int(answers.flipped[:, verdict.patch, at].sum()),
                "rate": rates[verdict.patch],
                "low": float(low),
                "high": float(high),
                "noise_rate": rates[noise[0]] if noise else np.nan,
                "control": None if most is None else answers.patches[most].name,
                "control_rate": np.nan if most is None else rates[most],
                "effect": verdict.effect,
                "control_effect": verdict.control_effect,
                "p_images": verdict.p_images,
                "p_patches": verdict.p_patches,
                "p_value": verdict.p_value,
                "q_value": verdict.q_value,
                "verdict": verdict.verdict,
                "reason": verdict.reason,
                "picture": facts["picture"],
            }
        )
    table = pd.DataFrame(rows, columns=list(VERDICTS))
    numbers = [name for name, kind in VERDICTS.items() if kind == NUMBER]
    whole = ["cell", "patch_row"]
    return table.astype({**dict.fromkeys(numbers, "float64"), **dict.fromkeys(whole, "Int64")})


def best_size(answers: Answers, patch: int) -> int:
    """Return the place of the size at which a suspect flips most beyond all of its controls.

    Of equals, that at which it flips more, and then that at which it raises more.
    """
    flips = answers.flipped.mean(axis=(0, 3))
    raised: NDArray[np.float64] = answers.to_after[:, patch].mean(axis=(0, 2))
    controls = controls_of(answers, patch)
    most = flips[controls].max(axis=0) if controls else np.zeros(len(answers.sizes))
    return int(np.lexsort((raised, flips[patch], flips[patch] - most))[-1])


def by_origin(answers: Answers, patch: int, names: Sequence[str]) -> pd.DataFrame:
    """Return how often a suspect flips images of each class at its best size, the most often first.

    The columns are `class_name`, `n` pastes and `flips`.
    """
    flips = answers.flipped[:, patch, best_size(answers, patch)]
    table = pd.DataFrame(
        {
            "class_name": [names[own] for own in answers.own],
            "n": flips.shape[1],
            "flips": flips.sum(axis=1),
        }
    )
    table = table.groupby("class_name", sort=True).sum().reset_index()
    order = np.lexsort((table["class_name"], -table["flips"] / table["n"]))
    return table.iloc[order].reset_index(drop=True)


def _flips_more(answers: Answers, number: int, at: int, which: Sequence[int]) -> float:
    """Return the largest p-value of sign tests of flips against each control; nan of controls."""
    if answers.patches[number].kind != SUSPECT:
        return np.nan
    controls = controls_of(answers, number)
    flips = answers.flipped[:, :, at][:, :, which].sum(axis=2)
    suspect, others = flips[:, [number]], flips[:, controls]
    if not controls:
        return np.nan
    more, less = (suspect > others).sum(axis=0), (suspect < others).sum(axis=0)
    return float(sign_test(more, less).max())
