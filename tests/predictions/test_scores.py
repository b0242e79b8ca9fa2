import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from errlens.classes.names import NO_CLASS, Superclasses
from errlens.predictions.scores import score


def random_case(n=200, k=7, seed=0):
    rng = np.random.default_rng(seed)
    logits = (4 * rng.normal(size=(n, k))).astype(np.float32)
    return logits, rng.integers(0, k, n).astype(np.int32)


@pytest.fixture(scope="module")
def case():
    logits, label = random_case()
    prob = torch.from_numpy(logits).double().softmax(dim=1).numpy()
    return logits, label, prob, score(logits, label, topk=5)


def test_loss_is_torchs_and_scikit_learns(case):
    logits, label, prob, found = case
    theirs = torch.nn.functional.cross_entropy(
        torch.from_numpy(logits).double(), torch.from_numpy(label).long(), reduction="none"
    )
    np.testing.assert_allclose(found.loss, theirs, rtol=1e-5, atol=1e-6)
    assert found.loss.mean() == pytest.approx(log_loss(label, prob, labels=range(7)), rel=1e-5)


def test_brier_is_the_squared_distance_to_the_label(case):
    _, label, prob, found = case
    np.testing.assert_allclose(found.brier, ((prob - np.eye(7)[label]) ** 2).sum(axis=1), atol=1e-6)


def test_entropy_is_scipys(case):
    _, _, prob, found = case
    np.testing.assert_allclose(found.entropy, scipy.stats.entropy(prob, axis=1), atol=1e-5)


def test_top_k_is_torchs(case):
    _, _, prob, found = case
    values, indices = torch.from_numpy(prob).topk(5, dim=1)
    np.testing.assert_array_equal(found.topk_index, indices)
    np.testing.assert_allclose(found.topk_prob, values, rtol=1e-5)


def test_margin_is_positive_just_where_the_label_wins(case):
    _, label, prob, found = case
    others = np.where(np.eye(7, dtype=bool)[label], -1, prob).max(axis=1)
    np.testing.assert_allclose(found.margin, found.label_prob - others, atol=1e-6)
    np.testing.assert_array_equal(found.margin > 0, found.pred == label)


def test_logsumexp_gives_the_outputs_back(case):
    logits, _, _, found = case
    again = np.log(found.topk_prob) + found.logsumexp[:, None]
    np.testing.assert_allclose(
        again, np.take_along_axis(logits, found.topk_index, axis=1), atol=1e-4
    )


few_values = st.integers(2, 6).flatmap(
    lambda k: st.tuples(st.lists(st.integers(-2, 2), min_size=k, max_size=k), st.integers(0, k - 1))
)


@settings(deadline=None)
@given(few_values)
def test_ties_are_ranked_by_class_index(case):
    outputs, label = case
    found = score(np.array([outputs], np.float32), np.array([label], np.int32), topk=len(outputs))
    order = sorted(range(len(outputs)), key=lambda index: (-outputs[index], index))
    assert found.topk_index[0].tolist() == order
    assert found.pred[0] == order[0]
    assert found.label_rank[0] == order.index(label) + 1


@settings(deadline=None)
@given(st.integers(0, 1000), st.floats(-50, 50))
def test_a_constant_added_to_all_outputs_changes_only_their_sum(seed, constant):
    logits, label = random_case(n=5, seed=seed)
    logits = np.round(logits * 64) / 64  # sums that are exact in float32
    shift = np.float32(round(constant))
    before, after = score(logits, label, topk=3), score(logits + shift, label, topk=3)
    for name in set(before._fields) - {"logsumexp"}:
        np.testing.assert_allclose(getattr(before, name), getattr(after, name), rtol=1e-5)
    np.testing.assert_allclose(after.logsumexp, before.logsumexp + shift, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_outputs_that_are_not_finite_disturb_no_neighbour(bad):
    logits, label = random_case(n=4)
    spoilt = logits.copy()
    spoilt[2, 3] = bad
    clean, found = score(logits, label, topk=3), score(spoilt, label, topk=3)
    assert found.finite.tolist() == [True, True, False, True]
    for name in found._fields:
        ours, theirs = getattr(found, name), getattr(clean, name)
        np.testing.assert_array_equal(ours[[0, 1, 3]], theirs[[0, 1, 3]])


def test_huge_outputs_stay_finite():
    logits = np.array([[1e4, -1e4, 0.0]], np.float32)
    found = score(logits, np.array([1], np.int32), topk=3)
    assert found.loss[0] == pytest.approx(2e4)
    assert found.confidence[0] == 1


def test_the_superclass_gathers_the_probability_of_its_classes(case):
    logits, label, prob, _ = case
    parents = Superclasses(("a", "b"), (0, 1, 0, None, 1, 1, 0))
    found = score(logits, label, topk=3, superclasses=parents)
    of_class = np.array([NO_CLASS if one is None else one for one in parents.of_class])
    np.testing.assert_array_equal(found.super_pred, of_class[found.pred])
    expected = [prob[row, of_class == found.super_pred[row]].sum() for row in range(len(prob))]
    np.testing.assert_allclose(found.super_pred_prob, expected, rtol=1e-5)


def test_images_without_a_label_are_scored_all_the_same():
    logits, label = random_case(n=6)
    with_label = score(logits, label, topk=3)
    without = score(logits, np.full(6, NO_CLASS, np.int32), topk=3)
    np.testing.assert_array_equal(with_label.pred, without.pred)
    np.testing.assert_array_equal(with_label.confidence, without.confidence)


def test_nothing_to_score_is_fine():
    assert len(score(np.zeros((0, 3), np.float32), np.zeros(0, np.int32), topk=3).pred) == 0


def test_loss_and_label_probability_are_torchs_log_softmax(case):
    logits, label, _, found = case
    log_prob = torch.log_softmax(torch.from_numpy(logits).double(), dim=1).numpy()
    of_label = log_prob[np.arange(len(label)), label]
    np.testing.assert_allclose(found.loss, -of_label, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(found.label_prob, np.exp(of_label), rtol=1e-6)


def test_top_probabilities_descend_and_begin_with_the_prediction(case):
    _, _, _, found = case
    assert (np.diff(found.topk_prob, axis=1) <= 0).all()
    np.testing.assert_array_equal(found.topk_index[:, 0], found.pred)
    np.testing.assert_array_equal(found.topk_prob[:, 0], found.confidence)


def test_asking_for_fewer_of_the_top_gives_the_first_of_them(case):
    logits, label, _, found = case
    fewer = score(logits, label, topk=2)
    np.testing.assert_array_equal(fewer.topk_index, found.topk_index[:, :2])
    np.testing.assert_array_equal(fewer.label_rank, found.label_rank)


outputs_and_label = st.integers(2, 9).flatmap(
    lambda k: st.tuples(
        st.lists(st.integers(-160, 160), min_size=k, max_size=k).map(
            lambda steps: [step / 4 for step in steps]
        ),
        st.integers(0, k - 1),
    )
)


@settings(deadline=None)
@given(outputs_and_label)
def test_each_figure_stays_in_its_range(case):
    outputs, label = case
    k = len(outputs)
    found = score(np.array([outputs], np.float32), np.array([label], np.int32), topk=k)
    assert 1 / k <= found.confidence[0] * (1 + 1e-6)
    assert 0 <= found.label_prob[0] <= found.confidence[0] <= 1
    assert -1 <= found.margin[0] <= 1
    assert 0 <= found.brier[0] <= 2
    assert found.loss[0] >= 0
    assert 0 <= found.entropy[0] <= np.log(k) * (1 + 1e-6)
    assert 1 <= found.label_rank[0] <= k
    assert (found.label_rank[0] == 1) == (found.pred[0] == label)
    assert found.topk_prob.sum() == pytest.approx(1, rel=1e-5)


@settings(deadline=None)
@given(outputs_and_label.filter(lambda case: max(case[0]) - sorted(case[0])[-2] > 0))
def test_without_a_tie_at_the_top_the_margin_tells_right_from_wrong(case):
    outputs, label = case
    found = score(np.array([outputs], np.float32), np.array([label], np.int32), topk=1)
    assert (found.margin[0] > 0) == (found.pred[0] == label)


@settings(deadline=None, max_examples=50)
@given(outputs_and_label, st.randoms(use_true_random=False))
def test_the_order_of_the_classes_changes_no_figure(case, random):
    outputs, label = case
    order = random.sample(range(len(outputs)), len(outputs))
    turned = [outputs[index] for index in order]
    one = score(np.array([outputs], np.float32), np.array([label], np.int32), topk=1)
    other = score(np.array([turned], np.float32), np.array([order.index(label)], np.int32), topk=1)
    for name in ("confidence", "label_prob", "margin", "loss", "entropy", "brier", "logsumexp"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-5, atol=1e-6)


def test_every_figure_of_huge_outputs_is_finite():
    logits = np.array([[1e4, -1e4, 0], [1e4, 1e4, 1e4], [-1e4, -1e4, -1e4 + 8]], np.float32)
    found = score(logits, np.array([2, 1, 0], np.int32), topk=3)
    assert all(np.isfinite(column).all() for column in found)
    np.testing.assert_allclose(found.loss, [1e4, np.log(3), 8 + np.log1p(2 * np.exp(-8))])


@pytest.mark.parametrize("bad", [[np.nan] * 3, [np.inf, -np.inf, 0], [-np.inf] * 3])
def test_a_batch_of_nothing_but_bad_outputs_is_marked_and_does_not_raise(bad):
    found = score(np.array([bad, bad], np.float32), np.array([0, NO_CLASS], np.int32), topk=2)
    assert found.finite.tolist() == [False, False]


def test_a_prediction_without_superclass_is_marked(case):
    logits, label, _, _ = case
    found = score(logits, label, topk=1)
    assert (found.super_pred == NO_CLASS).all()
    some = score(logits, label, topk=1, superclasses=Superclasses(("a",), (0,) + (None,) * 6))
    np.testing.assert_array_equal(some.super_pred == NO_CLASS, some.pred != 0)


def test_one_superclass_for_all_has_the_whole_probability(case):
    logits, label, _, _ = case
    found = score(logits, label, topk=1, superclasses=Superclasses(("a",), (0,) * 7))
    np.testing.assert_allclose(found.super_pred_prob, 1, rtol=1e-6)
