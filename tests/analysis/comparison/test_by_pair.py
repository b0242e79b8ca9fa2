"""How runs differ in the pairs that they mix up."""

from hypothesis import given, settings

from errlens.analysis.comparison.by_pair import pair_changes, pair_differences
from errlens.analysis.comparison.by_run import compare_outcomes
from errlens.analysis.comparison.matching import matched
from errlens.analysis.confusion.pairs import pair_table
from tests.analysis.comparison.outcomes import NAMES, columns, confused, images, matrix, outcome


@settings(deadline=None)
@given(images)
def test_pairs_are_those_of_a_count_by_hand(found):
    label, before, now = columns(found)
    both = matched(outcome(label, before), outcome(label, now))
    table = pair_changes(both, matrix(label, before), matrix(label, now))
    was = [frozenset((y, b)) if y != b else None for y, b in zip(label, before, strict=True)]
    is_now = [frozenset((y, p)) if y != p else None for y, p in zip(label, now, strict=True)]
    for one in table.to_dict("records"):
        pair = frozenset(NAMES.index(one[end]) for end in ("class_a", "class_b"))
        assert one["n"] == sum(y in pair for y in label)
        assert one["old_count"] == was.count(pair)
        assert one["new_count"] == is_now.count(pair)
        changes = list(zip(was, is_now, strict=True))
        assert one["gone"] == sum(a == pair != b for a, b in changes)
        assert one["new"] == sum(b == pair != a for a, b in changes)
        assert one["fixed"] == sum(a == pair and b is None for a, b in changes)
        assert one["broken"] == sum(b == pair and a is None for a, b in changes)
    assert len(table) == len({*was, *is_now} - {None})
    whole = compare_outcomes(outcome(label, before), outcome(label, now))
    assert (table["fixed"].sum(), table["broken"].sum()) == (whole.fixed, whole.broken)


def test_a_confusion_that_loses_its_lift_has_not_gone():
    label, before = confused([(0, 1)])
    now = before.copy()
    now[[80, 120]], now[[81, 121]] = 0, 1  # cows and hens are taken for cats and dogs, too
    old, new = matrix(label, before), matrix(label, now)
    statuses = [pair_table(cells)["status"][0] for cells in (old, new)]
    assert statuses == ["mutual", "likely"]
    table = pair_changes(matched(outcome(label, before), outcome(label, now)), old, new)
    assert table.set_index(["class_a", "class_b"])["status"]["cat", "dog"] == "stays"


def test_mutual_confusions_appear_go_and_stay_whatever_the_order_of_classes():
    (label, before), (_, now) = confused([(0, 1)]), confused([(2, 3)])
    old, new = outcome(label, before), outcome(label, now)
    other = [3, 1, 0, 2]
    names = tuple(NAMES[other.index(one)] for one in range(4))
    shuffled = matrix(*confused([(0, 1)], order=other), names=names)
    tables = [
        pair_changes(matched(old, new), matrix(label, before), matrix(label, now)),
        pair_changes(matched(old, new), shuffled, matrix(label, now)),
        pair_differences(matrix(label, before), matrix(label, now)),
        pair_differences(shuffled, matrix(label, now)),
    ]
    for table in tables:
        status = table.dropna(subset="status").set_index(["class_a", "class_b"])["status"]
        assert status.to_dict() == {("cat", "dog"): "went", ("cow", "hen"): "appeared"}
    same = pair_changes(matched(old, old), shuffled, matrix(label, before))
    assert same["status"].dropna().tolist() == ["stays"]
    assert (same["p_value"] == 1).all()
