"""Ask a network about images, each in one of several threads."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch

from errlens.data.photos.loading import available_cores, in_order
from errlens.model.classifier import Classifier


@contextmanager
def torch_threads_kept() -> Iterator[None]:
    """Give torch back the number of threads that it had, whatever is set meanwhile."""
    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def asking_threads(
    classifier: Classifier, workers: int | None = None, *, threads: int = 1
) -> Iterator[Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]]:
    """Give a function that does work in threads, its results in order, and bounded memory.

    An accelerator, and a network that stores tensors while it runs, have one thread alone. The
    threads of torch are those of before at the end of the block.

    Args:
        classifier: What is asked.
        workers: Threads; as many as there are cores, if not given.
        threads: Of torch inside each of them; a single one has all, unless several are asked for.
    """
    on_cpu = classifier.device.type == "cpu"
    several = workers or available_cores()
    if not on_cpu or classifier.interface.keeps_tensors:
        several = 1
    begin = partial(torch.set_num_threads, threads) if max(several, threads) > 1 else None
    with torch_threads_kept():
        yield partial(in_order, workers=several, begin=begin)
