"""Faults are planted where it is said, and a finding names one only by its own words."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from errlens.analysis.findings.finding import Finding
from tests.planted.faults import FAULTS
from tests.planted.planting import Photo, names, plant, share_touched
from tests.planted.set_aside import SET_ASIDE

BY_NAME = {fault.name: fault for fault in (*FAULTS, *SET_ASIDE)}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    made = []
    for row in range(24):
        path = folder / f"{row}.png"
        Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8)).save(path)
        made.append(Photo(path, ("cat", "dog", "cow")[row % 3]))
    return made


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_what_is_touched_differs_and_nothing_else_does(photos, name, tmp_path):
    fault = BY_NAME[name]
    planted = plant(photos, [(fault, fault.strengths[-1])], tmp_path, seed=3)
    table = pd.read_csv(planted.manifest)
    assert len(table) == len(planted.clean_rows)
    for row, (path, label) in enumerate(zip(table["path"], table["label"], strict=True)):
        clean = photos[planted.clean_rows[row]]
        same = np.array_equal(
            np.asarray(Image.open(tmp_path / path)), np.asarray(Image.open(clean.path))
        )
        changed = not same or label != clean.label
        assert changed <= (row in planted.rows[name])
        if fault.change:
            assert changed == (row in planted.rows[name])
        if fault.column:
            assert (table.loc[row, fault.column] == fault.mark) == (row in planted.rows[name])


def test_the_same_seed_plants_the_same(photos, tmp_path):
    faults = [(BY_NAME["dark"], 0.6), (BY_NAME["copies under two labels"], 1.0)]
    one, two = (plant(photos, faults, tmp_path / name, seed=5) for name in ("one", "two"))
    assert one.rows == two.rows
    assert one.manifest.read_text() == two.manifest.read_text()


def test_a_fault_is_named_by_its_own_class_side_or_column_alone(photos, tmp_path):
    turned = BY_NAME["turned class"]
    planted = plant(photos, [(turned, 1)], tmp_path, seed=1)
    touched_class = planted.classes["turned class"]

    def repair(class_name):
        rows = tuple(planted.rows["turned class"])
        subject = {"change": "turn_270", "class": class_name}
        return Finding(kind="repair", statement="", rows=rows, subject=subject)

    assert names(repair(touched_class), turned, planted)
    assert not names(repair("another"), turned, planted)
    assert share_touched(repair(touched_class), turned, planted) == 1
    dark = Finding(kind="slice", statement="", subject={"property": "brightness", "side": "high"})
    assert not names(dark, BY_NAME["dark"], planted)
