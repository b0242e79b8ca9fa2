"""What the atlas of a class says, in words."""

from typing import Any, Final

import pandas as pd

from errlens.analysis.atlas.classes.class_points import ClassPoints
from errlens.classes.names import NO_CLASS
from errlens.formats import (
    are,
    count,
    counted,
    expected_count,
    of,
    p_value,
    share,
    signed,
)

MOSTLY: Final = 0.5  # share of background of a cell that lies mostly there
_TOLD: Final = 3  # suspects, senses and classes


def class_sentences(
    points: ClassPoints,
    cells: pd.DataFrame,
    suspects: pd.DataFrame,
    concepts: pd.DataFrame,
    senses: pd.DataFrame,
) -> list[str]:
    """Return what was found, the most telling first.

    Args:
        points: Those of the atlas.
        cells: The map's table, with `attribution` to the class and `background_share`.
        suspects: As of `suspect_table`.
        concepts: As of `concept_table`.
        senses: As of `sense_table`.
    """
    return [
        *_suspects(points, len(cells), suspects),
        *_background(points, cells),
        *_concepts(points.name, concepts),
        *_senses(points.name, senses),
    ]


def _suspects(points: ClassPoints, n_cells: int, suspects: pd.DataFrame) -> list[str]:
    name = points.name
    told = []
    labels = points.table["label"]
    if (labels != NO_CLASS).any() and not (labels == points.of_class).any():
        told.append(
            f"No photo among these is labelled {name}: what adds to it lies in photos of others."
        )
    if not len(suspects):
        return [*told, f"All of {counted(n_cells, 'cell')} add the most to {name}: no suspect."]
    owners = suspects["other_class"].value_counts(sort=False)
    ranked = sorted(owners.items(), key=lambda owner: -owner[1])
    named = ", ".join(f"{owner} ({count(n)})" for owner, n in ranked[:_TOLD])
    more = f" and {counted(len(ranked) - _TOLD, 'more class')}" if len(ranked) > _TOLD else ""
    told.append(
        f"{of(len(suspects), n_cells)} cells add to {name} and more to another class: "
        f"{named}{more}."
    )
    told += [_suspect(name, suspect) for _, suspect in suspects.head(_TOLD).iterrows()]
    told.append(
        "Suspects are ranked by the least that they add (95 %, over photos): a ranking, no test."
    )
    return told


def _suspect(name: str, suspect: "pd.Series[Any]") -> str:
    n_images, others = int(suspect["n_images"]), int(suspect["n_sources_other"])
    known = suspect["background_share"] == suspect["background_share"]
    background = f"; {share(suspect['background_share'])} background" if known else ""
    whose = f", {count(others)} of other classes" if others else ""
    return (
        f"Suspect {suspect['rank']}, in row {suspect['cell_row']} and column "
        f"{suspect['cell_column']}, is of {suspect['other_class']} "
        f"({signed(suspect['attribution_other'])}): it adds {signed(suspect['attribution'])} to "
        f"{name}, {share(suspect['share'])} of all that is added; "
        f"{counted(n_images, 'photo')}{whose}{background}."
    )


def _background(points: ClassPoints, cells: pd.DataFrame) -> list[str]:
    shares, adds = cells["background_share"], cells["attribution"]
    if shares.isna().all():
        return []
    outside = (shares >= MOSTLY) & (adds > 0)
    n, everywhere = int(outside.sum()), float(points.table["background"].mean())
    if not n:
        return [
            f"No cell that adds to {points.name} lies mostly on background ({share(everywhere)} of "
            "all its places are)."
        ]
    weights = cells.loc[outside, "n_points"]
    there = float((shares[outside] * weights).sum() / weights.sum())
    return [
        f"{points.name} relies on background at {of(n, int((adds > 0).sum()))} cells: "
        f"{share(there)} of their places are outside of the object, and {share(everywhere)} of all "
        "places of the atlas."
    ]


def _concepts(name: str, concepts: pd.DataFrame) -> list[str]:
    """Tell angles and scales of the concept that adds the most, where any were measured."""
    first = concepts.iloc[0]
    told = (
        f"{counted(len(concepts), 'concept')} (cells that are alike); the first adds "
        f"{share(first['share'])} of what is added to {name}"
    )
    if first["n_patches"] == 0 or pd.isna(first["wavelength"]):
        return [f"{told}."]
    angles = ""
    if first["n_angles"]:
        angles = (
            f" the angles of {count(first['n_angles'])} have a spread of "
            f"{first['angle_spread']:.2f} (0: one angle, 1: all);"
        )
    waves = [f"{first[f'wavelength{end}']:.0f}" for end in ("", "_low", "_high")]
    return [
        f"{told}. Of its {counted(int(first['n_patches']), 'source')}{angles} patterns repeat "
        f"each {waves[0]} px (80 % of them: {waves[1]} to {waves[2]})."
    ]


def _senses(name: str, senses: pd.DataFrame) -> list[str]:
    separate = senses[senses["separate"]]
    if not len(separate):
        return []
    pairs = [
        f"concepts {pair['concept_a']} and {pair['concept_b']} hardly share a photo of {name}: "
        f"{of(pair['n_shared'], pair['n_a'] + pair['n_b'] - pair['n_shared'])} have both, "
        f"{expected_count(pair['expected'])} by chance ({_q(pair['q_value'])})"
        for pair in separate.head(_TOLD).to_dict("records")
    ]
    head = (
        f"{of(len(separate), len(senses))} pairs of concepts {are(len(separate))} in separate "
        "photos: "
    )
    return [head + "; ".join(pairs) + "."]


def _q(value: float) -> str:
    return p_value(value).replace("p", "q", 1)
