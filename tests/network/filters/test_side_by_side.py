import torch
from torch import nn

from errlens.network.filters.convolutions import find_convolutions
from errlens.network.filters.side_by_side import DIFFERENCE_COLUMNS, differences, what_differs
from errlens.network.filters.tables import filter_tables


def layers_of(name, *layers):
    module = nn.Sequential()
    for called, layer in layers:
        module.add_module(called, layer)
    found = find_convolutions(module.eval(), (3, 32, 32)).layers
    return filter_tables(name, found, found[0]).layers


def conv(*shape, seed=0, **how):
    torch.manual_seed(seed)
    return nn.Conv2d(*shape, **how)


def two():
    smooth = conv(6, 4, 3)
    smooth.weight.data[:] = 1
    first = layers_of("old", ("stem", conv(3, 6, 5, stride=2)), ("a", smooth), ("b", conv(4, 4, 3)))
    second = layers_of("new", ("conv1", conv(3, 6, 3)), ("a", conv(6, 4, 3)), ("c", conv(4, 2, 3)))
    return first, second


def test_layers_stand_for_one_another_by_name_and_the_first_always():
    first, second = two()
    table = differences(first, second)
    assert [*table.columns] == [*DIFFERENCE_COLUMNS]
    assert list(zip(table["layer"], table["other_layer"], strict=True)) == [
        ("stem", "conv1"), ("a", "a"),
    ]  # fmt: skip
    of_a = table.iloc[1]
    for column in ("low", "middle", "high", "dead", "filters"):
        assert of_a[column] == first.set_index("layer").loc["a", column]
        assert of_a[f"other_{column}"] == second.set_index("layer").loc["a", column]


def test_what_differs_is_said_of_the_first_layers_of_all_and_of_the_largest_change():
    said = what_differs(*two())
    assert said[0].startswith("First layer: old 5 x 5 with stride 2 has")
    assert "; new 3 x 3 with stride 1 has" in said[0]
    assert said[1] == "Dead: 0 of 14 filters of old, 0 of 12 filters of new."
    # All filters of `a` were the same.
    assert said[2] == "Repeating another: 3 of 14 filters of old, 0 of 12 filters of new."
    assert said[3].startswith("Of layers that both have, a differs most in its frequencies: low -")


def test_networks_with_nothing_in_common_are_compared_by_their_first_layers():
    first = layers_of("old", ("x", conv(3, 4, 3)))
    second = layers_of("new", ("y", conv(3, 5, 1)), ("z", conv(5, 5, 3)))
    assert differences(first, second)["other_layer"].tolist() == ["y"]
    said = what_differs(first, second)
    assert len(said) == 3
    assert "new 1 x 1 with stride 1, 0 of 5 filters dead" in said[0]
