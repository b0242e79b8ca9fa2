import numpy as np
import pandas as pd
import pytest
from scipy.stats import wilcoxon

from errlens.commands.explain.tables import EVIDENCE_COLUMNS, evidence_table, tables


def index(shares, areas, *, label, pred="a", method="grad-cam"):
    rows = [
        {"row": row, "label_name": label, "pred_name": pred, "method": method,
         "target": "predicted", "object_share": share, "object_area": area}
        for row, (share, area) in enumerate(zip(shares, areas, strict=True))
    ]  # fmt: skip
    return tables(rows).maps


def test_right_and_wrong_images_and_those_without_a_label_are_told_apart():
    random = np.random.default_rng(0)
    areas = random.uniform(0.2, 0.8, (3, 30))
    shares = areas + np.array([[0.0], [0.1], [0.2]]) + random.normal(0, 0.05, (3, 30))
    labels = ("a", "b", None)
    parts = [index(*both, label=one) for *both, one in zip(shares, areas, labels, strict=True)]
    found = evidence_table(pd.concat(parts, ignore_index=True)).set_index("images")
    assert found["n"].to_dict() == {"right": 30, "wrong": 30, "without label": 30}
    for place, images in enumerate(("right", "wrong", "without label")):
        one = found.loc[images]
        assert one["share"] == pytest.approx(shares[place].mean())
        assert one["lift"] == pytest.approx(shares[place].mean() / areas[place].mean())
        assert one["p_value"] == pytest.approx(wilcoxon(shares[place], areas[place]).pvalue)
    assert found.loc["right", "p_value"] > 0.05 > found.loc["wrong", "p_value"]


def test_evidence_as_large_as_the_area_is_no_evidence():
    found = evidence_table(index([0.557, 0.536], [0.557, 0.536], label="b"))
    assert found["lift"].tolist() == [1.0]
    assert found["p_value"].isna().all()


def test_without_regions_there_is_nothing_to_say():
    assert list(evidence_table(tables().maps)) == list(EVIDENCE_COLUMNS)
    assert not len(evidence_table(index([None], [None], label="a")))
