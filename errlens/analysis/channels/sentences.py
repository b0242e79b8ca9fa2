"""What silencing channels did, in words."""

from typing import Any, Final

import pandas as pd

from errlens.analysis.channels.ablation import RANDOM, SUSPECT
from errlens.formats import are, count, counted, expected_count, of, p_value, probability

SURE: Final = 0.05  # q up to which a channel differs


def alone(ablation: pd.DataFrame, role: str) -> pd.DataFrame:
    """Return the rows of ablation.csv on single channels of a role."""
    single = ~ablation["channels"].astype("str").str.contains(",")
    return ablation[single & (ablation["role"] == role)]


def best_random(ablation: pd.DataFrame) -> int:
    """Return how many errors of the pair the random channel repairs that repairs most."""
    controls = alone(ablation, RANDOM)
    return int(controls["pair_fixed"].max()) if len(controls) else 0


def unsure(channels: pd.DataFrame) -> list[str]:
    """Say of each comparison in channels.csv that no channel differs for sure, where none does."""
    said = []
    for _, rows in channels.groupby("comparison", sort=False):
        least, first = float(rows["q_value"].min()), rows.iloc[0]
        if least > SURE:
            groups = f"{first['group']} ({count(first['n_group'])}) and {first['against']}"
            said.append(
                f"No channel differs for sure between {groups} ({count(first['n_against'])}): "
                f"q is at least {probability(least)}."
            )
    return said


def effect(row: Any) -> str:
    """Say what silencing did to the errors of a pair, and to what was right."""
    return (
        f"with it silenced {of(row['pair_fixed'], row['pair_errors'])} of these errors are right, "
        f"and {of(row['broken'], row['right'])} right answers break"
    )


def in_words(ablation: pd.DataFrame) -> list[str]:
    """Say in a few sentences what silencing channels did, that of the most telling one first."""
    singles = alone(ablation, SUSPECT)
    if not len(singles):
        return []
    net = singles["pair_fixed"] - singles["pair_broken"]
    first = singles.loc[net.sort_values(ascending=False, kind="stable").index[0]]
    most = singles.loc[singles["pair_fixed"].sort_values(ascending=False, kind="stable").index[0]]
    said = []
    if not singles["pair_fixed"].any():
        said.append(
            f"No channel alone repairs an error between {first['class_a']} and {first['class_b']}, "
            f"of which there {are(first['pair_errors'])} {count(first['pair_errors'])}."
        )
    else:
        said.append(_on(most))
        if first["channels"] != most["channels"] and first["pair_fixed"]:
            said.append(_on(first))
    together = ablation[(ablation["role"] == SUSPECT) & ~ablation.index.isin(singles.index)]
    for _, row in together.iterrows():
        n = row["channels"].count(",") + 1
        said.append(
            f"All {n} together repair {of(row['pair_fixed'], row['pair_errors'])} and break "
            f"{of(row['pair_broken'], row['pair_right'])} right answers on both classes."
        )
    return [*said, *_on_controls(ablation)]


def _on_controls(ablation: pd.DataFrame) -> list[str]:
    """Say what random channels do, if there are any."""
    controls, best = alone(ablation, RANDOM), best_random(ablation)
    if not len(controls):
        return []
    of_all = f"Of {counted(len(controls), 'random channel')}, each alone,"
    if not best:
        return [f"{of_all} none repairs an error of the pair."]
    mean = expected_count(float(controls["pair_fixed"].mean()))
    return [f"{of_all} the best repairs {count(best)} errors of the pair, all on average {mean}."]


def _on(row: Any) -> str:
    """Say what one channel does."""
    test = p_value(float(row["p_pair"]))
    return (
        f"Silencing channel {row['channels']} repairs "
        f"{of(row['pair_fixed'], row['pair_errors'])} errors between {row['class_a']} and "
        f"{row['class_b']} and breaks {of(row['pair_broken'], row['pair_right'])} right answers on "
        f"them ({test}); of all {count(row['n'])} images asked, {count(row['fixed'])} are "
        f"fixed and {count(row['broken'])} broken."
    )
