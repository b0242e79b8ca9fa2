from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from errlens.analysis.findings.known.pasting import from_pasting
from errlens.classes.names import ClassNames

IMAGES = SimpleNamespace(
    classes=ClassNames(("shark", "whale", "baseball")),
    row=np.arange(6),
    wrong=np.array([True, False, False, False, False, False]),
)
VERDICT = {
    "source": "row 7, cell 3", "layer": "layer4", "cell": 3, "patch_class": "baseball",
    "from_class": "whale", "to_class": "shark", "n_images": 50, "size": 0.3, "n": 200, "flips": 82,
    "rate": 0.41, "low": 0.28, "high": 0.55, "noise_rate": 0.03, "control_rate": 0.05,
    "effect": 0.2, "control_effect": 0.04, "p_value": 0.0004, "q_value": 0.002,
    "picture": "patches/suspect-1.png", "folder": "whale__shark", "rows": (1, 4),
}  # fmt: skip


def told(**changes):
    return list(from_pasting(IMAGES, pd.DataFrame([{**VERDICT, **changes}])))


def test_a_patch_that_misleads_is_told_beside_what_controls_do():
    (finding,) = told()
    assert finding.statement.startswith(
        "A patch of baseball (row 7, cell 3) makes shark of 41.0 % of 50 photos of whale that it "
        "is pasted into, noise of its colours 3.0 %, a crop of another class at most 5.0 %."
    )
    assert (finding.rows, finding.n_errors, finding.q_value) == ((1, 4), 0, 0.002)
    assert finding.excess_errors is None
    assert finding.gain is None


@pytest.mark.parametrize(
    "changes",
    [
        {"patch_class": "shark"},  # its own looks
        {"rate": 0.05},  # as a crop does
        {"rate": 0.0, "noise_rate": 0.0, "control_rate": 0.0},  # turns nothing
        {"to_class": "ray"},  # a class of another run
    ],
)
def test_what_misleads_nobody_is_no_finding(changes):
    assert told(**changes) == []


def test_a_patch_of_a_file_and_of_one_colour_is_told_as_well():
    (finding,) = told(patch_class=None, source="red.png", noise_rate=np.nan, layer=None, cell=None)
    assert finding.statement.startswith("Patch red.png makes shark of 41.0 %")
    assert "noise" not in finding.statement
    assert finding.subject == {"to": "shark", "layer": None, "cell": None}
