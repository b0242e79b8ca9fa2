import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from errlens.analysis.atlas.classes.class_points import class_points, pair_points, strongest_points

ATTRIBUTIONS = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 30), st.integers(2, 5)),
    # Few values, so that there are ties and zeros.
    elements=st.sampled_from([-1.0, -0.5, 0.0, 0.25, 0.5, 1.0]),
)


@given(ATTRIBUTIONS, st.integers(1, 10))
def test_points_of_a_class_are_its_own_and_the_strongest_each_once(attributions, most):
    top = attributions.argmax(axis=1)
    points = class_points(attributions, top, 1, most=most)
    assert (np.diff(points) > 0).all()  # ascending: none is there twice
    ranked = sorted(range(len(top)), key=lambda point: (-attributions[point, 1], point))
    strongest = [point for point in ranked if attributions[point, 1] > 0][:most]
    assert set(points.tolist()) == set(strongest) | set(np.flatnonzero(top == 1).tolist())


@given(ATTRIBUTIONS, st.integers(1, 10))
def test_points_of_a_pair_are_the_strongest_of_both_whichever_comes_first(attributions, most):
    points = pair_points(attributions, (0, 1), most=most)
    assert (np.diff(points) > 0).all()
    assert points.tolist() == pair_points(attributions, (1, 0), most=most).tolist()
    both = {
        point
        for of_class in (0, 1)
        for point in strongest_points(attributions[:, of_class], most=most).tolist()
    }
    assert set(points.tolist()) == both


def test_a_class_that_nothing_adds_to_has_no_point():
    attributions = np.array([[1.0, -1.0], [0.5, 0.0]])
    assert len(class_points(attributions, attributions.argmax(axis=1), 1)) == 0
