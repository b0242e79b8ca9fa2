"""Which files are the checkpoints of a training, and in which order."""

from pathlib import Path

import pytest

from errlens.errors import InputError, UnfitOption
from errlens.network.evolution.checkpoints import find_checkpoints
from errlens.network.evolution.evolving import shown_of


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("e10.pth", "e9.pth", "e1.pth", "log.txt", "a/w.pt", "b/w.pt", "odd[1].pth"):
        path = Path("run", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


def names(*patterns):
    return [file.name for file in find_checkpoints(patterns)]


def test_numbers_in_names_count_as_numbers():
    assert names("run/e*.pth") == ["e1", "e9", "e10"]


def test_patterns_files_and_folders_are_joined_and_count_once():
    assert names("run/e1.pth", "run/e1*.pth") == ["e1", "e10"]
    assert names("run") == ["e1", "e9", "e10", "odd[1]"]
    assert names("run/odd[1].pth", "run/e1.pth") == ["e1", "odd[1]"]


def test_files_called_alike_are_told_apart_by_their_folders():
    assert names("run/*/w.pt") == ["a/w", "b/w"]
    assert [file.short for file in find_checkpoints(["run/*/w.pt"])] == ["a", "b"]


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        ("run/epoch*.pth", "'run' has 'e1.pth', 'e9.pth'"),
        ("run/e11.pth", "'run' has 'e1.pth'"),
        ("run/*/model.pt", "'run' has 'e1.pth', 'e9.pth', 'e10.pth', 'odd[1].pth'"),
        ("gone/e*.pth", "paths start from the folder you are in"),
        ("*.pth", "'.' has no file of weights"),
    ],
)
def test_a_pattern_that_matches_nothing_names_what_is_there(pattern, hint):
    with pytest.raises(InputError) as refused:
        find_checkpoints([pattern])
    assert hint in refused.value.hint


def test_one_file_alone_is_no_evolution():
    with pytest.raises(UnfitOption, match="one checkpoint alone") as refused:
        find_checkpoints(["run/e1.pth"])
    assert "'run/*.pth'" in refused.value.hint


def test_first_and_last_are_shown_of_many():
    assert shown_of(2) == [0, 1]
    assert (shown_of(90)[0], shown_of(90)[-1], len(set(shown_of(90)))) == (0, 89, 12)
