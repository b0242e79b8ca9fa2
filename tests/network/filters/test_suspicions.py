import numpy as np
import pytest
import torch
from torch import nn

from errlens.network.filters.convolutions import find_convolutions
from errlens.network.filters.suspicions import (
    SUSPICION_COLUMNS,
    find_suspicions,
    totals,
    untrained_networks,
)
from errlens.network.filters.tables import filter_tables

SIZE = (3, 64, 64)


def waves(filters, side, frequencies, seed=0):
    """Return filters that are sinusoids below a window, in any direction, colour and phase."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    window = np.outer(*(np.hanning(side + 2)[1:-1],) * 2)
    made = []
    for number in range(filters):
        angle, phase = random.uniform(0, np.pi), random.uniform(0, 2 * np.pi)
        along = x * np.cos(angle) + y * np.sin(angle)
        frequency = frequencies[number % len(frequencies)]
        wave = window * np.cos(2 * np.pi * frequency * along + phase)
        made.append(random.normal(size=(3, 1, 1)) * wave)
    return torch.tensor(np.array(made), dtype=torch.float)


def stem(weights, stride):
    """Return a network whose first layer has these weights, and whose second is well trained."""
    conv = nn.Conv2d(3, len(weights), weights.shape[2], stride=stride)
    conv.weight.data = weights
    torch.manual_seed(0)
    second = nn.Conv2d(len(weights), 16, 3)
    blob = torch.tensor([[0.2, 0.5, 0.2], [0.5, 1.0, 0.5], [0.2, 0.5, 0.2]])
    second.weight.data = torch.randn(16, len(weights), 1, 1) * blob
    return nn.Sequential(conv, nn.ReLU(), second)


def tables_of(module, size=SIZE):
    layers = find_convolutions(module.eval(), size).layers
    return filter_tables("net", layers, layers[0])


def kinds(module):
    found = find_suspicions(tables_of(module))
    assert [*found.columns] == [*SUSPICION_COLUMNS]
    return list(zip(found["layer"], found["kind"], strict=True))


def test_a_stem_of_high_and_low_frequencies_with_a_large_stride_is_told_as_in_the_paper():
    weights = waves(48, 11, [0.03, 0.45, 0.42, 0.45])
    weights[20:24] = 0
    found = find_suspicions(tables_of(stem(weights, 4))).set_index("kind")["statement"]
    assert found.index.tolist() == ["dead", "frequencies"]
    assert "4 of 48 filters of 0 are dead (8.3 %)" in found["dead"]
    assert "hardly any middle frequencies" in found["frequencies"]
    assert "26.2 % if they were noise" in found["frequencies"]


def test_filters_finer_than_their_stride_keeps_alias():
    found = find_suspicions(tables_of(stem(waves(32, 11, [0.28, 0.4]), 4)))
    assert found["kind"].tolist() == ["aliasing"]
    assert "stride of 4" in found["statement"][0]
    assert "93.8 % if they were noise" in found["statement"][0]


def test_its_successor_of_middle_frequencies_with_a_smaller_stride_is_not_suspicious():
    assert kinds(stem(waves(48, 7, [0.05, 0.12, 0.2, 0.28]), 2)) == []


def test_patches_that_do_not_overlap_do_not_alias():
    assert kinds(stem(waves(32, 8, [0.28, 0.4]), 8)) == []
    assert kinds(stem(waves(32, 9, [0.28, 0.4]), 7)) == [("0", "aliasing")]


def test_copies_are_told_from_five_per_cent_on_and_two():
    weights = waves(40, 7, [0.1, 0.2, 0.28])
    weights[1] = 2 * weights[0]
    assert kinds(stem(weights, 1)) == []
    weights[5] = 3 * weights[4]
    assert kinds(stem(weights, 1)) == [("0", "duplicates")]


def test_weights_that_are_no_numbers_are_always_told():
    weights = waves(32, 7, [0.1, 0.2, 0.28])
    weights[3] = np.nan
    assert kinds(stem(weights, 2)) == [("0", "not finite")]


@pytest.mark.parametrize("seed", range(5))
def test_of_a_network_that_was_never_trained_nothing_is_said(seed):
    torch.manual_seed(seed)
    module = nn.Sequential(
        nn.Conv2d(3, 32, 11, stride=4), nn.ReLU(), nn.Conv2d(32, 48, 5), nn.Conv2d(48, 8, 1)
    )
    with torch.no_grad():
        module[0].weight[:8] = 0
    tables = tables_of(module, (3, 64, 64))
    assert untrained_networks(tables) == ["net"]
    assert not len(find_suspicions(tables))


def test_few_filters_do_not_tell_whether_a_network_was_trained():
    assert untrained_networks(tables_of(nn.Conv2d(3, 8, 3))) == []
    assert untrained_networks(tables_of(nn.Conv2d(3, 100, 1))) == []


def test_what_a_network_has_in_all_is_said_in_a_line():
    weights = waves(40, 7, [0.1, 0.2, 0.28])
    weights[1], weights[2] = weights[0], 0
    said = totals(tables_of(stem(weights, 1)), "net")
    assert said == "2 convolutions, 56 filters: 1 dead, 1 repeating another"
