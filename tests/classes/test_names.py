import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errlens.classes.names import ClassNames, Superclasses
from errlens.errors import BadClassFile

NAMES = ["wolf", "arctic fox", "cat, big"]


def test_a_name_wins_over_an_alias():
    classes = ClassNames(("a", "b"), aliases={"a": (1,), "x": (1,)})
    assert [classes.index(label) for label in ("a", "b", "x", "y")] == [0, 1, 1, None]
    assert classes.unknown(["z", "a", "y", "x"]) == ["y", "z"]


@settings(deadline=None)
@given(st.dictionaries(st.integers(0, 9), st.sampled_from("uvw"), min_size=1))
def test_superclasses_survive_their_mapping(parents):
    classes = ClassNames(tuple(f"c{index}" for index in range(10)))
    mapping = {classes[index]: parent for index, parent in parents.items()}
    found = Superclasses.from_mapping(mapping, classes, source="test")
    assert found.as_mapping(classes) == mapping
    assert found.names == tuple(sorted(set(mapping.values())))
    assert [found.name_of(index) for index in range(10)] == [parents.get(i) for i in range(10)]


@pytest.mark.parametrize(
    ("names", "reason"), [((), "no class"), (("a", "b", "a"), "the list repeats 'a'")]
)
def test_class_names_are_there_and_unique(names, reason):
    with pytest.raises(BadClassFile, match=reason):
        ClassNames(names)


names = st.lists(st.text(min_size=1), min_size=1, max_size=8, unique=True).map(tuple)


@settings(deadline=None)
@given(names)
def test_index_and_name_are_each_others_inverse(names):
    classes = ClassNames(names)
    assert [classes.index(name) for name in names] == list(range(len(classes)))
    assert [classes[classes.index(name)] for name in names] == list(names)
    assert classes.unknown(names) == []


def test_case_separators_and_accents_may_differ_where_one_reading_is_left():
    classes = ClassNames(("British Shorthair", "Turkey", "turkey"))
    assert classes.index("british_shorthair") == 0
    assert classes.index("turkey") == 2
    assert classes.index("TURKEY") is None
    assert classes.ambiguous(["TURKEY", "turkey", "emu"]) == {"TURKEY": ["Turkey", "turkey"]}
    assert classes.unknown(["TURKEY", "emu"]) == ["emu"]


def test_a_superclass_for_a_name_of_two_classes_is_refused():
    classes = ClassNames(("Turkey", "turkey"))
    with pytest.raises(BadClassFile, match="may be any of"):
        Superclasses.from_mapping({"TURKEY": "bird"}, classes, source="test")


def test_the_nearest_spelling_decides():
    classes = ClassNames(("A", "a", "Turkey ", "n02123045"))
    assert [classes.index(name) for name in ("A", "a ", "turkey", "Tabby_cat")] == [0, 1, 2, 3]
    assert classes.meant("\uff21") == (0, 1)


@pytest.mark.parametrize(
    "spelling", ["n02123045", "tabby cat", "Tabby", "n02123045-tabby", "tabby, tabby cat"]
)
@pytest.mark.parametrize("name", ["tabby", "n02123045", "tabby, tabby cat", "n02123045_tabby"])
def test_a_class_of_imagenet_goes_by_its_synset_and_its_lemmas(name, spelling):
    assert ClassNames(("golden retriever", name)).index(spelling) == 1


def test_a_synset_is_no_other_class_with_the_same_lemma():
    assert ClassNames(("crane (n03126707)",)).index("n02012849") is None
    assert ClassNames(("crane (n03126707)",)).index("crane (n02012849)") is None


def test_a_number_before_a_name_may_be_left_out():
    classes = ClassNames(("001.Black_footed_Albatross", "002.Laysan_Albatross"))
    assert classes.index("Laysan Albatross") == 1
    assert classes.index("albatross") is None
    assert ClassNames(("1 series", "2 series")).meant("series") == (0, 1)


def test_truth_and_falsehood_are_one_and_zero():
    assert [ClassNames(("0", "1")).index(label) for label in ("True", "false")] == [1, 0]


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("Amer\u2026rier", 0),
        ("Staff...terrier", 1),
        ("a...b", 2),
        ("\u2026terrier", None),
        ("\u2026", None),
        ("Amer\u2026dog", None),
    ],
)
def test_a_name_whose_middle_a_table_left_out_means_one_class_or_none(text, index):
    names = ("American pit bull terrier", "Staffordshire bull terrier", "a...b", "axb")
    assert ClassNames(names).called(text) == index
    assert ClassNames(names).index("Amer\u2026rier") is None
