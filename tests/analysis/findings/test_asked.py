"""Which images a model is asked about again: errors of every class, right ones beside them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errlens.analysis.findings.asked import LEAST_RIGHT, Asked, to_ask
from errlens.analysis.findings.scored import Scored
from errlens.classes.names import ClassNames


def some_scored(label, wrong) -> Scored:
    label, wrong = np.array(label, np.int32), np.array(wrong, bool)
    n = len(label)
    return Scored(
        row=np.arange(n),
        label=label,
        pred=((label + wrong) % 3).astype(np.int32),
        wrong=wrong,
        confidence=np.full(n, 0.9),
        label_prob=np.where(wrong, 0.1, 0.9),
        paths=[f"{row}.png" for row in range(n)],
        content_hash=[None] * n,
        classes=ClassNames(("a", "b", "c")),
    )


images = st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=60)


@given(images, st.integers(1, 40), st.integers(0, 3))
def test_as_many_right_images_as_errors_are_asked_about_and_none_twice(some, top, seed):
    scored = some_scored([label for label, _ in some], [wrong for _, wrong in some])
    places = to_ask(scored, top=top, seed=seed)
    errors = min(top, scored.n_errors)
    assert scored.wrong[places].sum() == errors
    n_right = max(errors, LEAST_RIGHT) if errors else 0
    assert (~scored.wrong[places]).sum() == min(n_right, len(scored) - scored.n_errors)
    assert len(set(places.tolist())) == len(places)
    assert to_ask(scored, top=top, seed=seed).tolist() == places.tolist()


def test_right_images_are_of_the_classes_of_the_errors():
    label = np.repeat([0, 1, 2], 100)
    wrong = np.tile(np.arange(100), 3) < np.repeat([40, 10, 0], 100)
    scored = some_scored(label, wrong)
    places = to_ask(scored, top=40, seed=0)
    for is_wrong in (True, False):
        chosen = places[scored.wrong[places] == is_wrong]
        assert np.bincount(scored.label[chosen], minlength=3).tolist() == [32, 8, 0]


def test_whatever_is_asked_first_is_a_fair_sample():
    scored = some_scored(np.arange(300) % 3, np.arange(300) % 2)
    first = to_ask(scored, top=100, seed=0)[:50]
    assert scored.wrong[first].sum() == 25
    assert np.bincount(scored.label[first]).min() >= 8


def test_where_a_class_has_no_right_image_others_make_up_for_it():
    scored = some_scored([0] * 50 + [1] * 80, [True] * 50 + [False] * 80)
    places = to_ask(scored, top=500, seed=0)
    assert (~scored.wrong[places]).sum() == 50


def test_enough_right_images_are_asked_about_where_few_are_wrong():
    scored = some_scored([0] * 5 + [1] * 200, [True] * 5 + [False] * 200)
    places = to_ask(scored, top=500, seed=0)
    assert (~scored.wrong[places]).sum() == LEAST_RIGHT


@pytest.mark.parametrize("wrong", [True, False])
def test_all_right_or_all_wrong_leaves_one_kind(wrong):
    scored = some_scored([0, 1, 2], [wrong] * 3)
    assert len(to_ask(scored, top=5, seed=0)) == 3 * wrong


def test_arrays_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match="2 images and 1 changes"):
        Asked(
            np.arange(2), ("mirror",), np.zeros((2, 2), np.int32),
            np.zeros((2, 1), np.float32), np.zeros((2, 1), bool),
        )  # fmt: skip


def test_nothing_asked_is_nothing():
    assert Asked.nothing("no photos").stopped == "no photos"


def test_answers_to_further_questions_are_put_together():
    def asked(row, pred, differs, **known):
        pred, differs = np.array(pred, np.int32), np.array(differs, bool)
        return Asked(np.array(row), ("a", "b"), pred, pred / np.float32(10), differs, **known)

    first = asked([2, 8], [[1, 2], [3, 4]], [[1, 1], [0, 1]], unread=1)
    more = asked([4, 8], [[5, 9], [6, 9]], [[1, 0], [1, 0]], unread=2, stopped="late")
    together = first.joined(more)
    assert together.row.tolist() == [2, 4, 8]
    assert together.pred.tolist() == [[1, 2], [5, 9], [6, 4]]
    assert together.differs.tolist() == [[True, True], [True, False], [True, True]]
    np.testing.assert_allclose(together.label_prob, together.pred / 10, rtol=1e-6)
    assert (together.unread, together.stopped) == (3, "late")
    with pytest.raises(ValueError, match="other changes"):
        first.joined(Asked.nothing(changes=("a",)))
