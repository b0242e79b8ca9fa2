import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import errlens
from errlens.analysis.accuracy.regrouping import regroup
from errlens.analysis.accuracy.what_if import (
    COLUMNS,
    ScoredPart,
    _best_for_certain,
    _ranked,
    what_if,
)
from errlens.analysis.confusion.pairs import pair_table
from errlens.classes.names import NO_CLASS, ClassNames
from errlens.predictions.assembly import Seen, part_table
from errlens.predictions.scores import score
from errlens.predictions.table import Predictions
from errlens.run.tables import PLAN_SCHEMA

NAMES = ClassNames(tuple("abcdef"))


def predictions_of(logits, label, *, topk=20, names=NAMES):
    """A part as the run folder has it, and the logits to go with it."""
    rows = np.arange(len(label))
    plan = pa.table(
        {
            "row": rows,
            "sample_id": [f"{row}.png" for row in rows],
            "path": [f"{row}.png" for row in rows],
            "split": [None] * len(rows),
            "label_name": [None if one == NO_CLASS else names[one] for one in label],
            "size_bytes": rows,
            "shard": np.zeros(len(rows), np.int32),
        },
        schema=PLAN_SCHEMA,
    )
    scores = score(logits, np.asarray(label, np.int32), topk=min(topk, len(names)))
    table = part_table(
        plan, [Seen("ok")] * len(rows), scores, np.asarray(label, np.int32), classes=names,
        with_logits=True,
    )  # fmt: skip
    return Predictions(table.select(COLUMNS), names)


def by_hand(logits, label, merge, drop, mended):
    """The plain way: image by image, a dictionary of probabilities."""
    group = {index: index for index in range(len(NAMES)) if index not in drop}
    for one in merge:
        group |= dict.fromkeys(one, min(one))
    places = {head: place for place, head in enumerate(sorted(set(group.values())))}
    counts = np.zeros((len(places), len(places)), int)
    for row, (outputs, given_label) in enumerate(zip(logits, label, strict=True)):
        true = mended.get(row, given_label)
        if true in drop or true == NO_CLASS:
            continue
        total = dict.fromkeys(group.values(), 0.0)
        for index, head in group.items():
            total[head] += np.exp(float(outputs[index]))
        most = max(total.values())
        tied = [head for head, value in total.items() if value >= most * (1 - 1e-12)]
        if len(tied) > 1:  # the one that the run ranks first
            ranking = sorted(group, key=lambda index: (-outputs[index], index))
            tied = [next(group[index] for index in ranking if group[index] in tied)]
        counts[places[group[true]], places[tied[0]]] += 1
    return counts


@st.composite
def cases(draw):
    n = draw(st.integers(1, 12))
    numbers = draw(st.lists(st.integers(-40, 40), min_size=6 * n, max_size=6 * n))
    # Distinct in every row but for multiples of a quarter: ties are rare and then exact.
    logits = np.array(numbers, np.float32).reshape(n, 6) / 4
    label = draw(st.lists(st.integers(-1, 5), min_size=n, max_size=n))
    order = draw(st.permutations(range(6)))
    sizes = draw(st.sampled_from([(2,), (3,), (2, 2), (2, 1), ()]))
    merge, at = [], 0
    for size in sizes:
        if size > 1:
            merge.append(list(order[at : at + size]))
        at += size
    drop = list(order[at : at + draw(st.integers(0, 4 - at if at < 4 else 0))])
    mended = draw(st.dictionaries(st.integers(0, n - 1), st.integers(0, 5), max_size=3))
    return logits, label, merge, drop, mended


@settings(deadline=None, max_examples=200)
@given(cases(), st.booleans())
def test_it_is_a_plain_loop_over_images(case, with_logits):
    logits, label, merge, drop, mended = case
    regrouping = regroup(
        NAMES,
        merge=["+".join(NAMES[index] for index in one) for one in merge],
        drop=[NAMES[index] for index in drop],
    )
    part = ScoredPart(predictions_of(logits, label), logits if with_logits else None)
    outcome = what_if([part], regrouping, labels=mended)
    expected = by_hand(logits.astype(np.float64), label, merge, drop, mended)
    if with_logits or not merge:
        np.testing.assert_array_equal(outcome.matrix.counts.toarray(), expected)
    else:  # of float32, where sums may be a tie only nearly
        np.testing.assert_array_equal(outcome.matrix.counts.sum(axis=1), expected.sum(axis=1))
    assert (outcome.undecided, outcome.unsummed) == (0, 0)
    final = [mended.get(row, one) for row, one in enumerate(label)]
    assert outcome.left_out == sum(one in drop for one in final)


@settings(deadline=None, max_examples=100)
@given(cases(), st.integers(1, 5))
def test_what_the_stored_classes_settle_is_what_the_logits_say(case, topk):
    logits, label, merge, drop, _ = case
    logits = logits + np.arange(6, dtype=np.float32) / 16  # no ties
    regrouping = regroup(
        NAMES,
        merge=["+".join(NAMES[index] for index in one) for one in merge],
        drop=[NAMES[index] for index in drop],
    )
    part = predictions_of(logits, label, topk=topk)
    for row in range(len(label)):
        one = Predictions(part.table.slice(row, 1), NAMES)
        # logits_row counts from the start of the part
        exact = what_if([ScoredPart(one, logits)], regrouping).matrix.counts.toarray()
        found = what_if([ScoredPart(one)], regrouping)
        if found.undecided:
            assert not found.matrix.total
        elif not found.unsummed:
            np.testing.assert_array_equal(found.matrix.counts.toarray(), exact)


def test_without_its_class_an_image_is_undecided_where_nothing_else_was_stored():
    logits = np.array([[9, 8, 0, 0, 0, 0], [9, 0, 8, 0, 0, 0]], np.float32)
    label = [1, 0]
    part = predictions_of(logits, label, topk=1)
    outcome = what_if([ScoredPart(part)], regroup(NAMES, drop=["a"]))
    assert (outcome.undecided, outcome.left_out, outcome.top1) == (1, 1, None)
    assert outcome.bounds == (0, 1)
    known = what_if([ScoredPart(predictions_of(logits, label, topk=2))], regroup(NAMES, drop=["a"]))
    assert known.hits == 1


def test_a_merged_class_may_win_that_none_of_its_classes_would():
    logits = np.log(np.array([[0.4, 0.3, 0.25, 0.02, 0.02, 0.01]], np.float32))
    part = predictions_of(logits, [1])
    assert what_if([ScoredPart(part)], regroup(NAMES)).hits == 0
    for evidence in (ScoredPart(part), ScoredPart(part, logits)):
        assert what_if([evidence], regroup(NAMES, merge=["b+c"])).hits == 1
    # Of what was stored the sum is not certain: the prediction stays what it was.
    short = ScoredPart(predictions_of(logits, [1], topk=1))
    outcome = what_if([short], regroup(NAMES, merge=["b+c"]))
    assert (outcome.hits, outcome.unsummed) == (0, 1)


def bounds_of_all(part, of_class, sizes):
    """The least and the most that each new class can have, written out for all of them."""
    table, k = part.table, len(sizes)
    low, high = np.zeros((len(table), k)), np.zeros((len(table), k))
    for row, (index, prob) in enumerate(
        zip(table["topk_index"].to_pylist(), table["topk_prob"].to_pylist(), strict=True)
    ):
        stored = np.zeros(k, int)
        for one, chance in zip(of_class[index], prob, strict=True):
            if one >= 0:
                low[row, one] += chance
                stored[one] += 1
        missing = max(0.0, 1 + 1e-6 - sum(prob))
        high[row] = low[row] + np.minimum(missing, (sizes - stored) * min(1.0, *prob, 1.0))
    return low, high


@settings(deadline=None, max_examples=200)
@given(cases(), st.integers(1, 5))
def test_an_image_is_settled_where_no_class_can_exceed_the_best(case, topk):
    logits, label, merge, drop, _ = case
    regrouping = regroup(
        NAMES,
        merge=["+".join(NAMES[index] for index in one) for one in merge],
        drop=[NAMES[index] for index in drop],
    )
    part = predictions_of(logits, label, topk=topk)
    low, high = bounds_of_all(part, regrouping.of_class, regrouping.sizes)
    rows = np.arange(len(label))
    best = low.argmax(axis=1)
    for row, index in enumerate(part.table["topk_index"].to_pylist()):
        first = next((one for one in regrouping.of_class[index] if one >= 0), best[row])
        best[row] = first if low[row, first] == low[row, best[row]] else best[row]
    others = high.copy()
    others[rows, best] = 0
    settled = (low[rows, best] > 0) & (low[rows, best] >= others.max(axis=1))
    found = _best_for_certain(_ranked(part.table), regrouping)
    np.testing.assert_array_equal(found != NO_CLASS, settled)
    tied = low == low[rows, best][:, None]
    assert all(tied[row, found[row]] for row in rows[settled])


def test_figures_are_those_of_the_run_where_nothing_changes():
    random = np.random.default_rng(0)
    label = random.integers(0, 6, 300)
    label[label == 3] = 4  # a class that is only predicted
    logits = random.normal(size=(300, 6)).astype(np.float32)
    logits[np.arange(300), label] += 1.5
    part = predictions_of(logits, label)
    outcome = what_if([ScoredPart(part)], regroup(NAMES))
    pred = logits.argmax(axis=1)
    from sklearn.metrics import f1_score

    assert outcome.top1.value == np.mean(pred == label)
    assert outcome.macro_f1.value == pytest.approx(f1_score(label, pred, average="macro"))
    matrix_pairs = pair_table(outcome.matrix)
    assert outcome.n_mutual == matrix_pairs["mutual"].sum()
    assert len(outcome.pairs) == matrix_pairs["status"].isin(["mutual", "likely"]).sum()


def test_it_is_a_remap_of_real_logits(real_data, tmp_path):
    run = errlens.evaluate(
        real_data / "data/cifar10/test",
        model="test_resnet",
        checkpoint=real_data / "models/test_resnet.cifar10.epoch15.safetensors",
        model_kwargs=["output_stride=16"],
        img_size=64, crop_pct=1.0, crop_mode="squash", interpolation="bicubic",
        mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5),
        limit=2000, part_size=700, keep="logits", out=tmp_path / "run",
    )  # fmt: skip
    logits = np.concatenate(list(run.read_sidecars("logits"))).astype(np.float64)
    table = run.predictions.table
    label, pred = (table[name].to_numpy() for name in ("label", "pred"))
    names = list(run.info.classes.names)
    cat, dog, deer = (names.index(name) for name in ("cat", "dog", "deer"))
    assert what_if(_evidence(run), regroup(run.info.classes)).hits == np.sum(label == pred)

    prob = np.exp(logits)
    prob[:, cat] += prob[:, dog]
    prob[:, [dog, deer]] = -1
    kept = label != deer
    expected = prob.argmax(axis=1)[kept] == np.where(label == dog, cat, label)[kept]
    regrouping = regroup(run.info.classes, merge=["dog+cat"], drop=["deer"])
    outcome = what_if(_evidence(run), regrouping)
    assert (outcome.hits, outcome.matrix.total) == (expected.sum(), kept.sum())
    # All ten probabilities are in the table as well.
    stored = what_if((ScoredPart(part) for part in run.read_parts(COLUMNS)), regrouping)
    np.testing.assert_array_equal(stored.matrix.counts.toarray(), outcome.matrix.counts.toarray())


def _evidence(run):
    return map(ScoredPart, run.read_parts(COLUMNS), run.read_sidecars("logits"))
