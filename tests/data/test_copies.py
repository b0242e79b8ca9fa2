import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errlens.data.copies import Copy, copy_images
from errlens.data.photos.images import ImageFile
from errlens.errors import UnfitOption

HOSTILE = (
    "../..",
    "/etc",
    "a/b",
    "a_b",
    "A_B",
    "two\nlines",
    ".hidden",
    "con",
    "x" * 300,
    "..",
    "猫",
)


def nothing(_step):
    pass


def make(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return ImageFile(path, hashlib.sha256(content).digest()[:16])


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(*[st.sampled_from(HOSTILE)] * 2), max_size=30))
def test_every_file_is_inside_and_none_is_lost(tmp_path_factory, folders):
    place = tmp_path_factory.mktemp("copies")
    files = [
        make(place, f"images/{number}/{'aA'[number % 2]}.JPG", str(number).encode())
        for number in range(len(folders))
    ]
    target = place / "below" / "target"
    copies = [Copy(file, pair) for file, pair in zip(files, folders, strict=True)]
    assert copy_images(copies, target, progress=nothing) == []
    found = [path for path in (place / "below").rglob("*") if path.is_file()]
    assert all(path.resolve().is_relative_to(target.resolve()) for path in found)
    assert all(len(path.relative_to(target).parts) == 3 for path in found)
    assert sorted(path.read_bytes() for path in found) == sorted(
        str(number).encode() for number in range(len(folders))
    )
    assert len({str(path).casefold() for path in found}) == len(folders)
    assert {path.suffix for path in found} <= {".JPG"}
    of_content = {path.read_bytes(): path.relative_to(target).parts[:2] for path in found}
    together = {}
    for number, pair in enumerate(folders):
        together.setdefault(pair, set()).add(of_content[str(number).encode()])
    assert all(len(places) == 1 for places in together.values())
    assert len({next(iter(places)) for places in together.values()}) == len(together)


def test_what_is_gone_or_changed_is_told_and_not_copied(tmp_path):
    good, gone, changed = (
        make(tmp_path, name, name.encode()) for name in ("a.jpg", "b.jpg", "c.jpg")
    )
    gone.path.unlink()
    changed.path.write_bytes(b"other")
    steps = []
    failed = copy_images(
        [Copy(file, ("cat", "dog")) for file in (good, gone, changed)],
        tmp_path / "target",
        progress=steps.append,
    )
    assert [(copy.file, why.reason) for copy, why in failed] == [
        (gone, "no such file"), (changed, "another file now"),
    ]  # fmt: skip
    assert [path.name for path in (tmp_path / "target/cat/dog").iterdir()] == ["a.jpg"]
    assert sum(steps) == 3


@pytest.mark.parametrize("kind", ["file", "full", "empty"])
def test_nothing_is_overwritten(tmp_path, kind):
    target = tmp_path / "target"
    if kind == "file":
        target.write_text("mine")
    else:
        target.mkdir()
    if kind == "full":
        (target / "mine.txt").write_text("mine")
    copies = [Copy(make(tmp_path, "a.jpg", b"a"), ("cat", "dog"))]
    if kind == "empty":
        copy_images(copies, target, progress=nothing)
        assert (target / "cat/dog/a.jpg").read_bytes() == b"a"
        return
    with pytest.raises(UnfitOption, match="is not empty"):
        copy_images(copies, target, progress=nothing)


def test_a_stop_in_the_middle_leaves_nothing(tmp_path):
    def stop(_step):
        raise KeyboardInterrupt

    copies = [Copy(make(tmp_path, "images/a.jpg", b"a"), ("cat", "dog"))]
    with pytest.raises(KeyboardInterrupt):
        copy_images(copies, tmp_path / "target", progress=stop)
    assert [path.name for path in Path(tmp_path).iterdir()] == ["images"]
