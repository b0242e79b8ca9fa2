import os
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from timm.utils.misc import natural_key

from errlens.classes import ClassNames
from errlens.data.folders import scan_folder
from errlens.data.labels import (
    NO_LABEL,
    choose_classes,
    label_indices,
    order_is_ambiguous,
)
from errlens.data.manifests import Columns, read_manifest
from errlens.data.samples import find_samples
from errlens.errors import (
    BadManifest,
    ClassCountMismatch,
    InputError,
    MissingInput,
    NoImages,
    UnfitOption,
    UnknownLabels,
)


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * len(name))
    return folder


# Folders


def test_a_scan_sorts_counts_and_follows_but_never_loops(tmp_path):
    data = touch(tmp_path / "data", "b/2.jpg", "b/deep/1.PNG", "a/x.jpeg", "a/notes.txt", "a/raw")
    touch(tmp_path / "other", "linked.jpg")
    touch(data, ".hidden/1.jpg", "a/.dot.jpg")
    (data / "c").symlink_to(tmp_path / "other")
    (data / "a" / "again").symlink_to(data)
    (data / "a" / "self.jpg").symlink_to(data / "a" / "self.jpg")
    (data / "a" / "lost.jpg").symlink_to("nowhere")
    found = scan_folder(data)
    expected = ["a/lost.jpg", "a/self.jpg", "a/x.jpeg", "b/2.jpg", "b/deep/1.PNG", "c/linked.jpg"]
    assert found.paths == expected
    assert found.sizes == [None, None, 8, 7, 12, 10]
    assert found.top_folders == ("a", "b", "c")
    assert found.skipped == {".txt": 1, "without suffix": 1}


def test_names_are_kept_but_those_that_are_no_utf8_are_escaped(tmp_path):
    touch(tmp_path, "a/two\nlines.jpg", "a/[bold].jpg")
    Path(os.fsdecode(bytes(tmp_path) + b"/a/caf\xe9.jpg")).touch()
    found = scan_folder(tmp_path)
    assert found.paths == ["a/[bold].jpg", "a/caf\\xe9.jpg", "a/two\nlines.jpg"]
    assert found.problems == [None, "file name is not UTF-8", None]


# Class folders and photos


def test_class_folders_give_labels_and_an_empty_one_stays_a_class(tmp_path):
    data = touch(tmp_path, "dog/1.jpg", "cat/deep/1.jpg")
    (data / "ant").mkdir()
    found = find_samples(data)
    assert found.frame["label_name"].tolist() == ["cat", "dog"]
    assert found.labels == ["ant", "cat", "dog"]
    assert found.empty_classes == ["ant"]
    assert found.root == data.absolute()


def test_photos_beside_class_folders_have_no_label(tmp_path):
    found = find_samples(touch(tmp_path, "cat/1.jpg", "stray.jpg"))
    assert found.frame["label_name"].tolist() == ["cat", None]


def test_a_flat_folder_and_a_photo_have_no_classes(tmp_path):
    data = touch(tmp_path, "1.jpg", "2.jpg")
    (data / "empty").mkdir()
    assert find_samples(data).labels == []
    assert find_samples(data / "2.jpg").frame["path"].tolist() == ["2.jpg"]


@pytest.mark.parametrize("names", [("train", "val"), ("Test",), ("validation", "train", "valid")])
def test_folders_that_are_splits_are_not_classes(tmp_path, names):
    data = touch(tmp_path, *(f"{name}/cat/1.jpg" for name in names))
    with pytest.raises(InputError, match="splits, not classes") as failure:
        find_samples(data)
    assert all(str(data / name) in failure.value.hint for name in names)


def test_nothing_to_predict_says_what_is_there_instead(tmp_path):
    with pytest.raises(NoImages, match=r"only 1 \.txt"):
        find_samples(touch(tmp_path, "cat/1.txt"))


def test_data_that_is_not_there_suggests_its_neighbour(tmp_path):
    touch(tmp_path, "photos/cat/1.jpg")
    with pytest.raises(MissingInput) as failure:
        find_samples(tmp_path / "photo")
    assert str(tmp_path / "photos") in failure.value.hint
    with pytest.raises(InputError, match="neither"):
        find_samples(touch(tmp_path, "model.onnx") / "model.onnx")


# Manifests


def manifest(tmp_path, text: str, name="list.csv") -> Path:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / name


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path, delimiter):
    text = "\ufeffpath,label,camera\na.jpg,cat,x\nb.jpg,,y\n".replace(",", delimiter)
    found = read_manifest(manifest(tmp_path, text), Columns())
    assert found.frame["path"].tolist() == ["a.jpg", "b.jpg"]
    assert found.frame["label"].tolist() == ["cat", None]
    assert found.extra.to_dict("list") == {"row": [0, 1], "camera": ["x", "y"]}


def test_classes_may_be_called_na_null_or_hold_the_delimiter(tmp_path):
    text = 'path,label\n1.jpg,NA\n2.jpg,null\n3.jpg,"cat, grey"\n4.jpg,007\n'
    found = read_manifest(manifest(tmp_path, text), Columns())
    assert found.frame["label"].tolist() == ["NA", "null", "cat, grey", "007"]


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


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("file,label\na,b\n", "no column 'path'; it has 'file', 'label'"),
        ("path,label\n", "no rows"),
        ("", "empty"),
        ("path,label\na,b\n,c\n", "row 1"),
    ],
)
def test_a_manifest_that_is_none_says_why(tmp_path, text, reason):
    with pytest.raises(BadManifest, match=reason):
        read_manifest(manifest(tmp_path, text), Columns())


def test_a_parquet_file_that_is_none_says_so(tmp_path):
    with pytest.raises(BadManifest, match="cannot be read"):
        read_manifest(manifest(tmp_path, "no parquet", "list.parquet"), Columns())


def test_a_split_that_is_not_there_lists_those_that_are(tmp_path):
    path = manifest(tmp_path, "path,label,split\na,b,train\nc,d,val\n")
    assert read_manifest(path, Columns(), split="val").frame["path"].tolist() == ["c"]
    with pytest.raises(UnfitOption, match="'train', 'val'"):
        read_manifest(path, Columns(), split="test")


def test_paths_start_at_the_manifest_or_at_the_root(tmp_path):
    touch(tmp_path, "lists/near.jpg", "photos/far.jpg")
    path = manifest(tmp_path / "lists", "path,label\nnear.jpg,a\n")
    assert find_samples(path).frame["size_bytes"].tolist() == [len("lists/near.jpg")]
    text = f"path,label\nfar.jpg,a\n{tmp_path / 'photos' / 'far.jpg'},a\ngone.jpg,b\n"
    found = find_samples(manifest(tmp_path, text), root=tmp_path / "photos")
    assert found.frame["path"].tolist() == ["far.jpg", "far.jpg", "gone.jpg"]
    assert found.frame["size_bytes"].isna().tolist() == [False, False, True]


# Limit


@settings(deadline=None, max_examples=30)
@given(
    sizes=st.lists(st.integers(1, 12), min_size=1, max_size=5),
    limit=st.integers(1, 40),
    seed=st.integers(0, 5),
)
def test_a_limit_keeps_every_class_in_proportion(tmp_path_factory, sizes, limit, seed):
    labels = [f"c{kind}" for kind, size in enumerate(sizes) for _ in range(size)]
    lines = [f"{row}.jpg,{label},{row}" for row, label in enumerate(labels)]
    folder = tmp_path_factory.mktemp("limit")
    path = manifest(folder, "\n".join(["path,label,number", *lines]))
    found = find_samples(path, limit=limit, seed=seed)
    total = min(limit, len(labels))
    assert len(found) == total
    kept = Counter(found.frame["label_name"])
    for kind, size in enumerate(sizes):
        assert abs(kept[f"c{kind}"] - total * size / len(labels)) <= 1
    numbers = found.extra["number"].astype(int).tolist()
    assert numbers == sorted(numbers)
    assert [f"{number}.jpg" for number in numbers] == found.frame["path"].tolist()
    assert found.extra["row"].tolist() == list(range(total))
    again = find_samples(path, limit=limit, seed=seed)
    assert again.frame["path"].tolist() == found.frame["path"].tolist()


# Labels


def test_names_come_from_the_file_then_the_model_then_the_data():
    given_names, carried = ClassNames(("x", "y")), ClassNames(("p", "q"))
    labels = ["cat", "dog"]
    assert choose_classes(labels, given=given_names, carried=carried, outputs=2) is given_names
    assert choose_classes(labels, given=None, carried=carried, outputs=2) is carried
    assert choose_classes(labels, given=None, carried=None, outputs=2).names == ("cat", "dog")
    assert choose_classes([], given=None, carried=None, outputs=3).names == ("0", "1", "2")
    with pytest.raises(ClassCountMismatch, match="3 outputs"):
        choose_classes(labels, given=None, carried=None, outputs=3)


def test_labels_become_indices_by_name_or_alias(tmp_path):
    found = find_samples(touch(tmp_path, "dog/1.jpg", "n01/1.jpg", "stray.jpg"))
    classes = ClassNames(("cat", "dog", "emu"), aliases={"n01": 0})
    np.testing.assert_array_equal(label_indices(found, classes), [1, 0, NO_LABEL])
    with pytest.raises(UnknownLabels, match="'n01'"):
        label_indices(found, ClassNames(("cat", "dog")))


@pytest.mark.parametrize(
    "labels", [["a", "b"], ["1", "10", "2"], ["Cat", "ant"], ["a1", "a02"], ["x10y", "x9y"]]
)
def test_ambiguous_is_what_torchvision_and_timm_sort_differently(labels):
    expected = sorted(labels) != sorted(labels, key=natural_key)
    assert order_is_ambiguous(labels) == expected
