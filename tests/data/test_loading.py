import threading
import time

import pytest
from PIL import Image

from errlens.data.images import Unread
from errlens.data.loading import in_order, load_input
from errlens.data.preprocess import Preprocessing


def test_results_come_in_order_however_long_each_takes():
    def work(job):
        time.sleep(0.002 * (job % 3))
        return -job

    assert list(in_order(work, range(30), workers=4)) == [-job for job in range(30)]


def test_jobs_are_taken_only_as_they_are_needed():
    taken = []
    jobs = (taken.append(job) or job for job in range(100))
    results = in_order(abs, jobs, workers=3)
    for done in range(10):
        next(results)
        assert len(taken) <= done + 1 + 3 + 1
    results.close()


def test_a_failure_reaches_the_consumer_and_ends_the_threads():
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError):
        list(in_order(lambda job: 1 // job, [1, 1, 0, 1], workers=2))
    assert threading.active_count() == before


def test_each_thread_begins_once():
    begun = []
    list(in_order(abs, range(50), workers=3, begin=lambda: begun.append(threading.get_ident())))
    assert 1 <= len(begun) <= 3
    assert len(set(begun)) == len(begun)


def test_a_photo_like_a_thread_is_a_row_not_a_crash(tmp_path):
    Image.new("RGB", (1, 4000)).save(tmp_path / "thread.png")
    border = Preprocessing((8, 8), 1.0, "border", "bicubic", (0.5,) * 3, (0.5,) * 3)
    found = load_input(tmp_path / "thread.png", border)
    assert isinstance(found, Unread)
    assert "1 x 4000 pixels" in found.reason
