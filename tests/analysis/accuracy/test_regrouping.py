import time

import pytest

from errlens.analysis.accuracy.regrouping import regroup
from errlens.classes.names import ClassNames, Superclasses
from errlens.errors import UnfitOption


@pytest.mark.parametrize(
    ("names", "text", "merged"),
    [
        (("a", "b", "c"), "c+a", "a+c"),
        (("a", "b", "c"), " A + c ", "a+c"),
        (("a+b", "c", "d"), "a+b+c", "a+b+c"),
        (("a", "b", "a+b", "c"), "a+b", "a+b (merged)"),
        (("a+", "b", "c"), "a++b", "a++b"),
        (("x~y/z", "b", "c"), "b+x~y/z", "x~y/z+b"),
    ],
)
def test_a_plus_may_belong_to_a_name(names, text, merged):
    assert merged in regroup(ClassNames(names), merge=[text]).classes.names


def test_many_classes_merge_at_once():
    names = ClassNames(tuple(f"class {number}" for number in range(100)))
    assert len(regroup(names, merge=["+".join(names.names[:60])]).classes) == 41


@pytest.mark.parametrize(
    ("merge", "drop", "says"),
    [
        (["a+x"], [], "'x' names no class"),
        (["a"], [], "names one class"),
        (["a+a"], [], "names a class twice"),
        (["a+b", "b+c"], [], "several places"),
        (["a+b"], ["b"], "several places"),
        ([], ["grey cta"], "'grey cta' names no class"),
        (["a+b+c+grey cat"], [], "fewer than two"),
        ([], ["a", "b", "c"], "fewer than two"),
    ],
)
def test_what_cannot_be_merged_or_dropped_is_refused(merge, drop, says):
    with pytest.raises(UnfitOption, match=says) as refused:
        regroup(ClassNames(("a", "b", "c", "grey cat")), merge=merge, drop=drop)
    if drop == ["grey cta"]:
        assert "grey cat" in refused.value.hint


def test_a_text_with_two_readings_is_refused():
    with pytest.raises(UnfitOption, match="may mean several things"):
        regroup(ClassNames(("a", "b+c", "a+b", "c", "d")), merge=["a+b+c"])


def test_a_merged_class_keeps_the_superclass_that_its_classes_share():
    names = ClassNames(("cat", "dog", "ship", "fox"))
    parents = Superclasses(("animal", "vehicle"), (0, 0, 1, 0))
    found = regroup(names, parents, merge=["cat+dog"]).superclasses
    assert found.of_class == (0, 1, 0)
    mixed = regroup(names, parents, merge=["cat+ship"]).superclasses
    assert mixed.of_class == (None, 0, 0)


def thousands(k: int = 50_000) -> ClassNames:
    return ClassNames(tuple(f"class {number}" for number in range(k)))


@pytest.mark.parametrize("of_them", ["names", "folded names", "pairs"])
def test_three_thousand_of_fifty_thousand_classes_become_one_in_seconds(of_them):
    names = thousands()
    chosen = names.names[::16][:3001]
    merge = ["+".join(chosen)]
    if of_them == "folded names":
        merge = [" + ".join(chosen).upper().replace("CLASS ", "class_")]
    if of_them == "pairs":
        merge = [f"{a}+{b}" for a, b in zip(chosen[:3000:2], chosen[1::2], strict=True)]
    start = time.perf_counter()
    found = regroup(names, merge=merge)
    assert time.perf_counter() - start < 5
    assert len(found.classes) == 50_000 - (1500 if of_them == "pairs" else 3000)
    assert found.sizes.max() == (2 if of_them == "pairs" else 3001)


def test_names_that_hold_a_plus_cost_no_more():
    names = ClassNames(("a+b", *(f"class {number}" for number in range(9_999))))
    start = time.perf_counter()
    found = regroup(names, merge=["+".join(names.names[:3001])])
    assert len(found.classes) == 7_000
    with pytest.raises(UnfitOption, match="names a class twice"):
        regroup(ClassNames(("a", "b", "a+b")), merge=["+".join(["a", "b"] * 1000)])
    assert time.perf_counter() - start < 5


def test_a_long_text_with_a_stranger_in_it_is_not_repeated_whole():
    names = thousands(5_000)
    start = time.perf_counter()
    with pytest.raises(UnfitOption, match="'klass 3000' names no class") as failure:
        regroup(names, merge=["+".join((*names.names[:3000], "klass 3000"))])
    assert time.perf_counter() - start < 10
    assert len(str(failure.value)) < 300
    assert "class 3000" in failure.value.hint


def test_three_thousand_classes_are_dropped_in_seconds():
    names = thousands()
    start = time.perf_counter()
    assert len(regroup(names, drop=names.names[:3001]).classes) == 46_999
    assert time.perf_counter() - start < 5


def test_only_some_classes_are_left():
    names = ClassNames(("cat", "dog", "fox", "cow"))
    assert regroup(names, only=["cow", "cat"]).classes.names == ("cat", "cow")
    assert regroup(names, only=["cat", "dog", "fox"], drop=["dog"]).classes.names == ("cat", "fox")
    merged = regroup(names, only=["cat", "dog", "fox"], merge=["dog+fox"])
    assert merged.classes.names == ("cat", "dog+fox")
    assert merged.of_class.tolist() == [0, 1, 1, -1]


def test_a_class_that_is_not_left_is_not_merged():
    names = ClassNames(("cat", "dog", "fox", "cow"))
    with pytest.raises(UnfitOption, match="'cow', not among the classes of --only"):
        regroup(names, only=["cat", "dog", "fox"], merge=["dog+cow"])


def test_a_pair_is_merged_as_confusion_prints_it():
    names = ClassNames(("cat", "dog", "fox"))
    for text in ("cat ~ dog", "dog~cat"):
        assert regroup(names, merge=[text]).classes.names == ("cat+dog", "fox")


def test_names_may_be_those_that_tables_print():
    names = ClassNames(("American pit bull terrier", "Staffordshire bull terrier", "pug", "cat"))
    printed = "Amer\u2026rier ~ Staff\u2026terrier"
    found = regroup(names, merge=[printed], drop=["p\u2026g"]).classes.names
    assert found == ("American pit bull terrier+Staffordshire bull terrier", "cat")
