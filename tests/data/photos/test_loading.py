import hashlib
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from errlens.data.photos.images import Unread
from errlens.data.photos.loading import Input, in_order, load_input
from errlens.data.photos.preprocess import Preprocessing

HALF = (0.5,) * 3
PATIENCE = 10  # seconds that threads wait for one another before a test fails


# In order


def test_results_come_in_order_however_long_each_takes():
    def work(job):
        time.sleep(0.002 * (job % 3))
        return -job

    assert list(in_order(work, range(30), workers=4)) == [-job for job in range(30)]


@settings(deadline=None, max_examples=30)
@given(jobs=st.lists(st.integers()), workers=st.integers(1, 5))
def test_it_is_a_map(jobs, workers):
    assert list(in_order(str, jobs, workers=workers)) == list(map(str, jobs))


def test_jobs_are_taken_only_as_they_are_needed():
    taken = []
    jobs = (taken.append(job) or job for job in range(100))
    results = in_order(abs, jobs, workers=3)
    for done in range(10):
        next(results)
        assert len(taken) <= done + 1 + 3 + 1
    results.close()


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_every_worker_has_a_job_and_one_waits(workers):
    taken = []
    jobs = (taken.append(job) or job for job in range(100))
    together = threading.Barrier(workers)

    def work(job):
        if job < workers:
            together.wait(PATIENCE)  # passes only if all workers are at work at once
        return job

    results = in_order(work, jobs, workers=workers)
    assert taken == []
    for done in range(1, 20):
        next(results)
        assert len(taken) == done + workers + 1
    results.close()


def test_a_failure_reaches_the_consumer_and_ends_the_threads():
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError):
        list(in_order(lambda job: 1 // job, [1, 1, 0, 1], workers=2))
    assert threading.active_count() == before


def test_a_failure_comes_after_the_results_before_it():
    results = in_order(lambda job: 6 // job, [1, 2, 0, 3], workers=3)
    assert [next(results), next(results)] == [6, 3]
    with pytest.raises(ZeroDivisionError):
        next(results)
    with pytest.raises(StopIteration):
        next(results)


@pytest.mark.parametrize("good", [0, 1, 7])
def test_a_failure_of_the_jobs_reaches_the_consumer_and_ends_the_threads(good):
    def jobs():
        yield from range(good)
        raise LookupError("no more jobs")

    before = threading.active_count()
    with pytest.raises(LookupError, match="no more jobs"):
        list(in_order(abs, jobs(), workers=2))
    assert threading.active_count() == before


def test_stopping_early_ends_the_threads_and_drops_the_jobs_not_begun():
    before, begun = threading.active_count(), []
    blocked, closing = threading.Event(), threading.Event()

    def work(job):
        begun.append(job)
        if job == 1:
            blocked.set()
            closing.wait(PATIENCE)
        return job

    results = in_order(work, range(100), workers=1)
    assert next(results) == 0
    assert blocked.wait(PATIENCE)
    # The only thread is held by job 1 until the closing has had time to drop the rest.
    threading.Timer(0.2, closing.set).start()
    results.close()
    assert begun == [0, 1]
    deadline = time.monotonic() + PATIENCE
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before


def test_each_thread_begins_once():
    begun, seen, together = [], set(), threading.Barrier(3)

    def work(job):
        if job < 3:
            together.wait(PATIENCE)  # so that all three threads have work
        seen.add(threading.get_ident())
        assert threading.get_ident() in begun

    list(in_order(work, range(50), workers=3, begin=lambda: begun.append(threading.get_ident())))
    assert len(begun) == 3
    assert set(begun) == seen


# Inputs


def test_an_input_is_the_prepared_photo_with_its_size_and_hash(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "turned.png"
    Image.fromarray(pixels).save(path, exif=exif)
    for turn in (False, True):
        plain = Preprocessing((16, 12), 0.9, "center", "bicubic", HALF, HALF, exif=turn)
        found = load_input(path, plain)
        assert isinstance(found, Input)
        shown = np.rot90(pixels, -1) if turn else pixels
        np.testing.assert_array_equal(found.value, plain.prepare(Image.fromarray(shown)))
        assert (found.width, found.height) == (20, 30)
        assert found.content_hash == hashlib.sha256(path.read_bytes()).digest()[:16]


def test_a_gray_model_is_fed_one_channel(tmp_path):
    Image.new("RGB", (8, 8), (255, 0, 0)).save(tmp_path / "red.png")
    gray = Preprocessing((8, 8), 1.0, "center", "bicubic", (0.5,), (0.5,))
    found = load_input(tmp_path / "red.png", gray)
    expected = Image.new("RGB", (8, 8), (255, 0, 0)).convert("L")
    np.testing.assert_array_equal(found.value[:, :, 0], expected)


def test_a_photo_that_cannot_be_opened_is_not_prepared(tmp_path):
    class Never:
        image_mode, exif, scale_16bit = "RGB", False, False

        def prepare(self, _image):
            raise AssertionError("nothing to prepare")

    (tmp_path / "empty.png").touch()
    assert load_input(tmp_path / "empty.png", Never()).status == "unreadable"
    assert load_input(tmp_path / "gone.png", Never()).status == "missing"


def test_a_photo_like_a_thread_is_a_row_not_a_crash(tmp_path):
    Image.new("RGB", (1, 4000)).save(tmp_path / "thread.png")
    border = Preprocessing((8, 8), 1.0, "border", "bicubic", HALF, HALF)
    found = load_input(tmp_path / "thread.png", border)
    assert isinstance(found, Unread)
    assert "1 x 4000 pixels" in found.reason


@pytest.mark.parametrize("size", [(1, 4000), (4000, 1)])
def test_a_photo_like_a_thread_lying_or_standing_is_unreadable_with_its_hash(tmp_path, size):
    path = tmp_path / "thread.png"
    Image.new("RGB", size).save(path)
    border = Preprocessing((8, 8), 1.0, "border", "bicubic", HALF, HALF)
    found = load_input(path, border)
    assert isinstance(found, Unread)
    assert found.status == "unreadable"
    assert found.content_hash == hashlib.sha256(path.read_bytes()).digest()[:16]
    squash = Preprocessing((8, 8), 1.0, "squash", "bicubic", HALF, HALF)
    assert load_input(path, squash).value.shape == (8, 8, 3)


def test_a_thread_is_cheap_where_its_ends_can_be_cut_off_and_else_unreadable(tmp_path):
    center = Preprocessing((224, 224), 0.875, "center", "bicubic", HALF, HALF)
    Image.new("RGB", (1, 60_000)).save(tmp_path / "thread.png")
    assert load_input(tmp_path / "thread.png", center).value.shape == (224, 224, 3)
    Image.new("RGB", (3, 60_001)).save(tmp_path / "ribbon.png")
    found = load_input(tmp_path / "ribbon.png", center)
    assert isinstance(found, Unread)
    assert found.reason == "3 x 60001 pixels: resized it would be 256 x 5120085"


def test_a_transform_that_fails_on_an_ordinary_photo_is_a_bug_that_shows(tmp_path):
    class Broken:
        image_mode, exif, scale_16bit = "RGB", False, False

        def prepare(self, _image):
            raise ValueError("a mistake in the transform")

    Image.new("RGB", (30, 20)).save(tmp_path / "photo.png")
    with pytest.raises(ValueError, match="a mistake in the transform"):
        load_input(tmp_path / "photo.png", Broken())
