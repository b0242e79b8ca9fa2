from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from errlens.run.file_names import LONGEST, distinct_names, file_name

texts = st.text(max_size=20) | st.sampled_from(
    [
        "..",
        ".",
        "",
        "/",
        "a/b",
        "a\\b",
        "A/B",
        "con.txt",
        "é",
        "e\u0301",
        "x" * 300,
        "猫" * 200,
        " ",
    ]
)


@given(text=texts)
def test_a_file_name_is_one_step_and_not_hidden(text):
    name = file_name(text)
    assert Path(name).name == name
    assert name
    assert name[0] != "."
    assert name[-1] not in ". "
    assert name.isprintable()
    assert not set(name) & set('<>:"/\\|?*\0')
    assert len(name.encode()) <= LONGEST + 1
    assert file_name(name) == name


@given(texts=st.lists(texts, max_size=12), taken=st.lists(texts.map(file_name), max_size=3))
def test_no_two_names_are_one_file_on_any_system(texts, taken):
    names = distinct_names(texts, taken=taken)
    assert len(names) == len(texts)
    together = [name.casefold() for name in (*names, *set(taken))]
    assert len({name.casefold() for name in names}) == len(names)
    assert len(set(together)) == len(names) + len({name.casefold() for name in taken})
    assert all(len(name.encode()) < 255 for name in names)


def test_plain_names_stay_as_they_are():
    names = ["Egyptian_Mau", "staffordshire bull terrier", "n02084071", "猫"]
    assert distinct_names(names) == [name.replace(" ", "_") for name in names]
