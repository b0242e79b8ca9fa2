import os
from pathlib import Path

import pytest

from errlens.data.folders import scan_folder
from errlens.data.photos.regular_files import kernel_devices, read_regular, read_start
from tests.conftest import touch


def test_a_file_is_read_whole_and_begun(tmp_path):
    content = bytes(range(256)) * 100
    (tmp_path / "file").write_bytes(content)
    assert read_regular(tmp_path / "file", max_mb=1) == content
    assert read_start(str(tmp_path / "file"), 10) == content[:10]
    assert read_start(str(tmp_path / "file"), 10**6) == content


def test_links_to_files_are_followed_and_what_is_no_file_begins_with_nothing(tmp_path):
    touch(tmp_path, "folder/file")
    (tmp_path / "link").symlink_to("folder/file")
    assert read_regular(tmp_path / "link", max_mb=1) == b"x" * len("folder/file")
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "pipe", "gone"):
        assert read_start(str(tmp_path / name), 10) == b""
        with pytest.raises(OSError, match=r"regular|such file"):
            read_regular(tmp_path / name, max_mb=1)


def test_where_no_kernel_has_mounted_its_folders_every_folder_is_scanned(tmp_path, monkeypatch):
    touch(tmp_path, "a/1.jpg")
    monkeypatch.setattr(Path, "is_mount", lambda _: False)
    kernel_devices.cache_clear()
    try:
        assert kernel_devices() == frozenset()
        assert scan_folder(tmp_path).paths == ["a/1.jpg"]
    finally:
        kernel_devices.cache_clear()
