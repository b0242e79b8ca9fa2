import pytest

from errlens.run.metrics_file import require_metrics

TOP1 = {"value": 0.5, "n": 2, "low": 0.1, "high": 0.9}


def test_metrics_are_returned_as_they_are_with_what_others_add():
    tree = {"n": 2, "top1": TOP1, "of mine": [1]}
    assert require_metrics(tree) is tree


@pytest.mark.parametrize(
    ("tree", "place"),
    [
        ({}, "n"),
        ({"n": -1}, "n"),
        ({"n": 2, "top1": {**TOP1, "value": "0.5"}}, "top1.value"),
        ({"n": 2, "by_superclass": [{"superclass": 1}]}, "by_superclass.0.superclass"),
        ({"n": 2, "nll": {"value": None, "n": 2}}, "nll has no value"),
    ],
)
def test_what_does_not_fit_is_named_by_its_place(tree, place):
    with pytest.raises(ValueError, match=f"^.*{place}"):
        require_metrics(tree)
