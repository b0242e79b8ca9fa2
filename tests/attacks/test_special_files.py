"""A file that would wait for ever, or fill the memory, is a row: only regular files are read."""

import os
import socket
import stat
import time
import tracemalloc
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

import errlens
from errlens.cli import app
from errlens.data.copies import Copy, copy_images
from errlens.data.folders import scan_folder
from errlens.data.photos.images import ImageFile, Unread, identify_photo, open_photo, read_encoded
from errlens.data.photos.regular_files import read_regular
from tests.conftest import paint

QUICK = 2  # seconds; what waits, waits for ever


def hostile(folder: Path) -> dict[str, str]:
    """Make special files called like photos; return the reason each is refused for."""
    os.mkfifo(folder / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "socket.jpg"))
    (folder / "random.jpg").symlink_to("/dev/urandom")
    (folder / "null.png").symlink_to("/dev/null")
    (folder / "terminal.jpg").symlink_to("/dev/tty")
    expected = dict.fromkeys(
        ("pipe.jpg", "socket.jpg", "random.jpg", "null.png", "terminal.jpg"), "not a regular file"
    )
    for name, target in {
        "kmsg.jpg": "/proc/kmsg",
        "memory.jpg": "/proc/self/mem",
        "mounts.jpg": "/proc/self/mounts",
        "kernel.jpg": "/sys/kernel/vmcoreinfo",
    }.items():
        if Path(target).exists():
            (folder / name).symlink_to(target)
            expected[name] = "not a file on a disk"
    with (folder / "sparse.jpg").open("wb") as file:
        file.truncate(5_000_000_000)
    return expected | {"sparse.jpg": "5,000 MB, more than --max-file-mb 500"}


@pytest.fixture
def short(tmp_path_factory):
    """A folder whose path is short enough for a socket."""
    folder = tmp_path_factory.mktemp("s")
    if len(str(folder)) > 90:
        pytest.skip("the path is too long for a socket")
    return folder


def test_each_is_refused_at_once_by_every_reader(short):
    expected = hostile(short)
    start = time.monotonic()
    tracemalloc.start()
    for name, reason in expected.items():
        found = open_photo(short / name)
        assert isinstance(found, Unread), name
        assert (found.status, found.reason) == ("unreadable", reason), name
        assert identify_photo(short / name) == (None, None, None)
        assert ImageFile(short / name).read() == found
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert time.monotonic() - start < QUICK
    assert peak < 10_000_000


def test_they_are_rows_of_a_run(photos, tiny):
    expected = hostile(photos / "red")
    os.mkfifo(photos / "green" / "no suffix")
    arguments = [str(photos), "--model", tiny, "--img-size", "8", "-o", "run", "--max-bad", "99%"]
    said = CliRunner().invoke(app, ["evaluate", *arguments])
    assert said.exit_code == 0, said.output
    rows = errlens.open_run("run").predictions.table.to_pylist()
    reasons = {row["path"].removeprefix("red/"): row["error"] for row in rows if row["error"]}
    assert reasons == expected
    assert "skipped 1 file (1 without suffix)" in said.stderr


def test_the_names_of_a_manifest_are_no_way_around(tmp_path, tiny):
    paint(tmp_path / "red.png", "red")
    os.mkfifo(tmp_path / "pipe.png")
    listed = ["red.png,red", "pipe.png,red", "/dev/zero,red", "/proc/self/maps,green"]
    Path("list.csv").write_text("path,label\n" + "\n".join(listed) + "\n")
    arguments = ["list.csv", "--model", tiny, "--img-size", "8", "-o", "run", "--max-bad", "9"]
    Path("classes.txt").write_text("blue\ngreen\nred\n")
    said = CliRunner().invoke(app, ["evaluate", *arguments, "--classes", "classes.txt"])
    assert said.exit_code == 0, said.output
    status = errlens.open_run("run").predictions.table["status"].to_pylist()
    assert status == ["ok", "unreadable", "unreadable", "unreadable"]


def test_a_photo_that_became_something_else_after_its_run_is_not_waited_for(photos, tiny):
    command = ["evaluate", str(photos), "--model", tiny, "--img-size", "8", "-o", "run"]
    assert CliRunner().invoke(app, command).exit_code == 0
    for path in photos.rglob("*.png"):
        path.unlink()
        os.mkfifo(path)
    for command in ("misclassified", "report"):
        said = CliRunner().invoke(app, [command, "run"])
        assert said.exit_code == 0, said.output
    assert "not a regular file" in Path("run/report.html").read_text()


def test_a_file_as_large_as_allowed_is_read_and_a_byte_more_is_not(tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(bytes(1_000_000))
    assert len(read_regular(path, max_mb=1)) == 1_000_000
    path.write_bytes(bytes(1_000_001))
    with pytest.raises(OSError, match="1 MB, more than --max-file-mb 1"):
        read_regular(path, max_mb=1)


def test_the_limit_is_an_option_a_part_of_the_run_and_is_kept_by_what_reads_it(photos, tiny):
    from errlens.run.folder import open_run

    large = photos / "red" / "large.bmp"  # red photos with a green one among them are wrong
    Image.new("RGB", (600, 600), (0, 200, 0)).save(large)
    assert large.stat().st_size > 1_000_000
    command = ["evaluate", str(photos), "--model", tiny, "--img-size", "8", "--max-bad", "1"]
    said = CliRunner().invoke(app, [*command, "-o", "one", "--max-file-mb", "1"])
    assert said.exit_code == 0, said.output
    assert open_run("one").metrics["n_failed"] == 1
    said = CliRunner().invoke(app, [*command, "-o", "two", "--max-file-mb", "2"])
    assert open_run("two").metrics["n_failed"] == 0
    assert open_run("two").info.max_file_mb == 2
    said = CliRunner().invoke(app, [*command, "-o", "one", "--max-file-mb", "2"])
    assert said.exit_code == 3
    assert "decoder.max_file_mb 1 -> 2" in said.stderr
    with large.open("ab") as file:
        file.truncate(3_000_000)
    said = CliRunner().invoke(app, ["misclassified", "two"])
    assert said.exit_code == 0
    assert "--max-file-mb 2" in said.stderr


def test_explaining_photos_waits_for_nothing_and_reads_no_more(tmp_path, tiny):
    paint(tmp_path / "photo.png", "red")
    os.mkfifo(tmp_path / "pipe.png")
    Image.new("RGB", (600, 600)).save(tmp_path / "large.bmp")
    names = ("photo.png", "pipe.png", "large.bmp")
    command = ["explain", *names, "--model", tiny, "--img-size", "8", "--method", "saliency"]
    said = CliRunner().invoke(app, [*command, "--max-file-mb", "1"])
    assert said.exit_code == 0, said.output
    index = pd.read_csv("explained/index.csv").set_index("sample_id")
    assert index["status"].to_dict() == {
        "photo.png": "ok", "pipe.png": "failed", "large.bmp": "failed",
    }  # fmt: skip
    assert "--max-file-mb 1" in index["error"]["large.bmp"]
    assert CliRunner().invoke(app, command).exit_code == 0
    again = pd.read_csv("explained/index.csv").set_index("sample_id")
    assert (again.loc["large.bmp", "status"] == "ok").all()


def test_a_copy_of_the_images_does_not_read_more_either(tmp_path):
    with (tmp_path / "sparse.jpg").open("wb") as file:
        file.truncate(5_000_000_000)
    copies = [Copy(ImageFile(tmp_path / "sparse.jpg"), ("a",))]
    ((_, unread),) = copy_images(copies, tmp_path / "copies", progress=lambda _: None)
    assert "--max-file-mb" in unread.reason


def test_a_file_that_grows_is_read_as_long_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "log.jpg"
    path.write_bytes(b"x" * 100)
    really = os.fstat

    def grow(descriptor):
        status = really(descriptor)
        if stat.S_ISREG(status.st_mode) and status.st_size == 100:
            with path.open("ab") as file:
                file.write(b"x" * 1000)
        return status

    monkeypatch.setattr(os, "fstat", grow)
    assert len(read_encoded(path).content) == 100


@pytest.mark.parametrize("target", ["/proc", "/sys", "/proc/self/task"])
def test_a_scan_does_not_follow_a_link_into_the_kernel(tmp_path, target):
    if not Path(target).is_dir():
        pytest.skip(f"no {target} on this platform")
    paint(tmp_path / "a" / "1.png", "red")
    (tmp_path / "a" / "link").symlink_to(target)
    start = time.monotonic()
    found = scan_folder(tmp_path)
    assert (found.paths, found.skipped) == (["a/1.png"], {})
    assert time.monotonic() - start < QUICK


def test_a_scan_of_a_folder_opens_no_pipe(tmp_path):
    (tmp_path / "a").mkdir()
    os.mkfifo(tmp_path / "a" / "pipe.unknown")
    os.mkfifo(tmp_path / "a" / "pipe")
    (tmp_path / "a" / "zero").symlink_to("/dev/zero")
    (tmp_path / "a" / "kernel").symlink_to("/proc/kmsg")
    start = time.monotonic()
    found = scan_folder(tmp_path)
    assert time.monotonic() - start < QUICK
    assert found.paths == []
    assert found.skipped == {"without suffix": 3, ".unknown": 1}
