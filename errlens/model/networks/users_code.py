"""The one place where the user's own code is called: whatever it raises ends as a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from errlens.errors import ErrlensError, OutOfMemory, UserCodeFailed

# What torch says where a machine has no memory left, besides raising an error of its own for GPUs.
_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")


@contextmanager
def users_code(what: str, *, images: int | None = None) -> Iterator[None]:
    """Tell what the code in this block raises in its own words; Ctrl-C passes.

    Args:
        what: What is called, as the beginning of a sentence.
        images: How many images it is given at a time, where memory may run out.

    Raises:
        UserCodeFailed: It raised something, or tried to end the program.
        OutOfMemory: There was not enough of it.
    """
    try:
        yield
    except ErrlensError:
        raise
    except (Exception, SystemExit) as error:
        if images is not None and is_out_of_memory(error):
            raise OutOfMemory(what, images=images) from error
        raise UserCodeFailed(what, error) from error


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether memory ran out, on whatever device.

    >>> is_out_of_memory(RuntimeError("CUDA error: out of memory"))
    True
    """
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    words = str(error).lower()
    return isinstance(error, RuntimeError) and any(sign in words for sign in _NO_MEMORY)
