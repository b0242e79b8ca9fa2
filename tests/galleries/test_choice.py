from dataclasses import replace
from itertools import chain

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errlens.analysis.selection.picking import ChangedRows, Selectable
from errlens.classes.names import ClassNames
from errlens.galleries.choice import galleries_of, sequence

NAMES = ("cat", "dog", "cow")
PAIRS = [(0, 1), (1, 2)]
GROUPS = [[0, 1, 2]]
CHANGES = ChangedRows(fixed=np.array([2]), broken=np.array([0]))
indices = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=25)


def selectable(pairs):
    """Return rows to choose from: later ones are surer, and worse if they are wrong."""
    label, pred = map(np.array, zip(*pairs, strict=True))
    table = pa.table(
        {
            "row": range(len(label)),
            "path": [f"{row}.jpg" for row in range(len(label))],
            "label": pa.array(label, pa.int32()),
            "pred": pa.array(pred, pa.int32()),
            "correct": label == pred,
            "confidence": pa.array(np.arange(len(label)) / 100, pa.float32()),
        }
    )
    ranking = np.flatnonzero(label != pred)[::-1]
    return Selectable(
        table,
        ClassNames(NAMES),
        ranking,
        None,
        lambda: PAIRS,
        lambda: GROUPS,
        lambda _: CHANGES,
        list,
    )


def rows_of(pairs, label, pred):
    """Return the rows of a cell, the last first."""
    return [row for row in range(len(pairs) - 1, -1, -1) if pairs[row] == (label, pred)]


@settings(deadline=None)
@given(indices, st.integers(1, 40))
def test_a_pair_shows_both_ways_and_what_is_right_of_each(pairs, most):
    pairs += [(0, 1)]
    (gallery,) = galleries_of(["cat~dog"], selectable(pairs), most=most)
    cells = [(0, 1), (1, 0), (0, 0), (1, 1)]
    assert [one.heading.rpartition(":")[0] for one in gallery.sections] == [
        "cat taken for dog", "dog taken for cat", "cat, right", "dog, right",
    ]  # fmt: skip
    for section, cell in zip(gallery.sections, cells, strict=True):
        rows = rows_of(pairs, *cell)
        assert list(section.rows) == rows[: max(1, most // 4)]
        assert section.total == len(rows)
    assert [one.trained for one in gallery.sections] == [None, None, 0, 1]


def test_one_way_has_no_way_back():
    (gallery,) = galleries_of(["cat/dog"], selectable([(0, 1), (0, 0), (1, 1)]), most=30)
    assert [one.rows for one in gallery.sections] == [(0,), (1,), (2,)]
    assert gallery.title == "cat / dog"


@settings(deadline=None)
@given(indices, st.integers(3, 40))
def test_a_group_has_a_section_for_each_class_errors_first(pairs, most):
    pairs += [(0, 1)]
    (gallery,) = galleries_of(["group:1"], selectable(pairs), most=most)
    each = max(2, most // 3)
    assert [one.trained for one in gallery.sections] == [0, 1, 2]
    for label, section in enumerate(gallery.sections):
        right = rows_of(pairs, label, label)
        wrong = sorted(chain(*(rows_of(pairs, label, p) for p in range(3) if p != label)))[::-1]
        n_wrong = sum(row in wrong for row in section.rows)
        assert list(section.rows) == wrong[:n_wrong] + right[: len(section.rows) - n_wrong]
        assert len(section.rows) == min(each, len(wrong) + len(right))
        assert n_wrong >= min(len(wrong), each // 2)


def test_pairs_are_a_gallery_each_and_the_rest_is_a_sequence():
    among = selectable([(0, 1), (1, 0), (1, 2), (2, 1), (2, 2)])
    found = list(galleries_of(["pairs:2", "true:dog+worst:1", "row:4", "errors"], among, most=3))
    assert [one.name for one in found] == [
        "cat~dog", "dog~cow", "true-dog+worst-1", "row-4", "errors",
    ]  # fmt: skip
    assert [one.sections[0].rows for one in found[2:]] == [(2,), (4,), (3, 2, 1)]
    assert found[4].title == "errors (3 of 4 images)"
    assert [one.about and one.about.kind for one in found] == ["~", "~", None, "row", None]


@pytest.mark.parametrize(("n", "title"), [(0, "worst (0 images)"), (1, "worst (1 image)")])
def test_a_sequence_says_how_many_it_has(n, title):
    assert sequence("worst", np.arange(n), most=5).title == title


def test_galleries_of_different_selectors_never_have_one_name():
    among = selectable([(0, 1), (1, 0), (0, 0), (1, 1), (2, 2)])
    names = ClassNames(("a/b", "a_b", "c:d"))
    among = replace(among, classes=names)
    selectors = [
        "a/b~a_b", "true:a/b", "true:a_b", "correct:a/b", "pred:a_b", "worst:1", "row:1",
        "path:*.jpg", "path:*jpg", "path:?.jpg", "errors", "true:a/b+worst:1", "fixed:a",
        "broken:a", "broken:b", "true:A/B", "row:01",
    ]  # fmt: skip
    found = [one.name for one in galleries_of(selectors, among, most=3)]
    assert len(found) == len(selectors) - 2  # the last two were there before
    assert len({name.casefold() for name in found}) == len(found)
    assert all("/" not in name and ":" not in name for name in found)
