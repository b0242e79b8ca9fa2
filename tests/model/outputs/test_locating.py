"""Class scores among the things that a network returns."""

from collections import OrderedDict, namedtuple
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torchvision.models import GoogLeNetOutputs, InceptionOutputs

from errlens.errors import UnfitModel
from errlens.model.outputs.locating import find_scores, floats_in
from errlens.model.outputs.reading import Reading

SCORES = torch.arange(10.0).reshape(2, 5)
OTHER, WIDE = -SCORES, torch.zeros(2, 64)
Heads = namedtuple("Heads", "aux logits")


class Slotted:
    """Has its scores as a property, as some libraries do."""

    @property
    def logits(self):
        return SCORES


OUTPUTS = [
    (SCORES, ()),
    ([[0.0, 1.0], [2.0, 3.0]], ()),
    ({"features": WIDE, "logits": SCORES}, ("logits",)),
    ({"out": SCORES, "aux": OTHER}, ("out",)),
    ({"pred": SCORES, "embedding": WIDE}, ("pred",)),
    (OrderedDict(loss=torch.tensor(1.0), logits=SCORES), ("logits",)),
    ({"head": {"logits": SCORES, "aux": OTHER}}, ("head", "logits")),
    ({"anything": SCORES}, ("anything",)),
    ({"anything": SCORES, "map": torch.zeros(2, 5, 7, 7)}, ("anything",)),
    ((SCORES,), (0,)),
    ((SCORES, OTHER), (0,)),
    ([SCORES, None], (0,)),
    ((SCORES.numpy(), "text"), (0,)),
    ((torch.zeros(2, 5, 7, 7), SCORES), (1,)),
    (Heads(OTHER, SCORES), ("logits",)),
    (InceptionOutputs(SCORES, OTHER), ("logits",)),
    (GoogLeNetOutputs(SCORES, OTHER, None), ("logits",)),
    (SimpleNamespace(logits=SCORES, hidden=WIDE), ("logits",)),
    (Slotted(), ("logits",)),
    ({"labels": torch.tensor([1, 2]), "scores": SCORES}, ("scores",)),
]


@pytest.mark.parametrize(("output", "place"), OUTPUTS, ids=range(len(OUTPUTS)))
def test_scores_are_found_by_name_or_shape(output, place):
    found, remark = find_scores(output, 2)
    assert found == place
    values = Reading(found).values(output, 2)
    assert values.tolist() == (SCORES.tolist() if place else np.asarray(output).tolist())
    assert (remark is None) == (len(floats_in(output)) <= 1 or not place)


def test_the_number_of_classes_decides_among_other_widths():
    features_first = (WIDE, SCORES)
    assert find_scores(features_first, 2, classes=5)[0] == (1,)
    assert find_scores((SCORES, WIDE), 2, classes=5)[0] == (0,)
    place, remark = find_scores({"a": WIDE, "b": SCORES}, 2, classes=5)
    assert (place, "b (5)" in remark) == (("b",), True)


def test_a_name_does_not_outweigh_the_number_of_classes():
    found, _ = find_scores({"out": WIDE, "head": SCORES}, 2, classes=5)
    assert found == ("head",)
    found, _ = find_scores({"embedding": SCORES[:, :2], "logits": SCORES[:, :1]}, 2, classes=2)
    assert found == ("logits",)


@pytest.mark.parametrize("classes", [None, 3])
def test_what_cannot_be_told_is_refused_with_names_and_shapes(classes):
    with pytest.raises(UnfitModel, match=r"several things .*: a \(64\), b \(5\)") as failure:
        find_scores({"a": WIDE, "b": SCORES}, 2, classes=classes)
    assert ("--classes" in failure.value.hint) == (classes is None)
    with pytest.raises(UnfitModel, match=r"a tuple, not class scores: 0 \(5, 7, 7\)"):
        find_scores((torch.zeros(2, 5, 7, 7),), 2)
    with pytest.raises(UnfitModel, match="a dict, not class scores"):
        find_scores({}, 2)


def test_the_number_of_a_class_is_no_score():
    for output in (SCORES.argmax(dim=1), SCORES.argmax(dim=1).numpy(), [3, 1]):
        with pytest.raises(UnfitModel, match="the number of a class"):
            find_scores(output, 2)


def test_an_output_that_goes_missing_is_told():
    with pytest.raises(UnfitModel, match="has no 'logits' this time"):
        Reading(("logits",)).logits({"out": SCORES}, 2)
