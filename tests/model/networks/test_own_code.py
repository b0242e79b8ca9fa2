import pytest

from errlens.errors import ForeignCode, UnknownModel
from errlens.model.networks.own_code import import_object, import_recorded


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
