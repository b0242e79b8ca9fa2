import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from errlens.analysis.embedding import neighbours
from errlens.analysis.embedding.neighbours import (
    NEIGHBOUR_COLUMNS,
    Others,
    in_parts,
    nearest_in_parts,
    neighbour_table,
    standings,
)
from errlens.analysis.embedding.sentences import sentences_of
from errlens.analysis.mistakes.neighbours import Features


@given(st.integers(1, 40), st.integers(1, 6), st.integers(1, 9), st.integers(0, 99))
def test_neighbours_are_those_of_brute_force_with_ties_by_row(n, width, most, seed):
    rng = np.random.default_rng(seed)
    values = rng.integers(1, 3, (n, width)).astype(np.float16)
    queries = rng.integers(1, 3, (5, width)).astype(np.float16)
    cut = int(rng.integers(0, n + 1))
    parts = [Features(np.arange(n)[part], values[part]) for part in (slice(cut), slice(cut, None))]
    found = nearest_in_parts(queries, parts, most=most)
    wide, wanted = values.astype(float), queries.astype(float)
    cosine = (
        (wanted @ wide.T) / np.linalg.norm(wide, axis=1) / np.linalg.norm(wanted, axis=1)[:, None]
    )
    expected = np.argsort(-np.round(cosine, 10), axis=1, kind="stable")[:, :most]
    assert [[one.row for one in near] for near in found] == expected.tolist()


def test_parts_are_small_and_leave_nothing_out(monkeypatch):
    monkeypatch.setattr(neighbours, "_AT_ONCE", 4)
    parts = list(in_parts(np.arange(10), np.eye(10)))
    assert [len(part.rows) for part in parts] == [4, 4, 2]


def errors() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "row": [7, 3], "sample_id": ["g", "c"], "path": ["g.png", "c.png"],
            "label_name": ["cat", "dog"], "pred_name": ["dog", "cat"],
            "content_hash": [b"7", None],
        }
    )  # fmt: skip


def found(labels: str, *, most: int = 3) -> pd.DataFrame:
    names = {"c": "cat", "d": "dog", "o": "ox"}
    directions = np.array([[1.0, 0.0], [1.0, 0.1], [1.0, 0.2]])
    others = Others(
        "training", ["0.png", "1.png", "2.png"], [names[one] for one in labels], [b"0", b"7", None]
    )
    nearest = nearest_in_parts(
        np.array([[1.0, 0.0], [0.0, 1.0]]), in_parts(np.arange(3), directions), most=most
    )
    return neighbour_table(errors(), nearest, others)


def test_a_neighbour_argues_for_what_it_is_labelled():
    table = found("dco")
    assert [*table.columns] == [*NEIGHBOUR_COLUMNS]
    assert table["argues_for"].tolist() == [
        "prediction", "label", "neither", "neither", "prediction", "label"
    ]  # fmt: skip
    assert table["neighbour_row"].isna().all()


def test_the_very_file_is_told_from_what_features_cannot_tell_apart():
    table = found("dco")
    assert table["copy"].tolist() == ["features", "file", "", "", "", ""]


def test_an_error_lies_where_most_of_its_neighbours_are_else_where_the_nearest_is():
    assert standings(found("ddc"))["stands"].tolist() == ["prediction", "label"]
    assert standings(found("dco"))["stands"].tolist() == ["prediction", "neither"]


def test_sentences_count_errors_and_name_doubtful_labels_and_copies():
    table = found("ddd")
    said = sentences_of(table, standings(table))
    assert said[0] == (
        "2 errors lie among training images: 1 mostly among those of the class predicted, "
        "1 among those of their own label, 0 among others."
    )
    assert "class predicted for 1 error, the label of the error for 1" in said[1]
    assert "All nearest training images of 1 error" in said[2]
    assert "row 7 ('cat' taken for 'dog')" in said[2]
    assert said[3].startswith("1 error has a copy among training images: row 7")


def test_without_errors_nothing_is_said():
    table = neighbour_table(errors().head(0), [], Others("right", [], [], []))
    assert sentences_of(table, standings(table)) == []


def test_standings_are_those_of_counting_error_by_error():
    rng = np.random.default_rng(5)
    for_what = ["label", "prediction", "neither"]
    rows = [
        (among, row, rank, rng.choice(for_what), 1 - rank / 10)
        for row in (9, 2, 5, 30)
        for among in ("right", "training")
        for rank in range(1, 6)
    ]
    table = pd.DataFrame(rows, columns=["among", "row", "rank", "argues_for", "similarity"])
    told = standings(table)
    assert len(told) == 8
    for start, standing in zip(range(0, 40, 5), told.to_dict("records"), strict=True):
        words = table["argues_for"][start : start + 5].tolist()
        assert (standing["among"], standing["row"]) == rows[start][:2]
        assert standing["stands"] == max(words, key=words.count)
        assert standing["all_alike"] == (len({*words}) == 1)
        assert (standing["first"], standing["similarity"]) == (words[0], 0.9)
