import numpy as np
import pandas as pd

from errlens.analysis.embedding.points import Points, outline_of_each


def test_an_image_whose_label_is_no_class_of_the_run_is_in_no_outline():
    table = pd.DataFrame(
        {"label": [0, 1, 2, -1], "label_name": ["a", "b", "c", "a"], "pred": [1, 1, 2, 0]}
    )
    points = Points(table, np.ones((4, 2), np.float16), {})
    assert outline_of_each(points, [["a", "b"]]).tolist() == [1, 1, 0, 0]
    assert outline_of_each(points, []).tolist() == [0, 0, 0, 0]
