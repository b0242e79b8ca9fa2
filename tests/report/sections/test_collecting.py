"""What to collect, as the page tells it: only classes with evidence, and which of their images."""

import numpy as np

from errlens.analysis.confusion.matrix import confusion_matrix_of_arrays
from errlens.analysis.findings.finding import Finding
from errlens.classes.names import ClassNames
from errlens.report.parts import Part
from errlens.report.sections.collecting import to_collect

LABEL = np.repeat([0, 1, 2], 60)
WRONG = np.arange(180) % 60 < np.repeat([30, 5, 4], 60)
MATRIX = confusion_matrix_of_arrays(
    LABEL, np.where(WRONG, (LABEL + 1) % 3, LABEL), ClassNames(("cat", "dog", "cow"))
)


def slice_of(class_name):
    return Finding(kind="slice", statement="Dark ones are wrong.", subject={"class": class_name})


def test_a_class_is_told_with_the_slice_that_is_thin():
    found = to_collect(MATRIX, Part({}), [slice_of("dog"), slice_of("cat"), slice_of(None)])
    (cat,) = found.classes
    assert (cat.name, cat.wrong, cat.recall) == ("cat", "30 of 60", "50.0 %")
    assert cat.why == "wrong more often than others (all others: 7.5 % wrong)"
    assert cat.thin == [(2, "Dark ones are wrong.")]
    assert (found.total, found.n_others) == (1, 2)


def test_without_errors_there_is_nothing_to_say():
    matrix = confusion_matrix_of_arrays(LABEL, LABEL, ClassNames(("cat", "dog", "cow")))
    assert to_collect(matrix, Part({}), []).is_empty
