import pytest

from errlens.errors import ForeignCode, OutOfMemory, UnfitModel, UnknownModel, UserCodeFailed
from errlens.model.networks.user_code import import_object, import_recorded, user_code


class Own(Exception):
    """Of the user's own making."""


@pytest.mark.parametrize(
    "error", [Own("x"), KeyError("x"), AssertionError("x"), SystemExit("x"), StopIteration("x")]
)
def test_every_kind_of_failure_is_bad_input_in_its_own_words(error):
    words = f"the forward raised {type(error).__name__}: '?x'? "
    with pytest.raises(UserCodeFailed, match=words), user_code("the forward"):
        raise error


def test_where_it_was_raised_is_told():
    place = r"\(test_user_code.py, line \d+\)$"
    with pytest.raises(UserCodeFailed, match=place) as failure, user_code("the forward"):
        raise Own
    assert failure.value.exit_code == 3
    assert isinstance(failure.value.__cause__, Own)


def test_ctrl_c_and_our_own_sentences_pass():
    with pytest.raises(KeyboardInterrupt), user_code("the forward"):
        raise KeyboardInterrupt
    with pytest.raises(UnfitModel, match="as it was"), user_code("the forward"):
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
    with pytest.raises(OutOfMemory, match="64 images at") as failure, user_code("x", images=64):
        raise error
    assert "--batch-size 32" in failure.value.hint
    with pytest.raises(OutOfMemory, match="1 image at") as failure, user_code("x", images=1):
        raise error
    assert "--batch-size" not in failure.value.hint


@pytest.mark.usefixtures("tiny")  # for its folder
def test_code_of_the_current_folder_is_the_users_own(tmp_path):
    assert import_recorded("tiny", "colours", what="model factory").__name__ == "colours"
    assert import_recorded("tiny", "Colours", what="model factory").__name__ == "Colours"
    package = tmp_path / "ours_of_here"
    package.mkdir()
    (package / "__init__.py").write_text("from ours_of_here.inner import make\n")
    (package / "inner.py").write_text("def make():\n    return 1\n")
    assert import_recorded("ours_of_here", "make", what="model factory")() == 1
    assert import_recorded("ours_of_here.inner", "make", what="model factory")() == 1


@pytest.mark.usefixtures("tiny")
def test_a_run_names_no_code_of_elsewhere():
    for module, name in (("json", "dumps"), ("timm", "create_model"), ("tiny", "nn")):
        with pytest.raises((ForeignCode, UnknownModel)):
            import_recorded(module, name, what="model factory")
    assert import_object("json", "dumps", what="model factory")([]) == "[]"


@pytest.mark.usefixtures("tiny")
def test_what_is_not_there_is_told():
    with pytest.raises(UnknownModel):
        import_recorded("tiny", "nothing", what="model factory")
    with pytest.raises(ForeignCode):
        import_recorded("nothing", "nothing", what="model factory")
