import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from errlens.data.manifests import Columns
from errlens.data.samples import Samples, find_samples, folders_of_folders, refuse_absent
from errlens.errors import InputError, MissingInput, NoImages, UnfitOption
from tests.conftest import touch, without_privilege

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


def test_a_single_photo_lies_in_its_own_folder(tmp_path):
    found = find_samples(touch(tmp_path, "cat/1.JPG", "cat/2.jpg") / "cat" / "1.JPG")
    assert found.frame["path"].tolist() == ["1.JPG"]
    assert found.frame["label_name"].tolist() == [None]
    assert found.frame["size_bytes"].tolist() == [len("cat/1.JPG")]
    assert found.root == (tmp_path / "cat").absolute()
    assert (found.root / found.frame["path"][0]).is_file()


def test_a_single_photo_whose_name_is_not_utf8_has_a_problem(tmp_path):
    photo = Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9.jpg"))
    photo.touch()
    found = find_samples(photo).frame
    assert found["path"].tolist() == ["caf\\xe9.jpg"]
    assert found["problem"].tolist() == ["file name is not UTF-8"]


def test_folders_from_here_are_the_same_as_from_the_root(tmp_path, monkeypatch):
    touch(tmp_path, "data/cat/1.jpg", "data/dog/2.jpg", "data/notes.txt")
    monkeypatch.chdir(tmp_path)
    here, there = find_samples(Path("data")), find_samples(tmp_path / "data")
    assert here.root == there.root == tmp_path / "data"
    assert here.frame.equals(there.frame)
    assert here.skipped == {".txt": 1}
    assert len(here) == 2


def test_a_class_of_files_that_are_no_images_is_an_empty_class(tmp_path):
    found = find_samples(touch(tmp_path, "cat/1.jpg", "dog/notes.txt"))
    assert found.class_folders == ("cat", "dog")
    assert found.empty_classes == ["dog"]


def test_split_folders_beside_another_folder_are_classes(tmp_path):
    found = find_samples(touch(tmp_path, "test/1.jpg", "pass/2.jpg"))
    assert found.labels == ["pass", "test"]


@pytest.mark.parametrize("names", [("train", "val"), ("Test",), ("validation", "train", "valid")])
def test_folders_that_are_splits_are_not_classes(tmp_path, names):
    data = touch(tmp_path, *(f"{name}/cat/1.jpg" for name in names))
    with pytest.raises(InputError, match="splits, not classes") as failure:
        find_samples(data)
    assert all(str(data / name) in failure.value.hint for name in names)


def test_nothing_to_predict_says_what_is_there_instead(tmp_path):
    with pytest.raises(NoImages, match=r"only 1 \.txt"):
        find_samples(touch(tmp_path, "cat/1.txt"))


@pytest.mark.parametrize("names", [(), ("cat/.hidden.jpg",), ("cat/notes.txt", "cat/raw")])
def test_a_folder_without_images_says_what_images_end_in(tmp_path, names):
    (tmp_path / "data").mkdir()
    with pytest.raises(NoImages) as failure:
        find_samples(touch(tmp_path / "data", *names))
    assert str(tmp_path / "data") in str(failure.value)
    assert ".jpeg" in failure.value.hint


def test_no_samples_are_no_samples(tmp_path):
    frame = find_samples(touch(tmp_path, "1.jpg")).frame
    with pytest.raises(NoImages):
        Samples(frame.iloc[:0], tmp_path)


def test_data_whose_folder_is_not_there_either_says_what_is(tmp_path):
    with pytest.raises(MissingInput, match="DATA") as failure:
        find_samples(tmp_path / "nowhere" / "photos")
    assert failure.value.hint == f"{str(tmp_path)!r} is empty"


def test_data_in_a_folder_that_cannot_be_entered_is_an_input_error(public):
    touch(public, "closed/photos/1.jpg")
    (public / "closed").chmod(0)
    with without_privilege(), pytest.raises(InputError):
        find_samples(public / "closed" / "photos")


def test_data_of_an_impossible_name_is_an_input_error(tmp_path):
    with pytest.raises(InputError):
        find_samples(tmp_path / ("long" * 100))


def test_data_that_is_not_there_suggests_its_neighbour(tmp_path):
    touch(tmp_path, "photos/cat/1.jpg")
    with pytest.raises(MissingInput) as failure:
        find_samples(tmp_path / "photo")
    assert str(tmp_path / "photos") in failure.value.hint
    with pytest.raises(InputError, match="neither"):
        find_samples(touch(tmp_path, "model.onnx") / "model.onnx")


# Manifests


def manifest(tmp_path: Path, text: str, name: str = "list.csv") -> Path:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / name


def test_paths_start_at_the_manifest_or_at_the_root(tmp_path):
    touch(tmp_path, "lists/near.jpg", "photos/far.jpg")
    path = manifest(tmp_path / "lists", "path,label\nnear.jpg,a\n")
    assert find_samples(path).frame["size_bytes"].tolist() == [len("lists/near.jpg")]
    text = f"path,label\nfar.jpg,a\n{tmp_path / 'photos' / 'far.jpg'},a\ngone.jpg,b\n"
    found = find_samples(manifest(tmp_path, text), root=tmp_path / "photos")
    assert found.frame["path"].tolist() == ["far.jpg", "far.jpg", "gone.jpg"]
    assert found.frame["size_bytes"].isna().tolist() == [False, False, True]


def test_a_file_outside_the_root_keeps_its_whole_path(tmp_path):
    touch(tmp_path, "elsewhere/a.jpg")
    outside = tmp_path / "elsewhere" / "a.jpg"
    (tmp_path / "lists").mkdir()
    found = find_samples(manifest(tmp_path / "lists", f"path,label\n{outside},cat\n"))
    assert found.frame["path"].tolist() == [outside.as_posix()]
    assert found.frame["size_bytes"].tolist() == [len("elsewhere/a.jpg")]
    assert (found.root / found.frame["path"][0]) == outside


def test_a_root_from_here_is_made_absolute(tmp_path, monkeypatch):
    touch(tmp_path, "photos/a.jpg")
    path = manifest(tmp_path, f"path,label\n{tmp_path / 'photos' / 'a.jpg'},cat\na.jpg,cat\n")
    monkeypatch.chdir(tmp_path)
    found = find_samples(Path(path.name), root=Path("photos"))
    assert found.root == tmp_path / "photos"
    assert found.frame["path"].tolist() == ["a.jpg", "a.jpg"]


def test_paths_of_a_manifest_that_no_file_can_have_are_rows_without_size(tmp_path):
    path = manifest(tmp_path, f"path,label\nnull\0.jpg,cat\n{'long' * 100}.jpg,cat\n")
    found = find_samples(path).frame
    assert found["size_bytes"].isna().tolist() == [True, True]


def test_a_manifest_has_labels_splits_and_further_columns_but_no_class_folders(tmp_path):
    text = "file,kind,part,camera\na,cat,val,x\nb,,val,y\nc,dog,train,z\n"
    columns = Columns(path="file", label="kind", split="part")
    found = find_samples(manifest(tmp_path, text), columns=columns)
    assert found.frame["label_name"].tolist() == ["cat", None, "dog"]
    assert found.frame["split"].tolist() == ["val", "val", "train"]
    assert (found.labels, found.class_folders, found.empty_classes) == (["cat", "dog"], (), [])
    assert found.extra["camera"].tolist() == ["x", "y", "z"]
    part = find_samples(manifest(tmp_path, text), columns=columns, split="train")
    assert part.labels == ["dog"]
    with pytest.raises(UnfitOption, match="'train', 'val'"):
        find_samples(manifest(tmp_path, text), columns=columns, split="test")


# Limit

class_sizes = st.lists(st.integers(1, 12), min_size=1, max_size=5)


def listed(folder: Path, sizes: list[int]) -> Path:
    """Write a manifest of classes of these sizes, its rows numbered."""
    labels = [f"c{kind}" for kind, size in enumerate(sizes) for _ in range(size)]
    lines = [f"{row}.jpg,{label},{row}" for row, label in enumerate(labels)]
    return manifest(folder, "\n".join(["path,label,number", *lines]))


@settings(deadline=None, max_examples=40)
@given(sizes=class_sizes, limit=st.integers(1, 40), seed=st.integers(0, 5))
@example([12, 1, 1, 1, 1], 5, 0)
@example([100] + [1] * 20, 12, 0)
def test_a_limit_keeps_every_class_in_proportion(tmp_path_factory, sizes, limit, seed):
    path = listed(tmp_path_factory.mktemp("limit"), sizes)
    found = find_samples(path, limit=limit, seed=seed)
    total = min(limit, sum(sizes))
    assert len(found) == total
    kept = Counter(found.frame["label_name"])
    for kind, size in enumerate(sizes):
        assert abs(kept[f"c{kind}"] - total * size / sum(sizes)) <= 1


@settings(deadline=None, max_examples=30)
@given(sizes=class_sizes, limit=st.integers(1, 40), seed=st.integers(0, 5))
def test_a_limit_keeps_order_and_further_columns_and_repeats_itself(
    tmp_path_factory, sizes, limit, seed
):
    path = listed(tmp_path_factory.mktemp("limit"), sizes)
    found = find_samples(path, limit=limit, seed=seed)
    numbers = found.extra["number"].astype(int).tolist()
    assert numbers == sorted(set(numbers))
    assert [f"{number}.jpg" for number in numbers] == found.frame["path"].tolist()
    assert found.extra["row"].tolist() == found.frame.index.tolist() == list(range(len(numbers)))
    again = find_samples(path, limit=limit, seed=seed)
    assert again.frame.equals(found.frame)


def test_seeds_choose_different_images(tmp_path):
    path = listed(tmp_path, [20, 20])
    chosen = {tuple(find_samples(path, limit=4, seed=seed).frame["path"]) for seed in range(10)}
    assert len(chosen) > 5
    kept = {name for names in chosen for name in names}
    assert len(kept) > 15


def test_a_limit_that_everything_fits_changes_nothing(tmp_path):
    data = touch(tmp_path, "cat/1.jpg", "cat/2.jpg", "dog/1.jpg", "stray.jpg")
    everything = find_samples(data)
    assert find_samples(data, limit=4).frame.equals(everything.frame)
    assert find_samples(data, limit=400).frame.equals(everything.frame)


def test_a_limit_takes_images_without_label_as_a_class_of_their_own(tmp_path):
    lines = [f"{row}.jpg,{'cat' if row % 2 else ''}" for row in range(20)]
    path = manifest(tmp_path, "\n".join(["path,label", *lines]))
    found = find_samples(path, limit=6).frame["label_name"]
    assert (found.isna().sum(), (found == "cat").sum()) == (3, 3)


def test_a_limit_does_not_unmake_a_class(tmp_path):
    data = touch(tmp_path, *(f"cat/{row}.jpg" for row in range(20)), "dog/1.jpg")
    found = find_samples(data, limit=2)
    assert found.frame["label_name"].tolist() == ["cat", "cat"]
    assert found.labels == ["cat", "dog"]


def list_of(tmp_path, *paths):
    lines = [f"{path},{Path(path).parent.name or 'cat'}" for path in paths]
    (tmp_path / "list.csv").write_text("\n".join(["path,label", *lines]))
    return tmp_path / "list.csv"


def test_a_manifest_of_which_no_file_is_there_names_the_folder_where_they_are(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    touch(tmp_path, "my photos/cat/1.jpg", "my photos/dog/1.jpg")
    manifest = list_of(tmp_path, "cat/1.jpg", "dog/1.jpg")
    with pytest.raises(NoImages, match="none of the 2 files") as failure:
        refuse_absent(find_samples(manifest), manifest)
    assert failure.value.hint.endswith("add --root 'my photos'")
    samples = find_samples(manifest, root=tmp_path / "my photos")
    assert samples.frame["size_bytes"].notna().all()


def test_files_of_another_machine_are_found_below_the_root_that_is_named(tmp_path):
    touch(tmp_path, "photos/cat/1.jpg", "photos/dog/1.jpg")
    manifest = list_of(tmp_path, "/home/someone/pets/cat/1.jpg", "/home/someone/pets/dog/1.jpg")
    with pytest.raises(NoImages) as failure:
        refuse_absent(find_samples(manifest), manifest)
    assert str(tmp_path / "photos") in failure.value.hint
    samples = find_samples(manifest, root=tmp_path / "photos")
    assert samples.frame["path"].tolist() == ["cat/1.jpg", "dog/1.jpg"]
    assert "/home/someone/pets, which is left out" in samples.remark


def test_files_that_are_nowhere_ask_for_a_root(tmp_path):
    manifest = list_of(tmp_path, "nowhere/of no other test.jpg")
    with pytest.raises(NoImages) as failure:
        refuse_absent(find_samples(manifest), manifest)
    assert failure.value.hint == "say where their paths start: --root DIR"


def test_a_manifest_of_which_some_files_are_gone_keeps_all_its_rows(tmp_path):
    touch(tmp_path, "cat/1.jpg")
    manifest = list_of(tmp_path, "cat/1.jpg", "cat/2.jpg")
    samples = find_samples(manifest)
    refuse_absent(samples, manifest)
    assert len(samples) == 2


@pytest.mark.parametrize("more", ["meta/notes.txt", "extra.jpg", "README.md"])
def test_splits_are_no_classes_whatever_lies_beside_them(tmp_path, more):
    touch(tmp_path, "train/cat/1.jpg", "val/cat/1.jpg", more)
    with pytest.raises(InputError, match=r"splits, not classes: train, val$"):
        find_samples(tmp_path)


@pytest.mark.parametrize(
    ("files", "deeper"),
    [
        (["pets/cat/1.jpg", "pets/dog/1.jpg"], ["pets"]),
        (["pets/val/cat/1.jpg", "pets/val/dog/1.jpg"], ["pets/val"]),
        (["a/cat/1.jpg", "a/dog/1.jpg", "b/cat/1.jpg"], ["a", "b"]),
        (["cat/1.jpg", "dog/1.jpg"], []),
        (["cat/images/1.jpg", "dog/1.jpg"], []),
        (["1.jpg"], []),
    ],
)
def test_folders_of_folders_are_told_from_classes(tmp_path, files, deeper):
    assert folders_of_folders(find_samples(touch(tmp_path / "data", *files))) == deeper


@pytest.mark.parametrize(("name", "hint"), [("data.zip", "unpack"), ("list.json", "csv")])
def test_a_file_of_another_kind_says_what_would_do(tmp_path, name, hint):
    (tmp_path / name).write_bytes(b"PK\3\4")
    with pytest.raises(InputError, match="neither") as failure:
        find_samples(tmp_path / name)
    assert hint in failure.value.hint
