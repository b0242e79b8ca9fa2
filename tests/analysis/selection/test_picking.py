from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from errlens.analysis.selection.picking import ChangedRows, Selectable, selected_rows
from errlens.classes.names import ClassNames
from errlens.errors import InputError, MissingInput, NoResults, UnfitSelection

NAMES = ("cat", "dog", "cow")
PAIRS = [(0, 1), (1, 2)]
GROUPS = [[0, 2]]
NONE = np.zeros(0, np.int64)
CHANGES = {
    "runs/old": ChangedRows(fixed=np.array([0, 4]), broken=np.array([1, 3])),
    "a+b": ChangedRows(fixed=np.array([4]), broken=NONE),
    "a+errors/": ChangedRows(fixed=np.array([0]), broken=NONE),
}


FINDINGS = [(5, 1), (4,), ()]
MARKS = {6: "bad image", 3: "wrong label", 0: "wrong label"}


def selectable(label, pred, *, names=NAMES, exceptional=(), pairs=None):
    """Return rows to select from; the last error is the worst. None is unknown."""
    correct = [
        None if None in pair else pair[0] == pair[1] for pair in zip(label, pred, strict=True)
    ]
    wrong = [row for row, right in enumerate(correct) if right is False]
    table = pa.table(
        {
            "row": list(range(len(label))),
            "path": [f"{row % 2}/{row}.jpg" for row in range(len(label))],
            "label": pa.array(label, pa.int32()),
            "pred": pa.array(pred, pa.int32()),
            "correct": pa.array(correct, pa.bool_()),
            "confidence": pa.array([row / 10 for row in range(len(label))], pa.float32()),
        }
    )
    return Selectable(
        table=table,
        classes=ClassNames(names),
        ranking=np.array(wrong[::-1], np.int64),
        exceptional=None if exceptional is None else np.array(exceptional, np.int64),
        pairs=pairs or (lambda: PAIRS),
        groups=lambda: GROUPS,
        changes=lambda path: CHANGES[path],
        findings=lambda: FINDINGS,
        marks=lambda: MARKS,
    )


#         0  1  2  3  4  5  6     7
LABEL = [0, 0, 0, 1, 1, 2, None, 2]
PRED = [0, 1, 2, 0, 1, 1, 1, None]  # wrong: 1, 2, 3, 5


@pytest.mark.parametrize(
    ("selector", "rows"),
    [
        ("errors", [5, 3, 2, 1]),
        ("worst:2", [5, 3]),
        ("worst:99", [5, 3, 2, 1]),
        ("cat/dog", [1]),
        ("cat~dog", [3, 1]),
        ("dog~cat", [3, 1]),
        ("pairs:1", [3, 1]),
        ("pairs:9", [5, 3, 1]),
        ("group:1", [2]),
        ("true:cat", [2, 1, 0]),
        ("true:CAT", [2, 1, 0]),
        ("pred:dog", [5, 1, 4, 6]),
        ("correct:dog", [4]),
        ("exceptional", [5]),
        ("finding:1", [5, 1]),
        ("finding 2", [4]),
        ("finding:1+true:cat", [1]),
        ("marked", [3, 0, 6]),
        ("marked:wrong label", [3, 0]),
        ("marked:Bad-Image", [6]),
        ("marked:wrong_label+errors", [3]),
        ("row:0", [0]),
        ("row:7", [7]),
        ("path:0/*", [2, 0, 4, 6]),
        ("true:cat+worst:1", [2]),
        ("worst:1+true:cat", [2]),
        ("true:cat+pred:dog", [1]),
        ("errors+path:1/*", [5, 3, 1]),
        (" errors + path:1/* ", [5, 3, 1]),
        ("fixed:runs/old", [0, 4]),
        ("broken:runs/old", [3, 1]),
        ("broken:runs/old+worst:1", [3]),
        ("fixed:runs/old+true:dog", [4]),
        ("fixed:a+b", [4]),
        ("fixed:a+errors/", [0]),
        ("broken:a+b", []),
        ("broken:a+b+worst:3", []),
    ],
)
def test_each_selector_means_its_rows_in_the_order_of_the_ranking(selector, rows):
    among = selectable(LABEL, PRED, exceptional=[5])
    assert selected_rows([selector], among).tolist() == rows


known = st.sampled_from(
    ["errors", "worst:2", "cat/dog", "cat~dog", "true:cat", "pred:dog", "correct:dog", "path:0/*"]
)
indices = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=15)


def rows_of(selector, among):
    try:
        return set(selected_rows([selector], among).tolist())
    except UnfitSelection:
        return set()


@settings(deadline=None)
@given(indices, st.lists(known, min_size=1, max_size=4))
def test_several_selectors_are_a_union(pairs, selectors):
    among = selectable(*map(list, zip(*pairs, strict=True)))
    each = [rows_of(one, among) for one in selectors]
    assume(all(each))
    rows = selected_rows(selectors, among).tolist()
    assert len(rows) == len(set(rows))
    assert set(rows) == set.union(*each)
    ranked = [row for row in among.ranking.tolist() if row in set(rows)]
    assert rows == ranked + sorted(set(rows) - set(ranked))


@settings(deadline=None)
@given(indices, st.lists(known.filter(lambda one: "worst" not in one), min_size=2, max_size=3))
def test_a_plus_is_an_intersection(pairs, selectors):
    among = selectable(*map(list, zip(*pairs, strict=True)))
    each = [rows_of(one, among) for one in selectors]
    assert rows_of("+".join(selectors), among) == set.intersection(*each)


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        ("cta~dog", "'cta' names no class"),
        ("cat~CAT", "cannot be read as two"),
        ("cat~dog~cow", "cannot be read as two"),
        ("true:cwo", "'cwo' names no class"),
        ("worse:5", "is no selector"),
        ("fixed:", "fixed takes the path of a run"),
        ("broken:a+b+true:cat", "means no image"),
        ("worst:0", "from 1 on"),
        ("worst:many", "from 1 on"),
        ("row:-1", "from 0 on"),
        ("worst:" + "9" * 5000, "from 1 on"),
        ("row:8", "the last row of the run is 7"),
        ("group:2", "groups.csv holds 1"),
        ("finding:4", "of findings there are 3"),
        ("finding:3", "about the run, not about some"),
        ("finding:x", "from 1 on"),
        ("cow/cat", "no 'cow' was taken for 'cat'$"),
        ("path:*.png", "means no image"),
        ("true:cat+pred:cat+errors", "means no image"),
        ("", "is no selector"),
    ],
)
def test_what_cannot_be_selected_is_a_sentence(selector, message):
    with pytest.raises(UnfitSelection, match=message) as failure:
        selected_rows([selector], selectable(LABEL, PRED))
    assert failure.value.exit_code == 2


def test_exceptional_takes_superclasses():
    with pytest.raises(UnfitSelection, match="no superclasses"):
        selected_rows(["exceptional"], selectable(LABEL, PRED, exceptional=None))


@pytest.mark.parametrize("selector", ["errors", "worst:3", "exceptional", "errors+worst:1"])
def test_a_run_without_errors_is_no_failure(selector):
    assert selected_rows([selector], selectable([0, 1], [0, 1])).tolist() == []


def test_a_run_whose_errors_cross_no_superclass_is_no_failure():
    among = selectable([0, 1], [1, 1], exceptional=[])
    assert selected_rows(["exceptional"], among).tolist() == []
    with pytest.raises(UnfitSelection):
        selected_rows(["exceptional+true:cat"], among)


def test_pairs_that_nobody_has_looked_for_are_that_command_s_failure():
    def absent():
        raise NoResults("pairs.csv is not there", command="errlens confusion run")

    among = selectable(LABEL, PRED, pairs=absent)
    assert selected_rows(["errors"], among).tolist() == [5, 3, 2, 1]
    with pytest.raises(NoResults):
        selected_rows(["pairs:1"], among)


def written(tmp_path, text):
    path = tmp_path / "worst.csv"
    path.write_text(text)
    return f"rows:{path}"


def test_the_rows_of_a_table_are_meant_in_the_order_of_the_ranking(tmp_path):
    among = selectable(LABEL, PRED)
    selector = written(tmp_path, "rank;row;label_name\n1;1.0;cat\n2;5;cow\n3;0;cat\n;;\n")
    assert selected_rows([selector], among).tolist() == [5, 1, 0]
    assert selected_rows([f"{selector}+errors"], among).tolist() == [5, 1]
    selector = written(tmp_path, "path,why\n1/3.jpg,dark\n")
    assert selected_rows([selector], among).tolist() == [3]


@pytest.mark.parametrize("text", ["row\n8\n", "path\nnone.jpg\n", "name\na\n", ""])
def test_a_table_of_other_images_is_bad_input(tmp_path, text):
    with pytest.raises(InputError) as caught:
        selected_rows([written(tmp_path, text)], selectable(LABEL, PRED))
    assert caught.value.exit_code == 3


def test_a_table_that_is_not_there_is_missing():
    with pytest.raises(MissingInput):
        selected_rows(["rows:gone.csv"], selectable(LABEL, PRED))


def test_a_path_is_a_path_before_it_is_a_glob_and_may_start_farther_up():
    among = selectable([0, 0, 0], [1, 1, 1])
    paths = ["a[1].jpg", "a1.jpg", "b/c.jpg"]
    table = among.table.set_column(1, "path", pa.array(paths))
    table = table.append_column("sample_id", pa.array(["a[1].jpg", "a1.jpg", "b/c.jpg#2"]))
    among = replace(among, table=table)
    for selector, rows in (("path:a[1].jpg", [0]), ("path:a?.jpg", [1]), ("path:b/c.jpg#2", [2]),
                           ("path:photos/val/b/c.jpg", [2]), ("path:/x/b/c.jpg", [2])):  # fmt: skip
        assert selected_rows([selector], among).tolist() == rows


def test_columns_that_name_nothing_are_passed_over(tmp_path):
    table = pa.table(
        {"content_hash": pa.array([b"\xff" * 16], pa.binary(16)), "topk": [[1, 2]], "row": [3]}
    )
    pq.write_table(table, tmp_path / "some.parquet")
    among = selectable(LABEL, PRED)
    assert selected_rows([f"rows:{tmp_path}/some.parquet"], among).tolist() == [3]
