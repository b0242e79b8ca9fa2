import csv
import shlex
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errlens.data.manifests import Columns, read_manifest
from errlens.errors import BadManifest, UnfitOption


def manifest(tmp_path: Path, text: str, name: str = "list.csv") -> Path:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / name


# Text


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path, delimiter):
    text = "\ufeffpath,label,camera\na.jpg,cat,x\nb.jpg,,y\n".replace(",", delimiter)
    found = read_manifest(manifest(tmp_path, text), Columns())
    assert found.frame["path"].tolist() == ["a.jpg", "b.jpg"]
    assert found.frame["label"].tolist() == ["cat", None]
    assert found.extra.to_dict("list") == {"row": [0, 1], "camera": ["x", "y"]}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_delimiter_inside_quotes_divides_nothing(tmp_path, delimiter, line_end):
    lines = ['"path";"label"', '"a;b.jpg";"cat; grey"', '"c.jpg";"say ""meow"""']
    text = line_end.join(lines).replace(";", delimiter)
    found = read_manifest(manifest(tmp_path, text), Columns()).frame
    assert found["path"].tolist() == [f"a{delimiter}b.jpg", "c.jpg"]
    assert found["label"].tolist() == [f"cat{delimiter} grey", 'say "meow"']


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_comma_in_a_column_name_does_not_hide_the_delimiter(tmp_path, delimiter):
    text = "path;label;size, bytes\na.jpg;cat;17\n".replace(";", delimiter)
    found = read_manifest(manifest(tmp_path, text), Columns())
    assert found.frame["label"].tolist() == ["cat"]
    assert found.extra.to_dict("list") == {"row": [0], "size, bytes": ["17"]}


def test_commas_in_the_rows_do_not_outvote_the_header(tmp_path):
    text = "path;label\na,b,c.jpg;cat, grey, old\nd,e,f.jpg;dog, brown, young\n"
    found = read_manifest(manifest(tmp_path, text), Columns()).frame
    assert found["path"].tolist() == ["a,b,c.jpg", "d,e,f.jpg"]


def test_a_tsv_file_is_read_like_any_text(tmp_path):
    path = manifest(tmp_path, "path\tlabel\na b.jpg\tcat, grey\n", "list.TSV")
    found = read_manifest(path, Columns()).frame
    assert (found["path"][0], found["label"][0]) == ("a b.jpg", "cat, grey")


def test_classes_may_be_called_na_null_or_hold_the_delimiter(tmp_path):
    text = 'path,label\n1.jpg,NA\n2.jpg,null\n3.jpg,"cat, grey"\n4.jpg,007\n'
    found = read_manifest(manifest(tmp_path, text), Columns())
    assert found.frame["label"].tolist() == ["NA", "null", "cat, grey", "007"]


@pytest.mark.parametrize("name", ["NaN", "None", "nan", "n/a", "True", "1.0", "1e3", " ", "-"])
def test_a_class_name_is_never_read_as_something_else(tmp_path, name):
    table = pd.DataFrame({"path": ["1.jpg", "2.jpg"], "label": [name, "cat"]})
    table.to_csv(tmp_path / "list.csv", index=False)
    table.to_parquet(tmp_path / "list.parquet")
    for file in ("list.csv", "list.parquet"):
        assert read_manifest(tmp_path / file, Columns()).frame["label"].tolist() == [name, "cat"]


def test_a_row_that_is_longer_than_the_header_never_shifts_the_columns(tmp_path):
    path = manifest(tmp_path, "path,label\na.jpg,cat,\nb.jpg,dog,\n")
    try:
        found = read_manifest(path, Columns()).frame
    except BadManifest:
        return  # refusing it is as good
    assert found["path"].tolist() == ["a.jpg", "b.jpg"]
    assert found["label"].tolist() == ["cat", "dog"]


def test_one_longer_row_is_refused(tmp_path):
    with pytest.raises(BadManifest, match="line 3"):
        read_manifest(manifest(tmp_path, "path,label\na,b\nc,d,e\n"), Columns())


words = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), min_size=1, max_size=8)


@settings(deadline=None, max_examples=40)
@given(rows=st.lists(st.tuples(words, words), min_size=1, max_size=6))
def test_what_is_written_comes_back(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("manifest")
    table = pd.DataFrame(rows, columns=["path", "label"])
    table.to_csv(folder / "list.csv", index=False)
    table.to_parquet(folder / "list.parquet")
    for name in ("list.csv", "list.parquet"):
        found = read_manifest(folder / name, Columns()).frame
        assert list(zip(found["path"], found["label"], strict=True)) == rows


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(st.tuples(words, st.just("") | words, words, words), min_size=1, max_size=5),
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from(["", "\ufeff"]),
)
def test_whatever_the_dialect_it_comes_back(
    tmp_path_factory, rows, delimiter, quoting, line_end, mark
):
    path = tmp_path_factory.mktemp("manifest") / "list.csv"
    with path.open("w", encoding="utf-8", newline="") as lines:
        lines.write(mark)
        writer = csv.writer(lines, delimiter=delimiter, quoting=quoting, lineterminator=line_end)
        writer.writerows([("path", "label", "split", "camera"), *rows])
    found = read_manifest(path, Columns())
    columns = (found.frame["path"], found.frame["label"], found.frame["split"])
    back = list(zip(*columns, found.extra["camera"], strict=True))
    assert back == [(name, label or None, split, camera) for name, label, split, camera in rows]


# Columns


def test_columns_may_have_other_names(tmp_path):
    text = "path,label,file,animal,fold\nwrong,wrong,a.jpg,cat,1\nwrong,wrong,b.jpg,dog,2\n"
    columns = Columns(path="file", label="animal", split="fold")
    found = read_manifest(manifest(tmp_path, text), columns, split="2")
    assert found.frame.to_dict("list") == {"path": ["b.jpg"], "label": ["dog"], "split": ["2"]}
    assert found.extra.to_dict("list") == {"row": [0], "path": ["wrong"], "label": ["wrong"]}


def test_without_a_split_or_further_columns_there_is_none(tmp_path):
    found = read_manifest(manifest(tmp_path, "path,label\na,b\n"), Columns())
    assert found.frame["split"].tolist() == [None]
    assert found.extra is None


def test_further_columns_stay_with_their_rows_through_a_split(tmp_path):
    lines = [f"{row}.jpg,cat,{'val' if row % 3 else 'train'},{row}" for row in range(10)]
    path = manifest(tmp_path, "\n".join(["path,label,split,number", *lines]))
    found = read_manifest(path, Columns(), split="val")
    assert len(found.frame) == 6
    assert [f"{number}.jpg" for number in found.extra["number"]] == found.frame["path"].tolist()
    assert found.extra["row"].tolist() == list(range(6))


def test_a_column_called_row_can_be_written_beside_the_row_numbers(tmp_path):
    path = manifest(tmp_path, "path,label,row\na.jpg,cat,77\nb.jpg,dog,78\n")
    try:
        extra = read_manifest(path, Columns()).extra
    except BadManifest:
        return  # refusing it is as good
    if extra is not None:
        pa.Table.from_pandas(extra, preserve_index=False)
        assert extra["row"].tolist() == [0, 1]


def test_a_missing_column_names_those_found_and_the_nearest(tmp_path):
    path = manifest(tmp_path, "Paths,kind,camera\na,cat,x\n")
    with pytest.raises(BadManifest, match="no column 'path', 'label'") as failure:
        read_manifest(path, Columns())
    assert "'Paths', 'kind', 'camera'" in str(failure.value)
    assert "did you mean Paths?" in failure.value.hint
    assert "--path-column" in failure.value.hint


def test_a_column_name_that_was_given_is_the_one_missed(tmp_path):
    path = manifest(tmp_path, "path,label,species\na.jpg,cat,x\n")
    with pytest.raises(BadManifest, match="no column 'specie';") as failure:
        read_manifest(path, Columns(label="specie"))
    assert failure.value.hint == "add --label-column species"


@pytest.mark.parametrize(
    ("header", "options"),
    [
        ("image_id,species", "--path-column image_id --label-column species"),
        ("filename,class,width", "--path-column filename --label-column class"),
        ("file,what it shows", "--path-column file --label-column 'what it shows'"),
        ("path,diagnosis", "--label-column diagnosis"),
        ("image,label", "--path-column image"),
    ],
)
def test_columns_are_known_by_what_they_hold_and_the_options_that_name_them_work(
    tmp_path, header, options
):
    row = ",".join(["a.JPG", "cat", "300"][: header.count(",") + 1])
    path = manifest(tmp_path, f"{header}\n{row}\n")
    with pytest.raises(BadManifest) as failure:
        read_manifest(path, Columns())
    assert failure.value.hint == f"add {options}"
    words = shlex.split(options)
    named = {words[at].strip("-").split("-")[0]: words[at + 1] for at in range(0, len(words), 2)}
    found = read_manifest(path, Columns(**named)).frame
    assert (found["path"].tolist(), found["label"].tolist()) == (["a.JPG"], ["cat"])


def test_a_manifest_without_a_header_is_told_the_line_that_lacks(tmp_path):
    path = manifest(tmp_path, "a.jpg,cat\nb.jpg,dog\n")
    with pytest.raises(BadManifest, match="begins with a row") as failure:
        read_manifest(path, Columns())
    assert failure.value.hint.endswith(": path,label")


@pytest.mark.parametrize(
    ("labels", "read"),
    [
        (["-1", "0", "2"], [None, "0", "2"]),
        (["-1.0", "0.0", ""], [None, "0.0", None]),
        (["-1", "-1"], [None, None]),
        (["-1", "cat"], ["-1", "cat"]),
        (["-2", "0"], ["-2", "0"]),
    ],
)
def test_minus_one_beside_numbers_is_no_label(tmp_path, labels, read):
    rows = "".join(f"{number}.jpg,{label}\n" for number, label in enumerate(labels))
    found = read_manifest(manifest(tmp_path, f"path,label\n{rows}"), Columns())
    assert found.frame["label"].tolist() == read


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("file,label\na,b\n", "no column 'path'; it has 'file', 'label'"),
        ("path,label\n", "no rows"),
        ("", "empty"),
        ("\n\n", "empty"),
        ("path,label\na,b\n,c\n", "line 3"),
        ('path,label\n"a,b\n', "cannot be read"),
    ],
)
def test_a_manifest_that_is_none_says_why(tmp_path, text, reason):
    with pytest.raises(BadManifest, match=reason):
        read_manifest(manifest(tmp_path, text), Columns())


def test_text_that_is_not_utf8_is_refused(tmp_path):
    (tmp_path / "list.csv").write_bytes("path,label\ncafé.jpg,cat\n".encode("latin-1"))
    with pytest.raises(BadManifest, match="cannot be read"):
        read_manifest(tmp_path / "list.csv", Columns())


# Parquet


def test_a_parquet_file_that_is_none_says_so(tmp_path):
    with pytest.raises(BadManifest, match="cannot be read"):
        read_manifest(manifest(tmp_path, "no parquet", "list.parquet"), Columns())


def test_a_parquet_manifest_is_what_the_same_text_is(tmp_path):
    table = pd.DataFrame(
        {
            "path": ["a.jpg", "b.jpg", "c.jpg"],
            "label": pd.Categorical(["cat", None, "NA"]),
            "split": ["train", "val", ""],
            "camera": ["x", "y", "z"],
        }
    )
    table.to_csv(tmp_path / "list.csv", index=False)
    table.to_parquet(tmp_path / "list.parquet")
    text = read_manifest(tmp_path / "list.csv", Columns())
    found = read_manifest(tmp_path / "list.parquet", Columns())
    assert found.frame["label"].tolist() == ["cat", None, "NA"]
    assert found.frame.to_dict("list") == text.frame.to_dict("list")
    assert found.extra.to_dict("list") == text.extra.to_dict("list")


def test_whole_numbers_are_labels_without_a_point(tmp_path):
    for labels in ([3, 12], [3, None]):
        table = pa.table({"path": ["a.jpg", "b.jpg"], "label": pa.array(labels, pa.int64())})
        pq.write_table(table, tmp_path / "list.parquet")
        found = read_manifest(tmp_path / "list.parquet", Columns()).frame["label"].tolist()
        assert found == [None if label is None else str(label) for label in labels]


def test_zero_rows_of_parquet_are_refused(tmp_path):
    pd.DataFrame({"path": [], "label": []}).to_parquet(tmp_path / "list.parquet")
    with pytest.raises(BadManifest, match="no rows"):
        read_manifest(tmp_path / "list.parquet", Columns())


# Splits


def test_a_split_that_is_not_there_lists_those_that_are(tmp_path):
    path = manifest(tmp_path, "path,label,split\na,b,train\nc,d,val\n")
    assert read_manifest(path, Columns(), split="val").frame["path"].tolist() == ["c"]
    with pytest.raises(UnfitOption, match="'train', 'val'"):
        read_manifest(path, Columns(), split="test")


def test_the_splits_share_out_every_row_that_has_one(tmp_path):
    lines = [f"{row}.jpg,cat,{('train', 'val', '')[row % 3]}" for row in range(9)]
    path = manifest(tmp_path, "\n".join(["path,label,split", *lines]))
    everything = read_manifest(path, Columns()).frame
    assert set(everything["split"]) == {"train", "val", None}
    for split in ("train", "val"):
        found = read_manifest(path, Columns(), split=split).frame
        expected = everything.loc[everything["split"] == split, "path"]
        assert found["path"].tolist() == expected.tolist()
        assert set(found["split"]) == {split}


@pytest.mark.parametrize("splits", [[0, 1], ["0", "1"]])
def test_a_split_that_is_a_number_is_chosen_by_its_name(tmp_path, splits):
    table = pd.DataFrame({"path": ["a.jpg", "b.jpg"], "label": ["cat", "dog"], "split": splits})
    table.to_parquet(tmp_path / "list.parquet")
    found = read_manifest(tmp_path / "list.parquet", Columns(), split="1").frame
    assert found["path"].tolist() == ["b.jpg"]


def test_a_split_needs_a_column(tmp_path):
    path = manifest(tmp_path, "path,label,fold\na,b,1\n")
    with pytest.raises(UnfitOption, match="no column 'split'") as failure:
        read_manifest(path, Columns(), split="1")
    assert "--split-column" in failure.value.hint


def test_whole_numbers_with_a_point_are_whole_numbers(tmp_path):
    path = manifest(tmp_path, "path,label\na.jpg,3.0\nb.jpg,\nc.jpg,12.0\n")
    assert read_manifest(path, Columns()).frame["label"].tolist() == ["3", None, "12"]
    path = manifest(tmp_path, "path,label\na.jpg,3.0\nb.jpg,3.5\n")
    assert read_manifest(path, Columns()).frame["label"].tolist() == ["3.0", "3.5"]
