"""Make several things at a time, each in many steps, with progress, and stop when told to."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from functools import partial
from queue import SimpleQueue
from threading import Event
from typing import Final, TypeVar

import torch

from errlens.data.photos.loading import available_cores
from errlens.model.asking.threads import torch_threads_kept
from errlens.model.classifier import Classifier

Job = TypeVar("Job")
Result = TypeVar("Result")

_LOOKS: Final = 0.1  # seconds between two looks at what is done


class _Stopped(Exception):
    """Another job failed, or the user pressed Ctrl-C."""


def workers_for(classifier: Classifier, workers: int | None = None) -> int:
    """Return how many threads may ask a network at a time: one on an accelerator."""
    if classifier.device.type != "cpu" or classifier.interface.keeps_tensors:
        return 1
    return workers or available_cores()


def made_in_threads(
    make: Callable[[Job, Callable[[int], None]], Result],
    jobs: Sequence[Job],
    *,
    workers: int,
    advance: Callable[[int], None],
) -> list[Result]:
    """Return what is made of each job, in their order.

    Torch has one thread in each of ours, however many there are, for with several it would add up
    in another order.

    Args:
        make: Given a job and a function to call after each step with the progress since the last.
        jobs: The jobs.
        workers: Threads.
        advance: Told of progress, in the thread that called this.
    """
    stopped = Event()
    told: SimpleQueue[int] = SimpleQueue()

    def step(progress: int) -> None:
        if stopped.is_set():
            raise _Stopped
        told.put(progress)

    with (
        torch_threads_kept(),
        ThreadPoolExecutor(workers, "icons", partial(torch.set_num_threads, 1)) as pool,
    ):
        try:
            futures = [pool.submit(make, job, step) for job in jobs]
            waiting = set(futures)
            while waiting:
                ended, waiting = wait(waiting, timeout=_LOOKS, return_when=FIRST_EXCEPTION)
                advance(_taken(told))
                for future in ended:
                    future.result()  # raises what it raised
        finally:
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
        return [future.result() for future in futures]


def _taken(told: SimpleQueue[int]) -> int:
    """Return the sum of what waits in a queue, and empty it."""
    return sum(told.get() for _ in range(told.qsize()))
