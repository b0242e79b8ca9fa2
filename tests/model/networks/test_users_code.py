"""Whatever the user's code raises ends as a sentence with its words."""

import pytest

from errlens.errors import OutOfMemory, UnfitModel, UserCodeFailed
from errlens.model.networks.users_code import users_code


class Own(Exception):
    """Of the user's own making."""


@pytest.mark.parametrize(
    "error", [Own("x"), KeyError("x"), AssertionError("x"), SystemExit("x"), StopIteration("x")]
)
def test_every_kind_of_failure_is_bad_input_in_its_own_words(error):
    words = f"the forward raised {type(error).__name__}: '?x'? "
    with pytest.raises(UserCodeFailed, match=words), users_code("the forward"):
        raise error


def test_where_it_was_raised_is_told():
    place = r"\(test_users_code.py, line \d+\)$"
    with pytest.raises(UserCodeFailed, match=place) as failure, users_code("the forward"):
        raise Own
    assert failure.value.exit_code == 3
    assert isinstance(failure.value.__cause__, Own)


def test_ctrl_c_and_our_own_sentences_pass():
    with pytest.raises(KeyboardInterrupt), users_code("the forward"):
        raise KeyboardInterrupt
    with pytest.raises(UnfitModel, match="as it was"), users_code("the forward"):
        raise UnfitModel("as it was")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("CUDA error: out of memory"),
    ],
)
def test_out_of_memory_says_how_many_images_there_were_and_what_helps(error):
    with pytest.raises(OutOfMemory, match="64 images at") as failure, users_code("x", images=64):
        raise error
    assert "--batch-size 32" in failure.value.hint
    with pytest.raises(OutOfMemory, match="1 image at") as failure, users_code("x", images=1):
        raise error
    assert "--batch-size" not in failure.value.hint
