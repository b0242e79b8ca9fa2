import os

import pytest

from errlens.errors import OutOfReach, OutsideRun
from errlens.run.disk import atomically, inside, written_to


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    def fail_half_way():
        with atomically(tmp_path / "file", folder=tmp_path) as temporary:
            temporary.write_text("half")
            raise OSError("disk full")

    with pytest.raises(OutOfReach, match="cannot be written: disk full"):
        fail_half_way()
    assert list(tmp_path.iterdir()) == []
    with atomically(tmp_path / "file", folder=tmp_path) as temporary:
        temporary.write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_file_that_is_replaced_is_the_old_one_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with atomically(path, folder=tmp_path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
        assert temporary.name.startswith(".")
        assert temporary.parent == path.parent
    assert path.read_text() == "new"


def test_what_was_written_is_safe_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    path, safe = tmp_path / "file", []

    def fsync(descriptor):
        assert not path.exists()
        safe.append(os.pread(descriptor, 100, 0))

    monkeypatch.setattr(os, "fsync", fsync)
    with atomically(path, folder=tmp_path) as temporary:
        temporary.write_text("whole")
        assert safe == []
    assert safe == [b"whole"]
    assert path.exists()


@pytest.fixture
def precious(tmp_path):
    path = tmp_path / "elsewhere" / "precious"
    path.parent.mkdir()
    path.write_text("mine")
    return path


def test_a_link_is_replaced_and_not_followed(tmp_path, precious):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "file").symlink_to(precious)
    (folder / f".file.{os.getpid()}.tmp").symlink_to(precious)
    with atomically(folder / "file", folder=folder) as temporary:
        temporary.write_text("new")
    assert precious.read_text() == "mine"
    assert not (folder / "file").is_symlink()
    assert (folder / "file").read_text() == "new"


def test_a_linked_folder_is_not_written_through(tmp_path, precious):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "parts").symlink_to(precious.parent)
    with (
        pytest.raises(OutsideRun, match="leads out of"),
        atomically(folder / "parts" / "precious", folder=folder) as temporary,
    ):
        temporary.write_text("new")
    assert precious.read_text() == "mine"


def test_what_is_inside(tmp_path, precious):
    folder = tmp_path / "run"
    (folder / "sub").mkdir(parents=True)
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "out").symlink_to(precious)
    (folder / "here").symlink_to("sub")
    (tmp_path / "named").symlink_to(folder)
    for name in ("sub/a", "here/a", "nothing", "sub/../sub", "."):
        assert inside(folder / name, folder) == folder / name
    assert inside(tmp_path / "named" / "sub", tmp_path / "named") == tmp_path / "named" / "sub"
    for name in ("out", "loop", "../elsewhere/precious", "/etc/passwd", "sub/../../x", "a\0b"):
        with pytest.raises(OutsideRun):
            inside(folder / name, folder)
    with pytest.raises(OutsideRun):
        inside(tmp_path / "runaway", tmp_path / "run")


def test_what_the_system_refuses_is_said_with_the_place(tmp_path):
    with pytest.raises(OutOfReach) as failure, written_to(tmp_path / "x"):
        (tmp_path / ("n" * 300)).mkdir()
    assert str(failure.value) == f"{str(tmp_path / 'x')!r} cannot be written: file name too long"
    assert failure.value.hint == "choose a shorter name"
    assert failure.value.exit_code == 3
