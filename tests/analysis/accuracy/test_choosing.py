"""Which classes names and lists of names mean."""

from pathlib import Path

import pytest
import timm

from errlens.analysis.accuracy.choosing import chosen_classes
from errlens.classes.names import ClassNames
from errlens.errors import BadClassFile, MissingInput, UnfitOption
from errlens.model.names import imagenet_names

NAMES = ClassNames(("cat", "grey dog", "emu"))


def chosen(*texts):
    return chosen_classes([*map(str, texts)], NAMES, option="--only")


def test_names_and_lists_are_joined(tmp_path):
    (tmp_path / "some.txt").write_text("Grey_Dog\ncat\n")
    assert chosen(tmp_path / "some.txt", "cat") == [0, 1]
    assert chosen("EMU") == [2]


def test_a_class_wins_over_a_file_called_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cat").mkdir()
    assert chosen("cat") == [0]


def test_numbers_are_outputs_where_no_class_is_called_so(tmp_path):
    (tmp_path / "some.txt").write_text("2\n0\n")
    assert chosen(tmp_path / "some.txt") == [0, 2]
    (tmp_path / "some.txt").write_text("3\n")
    with pytest.raises(BadClassFile, match="'3'"):
        chosen(tmp_path / "some.txt")


@pytest.mark.parametrize("kind", ["a", "r"])
def test_timms_lists_of_imagenet_a_and_r_mean_the_same_200_classes(kind):
    folder = Path(timm.__file__).parent / "data" / "_info"
    names = ClassNames(imagenet_names().names)  # as run.json has them
    numbers, synsets = (
        chosen_classes([str(folder / f"imagenet_{kind}_{what}.txt")], names, option="--only")
        for what in ("indices", "synsets")
    )
    assert len(numbers) == 200
    assert numbers == synsets


def test_names_of_no_class_are_told_with_the_nearest(tmp_path):
    with pytest.raises(UnfitOption, match="'emo' names no class") as failure:
        chosen("emo")
    assert failure.value.hint == "did you mean emu?"
    (tmp_path / "some.txt").write_text("cat\ndig\nbear\n")
    with pytest.raises(BadClassFile, match=r"2 of 3 names .* 'dig', 'bear'"):
        chosen(tmp_path / "some.txt")
    with pytest.raises(MissingInput):
        chosen("missing.txt")


def test_names_may_stand_between_commas_and_nothing_is_no_folder():
    assert chosen("cat, EMU") == [0, 2]
    with_comma = ClassNames(("cat, tom", "cat", "tom"))
    assert chosen_classes(["cat, tom"], with_comma, option="--only") == [0]
    for text in ("", "cat,cow"):
        with pytest.raises(UnfitOption, match="names no class"):
            chosen(text)
