"""How runs differ in their classes."""

from collections import Counter

import numpy as np
from hypothesis import given, settings

from errlens.analysis.comparison.by_class import class_changes
from errlens.analysis.comparison.matching import matched
from errlens.classes.names import ClassNames
from tests.analysis.comparison.outcomes import NAMES, columns, images, outcome


@settings(deadline=None)
@given(images)
def test_classes_add_up_and_change_sign_with_old_and_new_exchanged(found):
    label, before, now = columns(found)
    old, new = outcome(label, before), outcome(label, now)
    there = class_changes(matched(old, new), ClassNames(NAMES)).set_index("class_name")
    back = class_changes(matched(new, old), ClassNames(NAMES)).set_index("class_name")
    assert there["n"].to_dict() == Counter(NAMES[one] for one in label)
    for name, one in there.iterrows():
        of_class = [(b, p) for y, b, p in found if NAMES[y] == name]
        y = NAMES.index(name)
        assert one["fixed"] == sum(b != y == p for b, p in of_class)
        assert one["broken"] == sum(b == y != p for b, p in of_class)
        assert np.isclose(one["difference"], one["new_recall"] - one["old_recall"])
        assert one["low"] <= one["difference"] <= one["high"]
        assert back.loc[name, "difference"] == -one["difference"]
        assert back.loc[name, "q_value"] == one["q_value"] >= one["p_value"]
