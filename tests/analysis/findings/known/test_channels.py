"""A channel is a finding where silencing it helps more than luck and random channels would."""

import numpy as np
import pandas as pd
import pytest

from errlens.analysis.channels.ablation import (
    CHANGE_COLUMNS,
    Silenced,
    ablation_table,
    changed_answers,
    variants_of,
)
from errlens.analysis.findings.known.channels import from_channels

NAMES = ("cat", "dog")
N, CLASSES = 400, 4


def confused(rng):
    """Return images of four classes, of which a fifth of two classes are taken for one another."""
    label = rng.integers(0, CLASSES, N)
    taken = (label < 2) & (rng.random(N) < 0.2)
    return label, np.where(taken, 1 - label, label)


def answers(scored, now, chosen_from):
    variants = [v for v in variants_of(range(5), range(5, 10)) if len(v.channels) == 1]
    return Silenced("layer4", variants, scored.label, scored.pred, now, chosen_from)


def tables(scored, now, *, chosen_from=50):
    """Return ablation.csv and changes.csv of five suspects and five random channels."""
    silenced, rows = answers(scored, now, chosen_from), []
    variants = silenced.variants
    for at, image, change in changed_answers(silenced):
        named = scored.table_of(np.array([image])).iloc[0].to_dict()
        now_name = scored.classes[int(now[image, at])]
        role = {"layer": silenced.layer, "role": variants[at].role, "channels": variants[at].name}
        rows.append({**named, **role, "change": change, "now_name": now_name})
    changes = pd.DataFrame(rows, columns=list(CHANGE_COLUMNS))
    return ablation_table(silenced, (0, 1), NAMES), changes


def test_a_channel_that_repairs_the_pair_and_breaks_little_is_found(scored_of):
    scored = scored_of(*confused(np.random.default_rng(0)))
    now = np.repeat(scored.pred[:, None], 10, axis=1)
    wrong = np.flatnonzero(scored.wrong)
    now[wrong[:30], 2] = scored.label[wrong[:30]]
    right = np.flatnonzero(~scored.wrong)[:2]
    now[right, 2] = (scored.label[right] + 1) % CLASSES
    now[wrong[:3], 7] = scored.label[wrong[:3]]
    (finding,) = from_channels(scored, *tables(scored, now))
    assert finding.kind == "channel"
    assert finding.statement == (
        "Channel 2 of layer layer4 makes the network mix up cat and dog: with it silenced 30 of "
        f"{len(wrong)} of these errors are right, and 2 of {N - len(wrong)} right answers break."
    )
    assert finding.rows == tuple(wrong[:30])
    assert (finding.excess_errors, finding.selector) == (27.0, "cat~dog")
    assert finding.gain.value == pytest.approx(28 / N)
    assert finding.gain.low <= finding.gain.value <= finding.gain.high
    assert finding.subject == {"classes": ["cat", "dog"], "layer": "layer4", "channel": 2}


@pytest.mark.parametrize("broken", [20, 40])
def test_a_channel_that_tells_the_classes_apart_is_none(scored_of, broken):
    scored = scored_of(*confused(np.random.default_rng(0)))
    now = np.repeat(scored.pred[:, None], 10, axis=1)
    wrong, right = np.flatnonzero(scored.wrong), np.flatnonzero(~scored.wrong)
    now[wrong[:20], 2] = scored.label[wrong[:20]]
    now[right[:broken], 2] = (scored.label[right[:broken]] + 1) % CLASSES
    assert not [*from_channels(scored, *tables(scored, now))]


def test_what_random_channels_do_as_well_is_none(scored_of):
    scored = scored_of(*confused(np.random.default_rng(0)))
    now = np.repeat(scored.pred[:, None], 10, axis=1)
    wrong = np.flatnonzero(scored.wrong)
    now[wrong[:20], 2] = scored.label[wrong[:20]]
    now[wrong[5:23], 8] = scored.label[wrong[5:23]]
    assert not [*from_channels(scored, *tables(scored, now))]


def test_luck_is_no_finding_also_where_the_best_of_many_channels_is_chosen(scored_of):
    """Without a fault, silencing repairs as many as it breaks; the luckiest are the suspects."""
    found, nothing = 0, pd.DataFrame(columns=list(CHANGE_COLUMNS))
    for seed in range(150):
        rng = np.random.default_rng(seed)
        scored = scored_of(*confused(rng))
        channels = 60
        now = np.repeat(scored.pred[:, None], channels, axis=1)
        touched = (rng.random(now.shape) < 0.25) & scored.wrong[:, None]
        broken = (rng.random(now.shape) < 0.25 * scored.wrong.mean()) & ~scored.wrong[:, None]
        now = np.where(touched, scored.label[:, None], now)
        now = np.where(broken, (scored.label[:, None] + 1) % CLASSES, now)
        won = (now == scored.label[:, None]).sum(axis=0)
        luckiest = np.argsort(-won)[:5]
        chosen = np.concatenate([luckiest, rng.permutation(np.argsort(-won)[5:])[:5]])
        table = ablation_table(answers(scored, now[:, chosen], channels), (0, 1), NAMES)
        found += len([*from_channels(scored, table, nothing)])
    assert found == 0


def test_tables_of_other_classes_or_without_controls_say_nothing(scored_of):
    scored = scored_of(*confused(np.random.default_rng(0)))
    now = np.repeat(scored.pred[:, None], 10, axis=1)
    wrong = np.flatnonzero(scored.wrong)
    now[wrong[:30], 2] = scored.label[wrong[:30]]
    ablation, changes = tables(scored, now)
    assert not [*from_channels(scored, ablation.assign(class_a="lynx"), changes)]
    alone = ablation[ablation["role"] == "suspect"].assign(p_random=np.nan)
    assert not [*from_channels(scored, alone, changes)]
