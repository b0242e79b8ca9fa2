import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from errlens.network.filters.convolutions import find_convolutions
from errlens.network.filters.tables import (
    FILTER_COLUMNS,
    LAYER_COLUMNS,
    filter_tables,
    find_dead,
    joined,
)
from errlens.run.csv_tables import read_declared, write_csv

SIZE = (3, 16, 16)


def tables_of(module, size=SIZE, name="net"):
    layers = find_convolutions(module.eval(), size).layers
    return filter_tables(name, layers, layers[0])


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, 8, 5, stride=2), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 12, 3),
        nn.Conv2d(12, 6, 1),
    )  # fmt: skip


def test_every_filter_has_a_row_and_every_convolution_too():
    tables = tables_of(network())
    assert tables.layers["layer"].tolist() == ["0", "3", "4"]
    assert tables.layers["filters"].tolist() == [8, 12, 6]
    assert tables.layers["first"].tolist() == [True, False, False]
    counted = tables.filters.groupby("layer")["filter"].agg(["count", "max"])
    assert counted["count"].tolist() == [8, 12, 6]
    assert counted["max"].tolist() == [7, 11, 5]


def test_a_layer_has_the_means_and_counts_of_its_filters():
    tables = tables_of(network())
    for row in tables.layers.to_dict("records"):
        filters = tables.filters[tables.filters["layer"] == row["layer"]]
        assert row["norm_median"] == pytest.approx(filters["norm"].median())
        for share in ("low", "middle", "high", "aliasing"):
            assert row[share] == pytest.approx(filters[share].mean(), nan_ok=True)
    assert tables.layers["aliasing"].notna().tolist() == [True, False, False]
    assert tables.layers["low"].notna().tolist() == [True, True, False]
    assert tables.layers["duplicates"].tolist() == [0, 0, 0]


def test_norms_are_those_of_the_weights_times_what_the_normalization_makes_of_them():
    module = network()
    with torch.no_grad():
        module[1].weight.uniform_(-1, 1)
        module[1].running_var.uniform_(1, 2)
    factor = module[1].weight / (module[1].running_var + module[1].eps).sqrt()
    expected = module[0].weight.flatten(1).norm(dim=1) * factor.abs()
    found = tables_of(module).filters.query("layer == '0'")["norm"]
    np.testing.assert_allclose(found, expected.detach(), rtol=1e-5)


def test_a_filter_of_zeros_and_one_silenced_by_its_normalization_are_dead():
    module = network()
    with torch.no_grad():
        module[0].weight[2] = 0
        module[1].weight[5] = 0
        module[1].bias[5] = 3  # a bias brings no filter back
        module[3].weight[1] *= 1e-4
    tables = tables_of(module)
    dead = tables.filters[tables.filters["dead"]]
    assert list(zip(dead["layer"], dead["filter"], strict=True)) == [("0", 2), ("0", 5), ("3", 1)]
    assert tables.layers["dead"].tolist() == [2, 1, 0]
    assert dead[["low", "aliasing", "duplicate_of"]].isna().all(axis=None)


def test_dead_filters_are_found_where_they_are_most():
    norms = np.array([1, 1.5, 0.8, *[1e-9] * 20, 0])
    assert find_dead(norms).tolist() == (norms < 0.1).tolist()
    assert not find_dead(np.array([3.0])).any()
    assert find_dead(np.array([np.nan, 1, 0])).tolist() == [False, False, True]


def test_weights_that_are_no_numbers_are_counted_and_spoil_nothing():
    module = network()
    expected = tables_of(module).filters
    with torch.no_grad():
        module[0].weight[3, 0, 0, 0] = np.nan
        module[0].weight[4, 0, 0, 0] = np.inf
    tables = tables_of(module)
    assert tables.layers["not_finite"].tolist() == [2, 0, 0]
    assert np.isfinite(tables.layers.loc[0, ["norm_max", "low", "aliasing"]].astype(float)).all()
    bad = (tables.filters["layer"] == "0") & tables.filters["filter"].isin([3, 4])
    pd.testing.assert_frame_equal(tables.filters[~bad], expected[~bad])


def test_shares_are_the_same_of_filters_that_are_scaled_one_by_one():
    module = network()
    before = tables_of(module)
    with torch.no_grad():
        module[0].weight *= torch.linspace(0.5, 3, 8).reshape(-1, 1, 1, 1)
    after = tables_of(module)
    shares = ["low", "middle", "high", "aliasing"]
    np.testing.assert_allclose(after.filters[shares], before.filters[shares], atol=1e-6)
    np.testing.assert_allclose(after.layers[shares], before.layers[shares], atol=1e-6)


def test_a_transposed_convolution_skips_nothing():
    layers = tables_of(nn.ConvTranspose2d(3, 4, 4, stride=2)).layers
    assert layers["aliasing"].isna().all()
    assert layers["low"].notna().all()
    assert layers["transposed"].all()


def test_a_layer_of_one_filter_and_one_of_zeros_have_a_row():
    module = nn.Sequential(nn.Conv2d(3, 1, 3), nn.Conv2d(1, 4, 3))
    nn.init.zeros_(module[1].weight)
    layers = tables_of(module).layers
    assert layers["dead"].tolist() == [0, 4]
    assert layers["low"].isna().tolist() == [False, True]


def test_tables_of_two_networks_are_read_back_as_they_were_written(tmp_path):
    tables = joined([tables_of(network(), name="one"), tables_of(network(1), name="other")])
    assert tables.layers["network"].unique().tolist() == ["one", "other"]
    for table, columns in zip(tables, (LAYER_COLUMNS, FILTER_COLUMNS), strict=True):
        write_csv(tmp_path / "table.csv", table)
        read = read_declared(tmp_path / "table.csv", columns)
        assert [*read.columns] == [*columns]
        pd.testing.assert_frame_equal(read.notna(), table.notna())
